package screen

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/screen/record"
)

// compounds lists the items.
func (p *Plan) compounds() error {
	cfg := p.cfg
	path := cfg.File(cfg.Compounds)
	list, warnings, err := ReadCompounds(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{cfg.path + ": compounds", err, "a line a compound, with a line of names above: name, dose, known, known_evidence …"}
	}
	if err != nil {
		return err
	}
	p.Warnings = append(p.Warnings, warnings...)
	dose := func(text string) int16 {
		at := slices.Index(p.Doses, text)
		if at < 0 {
			at = len(p.Doses)
			p.Doses = append(p.Doses, text)
		}
		return int16(at)
	}
	for _, d := range cfg.Leading.Doses { // the first of all, as they rise
		dose(d)
	}
	controls := map[string]record.Item{}
	for _, name := range cfg.Controls.Positive {
		low := strings.ToLower(strings.TrimSpace(name))
		if low == "" {
			return wrong(cfg.path+": controls.positive", "", "a name is empty")
		}
		if _, ok := controls[low]; ok {
			return wrong(cfg.path+": controls.positive", "", "%s is named twice", name)
		}
		controls[low] = record.Item{Name: strings.TrimSpace(name), Kind: record.Control, MainDose: -1}
	}
	var tests []Compound
	for _, c := range list {
		item := record.Item{Name: c.Name, Kind: record.Test, Known: c.Known, Evidence: c.Evidence, Mechanism: c.Mechanism, Targets: c.Targets, MainDose: dose(c.Dose)}
		if control, ok := controls[strings.ToLower(c.Name)]; ok {
			control.Mechanism, control.Targets, control.MainDose = item.Mechanism, item.Targets, item.MainDose
			controls[strings.ToLower(c.Name)] = control
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s is a positive control and no compound of the screen", c.Name))
			continue
		}
		tests = append(tests, c)
		p.Items = append(p.Items, item)
	}
	if len(tests) == 0 {
		return wrong(path, "", "there is no compound beside the positive controls")
	}
	if len(p.Doses) >= math.MaxInt16 {
		return wrong(path, "", "%d different doses", len(p.Doses))
	}
	for _, name := range cfg.Leading.Names {
		if !slices.ContainsFunc(tests, func(c Compound) bool { return c.Name == name }) {
			return wrong(cfg.path+": leading.names", "names are those of the list of compounds", "%q is no compound", name)
		}
	}
	for _, name := range cfg.Controls.Positive {
		item := controls[strings.ToLower(strings.TrimSpace(name))]
		if item.MainDose < 0 { // the list does not have it
			item.MainDose = dose("")
		}
		p.Items = append(p.Items, item)
	}
	for _, f := range []struct {
		family string
		n      *int
	}{{familyInvented, cfg.Controls.Decoys.Invented}, {familyStem, cfg.Controls.Decoys.Stem}, {familyShuffled, cfg.Controls.Decoys.Shuffled}} {
		n := (len(tests) + 3) / 4
		if f.n != nil {
			n = *f.n
		}
		if n > 0 && n*4 < len(tests) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%d decoys of the family %s are fewer than a quarter of the %d compounds: no false discovery rate can be told from them", n, f.family, len(tests)))
		}
		made, err := decoys(cfg.Seed, f.family, n, list)
		if err != nil {
			return err
		}
		for i := range made { // decoys are given as the compounds are
			made[i].MainDose = p.Items[i%len(tests)].MainDose
		}
		p.Items = append(p.Items, made...)
	}
	if cfg.Baseline.Name != "" {
		asked := len(p.Items)
		for _, item := range p.Items[:asked] {
			if item.Kind == record.Test || item.Kind == record.Control {
				p.Items = append(p.Items, record.Item{Name: item.Name, Kind: record.Baseline, MainDose: item.MainDose})
			}
		}
		p.Items = append(p.Items, record.Item{Kind: record.Baseline}) // its vehicle
	}
	return nil
}
