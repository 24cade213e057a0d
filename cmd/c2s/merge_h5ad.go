package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
)

// laidPart is a part of an .h5ad and how it is laid.
type laidPart struct {
	path  string
	lay   lay
	rows  []int // of the source
	genes []int // of the source, nil for all
}

// mergeH5AD copies the source of the parts with what was made of its cells.
func mergeH5AD(ctx context.Context, g *globals, set *shard.Set, source string) (rows int64, err error) {
	var parts []*laidPart
	for _, path := range set.Paths {
		p, err := readLaid(ctx, g, path)
		if err != nil {
			return 0, err
		}
		parts = append(parts, p)
	}
	l := parts[0].lay
	if source == "" {
		source = l.Source
	}
	if err := unchanged(ctx, g, source, set.Parts[0].Inputs); err != nil {
		return 0, err
	}
	f, err := h5ad.Open(ctx, source, h5ad.Options{Modality: l.Modality, Workers: g.workers()})
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{
		Compression: l.Compression, Workers: g.workers(), Memory: g.budget() / 4, Force: g.force, Inputs: append(inputsOf(source), set.Paths...),
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	opts := h5ad.CopyOptions{Matrix: l.Matrix, Encoding: l.Encoding, Genes: parts[0].genes, Cells: []int{}}
	for _, p := range parts {
		opts.Cells = append(opts.Cells, p.rows...)
	}
	if !l.Cells && len(opts.Cells) == f.NObs() {
		opts.Cells = nil
	}
	for _, key := range l.Deleted {
		opts.Changes = append(opts.Changes, h5ad.Change{Key: key})
	}
	for _, key := range l.Set {
		e, err := joinElement(ctx, g, parts, key)
		if err != nil {
			return 0, err
		}
		opts.Changes = append(opts.Changes, h5ad.Change{Key: key, Element: e})
	}
	for _, key := range l.Later {
		opts.Changes = append(opts.Changes, h5ad.Change{Key: key, Element: h5ad.Later{}})
	}
	if l.Values {
		opts.Values = func(ctx context.Context, fn func(*h5ad.Batch) error) error {
			for _, p := range parts {
				if err := p.values(ctx, g, fn); err != nil {
					return err
				}
			}
			return nil
		}
	}
	r, err := w.CopyFrom(ctx, f, opts)
	if err != nil {
		return 0, err
	}
	for _, key := range l.Later {
		if err := setLater(ctx, g, w, parts, key, r.NObs); err != nil {
			return 0, err
		}
	}
	return int64(r.NObs), w.Close()
}

// setLater writes an element of all cells behind the copy; an embedding of n cells part
// by part, as it may be larger than the memory.
func setLater(ctx context.Context, g *globals, w *h5ad.Writer, parts []*laidPart, key string, n int) error {
	if !strings.HasPrefix(key, "obsm/") {
		e, err := joinElement(ctx, g, parts, key)
		if err != nil {
			return err
		}
		return w.Set(ctx, key, e)
	}
	place := func(p *laidPart) (rows []float32, dim int, err error) {
		e, err := p.element(ctx, g, key)
		if err != nil {
			return nil, 0, err
		}
		if a, ok := e.(*h5ad.Array); ok && len(a.Dims) == 2 {
			if rows, ok := a.Values.([]float32); ok {
				return rows, a.Dims[1], nil
			}
		}
		return nil, 0, &inputError{fmt.Errorf("%s: %s is a %s of the shape %v", p.path, key, h5ad.KindOf(e), h5ad.Shape(e)), "run its job again"}
	}
	_, dim, err := place(parts[0])
	if err != nil {
		return err
	}
	return streamRows(ctx, w, key, n, dim, func(do func([]float32) error) error {
		for _, p := range parts {
			rows, d, err := place(p)
			if err == nil && d != dim {
				err = &inputError{fmt.Errorf("%s has rows of %d numbers, %s of %d", p.path, d, parts[0].path, dim), "run its job again"}
			}
			if err == nil && len(rows) > 0 {
				err = do(rows)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// unchanged checks that a file is still what the parts were made of.
func unchanged(ctx context.Context, g *globals, source, want string) error {
	now, err := contents(ctx, g, source)
	if err != nil {
		return fmt.Errorf("what the parts were made of: %w (--from says where it is)", err)
	}
	hash, err := shard.Hash(now)
	if err == nil && hash != want {
		err = &inputError{fmt.Errorf("%s is not the file that the parts were made of, or was changed since", source), "name that file with --from, or run the jobs again"}
	}
	return err
}

// open opens the part; the caller closes it.
func (p *laidPart) open(ctx context.Context, g *globals) (*h5ad.File, error) {
	return h5ad.Open(ctx, p.path, h5ad.Options{Workers: g.workers()})
}

// readLaid reads how a part is laid.
func readLaid(ctx context.Context, g *globals, path string) (p *laidPart, err error) {
	p = &laidPart{path: path}
	f, err := p.open(ctx, g)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	about, err := readAbout(ctx, f, &p.lay)
	if err != nil {
		return nil, err
	}
	if p.rows, err = positions(ctx, about, "rows"); err == nil && p.lay.Genes {
		p.genes, err = positions(ctx, about, "genes")
	}
	if err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", path, err), "run its job again"}
	}
	if len(p.rows) != f.NObs() {
		return nil, &inputError{fmt.Errorf("%s has %d cells, and names %d rows of its source", path, f.NObs(), len(p.rows)), "run its job again"}
	}
	return p, nil
}

// readAbout reads what a part keeps for merge into v, and gives the rest of it.
func readAbout(ctx context.Context, f *h5ad.File, v any) (*h5ad.Mapping, error) {
	uns, err := f.Aligned(ctx, "uns")
	if err != nil {
		return nil, err
	}
	about, err := member[*h5ad.Mapping](ctx, uns, layKey)
	if err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", f.Path(), errNoLay), "name what the jobs of c2s have written"}
	}
	text, err := member[*h5ad.Array](ctx, about, "lay")
	if err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", f.Path(), err), "run its job again"}
	}
	s, _ := text.Text(0)
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return nil, &inputError{fmt.Errorf("%s: uns/%s/lay: %w", f.Path(), layKey, err), "run its job again"}
	}
	return about, nil
}

// member is an element of a mapping, of some type.
func member[T h5ad.Element](ctx context.Context, of h5ad.Element, key string) (T, error) {
	var none T
	m, ok := of.(*h5ad.Mapping)
	if !ok {
		return none, fmt.Errorf("%s has no members, as it is a %s", key, h5ad.KindOf(of))
	}
	e, err := m.Get(ctx, key)
	if err != nil {
		return none, err
	}
	if out, ok := e.(T); ok {
		return out, nil
	}
	return none, fmt.Errorf("%s is a %s", key, h5ad.KindOf(e))
}

// positions reads an array of places in the source.
func positions(ctx context.Context, about h5ad.Element, key string) ([]int, error) {
	a, err := member[*h5ad.Array](ctx, about, key)
	if err != nil {
		return nil, err
	}
	list, ok := a.Values.([]int64)
	if !ok {
		return nil, fmt.Errorf("%s is of the type %s", key, a.DType)
	}
	out := make([]int, len(list))
	for i, v := range list {
		out[i] = int(v)
	}
	return out, nil
}

// values gives the rows of X.
func (p *laidPart) values(ctx context.Context, g *globals, fn func(*h5ad.Batch) error) error {
	f, err := p.open(ctx, g)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := f.X()
	if err != nil {
		return err
	}
	if m.NObs == 0 {
		return nil
	}
	return m.Each(ctx, h5ad.Selection{Rows: h5ad.RowOptions{Budget: g.budget() / 4}}, fn)
}

// joinElement is an element of all cells, of those of the parts; what is not of cells
// is the same in all, and taken from the first.
func joinElement(ctx context.Context, g *globals, parts []*laidPart, key string) (h5ad.Element, error) {
	if !perCell(key) {
		return parts[0].element(ctx, g, key)
	}
	text := dataset.Column{Kind: dataset.Category}
	var all *h5ad.Array
	n := 0
	for _, p := range parts {
		e, err := p.element(ctx, g, key)
		if err != nil {
			return nil, err
		}
		c, ok := e.(*h5ad.Column)
		if ok && c.Categorical != nil {
			n += c.Rows()
			for i := range c.Rows() {
				if s, ok := c.Text(i); ok {
					text.AppendString(s)
				} else {
					text.AppendMissing()
				}
			}
			continue
		}
		a, isArray := e.(*h5ad.Array)
		if ok {
			a, isArray = c.Array, true
		}
		if !isArray || len(a.Dims) == 0 || a.Missing != nil {
			return nil, &inputError{fmt.Errorf("%s: %s is a %s of the shape %v", p.path, key, h5ad.KindOf(e), h5ad.Shape(e)), "run its job again"}
		}
		if all, err = below(all, a); err != nil {
			return nil, &inputError{fmt.Errorf("%s: %s: %w", p.path, key, err), "run its job again"}
		}
	}
	if all != nil {
		return all, nil
	}
	return obsColumn(dataset.Field{Name: strings.TrimPrefix(key, "obs/"), Kind: dataset.Category}, &text, n).Categorical, nil
}

// below puts the rows of b below those of a, which is nil at first.
func below(a, b *h5ad.Array) (*h5ad.Array, error) {
	if a == nil {
		return b, nil
	}
	va, vb := reflect.ValueOf(a.Values), reflect.ValueOf(b.Values)
	if va.Type() != vb.Type() || !reflect.DeepEqual(a.Dims[1:], b.Dims[1:]) {
		return nil, fmt.Errorf("%T of the shape %v below %T of %v", b.Values, b.Dims, a.Values, a.Dims)
	}
	a.Values = reflect.AppendSlice(va, vb).Interface()
	a.Dims = append([]int{a.Dims[0] + b.Dims[0]}, a.Dims[1:]...)
	return a, nil
}

// element reads an element of a part.
func (p *laidPart) element(ctx context.Context, g *globals, key string) (e h5ad.Element, err error) {
	f, err := p.open(ctx, g)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	top, name, _ := strings.Cut(key, "/")
	if top == "obs" {
		return f.Obs().Column(ctx, name)
	}
	e, err = f.Aligned(ctx, top)
	for name := range strings.SplitSeq(name, "/") {
		if err == nil {
			e, err = member[h5ad.Element](ctx, e, name)
		}
	}
	if m, ok := e.(*h5ad.Mapping); err == nil && ok {
		return inMemory(ctx, m) // before the file is closed
	}
	return e, err
}

// inMemory reads a mapping with all that is in it.
func inMemory(ctx context.Context, e h5ad.Element) (h5ad.Element, error) {
	m, ok := e.(*h5ad.Mapping)
	if !ok {
		return e, nil
	}
	out := h5ad.Dict{}
	for _, key := range m.Keys {
		child, err := m.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		if out[key], err = inMemory(ctx, child); err != nil {
			return nil, err
		}
	}
	return out, nil
}
