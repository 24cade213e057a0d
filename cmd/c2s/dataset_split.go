package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/manifest"
)

// splitFlags are the flags of dataset split.
type splitFlags struct {
	sides    []string
	by       string
	stratify string
	hold     []string
	key      []string
	format   string

	cfg dataset.SplitConfig
}

func newDatasetSplit(g *globals) *cobra.Command {
	o := new(splitFlags)
	cmd := &cobra.Command{
		Use: "split IN -o DIR", Short: "Split into training, validation and test data", GroupID: groupData, Args: need(1, 1),
		Long: `split writes the rows of a dataset to a file for each side, such as DIR/train.parquet,
with split.json and manifest.json beside them. A row's side hangs on --seed and on the
columns of --key alone, so that the same cell is on the same side in any dataset, and
cells of the same name stay together.

--by keeps the rows of a donor, a cell type or a perturbation together, and --hold gives
some of them their side. --stratify gives each side its share of every cell type.`,
		Example: `  c2s encode testdata/demo.h5ad -o cells.parquet
  c2s dataset split cells.parquet --by donor -o split`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g, args[0]); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runDatasetSplit(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.sides, "sides", []string{"train=0.8", "validation=0.1", "test=0.1"}, "sides and their shares, `NAME=SHARE,...`")
	f.StringVar(&o.by, "by", "", "keep rows with the same value of a `COLUMN` on one side")
	f.StringVar(&o.stratify, "stratify", "", "share out the rows of each value of a `COLUMN`")
	f.StringArrayVar(&o.hold, "hold", nil, "put a value of --by on a side, `VALUE=SIDE`; may be repeated")
	f.StringSliceVar(&o.key, "key", nil, "columns that tell rows apart, `a,b` (default: cell_name, else the text)")
	f.StringVar(&o.format, "format", "", "`FORMAT` of the sides, such as parquet or jsonl.gz (default: that of IN)")
	return cmd
}

func (o *splitFlags) check(g *globals, in string) error {
	if err := needFolder(g, []string{in}); err != nil {
		return err
	}
	if _, err := ending(o.format, in, false); err != nil {
		return err
	}
	o.cfg = dataset.SplitConfig{Key: o.key, Group: o.by, Stratify: o.stratify, Seed: g.seed}
	for _, text := range o.sides {
		name, share, _ := strings.Cut(text, "=")
		v, err := strconv.ParseFloat(share, 64)
		if err != nil {
			return fmt.Errorf("--sides: %q is not of the form NAME=SHARE", text)
		}
		if name != filepath.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("--sides: %q cannot be the name of a file", name)
		}
		o.cfg.Sides = append(o.cfg.Sides, dataset.Side{Name: name, Share: v})
	}
	var err error
	if o.cfg.Hold, err = pairsOf("hold", o.hold, true); err != nil {
		return err
	}
	return o.cfg.Check()
}

func runDatasetSplit(ctx context.Context, g *globals, o *splitFlags, path string) (err error) {
	dir, err := g.createFolder(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	end, err := ending(o.format, path, false)
	if err != nil {
		return err
	}
	bar := g.start("splitting "+path, "rows", 0)
	defer bar.Stop()
	out := func(side string) string { return dir.file(side + end) }
	report, err := dataset.Split(ctx, path, out, o.cfg, dataset.Options{Jobs: g.workers()})
	if err != nil {
		return err
	}
	counts := map[string]int64{"rows": report.Rows}
	for i := range report.Sides {
		s := &report.Sides[i]
		s.Path = s.Name + end
		counts[s.Name] = s.Rows
	}
	about := manifest.Manifest{
		Command: "dataset split", Counts: counts,
		Options: map[string]any{"sides": o.cfg.Sides, "by": o.by, "stratify": o.stratify, "hold": o.cfg.Hold, "key": o.key, "format": strings.TrimPrefix(end, ".")},
	}
	for _, s := range report.Sides {
		if s.Rows == 0 {
			about.Warnings = append(about.Warnings, fmt.Sprintf("the side %s has no row", s.Name))
		}
	}
	if err := dir.finish(ctx, about, "split.json", report); err != nil {
		return err
	}
	log := g.logger()
	for _, text := range about.Warnings {
		log.Warn(text)
	}
	if g.json {
		for i := range report.Sides {
			report.Sides[i].Path = filepath.Join(g.out, report.Sides[i].Path)
		}
		return printJSON(g.stdout, report)
	}
	var parts []string
	for _, s := range report.Sides {
		parts = append(parts, fmt.Sprintf("%s %d", s.Name, s.Rows))
	}
	log.Info(fmt.Sprintf("%d rows in %s: %s", report.Rows, g.out, strings.Join(parts, ", ")))
	return nil
}
