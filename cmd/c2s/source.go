package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

// matrixFlags choose the matrix of a file and the names of its genes.
type matrixFlags struct {
	x, raw    bool
	layer     string
	modality  string
	geneNames string
	geneMap   string
}

// add adds all of the flags, addMatrix those of the matrix alone.
func (m *matrixFlags) add(f *pflag.FlagSet) {
	m.addMatrix(f)
	f.StringVar(&m.geneNames, "gene-names", "", "take gene names from the `COLUMN` of var instead of its index")
	f.StringVar(&m.geneMap, "gene-map", "", "rename genes by a `FILE`: two columns, the CELLxGENE gene list, or an ortholog table")
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
	file     *h5ad.File
	matrix   *h5ad.Matrix
	genes    []string
	warnings []string // of the file and of its gene names
	unmapped []string // genes that --gene-map does not know
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
	in = &input{file: f, warnings: f.Warnings()}
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
	if in.genes, err = m.names(ctx, path, vr); err != nil {
		return nil, err
	}
	if m.geneMap != "" {
		if err := m.rename(in); err != nil {
			return nil, err
		}
	}
	if w := cellsentence.ClassifyGenes(in.genes).Warning(); w != "" {
		for _, column := range []string{"feature_name", "gene_symbol", "gene_symbols", "gene_name", "gene_names", "symbol"} {
			if column != m.geneNames && vr.Has(column) {
				w += ", as here " + column + " may be"
				break
			}
		}
		in.warnings = append(in.warnings, w)
	}
	return in, nil
}

// names is those of the genes, from the index or the column of --gene-names.
func (m *matrixFlags) names(ctx context.Context, path string, vr *h5ad.DataFrame) ([]string, error) {
	if m.geneNames == "" {
		return vr.Index(ctx)
	}
	c, err := vr.Column(ctx, m.geneNames)
	if err != nil {
		return nil, err
	}
	genes := make([]string, c.Rows())
	for i := range genes {
		s, ok := c.Text(i)
		if !ok {
			return nil, &inputError{fmt.Errorf("%s: /var/%s: the name of gene %d is missing", path, m.geneNames, i), "fill the column, or use the index"}
		}
		genes[i] = s
	}
	return genes, nil
}

// rename gives the genes the names of --gene-map.
func (m *matrixFlags) rename(in *input) error {
	f, err := os.Open(m.geneMap)
	if err != nil {
		return err
	}
	defer f.Close()
	table, err := cellsentence.ReadGeneMap(f)
	if err != nil {
		return &inputError{fmt.Errorf("%s: %w", m.geneMap, err), "expected two columns, the gene list of CELLxGENE or an ortholog table"}
	}
	mapping, err := table.Apply(in.genes)
	if err != nil {
		return &inputError{fmt.Errorf("%s: %w", m.geneMap, err), ""}
	}
	in.warnings = append(in.warnings, mapping.Warnings(in.genes)...)
	for _, i := range mapping.Unmapped {
		in.unmapped = append(in.unmapped, in.genes[i])
	}
	in.genes = mapping.Names
	return nil
}
