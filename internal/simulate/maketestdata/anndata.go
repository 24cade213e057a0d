package main

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// annData is a file in the making. Encodings and their versions are those of
// anndata 0.8 and later (https://anndata.readthedocs.io, on-disk format).
type annData struct {
	x      any // sparse or dense
	obs    frame
	genes  frame // var
	layers mapping
	raw    *rawData
	obsm   mapping
	varm   mapping
	uns    mapping
}

// rawData is the raw part of a file: the same cells, genes of its own.
type rawData struct {
	x     any
	genes frame
}

// frame is a data frame. The columns hold what element takes.
type frame struct {
	indexName string // "" is _index
	index     []string
	columns   mapping
}

// mapping is names and values in the order in which they are written.
type mapping []field

type field struct {
	name  string
	value any
}

// categorical is a column of few different values.
type categorical struct {
	codes      []int8
	categories []string
}

// sparse is a matrix in compressed rows, or compressed columns.
type sparse[T hdf5.Number] struct {
	rows, cols int
	byColumn   bool
	indptr     []int32
	indices    []int32
	data       []T
}

// dense is a matrix in row-major order.
type dense[T hdf5.Number] struct {
	rows, cols int
	data       []T
	// chunk is the number of rows of a chunk, compressed; 0 is contiguous.
	chunk int
}

// store writes elements until the first error, which it keeps.
type store struct {
	ctx context.Context
	err error
}

// chunkSize is the number of elements in a chunk of sparse data: several chunks in
// the larger files, so that readers have something to join.
const chunkSize = 16384

// compression of matrices: what h5py calls shuffle and gzip.
func compression() filter.Pipeline { return filter.Pipeline{hdf5.Shuffle(), hdf5.Deflate(9)} }

func (s *store) file(root *hdf5.GroupWriter, a *annData) {
	s.encoding(root, "anndata", "0.1.0")
	if a.x != nil {
		s.element(root, "X", a.x)
	}
	s.element(root, "layers", a.layers)
	s.element(root, "obs", a.obs)
	s.element(root, "obsm", a.obsm)
	s.element(root, "obsp", mapping{})
	if a.raw != nil {
		g := s.group(root, "raw", "raw")
		s.element(g, "X", a.raw.x)
		s.element(g, "var", a.raw.genes)
		s.element(g, "varm", mapping{})
	}
	s.element(root, "uns", a.uns)
	s.element(root, "var", a.genes)
	s.element(root, "varm", a.varm)
	s.element(root, "varp", mapping{})
}

// element writes any value that AnnData has an encoding for.
func (s *store) element(g *hdf5.GroupWriter, name string, v any) {
	if s.err != nil {
		return
	}
	switch v := v.(type) {
	case mapping:
		sub := s.group(g, name, "dict")
		for _, f := range v {
			s.element(sub, f.name, f.value)
		}
	case frame:
		s.frame(g, name, v)
	case categorical:
		sub := s.group(g, name, "categorical")
		s.attr(sub, "ordered", hdf5.BoolValue(false))
		s.element(sub, "codes", v.codes)
		s.element(sub, "categories", v.categories)
	case sparse[float32]:
		writeSparse(s, g, name, v)
	case sparse[int32]:
		writeSparse(s, g, name, v)
	case dense[float32]:
		writeDense(s, g, name, v)
	case []string:
		s.value(g, name, hdf5.StringsValue(v), "string-array")
	case []bool:
		s.value(g, name, hdf5.BoolsValue(v), "array")
	case []int8:
		s.value(g, name, hdf5.NumbersValue(v), "array")
	case []int32:
		s.value(g, name, hdf5.NumbersValue(v), "array")
	case []float32:
		s.value(g, name, hdf5.NumbersValue(v), "array")
	case []float64:
		s.value(g, name, hdf5.NumbersValue(v), "array")
	case string:
		s.value(g, name, hdf5.StringValue(v), "string")
	case int:
		s.value(g, name, hdf5.NumberValue(int64(v)), "numeric-scalar")
	case uint64:
		s.value(g, name, hdf5.NumberValue(v), "numeric-scalar")
	case float64:
		s.value(g, name, hdf5.NumberValue(v), "numeric-scalar")
	default:
		s.err = fmt.Errorf("%s/%s: no encoding for %T", g.Path(), name, v)
	}
}

func (s *store) frame(g *hdf5.GroupWriter, name string, f frame) {
	if f.indexName == "" {
		f.indexName = "_index"
	}
	sub := s.group(g, name, "dataframe")
	s.attr(sub, "_index", hdf5.StringValue(f.indexName))
	order := hdf5.NumbersValue([]float64{}) // what anndata writes for no columns
	if len(f.columns) > 0 {
		var names []string
		for _, c := range f.columns {
			names = append(names, c.name)
		}
		order = hdf5.StringsValue(names)
	}
	s.attr(sub, "column-order", order)
	s.element(sub, f.indexName, f.index)
	for _, c := range f.columns {
		s.element(sub, c.name, c.value)
	}
}

func writeSparse[T hdf5.Number](s *store, g *hdf5.GroupWriter, name string, m sparse[T]) {
	kind := "csr_matrix"
	if m.byColumn {
		kind = "csc_matrix"
	}
	sub := s.group(g, name, kind)
	s.attr(sub, "shape", hdf5.NumbersValue([]int64{int64(m.rows), int64(m.cols)}))
	// anndata chunks these vectors, compressed or not.
	chunk := min(max(len(m.data), 1), chunkSize)
	vector(s, sub, "data", m.data, chunk)
	vector(s, sub, "indices", m.indices, chunk)
	vector(s, sub, "indptr", m.indptr, min(len(m.indptr), chunkSize))
}

// vector writes numbers in chunks, without a limit to their length.
func vector[T hdf5.Number](s *store, g *hdf5.GroupWriter, name string, x []T, chunk int) {
	if s.err != nil {
		return
	}
	d, err := g.CreateDataset(name, hdf5.DatasetSpec{
		Type: hdf5.TypeOf[T](), Dims: []uint64{uint64(len(x))}, MaxDims: []uint64{hdf5.Unlimited},
		Chunk: []uint64{uint64(chunk)}, Filters: compression(),
	})
	if err == nil {
		err = hdf5.AppendNumbers(s.ctx, d, x)
	}
	if err == nil {
		err = d.Close()
	}
	s.err = err
}

func writeDense[T hdf5.Number](s *store, g *hdf5.GroupWriter, name string, m dense[T]) {
	if s.err != nil {
		return
	}
	spec := hdf5.DatasetSpec{Type: hdf5.TypeOf[T](), Dims: []uint64{uint64(m.rows), uint64(m.cols)}}
	if m.chunk > 0 {
		spec.Chunk, spec.Filters = []uint64{uint64(m.chunk), uint64(m.cols)}, compression()
	}
	d, err := g.CreateDataset(name, spec)
	if err == nil {
		err = hdf5.AppendNumbers(s.ctx, d, m.data)
	}
	if err == nil {
		err = d.Close()
	}
	if s.err = err; err == nil {
		s.encoding(d, "array", versionOf["array"])
	}
}

// versionOf has the version of each encoding.
var versionOf = map[string]string{
	"array": "0.2.0", "string-array": "0.2.0", "string": "0.2.0", "numeric-scalar": "0.2.0",
	"dataframe": "0.2.0", "categorical": "0.2.0",
	"csr_matrix": "0.1.0", "csc_matrix": "0.1.0", "dict": "0.1.0", "raw": "0.1.0",
}

func (s *store) group(g *hdf5.GroupWriter, name, kind string) *hdf5.GroupWriter {
	if s.err != nil {
		return g
	}
	sub, err := g.CreateGroup(name)
	if err != nil {
		s.err = err
		return g
	}
	s.encoding(sub, kind, versionOf[kind])
	return sub
}

func (s *store) value(g *hdf5.GroupWriter, name string, v hdf5.Value, kind string) {
	d, err := g.WriteValue(s.ctx, name, v, hdf5.DatasetSpec{})
	if s.err = err; err == nil {
		s.encoding(d, kind, versionOf[kind])
	}
}

func (s *store) encoding(o hdf5.ObjectWriter, kind, version string) {
	s.attr(o, "encoding-type", hdf5.StringValue(kind))
	s.attr(o, "encoding-version", hdf5.StringValue(version))
}

func (s *store) attr(o hdf5.ObjectWriter, name string, v hdf5.Value) {
	if s.err == nil {
		s.err = o.SetAttr(name, v)
	}
}
