package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
)

// concatFlags are the flags of concat.
type concatFlags struct {
	compress    compressionFlags
	join        string
	label       string
	keys        []string
	indexUnique string
	merge       string
	modality    string
}

func newConcat(g *globals) *cobra.Command {
	o := new(concatFlags)
	cmd := &cobra.Command{
		Use: "concat IN... -o OUT", Short: "Join the cells of several files", GroupID: groupData, Args: need(1, -1),
		Long: `concat puts the cells of .h5ad, 10x .h5 and .h5mu files and 10x folders below each
other, as anndata.concat does. Genes are joined by name: the inner join keeps those
that all files have, in the order of the first; the outer join keeps all, sorted, and
fills the gaps with 0 in sparse matrices and with NaN in dense ones. So do columns of
obs, layers and obsm. X and layers are CSR unless all of them are dense; raw is kept
if all files have it.

What describes genes or files rather than cells cannot be joined: --merge says which
columns of var and arrays of varm are kept, and uns, obsp and varp are left out. What
is left out is listed. Matrices are streamed, and any number of files can be joined.`,
		Example: `  c2s concat testdata/demo.h5ad testdata/tiny.h5ad -o both.h5ad --join outer --label batch --keys demo,tiny --index-unique -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g, args); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runConcat(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.join, "join", "inner", "join genes and columns by `inner|outer`")
	f.StringVar(&o.label, "label", "", "add a `COLUMN` to obs that says which file a cell is from")
	f.StringSliceVar(&o.keys, "keys", nil, "name the files `A,B,...`, for --label and --index-unique (default 0,1,...)")
	f.StringVar(&o.indexUnique, "index-unique", "", "make names of cells unique: append this `SEPARATOR` and the key of the file")
	f.StringVar(&o.merge, "merge", "none", "keep columns of var and arrays of varm: `none|same|unique|first|only`")
	f.StringVar(&o.modality, "modality", "", "modality of an .h5mu (default: the RNA)")
	o.compress.add(f)
	return cmd
}

func (o *concatFlags) check(g *globals, args []string) error {
	if err := o.compress.check(); err != nil {
		return err
	}
	sorted := slices.Sorted(slices.Values(o.keys))
	switch {
	case g.out == "":
		return errors.New("concat needs -o OUT.h5ad")
	case !strings.HasSuffix(g.out, ".h5ad"):
		return fmt.Errorf("-o %q: concat writes an .h5ad", g.out)
	case !slices.Contains([]string{h5ad.JoinInner, h5ad.JoinOuter}, o.join):
		return fmt.Errorf("--join %q is none of inner, outer", o.join)
	case !slices.Contains([]string{h5ad.MergeNone, h5ad.MergeSame, h5ad.MergeUnique, h5ad.MergeFirst, h5ad.MergeOnly}, o.merge):
		return fmt.Errorf("--merge %q is none of none, same, unique, first, only", o.merge)
	case o.keys != nil && len(o.keys) != len(args):
		return fmt.Errorf("--keys names %d files, but there are %d", len(o.keys), len(args))
	case len(slices.Compact(sorted)) < len(o.keys):
		return errors.New("--keys names two files alike")
	case o.keys != nil && o.label == "" && o.indexUnique == "":
		return errors.New("--keys needs --label or --index-unique")
	}
	return nil
}

// concatResult is what concat reports, and prints with --json.
type concatResult struct {
	In       []string `json:"in"`
	Out      string   `json:"out"`
	NObs     int      `json:"n_obs"`
	NVars    int      `json:"n_vars"`
	Dropped  []string `json:"dropped"`
	Warnings []string `json:"warnings"`
}

func runConcat(ctx context.Context, g *globals, o *concatFlags, in []string) (err error) {
	var inputs []string
	for _, path := range in {
		inputs = append(inputs, inputsOf(path)...)
	}
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{
		Compression: o.compression(in[0]), Workers: g.workers(), Memory: g.budget() / 4, Force: g.force, Inputs: inputs,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	bar := g.start("concatenating into "+g.out, "cells", 0)
	defer bar.Stop()
	r, err := h5ad.Concat(ctx, w, in, h5ad.ConcatOptions{
		Join: o.join, Label: o.label, Keys: o.keys, IndexUnique: o.indexUnique, Merge: o.merge,
		Open: h5ad.Options{Modality: o.modality, Workers: g.workers()}, Progress: bar.Add,
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	result := &concatResult{In: in, Out: g.out, NObs: r.NObs, NVars: r.NVars, Dropped: append([]string{}, r.Dropped...), Warnings: append([]string{}, r.Warnings...)}
	if text := o.compress.warning(); text != "" {
		result.Warnings = append(result.Warnings, text)
	}
	return result.report(g)
}

// compression is that of the output: unless it is chosen, matrices are compressed
// as those of the first file. A 10x folder has no compression that could be kept.
func (o *concatFlags) compression(first string) h5ad.Compression {
	if st, err := os.Stat(first); o.compress.method == "" && err == nil && st.IsDir() {
		return h5ad.Compression{Method: "gzip"}
	}
	return h5ad.Compression{Method: o.compress.method, Level: o.compress.level}
}

func (r *concatResult) report(g *globals) error {
	log := g.logger()
	for _, d := range r.Dropped {
		log.Warn("dropped " + d)
	}
	for _, w := range r.Warnings {
		log.Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	log.Info(fmt.Sprintf("%d cells × %d genes of %d files in %s", r.NObs, r.NVars, len(r.In), r.Out))
	return nil
}
