package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/llm/journal"
)

func newMerge(g *globals) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "merge PARTS... -o OUT", Short: "Join the parts of a sharded run", GroupID: groupData, Args: need(1, -1),
		Long: `merge checks by their .done.json that the parts belong together, that none is
missing, changed or there twice, and joins them: the bytes are those of a run without
shards. The order in which the parts are named does not matter, and their .done.json
may be among them.

Parts in .h5ad, but for those of predict, are laid into a copy of the file that they were
made of, which must be there, unchanged; --from says where, if it was moved.

Journals of answers, FILE.db as --journal names them, are united, too: an answer that
several hold is kept once. With --force they are added to the journal that OUT is; its own
answers stay.`,
		Example: `  c2s encode testdata/demo.h5ad -o cells.parquet --shard 0/2
  c2s encode testdata/demo.h5ad -o cells.parquet --shard 1/2
  c2s merge cells.shard-*.parquet -o cells.parquet`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.out == "" || g.out == "-" {
				return &usageError{errors.New("-o OUT is missing"), cmd.CommandPath()}
			}
			if source != "" && !strings.HasSuffix(g.out, ".h5ad") {
				return &usageError{errors.New("--from is for an .h5ad"), cmd.CommandPath()}
			}
			if filepath.Ext(g.out) == ".db" {
				return mergeJournals(cmd.Context(), g, args)
			}
			return runMerge(cmd.Context(), g, args, source)
		},
	}
	cmd.Flags().StringVar(&source, "from", "", "the `FILE` that the parts of an .h5ad were made of (default: where the parts say)")
	return cmd
}

// mergeResult is what merge prints with --json.
type mergeResult struct {
	Out      string           `json:"out"`
	Parts    int              `json:"parts"`
	Rows     int64            `json:"rows"`
	Counts   map[string]int64 `json:"counts"`
	Warnings []string         `json:"warnings"`
}

func runMerge(ctx context.Context, g *globals, parts []string, source string) error {
	// cells.shard-* has the .done.json, too, which belong to the parts.
	parts = slices.DeleteFunc(parts, func(name string) bool { return strings.HasSuffix(name, shard.DoneSuffix) })
	set, err := shard.Check(ctx, parts)
	if err != nil {
		return err
	}
	var rows int64
	kind := filepath.Ext(g.out)
	switch {
	case set.Parts[0].Command == "scfid":
		rows, err = mergeMoments(ctx, g, set)
	case kind == ".h5ad", kind == ".npy", kind == ".tsv":
		for _, part := range set.Paths {
			if filepath.Ext(part) != kind {
				return &inputError{fmt.Errorf("%s: only parts that end in %s can become one that does", part, kind), "name OUT as the jobs did"}
			}
		}
		join := map[string]func(context.Context, *globals, *shard.Set) (int64, error){
			".npy": mergeNumPy, ".tsv": mergeTables,
			".h5ad": func(ctx context.Context, g *globals, set *shard.Set) (int64, error) {
				if set.Parts[0].Command == "predict" {
					return mergeStack(ctx, g, set)
				}
				return mergeH5AD(ctx, g, set, source)
			},
		}
		rows, err = join[kind](ctx, g, set)
	default:
		rows, err = dataset.Merge(ctx, set.Paths, g.out, dataset.Options{Force: g.force, Inputs: set.Paths, Jobs: g.workers()})
	}
	if err != nil {
		return err
	}
	result := mergeResult{Out: g.out, Parts: len(set.Paths), Rows: rows, Counts: set.Counts(), Warnings: set.Warnings()}
	if result.Warnings == nil {
		result.Warnings = []string{}
	}
	for _, w := range result.Warnings {
		g.logger().Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, result)
	}
	g.logger().Info(fmt.Sprintf("%d rows of %d parts in %s", rows, len(set.Paths), g.out))
	return nil
}

// mergeJournals unites journals of answers.
func mergeJournals(ctx context.Context, g *globals, parts []string) error {
	if _, err := os.Stat(g.out); err == nil && !g.force {
		return fmt.Errorf("%s: the output exists already; --force adds to it", g.out)
	}
	added, err := journal.Merge(ctx, g.out, parts...)
	if err != nil {
		return err
	}
	if g.json {
		return printJSON(g.stdout, map[string]any{"out": g.out, "parts": len(parts), "added": added})
	}
	g.logger().Info(fmt.Sprintf("%d answers of %d journals added to %s", added, len(parts), g.out))
	return nil
}
