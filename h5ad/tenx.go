package h5ad

import (
	"context"
	"errors"
	"fmt"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// tenx is a 10x Genomics feature-barcode matrix: CSC over features × barcodes,
// which is CSR over cells × genes.
type tenx struct {
	dropped int // features that are not genes
}

// geneExpression is the feature type that 10x gives to genes.
const geneExpression = "Gene Expression"

// openTenX opens version 3 (/matrix) or version 2 (a group a genome).
func (f *File) openTenX(ctx context.Context) error {
	unknown := &Error{
		File: f.path, Err: errors.New("this HDF5 file is neither an AnnData nor a 10x Genomics file: it has no obs, var or matrix"),
		Tip: "inspect it with h5ls or h5py",
	}
	names, err := f.root.Names()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return unknown
	}
	name := names[0]
	if f.root.Has("matrix") {
		name = "matrix"
	}
	o, err := f.root.Open(name)
	if err != nil {
		return err
	}
	g, ok := o.(*hdf5.Group)
	if !ok {
		return unknown
	}
	for _, member := range []string{"barcodes", "data", "indices", "indptr", "shape"} {
		if !g.Has(member) {
			return unknown
		}
	}
	f.format, f.tenx = FormatTenX, new(tenx)
	if name != "matrix" && len(names) > 1 {
		f.warn("the file holds %d genomes (%s): reading %q", len(names), list(names), name)
	}
	ids, symbols, types := "features/id", "features/name", "features/feature_type"
	if !g.Has("features") {
		ids, symbols, types = "genes", "gene_names", ""
	}
	return f.tenxTables(ctx, g, ids, symbols, types)
}

func (f *File) tenxTables(ctx context.Context, g *hdf5.Group, ids, symbols, types string) error {
	column := func(name string) (*Array, error) {
		d, err := g.Dataset(name)
		if err != nil {
			return nil, err
		}
		return readArray(ctx, d)
	}
	barcodes, err := column("barcodes")
	if err != nil {
		return err
	}
	columns := map[string]*Array{}
	if columns["gene_names"], err = column(symbols); err != nil {
		return err
	}
	if columns["gene_ids"], err = column(ids); err != nil {
		return err
	}
	names := []string{"gene_ids"}
	if types != "" && hasPath(g, types) {
		if columns["feature_types"], err = column(types); err != nil {
			return err
		}
		names = append(names, "feature_types")
	}
	if hasPath(g, "features/genome") {
		if columns["genome"], err = column("features/genome"); err != nil {
			return err
		}
		names = append(names, "genome")
	}
	n := columns["gene_names"].Len()
	for key, c := range columns {
		if _, ok := c.Values.([]string); !ok || c.Len() != n {
			return f.fail(g.Path(), fmt.Errorf("%s: %d values of type %s for %d features", key, c.Len(), c.DType, n))
		}
	}
	shape, err := column("shape")
	if err != nil {
		return err
	}
	if s := fmt.Sprint(shape.Values); s != fmt.Sprint([]int{n, barcodes.Len()}) {
		return f.fail(g.Path(), fmt.Errorf("shape %s, but there are %d features and %d barcodes", s, n, barcodes.Len()))
	}
	m, err := f.sparse(g, CSR, barcodes.Len(), n)
	if err != nil {
		return err
	}
	if t := columns["feature_types"]; t != nil {
		m.keep = f.genesOnly(t.Values.([]string))
	}
	if m.keep != nil {
		m.NVars = n - f.tenx.dropped
		for key, c := range columns {
			columns[key] = c.subset(m.keep, m.NVars)
		}
		f.warn("%d of %d features are not genes (feature_type) and were left out", f.tenx.dropped, n)
	}
	f.x = m
	f.obs = f.memoryFrame("/obs", barcodes, nil, nil)
	f.vr = f.memoryFrame("/var", columns["gene_names"], names, columns)
	return nil
}

func hasPath(g *hdf5.Group, path string) bool {
	_, err := g.Open(path)
	return err == nil
}

// genesOnly maps columns to what is left when other features are dropped, nil
// when all are genes.
func (f *File) genesOnly(types []string) []int32 {
	keep := make([]int32, len(types))
	n := int32(0)
	for i, t := range types {
		keep[i] = -1
		if t == geneExpression {
			keep[i] = n
			n++
		}
	}
	if f.tenx.dropped = len(types) - int(n); f.tenx.dropped == 0 {
		return nil
	}
	return keep
}

// subset keeps the strings whose position is kept.
func (a *Array) subset(keep []int32, n int) *Array {
	out := make([]string, 0, n)
	for i, s := range a.Values.([]string) {
		if keep[i] >= 0 {
			out = append(out, s)
		}
	}
	return &Array{DType: a.DType, Dims: []int{len(out)}, Values: out}
}

// memoryFrame is a data frame of columns that were read already.
func (f *File) memoryFrame(key string, index *Array, names []string, columns map[string]*Array) *DataFrame {
	df := &DataFrame{file: f, key: key, Names: names, Length: index.Len(), read: map[string]func(context.Context) (*Column, error){}}
	df.index = func(context.Context) (*Array, error) { return index, nil }
	for _, n := range names {
		df.read[n] = func(context.Context) (*Column, error) { return &Column{Array: columns[n]}, nil }
	}
	return df
}
