package h5ad

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// sparse checks a CSR or CSC matrix.
func (c *checker) sparse(g *hdf5.Group, kind, shapeName string, finite bool) extent {
	x := extent{kind: kind}
	m := compressed{checker: c, group: g, major: -1, minor: -1, words: [2]string{"row", "column"}}
	if kind == CSC {
		m.words = [2]string{"column", "row"}
	}
	if x.dims = c.shapeAttr(g, shapeName); x.dims != nil {
		m.major, m.minor = x.dims[0], x.dims[1]
		if kind == CSC {
			m.major, m.minor = m.minor, m.major
		}
	}
	m.check(finite)
	return x
}

// oldSparse checks a sparse matrix of anndata 0.6.
func (c *checker) oldSparse(g *hdf5.Group, finite bool) extent {
	format, err := textAttr(g, "h5sparse_format")
	if c.failed(g.Path(), err) {
		return extent{}
	}
	kind := format + "_matrix"
	if kind != CSR && kind != CSC {
		c.flaw(g.Path(), "unknown h5sparse_format %q", format)
		return extent{}
	}
	return c.sparse(g, kind, "h5sparse_shape", finite)
}

// shapeAttr reads the shape of a sparse matrix, nil when there is none.
func (c *checker) shapeAttr(g *hdf5.Group, name string) []int64 {
	a, err := g.Attr(name)
	switch {
	case errors.Is(err, hdf5.ErrNotFound):
		c.flaw(g.Path(), "the attribute %s is missing", name)
		return nil
	case c.failed(g.Path(), err):
		return nil
	case a.Type.Class != hdf5.ClassInteger:
		c.flaw(g.Path(), "the attribute %s is %s instead of whole numbers", name, dtype(a.Type))
		return nil
	}
	shape, err := a.Ints()
	if c.failed(g.Path(), err) {
		return nil
	}
	if len(shape) != 2 || shape[0] < 0 || shape[1] < 0 {
		c.flaw(g.Path(), "the attribute %s is %v instead of rows and columns", name, shape)
		return nil
	}
	return shape
}

// compressed checks the three vectors of a matrix in compressed rows; those of
// CSC are its columns, and words says so.
type compressed struct {
	*checker
	group        *hdf5.Group
	major, minor int64     // -1 when unknown
	words        [2]string // what major and minor are called

	data, indices *hdf5.Dataset
	indptr        []uint64 // nil unless it is sound
}

// maxBitset is the most columns of which repeats in a row are looked for: a bit
// is kept for each.
const maxBitset = 1 << 28

func (m *compressed) check(finite bool) {
	var ok [3]bool
	m.data, ok[0] = m.vector(m.group, "data")
	m.indices, ok[1] = m.vector(m.group, "indices")
	if ok[1] {
		ok[1] = m.whole(m.indices)
	}
	ptr, _ := m.vector(m.group, "indptr")
	nnz := int64(-1)
	if ok[1] {
		nnz = int64(m.indices.Space.Dims[0])
	}
	if ok[0] && ok[1] {
		if n := int64(m.data.Space.Dims[0]); n != nnz {
			m.flaw(m.group.Path(), "%d values, but %d indices", n, nnz)
		}
	}
	if ptr != nil && len(ptr.Space.Dims) == 1 && m.whole(ptr) {
		m.pointers(ptr, nnz)
	}
	if ok[1] {
		m.columns()
	}
	if ok[0] {
		m.content(finite)
	}
}

// whole reports a dataset that is not whole numbers.
func (m *compressed) whole(d *hdf5.Dataset) bool {
	if d.Type.Class == hdf5.ClassInteger {
		return true
	}
	m.flaw(d.Path(), "expected whole numbers, found %s", dtype(d.Type))
	m.values(d)
	return false
}

// pointers checks indptr and keeps it if it is sound.
func (m *compressed) pointers(d *hdf5.Dataset, nnz int64) {
	key, n := d.Path(), int64(d.Space.Dims[0])
	sound := true
	bad := func(format string, args ...any) {
		m.flaw(key, format, args...)
		sound = false
	}
	if m.major >= 0 && n != m.major+1 || n == 0 {
		bad("%d entries, expected %d: one more than there are %ss", n, max(m.major, 0)+1, m.words[0])
	}
	var falls tally
	var p []uint64
	last := int64(0)
	read := visit(m.checker, d, func(at uint64, v []int64) {
		for i, x := range v {
			switch {
			case at == 0 && i == 0:
				if x != 0 {
					bad("begins with %d instead of 0", x)
				}
			case x < last:
				falls.add(at+uint64(i), [2]int64{last, x})
			}
			last = x
		}
		if sound && falls.n == 0 {
			p = slices.Grow(p, len(v))
			for _, x := range v {
				p = append(p, uint64(x))
			}
		}
	})
	if falls.n > 0 {
		pair := falls.value.([2]int64)
		bad("falls %s, first from %d to %d at entry %d", many(falls.n, "time", "times"), pair[0], pair[1], falls.first)
	}
	if read && n > 0 && nnz >= 0 && last != nnz {
		bad("ends with %d, but %d indices are stored", last, nnz)
	}
	if sound && read && nnz >= 0 {
		m.indptr = p
	}
}

// columns checks indices.
func (m *compressed) columns() {
	switch t := m.indices.Type; {
	case t.Size == 8 && !t.Signed:
		scanColumns[uint64](m)
	case t.Size == 8 || t.Size == 4 && !t.Signed:
		scanColumns[int64](m)
	default:
		scanColumns[int32](m)
	}
}

func scanColumns[T int32 | int64 | uint64](m *compressed) {
	var beyond, twice tally
	seen := bitset{size: m.minor}
	unsorted, row := 0, uint64(0) // row: the one that the next index belongs to
	var last T
	rising, split := true, false // of the row so far; whether it began in an earlier block
	inRange := func(x T) bool { return x >= 0 && (m.minor < 0 || uint64(x) < uint64(m.minor)) }
	ok := visit(m.checker, m.indices, func(at uint64, v []T) {
		for i, x := range v {
			if !inRange(x) {
				beyond.add(at+uint64(i), x)
			}
		}
		if m.indptr == nil {
			return
		}
		for pos, end := at, at+uint64(len(v)); pos < end; {
			for m.indptr[row+1] <= pos {
				row++
			}
			first, stop := pos == m.indptr[row], min(m.indptr[row+1], end)
			if first {
				rising, split = true, false
			}
			part := v[pos-at : stop-at]
			if first || last < part[0] {
				rising = rising && slices.IsSortedFunc(part, rise[T])
			} else {
				rising = false
			}
			last = part[len(part)-1]
			whole := first && stop == m.indptr[row+1]
			if !whole || !rising {
				for i, x := range part {
					if inRange(x) && seen.put(uint64(x)) {
						twice.add(pos+uint64(i), [2]uint64{row, uint64(x)})
					}
				}
			}
			if stop == m.indptr[row+1] {
				if !rising {
					unsorted++
				}
				if split || !whole {
					clear(seen.bits)
				} else if !rising {
					for _, x := range part {
						if inRange(x) {
							seen.drop(uint64(x))
						}
					}
				}
			} else {
				split = true
			}
			pos = stop
		}
	})
	key, minor := m.indices.Path(), m.words[1]
	if beyond.n > 0 {
		m.flaw(key, "%s outside the %d %ss, the first %s: %d", many(beyond.n, "index is", "indices are"), m.minor, minor, m.place(beyond.first), beyond.value)
	}
	if twice.n > 0 {
		pair := twice.value.([2]uint64)
		what := minor + " occurs twice in its " + m.words[0]
		m.flaw(key, "%s, the first in %s %d: %s %d", many(twice.n, what, minor+"s occur twice in their "+m.words[0]), m.words[0], pair[0], minor, pair[1])
	}
	if ok && unsorted > 0 && twice.n == 0 {
		m.note(key, "unsorted in %d of %d %ss", unsorted, len(m.indptr)-1, m.words[0])
	}
}

// rise orders what rises strictly: equal neighbours do not.
func rise[T int32 | int64 | uint64](a, b T) int {
	if a <= b { // IsSortedFunc asks whether the later is less than the earlier
		return -1
	}
	return 1
}

// place says where stored value number at belongs.
func (m *compressed) place(at uint64) string {
	if m.indptr == nil {
		return fmt.Sprintf("at position %d", at)
	}
	return fmt.Sprintf("in %s %d", m.words[0], m.majorOf(at))
}

// majorOf is the row, or the column of CSC, of stored value number at.
func (m *compressed) majorOf(at uint64) uint64 {
	i, _ := slices.BinarySearch(m.indptr, at+1) // the first that begins behind it
	return uint64(i - 1)
}

// content checks the stored values.
func (m *compressed) content(finite bool) {
	d := m.data
	switch d.Type.Class {
	case hdf5.ClassInteger, hdf5.ClassFloat, hdf5.ClassEnum, hdf5.ClassBitfield:
	default:
		if !isComplex(d.Type) || finite {
			m.flaw(d.Path(), "a matrix must hold numbers, but it holds %s", dtype(d.Type))
		}
	}
	if !finite || d.Type.Class != hdf5.ClassFloat {
		m.part(d)
		return
	}
	bad, _ := m.nonFinite(d)
	if bad.n == 0 {
		return
	}
	place := fmt.Sprintf("at position %d", bad.first)
	if m.indptr != nil && bad.first < m.indptr[len(m.indptr)-1] {
		var index [1]int64
		if hdf5.ReadInto(m.ctx, m.indices, bad.first, bad.first+1, index[:]) == nil {
			row, column := int64(m.majorOf(bad.first)), index[0]
			if m.words[0] == "column" {
				row, column = column, row
			}
			place = fmt.Sprintf("in row %d, column %d", row, column)
		}
	}
	m.flaw(d.Path(), "%s not finite, the first %s: %v", many(bad.n, "value is", "values are"), place, bad.value)
}

// bitset is a set of numbers below a size; one of no or of too large a size
// stays empty.
type bitset struct {
	size int64
	bits []uint64
}

// put adds x and reports whether it was there.
func (b *bitset) put(x uint64) bool {
	if b.bits == nil {
		if b.size < 0 || b.size > maxBitset {
			return false
		}
		b.bits = make([]uint64, (b.size+63)/64)
	}
	word, bit := &b.bits[x/64], uint64(1)<<(x%64)
	there := *word&bit != 0
	*word |= bit
	return there
}

// drop takes x out, which is in range.
func (b *bitset) drop(x uint64) {
	if b.bits != nil {
		b.bits[x/64] &^= 1 << (x % 64)
	}
}
