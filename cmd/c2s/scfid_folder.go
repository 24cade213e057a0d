package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/scfid/scfidplot"
)

// scfidFolder is the folder of --out, if one was asked for.
type scfidFolder struct {
	dir    *atomicfile.Dir // nil: none
	inputs []string
}

func newScfidFolder(g *globals, inputs []string) (*scfidFolder, error) {
	out := &scfidFolder{inputs: inputs}
	if g.out == "" {
		return out, nil
	}
	var err error
	out.dir, err = atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: inputs})
	return out, err
}

func (f *scfidFolder) abort() error {
	if f.dir == nil {
		return nil
	}
	return f.dir.Abort()
}

// write writes all files and gives the folder its name.
func (f *scfidFolder) write(ctx context.Context, g *globals, o *scfidFlags, r *scfidResult) error {
	if f.dir == nil {
		return nil
	}
	page, err := f.page(r)
	if err != nil {
		return err
	}
	inputs, err := manifest.Inputs(ctx, f.inputs, g.workers())
	if err != nil {
		return err
	}
	for _, in := range inputs {
		page.Made = append(page.Made, report.Fact{Name: "Input " + in.Path, Value: "SHA-256 " + in.SHA256})
	}
	page.Made = append(page.Made, report.Fact{Name: "Seed", Value: fmt.Sprint(g.seed)}, report.Fact{Name: "Made by", Value: "c2s " + version})
	for name, write := range map[string]func(io.Writer) error{
		"index.html": page.Write,
		"groups.tsv": r.writeGroups,
		"result.json": func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(r.json())
		},
	} {
		if err := f.file(name, write); err != nil {
			return err
		}
	}
	whole, groups := r.warnings()
	about := manifest.Manifest{
		Version: version, Command: "scfid", Inputs: inputs, Seed: g.seed, Warnings: append(whole, groups...),
		Options: map[string]any{"key": o.keys, "groupby": o.groupby, "donor": o.donor, "labels": o.labels, "drop_nonfinite": o.drop},
		Counts:  map[string]int64{"sets": int64(len(r.Sets)), "real": int64(r.Sets[0].NReal)},
	}
	if err := about.Write(f.dir.Path()); err != nil {
		return err
	}
	return f.dir.Commit()
}

// file writes a file of the folder.
func (f *scfidFolder) file(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.dir.Path(), name), b.Bytes(), 0o666)
}

// figure writes a figure as PNG and SVG, and gives it for the page.
func (f *scfidFolder) figure(name, caption string, fig *figure.Figure) (report.Figure, error) {
	for ending, write := range map[string]func(io.Writer) error{".png": fig.PNG, ".svg": fig.SVG} {
		if err := f.file(name+ending, write); err != nil {
			return report.Figure{}, err
		}
	}
	return picture(caption, fig)
}

// picture is a figure for the page.
func picture(caption string, fig *figure.Figure) (report.Figure, error) {
	var svg bytes.Buffer
	err := fig.SVG(&svg)
	return report.Figure{SVG: svg.Bytes(), Caption: caption}, err
}

// figures draws those of a set; prefix begins the names of their files.
func (f *scfidFolder) figures(s *scfidSet, prefix string) ([]report.Figure, error) {
	var out []report.Figure
	for _, d := range []struct {
		name, caption string
		has           bool
		draw          func() (*figure.Figure, error)
	}{
		{
			"groups", "Distance (bar), its 95 % interval without bias (line) and the bias floor (mark): what two samples of the real cells of these sizes differ by.",
			true, func() (*figure.Figure, error) { return scfidplot.Groups(s.Result) },
		},
		{
			"extrapolation", "The distance of random parts of the cells falls as the parts grow; the line leads to FD∞, the distance at infinitely many cells.",
			!s.Extrapolation.Value.Missing(), func() (*figure.Figure, error) { return scfidplot.Extrapolation(&s.Scores) },
		},
		{
			"projection", "Real and generated cells on the first two principal components of the real ones, at most 5,000 a side. What differs in other dimensions does not show here.",
			s.projection != nil, func() (*figure.Figure, error) { return scfidplot.Projection(s.projection) },
		},
	} {
		if !d.has {
			continue
		}
		fig, err := d.draw()
		if err != nil {
			return nil, err
		}
		p, err := f.figure(prefix+d.name, d.caption, fig)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// writeGroups writes groups.tsv, of several sets with their name in the first
// column.
func (r *scfidResult) writeGroups(w io.Writer) error {
	if len(r.Sets) == 1 {
		return r.Sets[0].WriteGroups(w)
	}
	for i, s := range r.Sets {
		var b bytes.Buffer
		if err := s.WriteGroups(&b); err != nil {
			return err
		}
		first := true
		for line := range strings.Lines(b.String()) {
			name := flat(s.Name)
			if strings.ContainsRune("=+-@", rune(name[0])) { // what a spreadsheet would compute
				name = "'" + name
			}
			if first {
				name = "set"
			}
			if first = false; name == "set" && i > 0 {
				continue
			}
			if _, err := io.WriteString(w, name+"\t"+line); err != nil {
				return err
			}
		}
	}
	return nil
}
