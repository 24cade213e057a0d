package h5ad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// vectorChunk is the number of elements in a chunk of the vectors of a sparse
// matrix: 256 KiB of float32.
const vectorChunk = 64 << 10

// MatrixSpec is what must be known of a matrix before its rows come.
type MatrixSpec struct {
	Encoding string // CSR, CSC or Dense; "" means CSR
	NObs     int    // rows that will come; −1 where that is not known, for CSR only
	NVars    int
	DType    string // numpy's name of the values' type; "" means float32

	like *Matrix // types and filters to keep, nil for those of the writer
	flip bool    // what comes is the transpose: CSC comes as CSR
	// gathered makes a CSR matrix whose values come in any order, by gather.
	gathered bool
}

// MatrixWriter is a matrix under construction, to which rows are appended batch
// by batch.
type MatrixWriter struct {
	w    *Writer
	key  string
	spec MatrixSpec
	typ  *hdf5.Datatype // of the values
	rows int            // rows that came
	nnz  int64

	shape int // the writer's check of a shape that is not known yet, −1 for none

	// One of the two: values in rows, or values in columns.
	dense  *hdf5.DatasetWriter
	sparse *sparseWriter
	spill  *spill
	row    []byte  // one row of a dense matrix
	cell   []byte  // the values of a batch
	rowOf  []int32 // their rows
}

// sparseWriter is the group of a CSR or CSC matrix under construction.
type sparseWriter struct {
	group            *hdf5.GroupWriter
	data, index, ptr *vector
	ptrs             []int64
}

// Matrix starts a matrix at a key such as X or layers/counts.
func (w *Writer) Matrix(ctx context.Context, key string, spec MatrixSpec) (*MatrixWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, name, err := w.place(key)
	if err != nil {
		return nil, err
	}
	if err := w.aligned(key, &Matrix{NObs: spec.NObs, NVars: spec.NVars}); err != nil {
		return nil, err
	}
	m, err := w.matrix(g, name, spec)
	if err == nil && spec.NObs < 0 {
		m.shape = len(w.shapes) - 1
	}
	return m, err
}

func (w *Writer) matrix(g *hdf5.GroupWriter, name string, spec MatrixSpec) (*MatrixWriter, error) {
	m := &MatrixWriter{w: w, key: join(g.Path(), name), spec: spec, shape: -1}
	streams := spec.Encoding == CSR || spec.Encoding == ""
	if spec.NObs < -1 || spec.NObs < 0 && !streams || spec.NVars < 0 || spec.NVars > math.MaxInt32 {
		return nil, w.fail(m.key, fmt.Errorf("shape %d × %d", spec.NObs, spec.NVars))
	}
	if m.spec.DType == "" {
		m.spec.DType = "float32"
	}
	if m.typ = typeNamed(m.spec.DType); m.typ == nil {
		return nil, w.fail(m.key, fmt.Errorf("a matrix cannot hold %s", m.spec.DType))
	}
	filters := w.filter
	indexType, ptrType := hdf5.TypeOf[int32](), (*hdf5.Datatype)(nil)
	if like := spec.like; like != nil {
		if w.opts.Compression.Method == "" {
			filters = rewritable(like.data.Filters())
		}
		if like.index != nil {
			indexType, ptrType = native(like.index.Type), native(like.ptr.Type)
		}
	}
	switch m.spec.Encoding {
	case Dense:
		return m, m.openDense(g, name, filters)
	case CSR, CSC, "":
	default:
		return nil, w.fail(m.key, fmt.Errorf("unknown encoding %q of a matrix", spec.Encoding))
	}
	if m.spec.Encoding == "" {
		m.spec.Encoding = CSR
	}
	stored := m.spec.Encoding
	if spec.flip {
		stored = CSC
	}
	sub, err := w.subgroup(g, name, stored, "0.1.0")
	if err != nil {
		return nil, err
	}
	part := func(name string, t *hdf5.Datatype) *vector {
		return &vector{w: w, group: sub, name: name, typ: t, filters: filters}
	}
	m.sparse = &sparseWriter{group: sub, data: part("data", m.typ), index: part("indices", indexType), ptr: part("indptr", ptrType), ptrs: []int64{0}}
	switch {
	case spec.gathered:
		m.spill, m.rows = newSpill(m.spec.NObs, m.typ.Size, w.opts.Memory, w.temp), m.spec.NObs
	case m.spec.Encoding == CSC:
		m.spill = newSpill(m.spec.NVars, m.typ.Size, w.opts.Memory, w.temp)
	}
	return m, nil
}

func (m *MatrixWriter) openDense(g *hdf5.GroupWriter, name string, filters filter.Pipeline) (err error) {
	s := hdf5.DatasetSpec{Type: m.typ, Dims: []uint64{uint64(m.spec.NObs), uint64(m.spec.NVars)}}
	if len(filters) > 0 && m.spec.NObs > 0 && m.spec.NVars > 0 {
		s.Chunk, s.Filters = chunkOf(s.Dims, m.typ.Size), filters
	}
	if m.dense, err = g.CreateDataset(name, s); err != nil {
		return err
	}
	m.row = make([]byte, m.spec.NVars*m.typ.Size)
	return encode(m.dense, "array", "0.2.0")
}

// native is a type in the byte order that is written.
func native(t *hdf5.Datatype) *hdf5.Datatype {
	if t.Class != hdf5.ClassInteger {
		return hdf5.TypeOf[int32]()
	}
	return hdf5.IntType(t.Size, t.Signed)
}

// rewritable is a pipeline for data that are encoded anew: what cannot be written
// becomes gzip.
func rewritable(p filter.Pipeline) filter.Pipeline {
	p = slices.Clone(p)
	for i, s := range p {
		switch s.ID {
		case filter.Deflate, filter.Zstd, filter.Fletcher32:
		case filter.Shuffle, filter.LZF:
			p[i].Client = nil // of the old chunks
		default:
			return filter.Pipeline{hdf5.Deflate(4)}
		}
	}
	return p
}

// Append adds the rows of a batch. Its values have the type of the spec.
func (m *MatrixWriter) Append(ctx context.Context, b *Batch) error {
	if m.spec.NObs >= 0 && m.rows+b.NObs() > m.spec.NObs {
		return m.w.fail(m.key, fmt.Errorf("more than the %d rows that were announced", m.spec.NObs))
	}
	for _, c := range b.Indices {
		if uint32(c) >= uint32(m.spec.NVars) {
			return m.w.fail(m.key, fmt.Errorf("column %d of %d", c, m.spec.NVars))
		}
	}
	var err error
	if m.cell, err = encodeAs(m.cell[:0], m.typ, b.Values); err != nil {
		return m.w.fail(m.key, err)
	}
	if len(m.cell) != len(b.Indices)*m.typ.Size {
		return m.w.fail(m.key, fmt.Errorf("%d indices and %d bytes of values", len(b.Indices), len(m.cell)))
	}
	switch {
	case m.dense != nil:
		err = m.appendDense(ctx, b)
	case m.spill != nil:
		m.rowOf = m.rowOf[:0]
		for i := range b.NObs() {
			for range b.Indptr[i+1] - b.Indptr[i] {
				m.rowOf = append(m.rowOf, int32(m.rows+i))
			}
		}
		err = m.spill.add(b.Indices, m.rowOf, m.cell)
	default:
		for _, p := range b.Indptr[1:] {
			m.sparse.ptrs = append(m.sparse.ptrs, m.nnz+p)
		}
		err = m.sparse.append(ctx, m.nnz, encodeInts(nil, m.sparse.index.typ, b.Indices), m.cell)
	}
	m.rows += b.NObs()
	m.nnz += int64(len(b.Indices))
	return m.w.fail(m.key, err)
}

// append adds values behind the first nnz. The two vectors go forward chunk by chunk, so
// that the file does not depend on how the rows are cut into batches.
func (s *sparseWriter) append(ctx context.Context, nnz int64, index, data []byte) error {
	for len(index) > 0 {
		n := int(vectorChunk - nnz%vectorChunk)
		i, d := min(n*s.index.typ.Size, len(index)), min(n*s.data.typ.Size, len(data))
		if err := s.index.append(ctx, index[:i]); err != nil {
			return err
		}
		if err := s.data.append(ctx, data[:d]); err != nil {
			return err
		}
		index, data, nnz = index[i:], data[d:], nnz+int64(n)
	}
	return nil
}

func (m *MatrixWriter) appendDense(ctx context.Context, b *Batch) error {
	size := m.typ.Size
	for i := range b.NObs() {
		clear(m.row)
		for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
			copy(m.row[int(b.Indices[k])*size:], m.cell[int(k)*size:int(k+1)*size])
		}
		if err := m.dense.Append(ctx, m.row); err != nil {
			return err
		}
	}
	return nil
}

// gather takes values with their rows and columns, in any order.
func (m *MatrixWriter) gather(rows []int32, b *Batch) (err error) {
	if m.cell, err = encodeAs(m.cell[:0], m.typ, b.Values); err != nil {
		return m.w.fail(m.key, err)
	}
	m.nnz += int64(len(rows))
	return m.w.fail(m.key, m.spill.add(rows, b.Indices, m.cell))
}

// Close completes the matrix.
func (m *MatrixWriter) Close(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, m.discard()) }()
	if m.spec.NObs < 0 {
		m.spec.NObs = m.rows
		if m.shape >= 0 {
			m.w.shapes[m.shape].dims[0] = m.rows
		}
	}
	if m.rows != m.spec.NObs {
		return m.w.fail(m.key, fmt.Errorf("%d of the %d rows that were announced", m.rows, m.spec.NObs))
	}
	if m.dense != nil {
		return m.dense.Close()
	}
	s := m.sparse
	if m.spill != nil {
		for _, n := range m.spill.counts {
			s.ptrs = append(s.ptrs, s.ptrs[len(s.ptrs)-1]+n)
		}
		err := m.spill.drain(ctx, func(rows []int32, values []byte) error {
			if err := s.index.append(ctx, encodeInts(nil, s.index.typ, rows)); err != nil {
				return err
			}
			return s.data.append(ctx, values)
		})
		if err != nil {
			return m.w.fail(m.key, err)
		}
	}
	if s.ptr.typ == nil || !fits(m.nnz, s.ptr.typ) {
		if s.ptr.typ = hdf5.TypeOf[int32](); m.nnz > math.MaxInt32 {
			s.ptr.typ = hdf5.TypeOf[int64]()
		}
	}
	if err := s.ptr.append(ctx, encodeInts(nil, s.ptr.typ, s.ptrs)); err != nil {
		return err
	}
	for _, v := range []*vector{s.data, s.index, s.ptr} {
		if err := v.close(ctx); err != nil {
			return err
		}
	}
	shape := []int64{int64(m.spec.NObs), int64(m.spec.NVars)}
	if m.spec.flip {
		slices.Reverse(shape)
	}
	return s.group.SetAttr("shape", hdf5.NumbersValue(shape))
}

// discard removes the temporary file, if there is one.
func (m *MatrixWriter) discard() error {
	if m.spill == nil {
		return nil
	}
	return m.spill.close()
}

// fits reports whether an integer type holds n.
func fits(n int64, t *hdf5.Datatype) bool {
	bits := 8 * t.Size
	if t.Signed {
		bits--
	}
	return bits >= 63 || n < 1<<bits
}

// vector is a dataset of one dimension that grows. It is created when its first
// chunk is full or it ends, so that short ones have short chunks.
type vector struct {
	w       *Writer
	group   *hdf5.GroupWriter
	name    string
	typ     *hdf5.Datatype
	filters filter.Pipeline
	kind    string // its encoding, "" for array

	pending []byte
	d       *hdf5.DatasetWriter
}

func (v *vector) append(ctx context.Context, raw []byte) error {
	if v.d == nil {
		if len(v.pending)+len(raw) < vectorChunk*v.typ.Size {
			v.pending = append(v.pending, raw...)
			return nil
		}
		if err := v.create(ctx, vectorChunk); err != nil {
			return err
		}
	}
	return v.d.Append(ctx, raw)
}

func (v *vector) create(ctx context.Context, chunk int) (err error) {
	v.d, err = v.group.CreateDataset(v.name, hdf5.DatasetSpec{
		Type: v.typ, Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{uint64(chunk)}, Filters: v.filters,
	})
	if err != nil {
		return err
	}
	err = v.d.Append(ctx, v.pending)
	v.pending = nil
	return err
}

func (v *vector) close(ctx context.Context) error {
	if v.d == nil {
		if err := v.create(ctx, max(1, len(v.pending)/v.typ.Size)); err != nil {
			return err
		}
	}
	if err := v.d.Close(); err != nil {
		return err
	}
	return encode(v.d, cmp.Or(v.kind, "array"), "0.2.0")
}
