package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/spelling"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// pertFlags name the columns of obs that say what was done to a cell, and where.
type pertFlags struct {
	control   string
	pert      string
	context   string
	cellType  string
	dose      string
	time      string
	separator string
	guides    bool
}

// allControls is the --pert-col of a file without perturbed cells.
const allControls = "-"

func (l *pertFlags) add(f *pflag.FlagSet) {
	f.StringVar(&l.control, "control", "", "`NAME` that unperturbed cells have")
	f.StringVar(&l.pert, "pert-col", "", "`COLUMN` of obs with the perturbations (default: the one that has --control); -: all cells are controls")
	f.StringVar(&l.context, "context-col", "", "`COLUMN` of obs with the contexts (default: context, if it is there; -: none)")
	f.StringVar(&l.cellType, "cell-type-col", "", "`COLUMN` of obs with the cell types (default: cell_type, celltype or cluster_id, if it is there; -: none)")
	f.StringVar(&l.dose, "dose-col", "", "`COLUMN` of obs with doses and their unit")
	f.StringVar(&l.time, "time-col", "", "`COLUMN` of obs with times and their unit, or acute and chronic")
	f.StringVar(&l.separator, "separator", predictor.Separator, "`TEXT` between the parts of a combination")
	f.BoolVar(&l.guides, "guides", false, "names end in the number of a guide, as ABCA1-1: guides of one target are one perturbation")
}

func (l *pertFlags) check() error {
	switch {
	case l.control == "":
		return fmt.Errorf("--control NAME is missing: the label of unperturbed cells")
	case l.separator == "":
		return fmt.Errorf("--separator cannot be empty")
	}
	return nil
}

// The usual names of columns, the likeliest first.
var (
	usualPerturbation = []string{"perturbation", "pert", "perturbation_name", "condition", "treatment", "gene", "target_gene", "drug", "compound", "cytokine", "stim", "guide"}
	usualContext      = []string{"context"}
	usualCellType     = []string{"cell_type", "celltype", "cluster_id"}
)

// pertLabels is what obs says of the cells.
type pertLabels struct {
	flags *pertFlags
	path  string
	// The columns that were read; "" where there is none.
	pert, context, cellType string
	// One a cell; "" is missing. Those without a column are nil.
	perts, contexts, cellTypes, doses, times []string
	said                                     []string // what was guessed
}

// read reads the columns of a file.
func (l *pertFlags) read(ctx context.Context, f *h5ad.File) (*pertLabels, error) {
	out := &pertLabels{flags: l, path: f.Path()}
	var err error
	if err := out.findPerturbation(ctx, f); err != nil {
		return nil, err
	}
	out.context = out.guess(f, l.context, "context", usualContext)
	out.cellType = out.guess(f, l.cellType, "cell type", usualCellType)
	for _, c := range []struct {
		column string
		to     *[]string
	}{{out.context, &out.contexts}, {out.cellType, &out.cellTypes}, {l.dose, &out.doses}, {l.time, &out.times}} {
		if c.column == "" {
			continue
		}
		if *c.to, err = texts(ctx, f, c.column); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// guess is a column that was named, or has a usual name.
func (l *pertLabels) guess(f *h5ad.File, named, what string, usual []string) string {
	switch named {
	case "-":
		return ""
	case "":
	default:
		return named
	}
	for _, name := range usual {
		if f.Obs().Has(name) {
			l.said = append(l.said, fmt.Sprintf("%s: obs/%s", what, name))
			return name
		}
	}
	return ""
}

// texts is a column of obs as text, "" where it is missing.
func texts(ctx context.Context, f *h5ad.File, column string) ([]string, error) {
	c, err := f.Obs().Column(ctx, column)
	if err != nil {
		return nil, err
	}
	out := make([]string, c.Rows())
	for i := range out {
		out[i], _ = c.Text(i)
	}
	return out, nil
}

// findPerturbation reads the column that was named, or the one that has the control.
func (l *pertLabels) findPerturbation(ctx context.Context, f *h5ad.File) (err error) {
	control := l.flags.control
	switch l.flags.pert {
	case allControls:
		l.perts = make([]string, f.NObs())
		for i := range l.perts {
			l.perts[i] = control
		}
		return nil
	case "":
	default:
		l.pert = l.flags.pert
		if l.perts, err = texts(ctx, f, l.pert); err != nil {
			return err
		}
		if slices.Contains(l.perts, control) {
			return nil
		}
		return l.noControl(l.pert, l.perts)
	}
	var found []string
	var near map[string][]string // columns by a label that is close
	for _, name := range f.Obs().Names {
		c, err := f.Obs().Describe(ctx, name)
		if err != nil || c.Kind != "categorical" && !strings.HasSuffix(c.Kind, "string") {
			continue // a column that cannot be read is no candidate
		}
		list, err := texts(ctx, f, name)
		if err != nil {
			continue
		}
		if slices.Contains(list, control) {
			found = append(found, name)
		} else if slices.Contains(usualPerturbation, name) || c.Kind == "categorical" && c.NCategories < 1000 {
			for _, close := range spelling.Nearest(control, distinct(list), 1) {
				if near == nil {
					near = map[string][]string{}
				}
				near[close] = append(near[close], name)
			}
		}
	}
	for _, usual := range usualPerturbation {
		if slices.Contains(found, usual) {
			found = []string{usual}
		}
	}
	switch len(found) {
	case 1:
		l.pert = found[0]
		l.said = append(l.said, "perturbations: obs/"+l.pert)
		l.perts, err = texts(ctx, f, l.pert)
		return err
	case 0:
		tip := "c2s inspect lists the columns; where no cell is perturbed, give --pert-col -"
		for _, close := range slices.Sorted(maps.Keys(near)) {
			tip = fmt.Sprintf("did you mean %s, of obs/%s?", close, near[close][0])
			break
		}
		return &inputError{fmt.Errorf("%s: no column of obs has the control %q", f.Path(), control), tip}
	}
	return &inputError{fmt.Errorf("%s: the control %q is in several columns of obs: %s", f.Path(), control, strings.Join(found, ", ")), "choose with --pert-col"}
}

func (l *pertLabels) noControl(column string, list []string) error {
	names := distinct(list)
	tip := "its labels are: " + strings.Join(names[:min(8, len(names))], ", ")
	if near := spelling.Nearest(l.flags.control, names, 1); len(near) > 0 {
		tip = "did you mean " + near[0] + "?"
	}
	return &inputError{fmt.Errorf("%s: no cell of obs/%s is the control %q", l.path, column, l.flags.control), tip}
}

// distinct lists the different texts that are not empty, in their order.
func distinct(list []string) []string {
	seen := map[string]bool{"": true}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// at is the value of a cell in a column that may not be there.
func at(list []string, row int) string {
	if list == nil {
		return ""
	}
	return list[row]
}

// perturbation is what was done to a cell.
func (l *pertLabels) perturbation(row int) perturb.Perturbation {
	return l.flags.parse(l.perts[row], at(l.doses, row), at(l.times, row))
}

// parse reads a label with its dose and time.
func (l *pertFlags) parse(label, dose, time string) perturb.Perturbation {
	p := predictor.Parse(label, l.separator, l.control, dose, time)
	if l.guides {
		p = predictor.Targets(p)
	}
	return p
}

// guideWarning is what to say of labels that look like guides, "" if they do not: half of
// them have a number behind the name of a gene.
func (l *pertLabels) guideWarning(genes []string) string {
	if l.flags.guides {
		return ""
	}
	known := make(map[string]bool, len(genes))
	for _, g := range genes {
		known[g] = true
	}
	alike, all, first := 0, 0, ""
	for _, label := range distinct(l.perts) {
		for _, part := range predictor.Parse(label, l.flags.separator, l.flags.control, "", "").Parts {
			all++
			if t := predictor.Target(part.Name); t != part.Name && known[t] && !known[part.Name] {
				if alike++; first == "" {
					first = part.Name
				}
			}
		}
	}
	if alike == 0 || 2*alike < all {
		return ""
	}
	return fmt.Sprintf("%d of %d perturbations look like guides, such as %s: give --guides to take those of one target together", alike, all, first)
}

// controls lists the control cells among rows, nil being all.
func (l *pertLabels) controls(rows []int) []int {
	out := []int{}
	for row, label := range l.perts {
		if label == l.flags.control {
			out = append(out, row)
		}
	}
	return intersect(rows, out)
}
