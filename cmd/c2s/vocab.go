package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

func newVocab(g *globals) *cobra.Command {
	var m matrixFlags
	var collisions string
	cmd := &cobra.Command{
		Use: "vocab FILE...", Short: "Count the cells that express each gene", GroupID: groupData, Args: need(1, -1),
		Long: `vocab writes each gene, as sentences name it, and the number of cells that
express it, separated by a tab. The genes of many files are merged in the order in
which they are first met.`,
		Example: "  c2s vocab testdata/demo.h5ad -o vocab.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			rule, err := cellsentence.ParseCollisions(collisions)
			if err != nil {
				err = fmt.Errorf("--collisions: %w", err)
			}
			if err := errors.Join(err, m.check()); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runVocab(cmd.Context(), g, &m, rule, args)
		},
	}
	m.add(cmd.Flags())
	cmd.Flags().StringVar(&collisions, "collisions", "error", "genes that share a name in upper case: `error|first|suffix`")
	return cmd
}

func runVocab(ctx context.Context, g *globals, m *matrixFlags, rule cellsentence.Collisions, paths []string) (err error) {
	out, err := g.create(paths...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	all := new(cellsentence.Vocabulary)
	for _, path := range paths {
		v, err := fileVocabulary(ctx, g, m, rule, path)
		if err != nil {
			return err
		}
		all.Merge(v)
	}
	if g.json {
		type entry struct {
			Gene  string `json:"gene"`
			Cells int64  `json:"cells"`
		}
		list := make([]entry, 0, all.Len())
		for gene, cells := range all.All() {
			list = append(list, entry{gene, cells})
		}
		if err := printJSON(out, list); err != nil {
			return err
		}
		return out.Commit()
	}
	if _, err := all.WriteTo(out); err != nil {
		return err
	}
	return out.Commit()
}

func fileVocabulary(ctx context.Context, g *globals, m *matrixFlags, rule cellsentence.Collisions, path string) (v *cellsentence.Vocabulary, err error) {
	in, err := m.open(ctx, g, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.file.Close()) }()
	for _, w := range in.warnings {
		g.logger().Warn(path + ": " + w)
	}
	src, err := in.matrix.Rows(ctx, h5ad.RowOptions{Budget: g.budget() / 2})
	if err != nil {
		return nil, err
	}
	v, err = cellsentence.CountVocabulary(ctx, in.genes, src, cellsentence.Config{Collisions: rule, Workers: g.workers()})
	return v, badCells(path, err)
}
