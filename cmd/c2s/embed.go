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
	model    string // of --model: a file for pca, a name on a server for model
	pca      pcaFlags
	backend  backendFlags
	asked    askedFlags
	part     partFlags
}

func newEmbed(g *globals) *cobra.Command {
	o := new(embedFlags)
	cmd := &cobra.Command{
		Use: "embed FILE -o OUT --method model|pca", Short: "Place cells in an embedding space", GroupID: groupModel, Args: need(1, 1),
		Long: `embed gives each cell a row of numbers: OUT is a float32 matrix of NumPy (.npy), or
a copy of the file with the matrix in obsm (.h5ad).

--method model takes the states of a cell-sentence model (--backend) at the prompt that
asks for the cell's type, pooled over its tokens, as vectors of length one. obs of an
.h5ad tells the genes that it was shown (c2s_n_genes) and whether there is an embedding
(c2s_valid): a cell without a gene has none, but a row of NaN.

--method pca takes the principal components of log-normalised counts. They are
fitted on the real cells and kept with --save; generated cells are then placed with
--model, in the same space, so that c2s scfid can compare the two. Genes are matched
by name; a gene that a file lacks counts as not expressed.

--shard I/N (or auto) writes one part of N, for c2s merge to join; components are then
not fitted, which needs all cells, but taken from --model.`,
		Example: `  c2s embed testdata/demo.h5ad --method pca --save pca.json -o real.npy
  c2s embed testdata/demo.h5ad --method pca --model pca.json -o generated.npy`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.pca.componentsSet = cmd.Flags().Changed("components")
			o.model = o.backend.model
			if err := errors.Join(o.check(g), o.part.resolve(g, nil)); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runEmbed(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.matrix.add(f)
	o.compress.add(f)
	o.backend.add(f)
	o.asked.add(f)
	f.StringVar(&o.method, "method", "", "how cells are placed: `model|pca`")
	f.Lookup("model").Usage = "`NAME` of the model on the server; for pca the FILE of --save to place cells by, instead of fitting"
	f.StringVar(&o.key, "key", "", "`NAME` in obsm of an .h5ad (default: X_c2s, or X_pca_c2s)")
	o.pca.add(f)
	o.part.add(f)
	return cmd
}

func (o *embedFlags) check(g *globals) error {
	switch o.method {
	case "pca", "model":
	case "":
		return errors.New("--method is missing: there are model and pca")
	default:
		return fmt.Errorf("--method %q is not known: there are model and pca", o.method)
	}
	switch {
	case strings.HasSuffix(g.out, ".h5ad"):
		if o.key = strings.TrimPrefix(o.key, "obsm/"); o.key == "" {
			o.key = map[string]string{"pca": "X_pca_c2s", "model": "X_c2s"}[o.method]
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
	if o.method == "model" {
		return errors.Join(o.matrix.check(), o.compress.check(), o.asked.check(&o.pca))
	}
	if o.part.text != "" && o.model == "" {
		return errors.New("--shard sees a part, and components are fitted to all cells: fit them first with --save FILE, and name that with --model")
	}
	if len(o.backend.names) > 0 {
		return errors.New("--backend is for --method model")
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
	Empty     int      `json:"empty_cells"`   // cells without a gene, whose embedding by a model is NaN
	Notice    string   `json:"notice"`        // must stand beside everything made with the model
	Warnings  []string `json:"warnings"`
}

func runEmbed(ctx context.Context, g *globals, o *embedFlags, path string) (err error) {
	in, err := o.matrix.open(ctx, g, path)
	if err != nil {
		return err
	}
	defer in.file.Close()
	rows := o.part.rows(in.matrix.NObs)
	result := &embedResult{In: path, Out: g.out, Key: o.key, Method: o.method, NObs: rows.To - rows.From, Model: o.model, Warnings: append([]string{}, in.warnings...)}
	if o.method == "model" {
		m, err := o.backend.open(ctx, g)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, m.close()) }()
		e, err := o.askModel(ctx, g, in, m, result)
		if err != nil || e == nil {
			return err
		}
		if err := e.write(ctx, g, o, result); err != nil {
			return err
		}
		return result.report(g, fmt.Sprintf("(%s)", m.asked()))
	}
	saved, err := o.pca.create(g, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, saved.abort()) }()
	if fresh, err := o.begin(ctx, g, path, embedOptions{}); fresh || err != nil {
		return err
	}
	p, err := o.place(ctx, g, in, result)
	if err != nil {
		return err
	}
	if err := saved.write(p.model); err != nil {
		return err
	}
	if err := p.placed(o).write(ctx, g, o, result); err != nil {
		return err
	}
	if err := saved.commit(); err != nil {
		return err
	}
	return result.report(g, fmt.Sprintf("(%.1f %% of the variance of the %d cells of the fit)", 100*result.Explained, result.Fitted))
}

// write writes the embedding as the name of the output says.
func (p *placed) write(ctx context.Context, g *globals, o *embedFlags, result *embedResult) error {
	result.Out = g.out
	bar := p.bar
	if bar == nil {
		bar = g.start("embedding "+p.path, "cells", int64(p.n))
	}
	defer bar.Stop()
	var err error
	if o.key == "" {
		err = p.toNumPy(ctx, g, o, bar)
	} else {
		err = p.toH5AD(ctx, g, o, bar, result)
	}
	if err != nil {
		return err
	}
	return o.part.finish(ctx, g, map[string]int64{"cells": int64(result.NObs), "empty_cells": int64(result.Empty)}, result.Warnings)
}

func (r *embedResult) report(g *globals, how string) error {
	log := g.logger()
	for _, w := range r.Warnings {
		log.Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	log.Info(fmt.Sprintf("%d cells × %d components in %s %s", r.NObs, r.Dim, r.Out, how))
	return nil
}
