package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// file is an AnnData or 10x file in the making. The first error sticks.
type file struct {
	ctx  context.Context
	path string
	os   *os.File
	w    *hdf5.Writer
	err  error
}

func create(ctx context.Context, path string) *file {
	f := &file{ctx: ctx, path: path}
	if f.os, f.err = os.Create(path); f.err == nil {
		f.w, f.err = hdf5.NewWriter(f.os, hdf5.WriteOptions{Name: path})
	}
	return f
}

func (f *file) close() error {
	if f.w != nil {
		f.keep(f.w.Close())
	}
	if f.os != nil {
		f.keep(f.os.Close())
	}
	return f.err
}

func (f *file) keep(err error) {
	if f.err == nil && err != nil {
		f.err = err
	}
}

// encode marks an element with its encoding.
func (f *file) encode(o hdf5.ObjectWriter, kind, version string) {
	if f.err != nil {
		return
	}
	f.keep(o.SetAttr("encoding-type", hdf5.StringValue(kind)))
	f.keep(o.SetAttr("encoding-version", hdf5.StringValue(version)))
}

func (f *file) group(in *hdf5.GroupWriter, name, kind, version string) *hdf5.GroupWriter {
	if f.err != nil {
		return nil
	}
	g, err := in.CreateGroup(name)
	f.keep(err)
	f.encode(g, kind, version)
	return g
}

// value writes a dataset; an empty kind leaves it without an encoding, as
// anndata leaves the parts of a sparse matrix.
func (f *file) value(in *hdf5.GroupWriter, name string, v hdf5.Value, spec hdf5.DatasetSpec, kind, version string) {
	if f.err != nil {
		return
	}
	d, err := in.WriteValue(f.ctx, name, v, spec)
	f.keep(err)
	if f.err == nil && kind != "" {
		f.encode(d, kind, version)
	}
}

func (f *file) texts(in *hdf5.GroupWriter, name string, v []string) {
	f.value(in, name, hdf5.StringsValue(v), hdf5.DatasetSpec{}, "string-array", "0.2.0")
}

// root starts an AnnData file.
func (f *file) root() *hdf5.GroupWriter {
	if f.err != nil {
		return nil
	}
	f.encode(f.w.Root(), "anndata", "0.1.0")
	return f.w.Root()
}

// column is a column of obs or var: a []string or []float32.
type column struct {
	name   string
	values any
	text   bool // strings are written as they are, not as a categorical
}

func (f *file) frame(in *hdf5.GroupWriter, name string, index []string, columns ...column) {
	g := f.group(in, name, "dataframe", "0.2.0")
	order := []string{}
	for _, c := range columns {
		order = append(order, c.name)
		switch v := c.values.(type) {
		case []string:
			if c.text {
				f.texts(g, c.name, v)
			} else {
				f.categorical(g, c.name, v)
			}
		case []float32:
			f.value(g, c.name, hdf5.NumbersValue(v), hdf5.DatasetSpec{}, "array", "0.2.0")
		default:
			f.keep(fmt.Errorf("column %s of type %T", c.name, v))
		}
	}
	if f.err != nil {
		return
	}
	f.keep(g.SetAttr("_index", hdf5.StringValue("_index")))
	if len(order) == 0 {
		f.keep(g.SetAttr("column-order", hdf5.NumbersValue([]float64{})))
	} else {
		f.keep(g.SetAttr("column-order", hdf5.StringsValue(order)))
	}
	f.texts(g, "_index", index)
}

func (f *file) categorical(in *hdf5.GroupWriter, name string, values []string) {
	categories := slices.Compact(slices.Sorted(slices.Values(values)))
	codes := make([]int8, len(values))
	for i, v := range values {
		at, _ := slices.BinarySearch(categories, v)
		codes[i] = int8(at)
	}
	g := f.group(in, name, "categorical", "0.2.0")
	if f.err == nil {
		f.keep(g.SetAttr("ordered", hdf5.BoolValue(false)))
	}
	f.value(g, "codes", hdf5.NumbersValue(codes), hdf5.DatasetSpec{}, "array", "0.2.0")
	f.texts(g, "categories", categories)
}

// chunked is a one-dimensional dataset in one chunk that gzip has gone over.
func chunked(n int) hdf5.DatasetSpec {
	if n == 0 {
		return hdf5.DatasetSpec{}
	}
	return hdf5.DatasetSpec{Chunk: []uint64{uint64(min(n, 16384))}, Filters: filter.Pipeline{hdf5.Shuffle(), hdf5.Deflate(6)}}
}

// csr writes a matrix; kind is csr_matrix, or csc_matrix for its transpose.
func (f *file) csr(in *hdf5.GroupWriter, name, kind string, m *matrix) {
	shape := []int64{int64(m.rows), int64(m.cols)}
	if kind == "csc_matrix" {
		m = m.transpose()
	}
	g := f.group(in, name, kind, "0.1.0")
	if f.err == nil {
		f.keep(g.SetAttr("shape", hdf5.NumbersValue(shape)))
	}
	f.value(g, "data", hdf5.NumbersValue(m.values), chunked(len(m.values)), "", "")
	f.value(g, "indices", hdf5.NumbersValue(m.indices), chunked(len(m.indices)), "", "")
	f.value(g, "indptr", hdf5.NumbersValue(m.indptr), chunked(len(m.indptr)), "", "")
}

// dense writes a matrix with its zeros, in chunks of seven rows.
func (f *file) dense(in *hdf5.GroupWriter, name string, m *matrix) {
	full := m.full()
	spec := hdf5.DatasetSpec{
		Chunk:   []uint64{7, uint64((m.cols + 1) / 2)},
		Filters: filter.Pipeline{hdf5.Deflate(6)},
	}
	f.value(in, name, hdf5.NumbersValue(full, uint64(m.rows), uint64(m.cols)), spec, "array", "0.2.0")
}

// empties writes the mappings that anndata always writes.
func (f *file) empties(in *hdf5.GroupWriter, names ...string) {
	for _, n := range names {
		f.group(in, n, "dict", "0.1.0")
	}
}
