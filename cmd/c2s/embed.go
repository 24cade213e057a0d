package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// embedFlags are the flags of embed.
type embedFlags struct {
	matrix   matrixFlags
	compress compressionFlags
	method   string
	key      string
	model    string
	pca      pcaFlags
}

func newEmbed(g *globals) *cobra.Command {
	o := new(embedFlags)
	cmd := &cobra.Command{
		Use: "embed FILE -o OUT --method pca", Short: "Place cells in an embedding space", GroupID: groupEvaluate, Args: need(1, 1),
		Long: `embed gives each cell a row of numbers: OUT is a float32 matrix of NumPy (.npy), or
a copy of the file with the matrix in obsm (.h5ad).

--method pca takes the principal components of log-normalised counts. They are
fitted on the real cells and kept with --save; generated cells are then placed with
--model, in the same space, so that c2s scfid can compare the two. Genes are matched
by name; a gene that a file lacks counts as not expressed.`,
		Example: `  c2s embed testdata/demo.h5ad --method pca --save pca.json -o real.npy
  c2s embed testdata/demo.h5ad --method pca --model pca.json -o generated.npy`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.pca.componentsSet = cmd.Flags().Changed("components")
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runEmbed(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.matrix.add(f)
	o.compress.add(f)
	f.StringVar(&o.method, "method", "", "how cells are placed: `pca`")
	f.StringVar(&o.model, "model", "", "place cells by this model, for pca a `FILE` of --save, instead of fitting one")
	f.StringVar(&o.key, "key", "", "`NAME` in obsm of an .h5ad (default: X_pca_c2s)")
	o.pca.add(f)
	return cmd
}

func (o *embedFlags) check(g *globals) error {
	switch o.method {
	case "pca":
	case "":
		return errors.New("--method is missing: there is pca")
	default:
		return fmt.Errorf("--method %q is not known: there is pca", o.method)
	}
	switch {
	case strings.HasSuffix(g.out, ".h5ad"):
		if o.key = strings.TrimPrefix(o.key, "obsm/"); o.key == "" {
			o.key = "X_pca_c2s"
		}
		if strings.Contains(o.key, "/") {
			return fmt.Errorf("--key %q: a name in obsm has no slash", o.key)
		}
	case !strings.HasSuffix(g.out, ".npy"):
		return errors.New("-o OUT.npy or OUT.h5ad is missing")
	case o.key != "":
		return errors.New("--key is for an .h5ad: an .npy is one matrix")
	case o.compress.method != "" || o.compress.level != 0:
		return errors.New("--compression is for an .h5ad")
	}
	return errors.Join(o.matrix.check(), o.compress.check(), o.pca.check(o.model))
}

// embedResult is what embed reports, and prints with --json.
type embedResult struct {
	In        string   `json:"in"`
	Out       string   `json:"out"`
	Key       string   `json:"key"` // in obsm, "" for an .npy
	Method    string   `json:"method"`
	NObs      int      `json:"n_obs"`
	Dim       int      `json:"dim"`
	Model     string   `json:"model"`         // file that was used or written, "" for neither
	Fitted    int      `json:"fitted_cells"`  // cells that the components were fitted to
	Explained float64  `json:"explained"`     // share of the variance of those cells
	Missing   int      `json:"missing_genes"` // genes of the model that the file lacks
	Warnings  []string `json:"warnings"`
}

func runEmbed(ctx context.Context, g *globals, o *embedFlags, path string) (err error) {
	in, err := o.matrix.open(ctx, g, path)
	if err != nil {
		return err
	}
	defer in.file.Close()
	result := &embedResult{In: path, Out: g.out, Key: o.key, Method: o.method, NObs: in.matrix.NObs, Model: o.model, Warnings: append([]string{}, in.warnings...)}
	saved, err := o.pca.create(g, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, saved.abort()) }()
	p, err := o.place(ctx, g, in, result)
	if err != nil {
		return err
	}
	if err := saved.write(p.model); err != nil {
		return err
	}
	bar := g.start("embedding "+path, "cells", int64(in.matrix.NObs))
	defer bar.Stop()
	if o.key == "" {
		err = p.toNumPy(ctx, g, o, bar)
	} else {
		err = p.toH5AD(ctx, g, o, bar, result)
	}
	if err != nil {
		return err
	}
	if err := saved.commit(); err != nil {
		return err
	}
	log := g.logger()
	for _, w := range result.Warnings {
		log.Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, result)
	}
	log.Info(fmt.Sprintf("%d cells × %d components in %s (%.1f %% of the variance of the %d cells of the fit)", result.NObs, result.Dim, g.out, 100*result.Explained, result.Fitted))
	return nil
}
