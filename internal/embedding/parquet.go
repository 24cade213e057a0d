package embedding

import (
	"context"
	"errors"
	"io"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/embedfile"
)

// openParquet reads a column of lists.
func (s *Set) openParquet(ctx context.Context, opts Options) error {
	v, err := dataset.OpenVectors(ctx, s.Path, opts.Key, dataset.ReadOptions{Budget: opts.Memory})
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }() // it was only read
	s.Key = v.Column()
	var spool *embedfile.Spool
	for {
		x, err := v.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if spool == nil {
			if spool, err = embedfile.NewSpool(s.Path, v.Dim(), v.Single(), opts.Memory); err != nil {
				return err
			}
			s.done = append(s.done, spool.Close)
		}
		if err := spool.Append(x); err != nil {
			return err
		}
	}
	if spool == nil {
		return bad(s.Path, "", "column %s has no rows", s.Key)
	}
	a, err := spool.Array()
	if err != nil {
		return err
	}
	s.take(a)
	l := columns{path: s.Path}
	if r, err := dataset.Open(ctx, s.Path, dataset.ReadOptions{}); err == nil { // else there are lists alone
		l.list = r.Schema().Names()
		r.Close()
	}
	s.labels = l
	return nil
}

// columns is the labels of a Parquet file.
type columns struct {
	path string
	list []string
}

func (c columns) names() []string { return c.list }

func (c columns) column(ctx context.Context, name string) ([]string, error) {
	var out []string
	var text []byte
	for b, err := range dataset.Read(ctx, c.path, dataset.ReadOptions{Columns: []string{name}}) {
		if err != nil {
			return nil, err
		}
		for i := range b.Rows() {
			text = b.Columns[0].Print(text[:0], i)
			out = append(out, string(text))
		}
	}
	return out, nil
}
