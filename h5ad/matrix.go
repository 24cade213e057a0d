package h5ad

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Encodings of a matrix.
const (
	Dense = "array"
	CSR   = "csr_matrix"
	CSC   = "csc_matrix"
)

// Matrix is X, a layer or another matrix of cells × genes. Opening one reads
// headers only. Its methods may be called from several goroutines.
type Matrix struct {
	Encoding    string // Dense, CSR or CSC
	NObs, NVars int
	DType       string // numpy's name of the values' type
	NNZ         int64  // stored values
	Compression string // gzip, lzf, … with shuffle+ in front; "" for none
	Chunks      []int  // of the values, nil when not chunked

	file  *File
	key   string
	group *hdf5.Group   // of a sparse matrix
	data  *hdf5.Dataset // values; a dense matrix as a whole
	index *hdf5.Dataset // sparse
	ptr   *hdf5.Dataset // sparse
	keep  []int32       // column → column, −1 to drop; nil keeps all

	mu   sync.Mutex
	ptrs []int64 // indptr, once it was read
}

// Key is the matrix's HDF5 path.
func (m *Matrix) Key() string { return m.key }

func (m *Matrix) describe() {
	m.DType = dtype(m.data.Type)
	var names []string
	for _, s := range m.data.Filters() {
		names = append(names, s.String())
	}
	m.Compression = strings.Join(names, "+")
	for _, c := range m.data.Chunk() {
		m.Chunks = append(m.Chunks, int(c))
	}
}

// matrix opens an element that must be a matrix.
func (f *File) matrix(ctx context.Context, o hdf5.Object) (*Matrix, error) {
	if d, ok := o.(*hdf5.Dataset); ok {
		if len(d.Space.Dims) != 2 {
			return nil, f.fail(o.Path(), fmt.Errorf("expected a matrix, found %d dimensions", len(d.Space.Dims)))
		}
		switch d.Type.Class {
		case hdf5.ClassInteger, hdf5.ClassFloat, hdf5.ClassEnum, hdf5.ClassBitfield:
		default:
			return nil, f.fail(o.Path(), fmt.Errorf("expected a matrix of numbers, found %s", dtype(d.Type)))
		}
		m := &Matrix{Encoding: Dense, NObs: int(d.Space.Dims[0]), NVars: int(d.Space.Dims[1]), file: f, key: o.Path(), data: d}
		m.NNZ = int64(m.NObs) * int64(m.NVars)
		m.describe()
		return m, nil
	}
	e, err := f.element(ctx, o)
	if err != nil {
		return nil, err
	}
	if m, ok := e.(*Matrix); ok {
		return m, nil
	}
	return nil, f.fail(o.Path(), fmt.Errorf("expected a matrix, found a %s", KindOf(e)))
}

// readSparse opens a CSR or CSC matrix, in the form of today or of anndata 0.6.
func (f *File) readSparse(_ context.Context, o hdf5.Object) (Element, error) {
	g, err := f.asGroup(o)
	if err != nil {
		return nil, err
	}
	kind, err := textAttr(g, "encoding-type")
	shapeName := "shape"
	if kind == "" && err == nil {
		kind, err = textAttr(g, "h5sparse_format")
		kind += "_matrix"
		shapeName = "h5sparse_shape"
	}
	if err != nil {
		return nil, err
	}
	if kind != CSR && kind != CSC {
		return nil, f.fail(g.Path(), fmt.Errorf("unknown sparse format %q", kind))
	}
	a, err := g.Attr(shapeName)
	if err != nil {
		return nil, err
	}
	shape, err := a.Ints()
	if err != nil {
		return nil, err
	}
	if len(shape) != 2 || shape[0] < 0 || shape[1] < 0 || shape[0] > 1<<40 || shape[1] > 1<<31-1 {
		return nil, f.fail(g.Path(), fmt.Errorf("shape %v", shape))
	}
	return f.sparse(g, kind, int(shape[0]), int(shape[1]))
}

func (f *File) sparse(g *hdf5.Group, kind string, nObs, nVars int) (*Matrix, error) {
	m := &Matrix{Encoding: kind, NObs: nObs, NVars: nVars, file: f, key: g.Path(), group: g}
	for _, part := range []struct {
		name string
		to   **hdf5.Dataset
	}{{"data", &m.data}, {"indices", &m.index}, {"indptr", &m.ptr}} {
		d, err := g.Dataset(part.name)
		if err != nil {
			return nil, err
		}
		if len(d.Space.Dims) != 1 {
			return nil, f.fail(d.Path(), fmt.Errorf("expected one dimension, found %d", len(d.Space.Dims)))
		}
		*part.to = d
	}
	m.NNZ = int64(m.data.Space.Dims[0])
	if n := int64(m.index.Space.Dims[0]); n != m.NNZ {
		return nil, f.fail(m.key, fmt.Errorf("%d values but %d indices", m.NNZ, n))
	}
	major := nObs
	if kind == CSC {
		major = nVars
	}
	if n := m.ptr.Space.Dims[0]; n != uint64(major)+1 {
		return nil, f.fail(m.ptr.Path(), fmt.Errorf("%d entries, expected %d: one more than the shape's %d", n, major+1, major))
	}
	m.describe()
	return m, nil
}

// pointers reads and checks indptr.
func (m *Matrix) pointers(ctx context.Context) ([]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ptrs != nil {
		return m.ptrs, nil
	}
	v, err := m.ptr.Read(ctx)
	if err != nil {
		return nil, err
	}
	p, err := hdf5.Numbers[int64](v)
	if err != nil {
		return nil, err
	}
	if p[0] != 0 {
		return nil, m.file.fail(m.ptr.Path(), fmt.Errorf("begins with %d instead of 0", p[0]))
	}
	for i := 1; i < len(p); i++ {
		if p[i] < p[i-1] {
			return nil, m.file.fail(m.ptr.Path(), fmt.Errorf("falls from %d to %d at entry %d", p[i-1], p[i], i))
		}
	}
	if last := p[len(p)-1]; last > m.NNZ {
		return nil, m.file.fail(m.ptr.Path(), fmt.Errorf("ends with %d, but %d values are stored", last, m.NNZ))
	}
	// A column occurs at most once a row, which also bounds what one row takes.
	major, minor, most := "row", "columns", m.width()
	if m.Encoding == CSC {
		major, minor, most = "column", "rows", m.NObs
	}
	for i := 1; i < len(p); i++ {
		if n := p[i] - p[i-1]; n > int64(most) {
			return nil, m.file.fail(m.ptr.Path(), fmt.Errorf("%s %d has %d values for %d %s", major, i-1, n, most, minor))
		}
	}
	m.ptrs = p
	return p, nil
}

var errFloat128 = errors.New("long double values; convert X to float32 or float64 first")
