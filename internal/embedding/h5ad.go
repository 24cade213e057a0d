package embedding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/scfid"
)

// openH5AD reads a matrix of obsm.
func (s *Set) openH5AD(ctx context.Context, opts Options) error {
	f, err := h5ad.Open(ctx, s.Path, h5ad.Options{Workers: opts.Workers})
	if err != nil {
		return err
	}
	s.done = append(s.done, f.Close)
	s.labels = obs{f}
	e, err := f.Aligned(ctx, "obsm")
	if err != nil {
		return err
	}
	var keys []string
	switch e := e.(type) {
	case *h5ad.Mapping:
		keys = e.Keys
	case *h5ad.Records: // anndata 0.5
		for _, c := range e.Fields {
			keys = append(keys, c.Name)
		}
	}
	if s.Key, err = s.choose(keys, strings.TrimPrefix(opts.Key, "obsm/")); err != nil {
		return err
	}
	if r, ok := e.(*h5ad.Records); ok {
		return s.record(r)
	}
	m, err := e.(*h5ad.Mapping).Matrix(ctx, s.Key)
	if err != nil {
		return err
	}
	if m.NObs != f.NObs() || m.NVars == 0 {
		return bad(s.Path, "", "%s: the shape is %d × %d, for %d cells", m.Key(), m.NObs, m.NVars, f.NObs())
	}
	return s.stream(ctx, m, opts.Memory)
}

// choose finds a key among those of obsm.
func (s *Set) choose(keys []string, key string) (string, error) {
	tip := "choose one with --key: " + strings.Join(keys, ", ")
	switch {
	case len(keys) == 0:
		return "", bad(s.Path, "c2s embed makes one", "obsm is empty: the file holds no embedding")
	case key == "" && len(keys) == 1:
		return keys[0], nil
	case key == "":
		return "", bad(s.Path, tip, "obsm holds %d embeddings", len(keys))
	case !slices.Contains(keys, key):
		return "", bad(s.Path, tip, "obsm has no %q", key)
	}
	return key, nil
}

// stream reads the rows of a matrix, dense or sparse, in order.
func (s *Set) stream(ctx context.Context, m *h5ad.Matrix, memory int64) error {
	narrow := !slices.Contains([]string{"float64", "int32", "int64", "uint32", "uint64"}, m.DType)
	spool, err := embedfile.NewSpool(s.Path, m.NVars, narrow, memory)
	if err != nil {
		return err
	}
	s.done = append(s.done, spool.Close)
	var values, x []float64
	for b, err := range m.All(ctx, h5ad.RowOptions{}) {
		if err != nil {
			return err
		}
		values = h5ad.Floats(values[:0], b.Values)
		x = slices.Grow(x[:0], b.NObs()*m.NVars)[:b.NObs()*m.NVars]
		clear(x)
		for i := range b.NObs() {
			row := x[i*m.NVars:][:m.NVars]
			for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
				row[b.Indices[k]] = values[k]
			}
		}
		if err := spool.Append(x); err != nil {
			return err
		}
	}
	a, err := spool.Array()
	if err != nil {
		return err
	}
	s.take(a)
	return nil
}

// record takes a field of a record array, which anndata 0.5 wrote as obsm.
func (s *Set) record(r *h5ad.Records) error {
	for _, c := range r.Fields {
		if c.Name != s.Key {
			continue
		}
		if c.Array == nil || len(c.Dims) != 2 || c.Dims[1] < 1 {
			return bad(s.Path, "", "obsm/%s is no matrix", s.Key)
		}
		switch c.Values.(type) {
		case []string, []bool, []complex128:
			return bad(s.Path, "", "obsm/%s holds no numbers", s.Key)
		}
		m, err := scfid.NewMatrix(h5ad.Floats(nil, c.Values), c.Dims[1])
		if err != nil {
			return fmt.Errorf("%s: obsm/%s: %w", s.Path, s.Key, err)
		}
		s.side.Rows = m
	}
	return nil
}

// obs is the labels of an AnnData file.
type obs struct{ f *h5ad.File }

func (o obs) names() []string { return o.f.Obs().Names }

func (o obs) column(ctx context.Context, name string) ([]string, error) {
	c, err := o.f.Obs().Column(ctx, name)
	if err != nil {
		return nil, err
	}
	out := make([]string, c.Rows())
	for i := range out {
		out[i], _ = c.Text(i)
	}
	return out, nil
}
