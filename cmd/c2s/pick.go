package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
)

// pickFlags choose cells and genes of a file.
type pickFlags struct {
	where   string
	cells   string
	genes   string
	sample  int
	groupby string
}

func (p *pickFlags) add(f *pflag.FlagSet) {
	f.StringVar(&p.where, "where", "", "keep cells for which an `EXPRESSION` over the columns of obs holds")
	f.StringVar(&p.cells, "cells", "", "keep the cells named in `FILE`, one a line")
	f.StringVar(&p.genes, "genes", "", "keep the genes named in `FILE`, one a line")
	f.IntVar(&p.sample, "sample", 0, "keep `N` random cells, or N of each group with --groupby")
	f.StringVar(&p.groupby, "groupby", "", "the `COLUMN` of obs whose groups --sample samples")
}

func (p *pickFlags) check() error {
	switch {
	case p.sample < 0:
		return fmt.Errorf("--sample %d is negative", p.sample)
	case p.groupby != "" && p.sample == 0:
		return errors.New("--groupby needs --sample N")
	}
	return nil
}

// pick sets the cells and genes of opts: those of --where and --cells, of which
// --sample takes some.
func (p *pickFlags) pick(ctx context.Context, g *globals, f *h5ad.File, raw bool, opts *h5ad.CopyOptions) (err error) {
	if p.where != "" {
		if opts.Cells, err = whereRows(ctx, g, f, p.where); err != nil {
			return err
		}
	}
	if p.cells != "" {
		named, err := namedRows(ctx, f, f.Obs(), "cell", p.cells)
		if err != nil {
			return err
		}
		opts.Cells = intersect(opts.Cells, named)
	}
	if p.sample > 0 {
		if opts.Cells, err = p.sampled(ctx, g, f, opts.Cells); err != nil {
			return err
		}
	}
	if p.genes != "" {
		vr := f.Var()
		if raw {
			if _, vr, err = f.Raw(ctx); err != nil {
				return err
			}
		}
		if opts.Genes, err = namedRows(ctx, f, vr, "gene", p.genes); err != nil {
			return err
		}
	}
	if opts.Cells != nil && len(opts.Cells) == 0 {
		return &inputError{fmt.Errorf("%s: no cell is left", f.Path()), "loosen --where or --cells"}
	}
	return nil
}

// namedRows finds the rows of a data frame that a file names. A name that the
// frame does not have is an error; one that it has twice gives all of its rows.
func namedRows(ctx context.Context, f *h5ad.File, df *h5ad.DataFrame, what, path string) ([]int, error) {
	names, err := lines(path)
	if err != nil {
		return nil, err
	}
	index, err := df.Index(ctx)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(names))
	for _, n := range names {
		wanted[n] = false
	}
	rows := []int{}
	for i, n := range index {
		if _, ok := wanted[n]; ok {
			wanted[n] = true
			rows = append(rows, i)
		}
	}
	var missing []string
	for _, n := range names {
		if !wanted[n] {
			missing = append(missing, n)
			wanted[n] = true // report it once
		}
	}
	if len(missing) > 0 {
		shown := strings.Join(missing[:min(5, len(missing))], ", ")
		return nil, &inputError{
			fmt.Errorf("%s: %d of %d names are no %s of %s: %s", path, len(missing), len(names), what, f.Path(), shown),
			fmt.Sprintf("the first %s of the file is %q", what, first(index)),
		}
	}
	return rows, nil
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// intersect is what two rising lists share; nil stands for everything.
func intersect(a, b []int) []int {
	if a == nil {
		return b
	}
	out := []int{}
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			out = append(out, a[0])
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// sampled draws cells, of each group where there are groups. Whether a cell is
// drawn depends on the seed and on its place among the cells of its group.
func (p *pickFlags) sampled(ctx context.Context, g *globals, f *h5ad.File, cells []int) ([]int, error) {
	if cells == nil {
		cells = make([]int, f.NObs())
		for i := range cells {
			cells[i] = i
		}
	}
	groups := map[string][]int{"": cells}
	if p.groupby != "" {
		c, err := f.Obs().Column(ctx, p.groupby)
		if err != nil {
			return nil, err
		}
		clear(groups)
		for _, row := range cells {
			name, ok := c.Text(row)
			if ok { // a cell without a group is in none
				groups[name] = append(groups[name], row)
			}
		}
	}
	var out []int
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		rows := groups[name]
		r := rand.New(rand.NewPCG(g.seed, uint64(i)))
		// The first N of a random order.
		for k := range min(p.sample, len(rows)) {
			j := k + r.IntN(len(rows)-k)
			rows[k], rows[j] = rows[j], rows[k]
			out = append(out, rows[k])
		}
		if len(rows) < p.sample {
			g.logger().Warn(fmt.Sprintf("group %q has %d cells, fewer than --sample %d: all are kept", name, len(rows), p.sample))
		}
	}
	slices.Sort(out)
	return out, nil
}
