package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
)

// unitsOfExpression is the scale on which expression is predicted.
const unitsOfExpression = "ln(1 + counts per 10,000)"

// expression reads cells on that scale.
type expression struct {
	in   *input
	plan *preprocess.Plan
	kind h5ad.ValueKind
}

// expression looks at the values of a file: counts will be normalised, logarithms are
// taken as they are.
func (in *input) expression(ctx context.Context) (*expression, error) {
	kind, _, err := in.matrix.Kind(ctx)
	if err != nil {
		return nil, err
	}
	cfg := preprocess.Config{}
	switch kind {
	case h5ad.Counts:
		cfg = preprocess.Config{Target: 1e4, Log: preprocess.LogE}
	case h5ad.LogNorm, h5ad.Empty:
	default:
		return nil, &inputError{
			fmt.Errorf("%s: %s: the values look %s, not like counts or their logarithms", in.file.Path(), in.matrix.Key(), kind),
			"take the counts: c2s inspect lists the layers; name one with --layer NAME, or take --raw",
		}
	}
	plan, err := preprocess.New(ctx, in.matrix, in.genes, cfg, h5ad.Selection{})
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", in.file.Path(), in.matrix.Key(), err)
	}
	return &expression{in, plan, kind}, nil
}

// said is what to tell of the values, "" for counts.
func (e *expression) said() string {
	if e.kind == h5ad.Counts {
		return ""
	}
	return fmt.Sprintf("%s: %s holds logarithms: they are taken to be %s", e.in.file.Path(), e.in.matrix.Key(), unitsOfExpression)
}

// cells reads the given rows, rising; nil is all. Batches have the rows of the file.
func (e *expression) cells(ctx context.Context, g *globals, rows []int) (*pickedCells, error) {
	opts := h5ad.RowOptions{Budget: g.budget() / 4}
	if n := len(rows); n > 0 {
		opts.Start, opts.End = rows[0], rows[n-1]+1
	}
	r, err := e.in.matrix.Rows(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &pickedCells{e: e, reader: r, rows: rows, whole: rows == nil}, nil
}

// pickedCells is some rows of a matrix as expression.
type pickedCells struct {
	e      *expression
	reader *h5ad.RowReader
	rows   []int // still to come
	whole  bool
	read   h5ad.Batch
	at     int // of the next cell of read
}

// maxPicked is the most cells of a batch: they wait for each other.
const maxPicked = 256

// Next implements cellsentence.Source with a run of consecutive rows.
func (p *pickedCells) Next(ctx context.Context, b *h5ad.Batch) error {
	for {
		if !p.whole && len(p.rows) == 0 {
			return io.EOF
		}
		if p.at == p.read.NObs() {
			if err := p.reader.Next(ctx, &p.read); err != nil {
				return err // io.EOF among them
			}
			p.at = 0
			if err := p.e.plan.Normalise(&p.read); err != nil {
				return fmt.Errorf("%s: %s: %w", p.e.in.file.Path(), p.e.in.matrix.Key(), err)
			}
		}
		from := p.at
		if !p.whole {
			from = min(p.rows[0]-p.read.Start, p.read.NObs())
		}
		to := from
		for to < p.read.NObs() && to-from < maxPicked && (p.whole || len(p.rows) > 0 && p.rows[0] == p.read.Start+to) {
			if to++; !p.whole {
				p.rows = p.rows[1:]
			}
		}
		if p.at = to; to == from {
			continue
		}
		return p.cut(b, from, to)
	}
}

// cut copies some cells, since the encoder has several batches in work.
func (p *pickedCells) cut(b *h5ad.Batch, from, to int) error {
	lo, hi := p.read.Indptr[from], p.read.Indptr[to]
	b.Start = p.read.Start + from
	b.Indptr = b.Indptr[:0]
	for _, v := range p.read.Indptr[from : to+1] {
		b.Indptr = append(b.Indptr, v-lo)
	}
	b.Indices = append(b.Indices[:0], p.read.Indices[lo:hi]...)
	values, _ := b.Values.([]float32)
	values = values[:0]
	switch v := p.read.Values.(type) {
	case []float32:
		values = append(values, v[lo:hi]...)
	default:
		all := h5ad.Floats(nil, v)
		for _, x := range all[lo:hi] {
			values = append(values, float32(x))
		}
	}
	b.Values = values
	return nil
}

// all yields the batches; each is valid until the next.
func (p *pickedCells) all(ctx context.Context) iter.Seq2[*h5ad.Batch, error] {
	return func(yield func(*h5ad.Batch, error) bool) {
		var b h5ad.Batch
		for {
			err := p.Next(ctx, &b)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(&b, err) || err != nil {
				return
			}
		}
	}
}
