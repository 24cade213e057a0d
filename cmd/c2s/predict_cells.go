package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
)

// asked lists the perturbations to predict, in the order of the command line, or of
// the file where none is named.
func (o *predictFlags) asked(l *pertLabels) ([]asked, error) {
	type named struct{ label, dose, time string }
	var list []named
	for _, name := range o.names {
		list = append(list, named{name, o.dose, o.time})
	}
	if o.list != "" {
		text, err := os.ReadFile(o.list)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
			if f[0] == "" || strings.HasPrefix(f[0], "#") || f[0] == "perturbation" && len(list) == len(o.names) {
				continue
			}
			f = append(f, "", "")
			n := named{f[0], f[1], f[2]}
			if n.dose == "" {
				n.dose = o.dose
			}
			if n.time == "" {
				n.time = o.time
			}
			list = append(list, n)
		}
		if len(list) == len(o.names) {
			return nil, &inputError{fmt.Errorf("%s: no perturbation in it", o.list), "expected a name a line, and behind tabs its dose and time"}
		}
	}
	if len(o.names) == 0 && o.list == "" {
		for row, label := range l.perts {
			if label != "" && label != o.labels.control {
				n := named{label, at(l.doses, row), at(l.times, row)}
				if n.dose == "" {
					n.dose = o.dose
				}
				if n.time == "" {
					n.time = o.time
				}
				list = append(list, n)
			}
		}
		if len(list) == 0 {
			return nil, &inputError{fmt.Errorf("%s: every cell is a control", l.path), "name what to predict with --perturbation NAME or --perturbations FILE"}
		}
	}
	var out []asked
	seen := map[named]bool{}
	for _, n := range list {
		if seen[n] {
			continue
		}
		seen[n] = true
		p := o.labels.parse(n.label, n.dose, n.time)
		if len(p.Parts) == 0 {
			return nil, &inputError{fmt.Errorf("%q is the control, which is not predicted", n.label), ""}
		}
		out = append(out, asked{n.label, n.dose, n.time, p})
	}
	return out, nil
}

// controls lists the rows of the control cells to start from.
func (o *predictFlags) controls(ctx context.Context, g *globals, in *input, l *pertLabels) ([]int, error) {
	var rows []int
	var err error
	if o.where != "" {
		if rows, err = whereRows(ctx, g, in.file, o.where); err != nil {
			return nil, err
		}
	}
	if o.cells != "" {
		named, err := namedRows(ctx, in.file, in.file.Obs(), "cell", o.cells)
		if err != nil {
			return nil, err
		}
		rows = intersect(rows, named)
	}
	rows = l.controls(rows)
	if len(rows) == 0 {
		return nil, &inputError{fmt.Errorf("%s: no control cell is left", in.file.Path()), "loosen --where or --cells"}
	}
	if o.each == 0 {
		return rows, nil
	}
	groups := map[[2]string][]int{}
	for _, row := range rows {
		at := [2]string{at(l.contexts, row), at(l.cellTypes, row)}
		groups[at] = append(groups[at], row)
	}
	var out []int
	for _, list := range groups {
		out = append(out, sampleRows(list, o.each, g.seed)...)
	}
	slices.Sort(out)
	return out, nil
}

// sampleRows takes n of some rows: those that a hash of seed and row puts first, so that
// it does not matter which others there are.
func sampleRows(rows []int, n int, seed uint64) []int {
	if len(rows) <= n {
		return rows
	}
	hash := func(row int) uint64 { return rand.NewPCG(seed, uint64(row)).Uint64() }
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b int) int { return cmp.Or(cmp.Compare(hash(a), hash(b)), a-b) })
	return rows[:n]
}
