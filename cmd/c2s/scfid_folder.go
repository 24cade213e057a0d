package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/scfid/scfidplot"
)

// scfidFolder is the folder of --out, if one was asked for.
type scfidFolder struct{ *resultFolder }

func newScfidFolder(g *globals, inputs []string) (*scfidFolder, error) {
	f, err := newResultFolder(g, inputs)
	return &scfidFolder{f}, err
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
	if err := errors.Join(f.file("groups.tsv", r.writeGroups), f.json("result.json", r.json())); err != nil {
		return err
	}
	whole, groups := r.warnings()
	return f.finish(ctx, g, page, manifest.Manifest{
		Command: "scfid", Warnings: append(whole, groups...),
		Options: map[string]any{"key": o.keys, "groupby": o.groupby, "donor": o.donor, "labels": o.labels, "drop_nonfinite": o.drop},
		Counts:  map[string]int64{"sets": int64(len(r.Sets)), "real": int64(r.Sets[0].NReal)},
	})
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
