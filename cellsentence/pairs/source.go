package pairs

import (
	"context"
	"iter"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// Source is rows to make pairs of.
type Source struct {
	name   string
	reader *dataset.Reader
	sets   *dataset.Batch // of a file of gene sets
	notes  []string
}

// Open opens a dataset in any format that [dataset.Open] reads, or a file of gene
// sets, whose name ends in .gmt. Faults of the file are of the type [*dataset.Error].
func Open(ctx context.Context, path string, opts dataset.ReadOptions) (*Source, error) {
	if strings.HasSuffix(strings.ToLower(path), ".gmt") {
		return openSets(path)
	}
	r, err := dataset.Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	s := &Source{name: path, reader: r}
	for _, column := range r.Skipped() {
		s.notes = append(s.notes, "column "+column+" is of a kind that cannot be carried along: left out")
	}
	return s, nil
}

// Schema is the columns, whose names templates may use.
func (s *Source) Schema() dataset.Schema {
	if s.sets != nil {
		return s.sets.Schema
	}
	return s.reader.Schema()
}

// Close closes the files.
func (s *Source) Close() error {
	if s.sets != nil {
		return nil
	}
	return s.reader.Close()
}

// all yields the rows in batches.
func (s *Source) all(ctx context.Context) iter.Seq2[*dataset.Batch, error] {
	if s.sets == nil {
		return s.reader.All(ctx)
	}
	return func(yield func(*dataset.Batch, error) bool) { yield(s.sets, nil) }
}
