// Package embedding opens the embeddings of cells, with the labels of the cells, in
// any file that holds them: a matrix of NumPy (.npy), statistics (.npz), obsm of an
// AnnData file and columns of lists of Parquet files.
//
// Start with [Open]; [Set.Side] is what package scfid takes. Formats whose rows
// cannot be had in any order without unpacking others are read once, to memory or
// to a temporary file ([embedfile.Spool]), so that memory stays bounded.
package embedding

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/scfid"
)

// Options says how embeddings are opened. The zero value is good.
type Options struct {
	// Key is the name of the embedding in obsm, or the column of a Parquet file; ""
	// is the only one.
	Key string
	// Labels is the path of a TSV file with the labels of the cells, for files that
	// hold none: a line of names, then a line a cell.
	Labels string
	// Memory is about how many bytes the rows may take, 0 meaning 1 GiB. Larger sets
	// go to a temporary file.
	Memory int64
	// Workers is the number of goroutines; 0 means as many as there are processors.
	Workers int
}

// Set is the embeddings of a file. Its rows serve several goroutines.
type Set struct {
	Path string // as given
	Key  string // the embedding that was opened, "" where the file holds one alone

	side   scfid.Side
	labels labels
	done   []func() error
}

// labels are columns of text, a value a cell.
type labels interface {
	// names lists the columns.
	names() []string
	// column is a column, "" where a value is missing.
	column(ctx context.Context, name string) ([]string, error)
}

// Open opens the embeddings at path. What is wrong with a file is an error with
// BadInput and, where something can be done, Hint.
func Open(ctx context.Context, path string, opts Options) (s *Set, err error) {
	s = &Set{Path: path}
	defer func() {
		if err != nil {
			_ = s.Close() // the first error counts
		}
	}()
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npy":
		err = s.openNumPy(ctx, opts)
	case ".npz":
		err = s.openStats(ctx, opts)
	case ".parquet":
		err = s.openParquet(ctx, opts)
	case ".h5ad", ".h5", ".h5mu":
		err = s.openH5AD(ctx, opts)
	default:
		err = bad(path, "embeddings are .npy, .npz (mu and sigma), .parquet or .h5ad", "the name tells no format")
	}
	if err == nil && opts.Labels != "" {
		if s.side.Rows == nil {
			return nil, bad(path, "", "statistics have no cells that %s could label", opts.Labels)
		}
		s.labels, err = openTable(ctx, opts.Labels, s.side.Rows.Len())
	}
	return s, err
}

func bad(file, tip, format string, args ...any) error {
	return &embedfile.Error{File: file, Err: fmt.Errorf(format, args...), Tip: tip}
}

func (s *Set) openNumPy(ctx context.Context, opts Options) error {
	a, err := embedfile.Open(ctx, s.Path, opts.Memory)
	if err != nil {
		return err
	}
	s.take(a)
	return nil
}

// take makes an array the rows of the set, to be closed with it.
func (s *Set) take(a *embedfile.Array) {
	s.side.Rows = a
	s.done = append(s.done, a.Close)
}

func (s *Set) openStats(ctx context.Context, _ Options) error {
	st, err := embedfile.ReadStats(ctx, s.Path)
	if err != nil {
		return err
	}
	if s.side.Moments, err = scfid.NewMoments(st.N, st.Mu, st.Sigma); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	return nil
}

// Len is the number of cells, 0 where statistics do not tell it.
func (s *Set) Len() int { return s.side.Len() }

// Side is the embeddings, without groups and donors.
func (s *Set) Side() scfid.Side { return s.side }

// Has reports whether there is a column of labels of that name.
func (s *Set) Has(name string) bool {
	return s.labels != nil && slices.Contains(s.labels.names(), name)
}

// Labels joins the values of columns, " | " between them, for each cell; it is ""
// where one of them is missing.
func (s *Set) Labels(ctx context.Context, columns []string) ([]string, error) {
	if s.labels == nil {
		tip := "name a TSV file with --labels: the names of the columns, then a line a cell"
		if s.side.Rows == nil {
			tip = "statistics have no cells: compare the embeddings themselves"
		}
		return nil, bad(s.Path, tip, "the file has no labels of cells, such as %s", strings.Join(columns, ", "))
	}
	var out []string
	for k, name := range columns {
		if !s.Has(name) {
			return nil, bad(s.Path, "there are: "+strings.Join(s.labels.names(), ", "), "no column %q of labels", name)
		}
		c, err := s.labels.column(ctx, name)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			out = c
			continue
		}
		for i, v := range c {
			if v == "" || out[i] == "" {
				out[i] = ""
				continue
			}
			out[i] += " | " + v
		}
	}
	return out, nil
}

// Close closes the file and removes what was kept of it.
func (s *Set) Close() error {
	var err error
	for _, fn := range s.done {
		err = errors.Join(err, fn())
	}
	s.done = nil
	return err
}
