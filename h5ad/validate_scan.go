package h5ad

import (
	"cmp"
	"hash/maphash"
	"slices"
	"unicode/utf8"

	"github.com/cellsentence/c2s/internal/hdf5"
)

const (
	// scanBlock is about how many bytes are read at a time.
	scanBlock = 4 << 20
	// scanAligned is the most that is read at a time so that a block ends where a
	// chunk does; chunks that span more are decoded once a block.
	scanAligned = 128 << 20
	// maxExpansion bounds what a file of a given size can hold: more than deflate
	// makes of a byte, about what zstd does.
	maxExpansion = 32 << 10
)

// rows reads a dataset in blocks of rows. It reports whether all could be read.
func (c *checker) rows(d *hdf5.Dataset, read func(lo, hi uint64) error) bool {
	n, row := d.Space.Dims[0], width(d)*uint64(d.Type.Size)
	if n == 0 || row == 0 {
		return true
	}
	if size := n * row; size > scanAligned && size/maxExpansion > uint64(c.h.Size()) {
		c.flaw(d.Path(), "it claims %d bytes, more than a file of %d can hold", size, c.h.Size())
		return false
	}
	step := max(1, scanBlock/row)
	if chunk := d.Chunk(); chunk != nil {
		if k := min(chunk[0], n); k*row <= scanAligned {
			step = max(1, step/k) * k
		} else {
			step = max(1, scanAligned/row)
		}
	}
	for lo := uint64(0); lo < n; lo += step {
		if c.stopped() {
			return false
		}
		hi := min(lo+step, n)
		if c.failed(d.Path(), read(lo, hi)) {
			return false
		}
		if c.progress != nil {
			c.progress(int64((hi - lo) * row))
		}
	}
	return true
}

// width is the number of elements in a row.
func width(d *hdf5.Dataset) uint64 {
	n := uint64(1)
	for _, w := range d.Space.Dims[min(1, len(d.Space.Dims)):] {
		n *= w
	}
	return n
}

// data calls fn with the values of a dataset, a block at a time; at is the
// position of the first.
func (c *checker) data(d *hdf5.Dataset, fn func(at uint64, v *hdf5.Data) error) bool {
	if d.Space.Null || len(d.Space.Dims) == 0 {
		v, err := d.Read(c.ctx)
		if err == nil && !d.Space.Null {
			err = fn(0, v)
		}
		return !c.failed(d.Path(), err)
	}
	w := width(d)
	return c.rows(d, func(lo, hi uint64) error {
		v, err := d.ReadRows(c.ctx, lo, hi)
		if err != nil {
			return err
		}
		return fn(lo*w, v)
	})
}

// visit calls fn with the values of a dataset of at least one dimension as T, a
// block at a time; at is the position of the first.
func visit[T Number](c *checker, d *hdf5.Dataset, fn func(at uint64, v []T)) bool {
	var buf []T
	w := width(d)
	return c.rows(d, func(lo, hi uint64) error {
		return hdf5.Visit(c.ctx, d, lo, hi, &buf, func(v []T) error {
			fn(lo*w, v)
			return nil
		})
	})
}

// tally counts what is wrong and keeps the first place.
type tally struct {
	n     uint64
	first uint64 // position
	value any    // what was found there, if it helps
}

func (t *tally) add(at uint64, value any) {
	if t.n == 0 {
		t.first, t.value = at, value
	}
	t.n++
}

// values decodes all of a dataset. Strings must be valid UTF-8, and bools 0 or 1.
func (c *checker) values(d *hdf5.Dataset) bool {
	switch t := d.Type; {
	case isText(t):
		return c.text(d, nil)
	case t.Class == hdf5.ClassCompound && !isComplex(t):
		return c.records(d)
	case t.IsBool():
		var bad tally
		ok := c.data(d, func(at uint64, v *hdf5.Data) error {
			for i, b := range v.Raw() {
				if b > 1 {
					bad.add(at+uint64(i), b)
				}
			}
			return nil
		})
		if bad.n > 0 {
			c.flaw(d.Path(), "%d bools are neither 0 nor 1, the first at %d: %d", bad.n, bad.first, bad.value)
		}
		return ok
	}
	return c.data(d, func(uint64, *hdf5.Data) error { return nil })
}

func isText(t *hdf5.Datatype) bool {
	return t.Class == hdf5.ClassString || t.Class == hdf5.ClassVLen && t.IsString
}

// text decodes strings and checks that they are UTF-8; fn, unless nil, gets them.
func (c *checker) text(d *hdf5.Dataset, fn func(at uint64, s []string)) bool {
	var bad tally
	ok := c.data(d, func(at uint64, v *hdf5.Data) error {
		s, err := v.Strings()
		if err != nil {
			return err
		}
		checkUTF8(&bad, at, s)
		if fn != nil {
			fn(at, s)
		}
		return nil
	})
	c.badText(d.Path(), bad)
	return ok
}

func checkUTF8(bad *tally, at uint64, s []string) {
	for i, x := range s {
		if !utf8.ValidString(x) {
			bad.add(at+uint64(i), x)
		}
	}
}

func (c *checker) badText(key string, bad tally) {
	if bad.n > 0 {
		c.flaw(key, "%d strings are not valid UTF-8, the first at %d: %.50q", bad.n, bad.first, bad.value)
	}
}

// records decodes compound data and the strings in it.
func (c *checker) records(d *hdf5.Dataset) bool {
	var names []string
	for _, m := range d.Type.Members {
		if isText(m.Type) {
			names = append(names, m.Name)
		}
	}
	bad := make([]tally, len(names))
	ok := c.data(d, func(at uint64, v *hdf5.Data) error {
		for i, name := range names {
			f, err := v.Field(name)
			if err != nil {
				return err
			}
			s, err := f.Strings()
			if err != nil {
				return err
			}
			checkUTF8(&bad[i], at, s)
		}
		return nil
	})
	for i, name := range names {
		c.badText(join(d.Path(), name), bad[i])
	}
	return ok
}

// repeats finds strings that occur again. It keeps a hash of each, sorts them,
// and looks at the strings behind equal hashes in a second pass.
type repeats struct {
	seed maphash.Seed
	keys []uint64
}

func newRepeats() *repeats { return &repeats{seed: maphash.MakeSeed()} }

func (r *repeats) hash(s string) uint64 { return maphash.String(r.seed, s) }

func (r *repeats) add(_ uint64, s []string) {
	for _, x := range s {
		r.keys = append(r.keys, r.hash(x))
	}
}

// suspects are the hashes that occur more than once, sorted.
func (r *repeats) suspects() []uint64 {
	slices.Sort(r.keys)
	var out []uint64
	for i := 1; i < len(r.keys); i++ {
		if k := r.keys[i]; k == r.keys[i-1] && (len(out) == 0 || out[len(out)-1] != k) {
			out = append(out, k)
		}
	}
	return out
}

// repeated counts the strings of d that occurred before, given what was added
// to r of all of them.
func (c *checker) repeated(d *hdf5.Dataset, r *repeats) tally {
	var twice tally
	suspects := r.suspects()
	if len(suspects) == 0 {
		return twice
	}
	seen := map[string]bool{}
	c.data(d, func(at uint64, v *hdf5.Data) error {
		s, err := v.Strings()
		if err != nil {
			return err
		}
		for i, x := range s {
			if _, ok := slices.BinarySearch(suspects, r.hash(x)); !ok {
				continue
			}
			if seen[x] {
				twice.add(at+uint64(i), x)
			}
			seen[x] = true
		}
		return nil
	})
	return twice
}

// repeatedNumbers counts numbers that occurred before; their order is changed.
func repeatedNumbers[T cmp.Ordered](v []T) (n int, value T) {
	slices.Sort(v)
	for i := 1; i < len(v); i++ {
		if v[i] == v[i-1] {
			if n++; n == 1 {
				value = v[i]
			}
		}
	}
	return n, value
}
