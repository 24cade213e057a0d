package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
)

// matrixFlags choose the matrix of a file and the names of its genes.
type matrixFlags struct {
	x, raw    bool
	layer     string
	modality  string
	geneNames string
}

// add adds all of the flags, addMatrix those of the matrix alone.
func (m *matrixFlags) add(f *pflag.FlagSet) {
	m.addMatrix(f)
	f.StringVar(&m.geneNames, "gene-names", "", "take gene names from the `COLUMN` of var instead of its index")
}

func (m *matrixFlags) addMatrix(f *pflag.FlagSet) {
	f.BoolVar(&m.x, "x", false, "take X (the default)")
	f.BoolVar(&m.raw, "raw", false, "take raw.X")
	f.StringVar(&m.layer, "layer", "", "take the layer `NAME`")
	f.StringVar(&m.modality, "modality", "", "modality of an .h5mu (default: the RNA)")
}

// key is the matrix as h5ad.CopyOptions names it.
func (m *matrixFlags) key() string {
	switch {
	case m.raw:
		return "raw"
	case m.layer != "":
		return "layers/" + m.layer
	}
	return ""
}

func (m *matrixFlags) check() error {
	n := 0
	for _, set := range []bool{m.x, m.raw, m.layer != ""} {
		if set {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("--x, --raw and --layer exclude each other")
	}
	return nil
}

// input is an open file with the matrix that was chosen.
type input struct {
	file   *h5ad.File
	matrix *h5ad.Matrix
	genes  []string
}

// open opens a file; the caller closes in.file.
func (m *matrixFlags) open(ctx context.Context, g *globals, path string) (in *input, err error) {
	f, err := h5ad.Open(ctx, path, h5ad.Options{Modality: m.modality, Workers: g.workers()})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close() // nothing was written: the first error counts
		}
	}()
	in = &input{file: f}
	vr := f.Var()
	switch {
	case m.raw:
		in.matrix, vr, err = f.Raw(ctx)
	case m.layer != "":
		in.matrix, err = f.Layer(ctx, m.layer)
	default:
		in.matrix, err = f.X()
	}
	if err != nil {
		return nil, err
	}
	if in.matrix.NObs == 0 || in.matrix.NVars == 0 {
		return nil, &inputError{fmt.Errorf("%s: %s: the matrix is empty: %d cells × %d genes", path, in.matrix.Key(), in.matrix.NObs, in.matrix.NVars), ""}
	}
	if m.geneNames == "" {
		in.genes, err = vr.Index(ctx)
		return in, err
	}
	c, err := vr.Column(ctx, m.geneNames)
	if err != nil {
		return nil, err
	}
	in.genes = make([]string, c.Rows())
	for i := range in.genes {
		s, ok := c.Text(i)
		if !ok {
			return nil, &inputError{fmt.Errorf("%s: /var/%s: the name of gene %d is missing", path, m.geneNames, i), "fill the column, or use the index"}
		}
		in.genes[i] = s
	}
	return in, nil
}
