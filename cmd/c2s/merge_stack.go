package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
)

// stack is what c2s merge must know of a part of an .h5ad whose cells are new: the
// whole has the rows of the parts, one below the other.
type stack struct {
	Compression h5ad.Compression `json:"compression"`
	Sums        []string         `json:"sums"` // numbers in uns/c2s that add up
}

// stacked leaves in the uns of a part what merge needs; for the whole it does nothing.
func (p *partFlags) stacked(uns h5ad.Dict, s stack) error {
	if p.Whole() {
		return nil
	}
	text, err := json.Marshal(s)
	uns[layKey] = h5ad.Dict{"lay": textOf(string(text))}
	return err
}

// mergeStack writes X, obs, var and uns as the command does that wrote the parts.
func mergeStack(ctx context.Context, g *globals, set *shard.Set) (rows int64, err error) {
	var parts []*laidPart
	for _, path := range set.Paths {
		parts = append(parts, &laidPart{path: path})
	}
	f, err := parts[0].open(ctx, g)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var s stack
	if _, err := readAbout(ctx, f, &s); err != nil {
		return 0, err
	}
	genes, err := f.Var().Index(ctx)
	if err != nil {
		return 0, err
	}
	vr, err := h5ad.NewDataFrame(genes)
	if err != nil {
		return 0, err
	}
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{Compression: s.Compression, Workers: g.workers(), Force: g.force, Inputs: set.Paths})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: -1, NVars: len(genes)})
	if err != nil {
		return 0, err
	}
	for _, p := range parts {
		if err := p.values(ctx, g, func(b *h5ad.Batch) error { return x.Append(ctx, b) }); err != nil {
			return 0, err
		}
	}
	if err := x.Close(ctx); err != nil {
		return 0, err
	}
	obs, err := stackedObs(ctx, g, parts, f.Obs().Names)
	if err != nil {
		return 0, err
	}
	uns, err := s.uns(ctx, g, parts)
	if err != nil {
		return 0, err
	}
	err = errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr), w.Set(ctx, "uns", uns))
	if err != nil {
		return 0, err
	}
	return int64(obs.Length), w.Close()
}

// stackedObs is the columns of all parts.
func stackedObs(ctx context.Context, g *globals, parts []*laidPart, names []string) (*h5ad.DataFrame, error) {
	var index []string
	for _, p := range parts {
		f, err := p.open(ctx, g)
		if err != nil {
			return nil, err
		}
		list, err := f.Obs().Index(ctx)
		f.Close()
		if err != nil {
			return nil, err
		}
		index = append(index, list...)
	}
	var columns []*h5ad.Column
	for _, name := range names {
		e, err := joinElement(ctx, g, parts, "obs/"+name)
		if err != nil {
			return nil, err
		}
		c := &h5ad.Column{Name: name}
		switch e := e.(type) {
		case *h5ad.Categorical:
			c.Categorical = e
		case *h5ad.Array:
			c.Array = e
		}
		columns = append(columns, c)
	}
	return h5ad.NewDataFrame(index, columns...)
}

// uns is that of the first part, with the sums of all.
func (s *stack) uns(ctx context.Context, g *globals, parts []*laidPart) (h5ad.Dict, error) {
	about := h5ad.Dict{}
	sums := map[string]int64{}
	for i, p := range parts {
		e, err := p.element(ctx, g, "uns/c2s")
		if err != nil {
			return nil, err
		}
		mine, ok := e.(h5ad.Dict)
		if i == 0 && ok {
			about = mine
		}
		for _, key := range s.Sums {
			a, isArray := mine[key].(*h5ad.Array)
			if !isArray {
				return nil, &inputError{fmt.Errorf("%s: uns/c2s/%s is missing", p.path, key), "run its job again"}
			}
			n, isNumber := a.Values.([]int64)
			if !isNumber || len(n) != 1 {
				return nil, &inputError{fmt.Errorf("%s: uns/c2s/%s is no number", p.path, key), "run its job again"}
			}
			sums[key] += n[0]
		}
	}
	for key, n := range sums {
		about[key] = numberOf(n)
	}
	return h5ad.Dict{"c2s": about}, nil
}
