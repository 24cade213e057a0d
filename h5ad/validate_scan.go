package h5ad

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
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

// many prints a count with its noun and verb.
func many(n uint64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatUint(n, 10) + " " + more
}

// values decodes all of a dataset. Strings must be valid UTF-8, and bools 0 or 1.
func (c *checker) values(d *hdf5.Dataset) bool {
	switch t := d.Type; {
	case isText(t):
		return c.text(d)
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
			c.flaw(d.Path(), "%s neither 0 nor 1, the first at %d: %d", many(bad.n, "bool is", "bools are"), bad.first, bad.value)
		}
		return ok
	}
	return c.data(d, func(uint64, *hdf5.Data) error { return nil })
}

func isText(t *hdf5.Datatype) bool {
	return t.Class == hdf5.ClassString || t.Class == hdf5.ClassVLen && t.IsString
}

// text decodes strings and checks their characters.
func (c *checker) text(d *hdf5.Dataset) bool {
	bad := badText{set: d.Type.CharSet}
	ok := c.data(d, func(at uint64, v *hdf5.Data) error {
		s, err := v.Strings()
		if err != nil {
			return err
		}
		bad.look(at, s)
		return nil
	})
	bad.tell(c, d.Path())
	return ok
}

// badText counts strings that are not in their character set: h5py refuses both
// kinds.
type badText struct {
	set           hdf5.CharSet
	utf8, foreign tally
}

func (b *badText) look(at uint64, s []string) {
	for i, x := range s {
		switch {
		case !utf8.ValidString(x):
			b.utf8.add(at+uint64(i), x)
		case b.set == hdf5.ASCII && strings.ContainsFunc(x, func(r rune) bool { return r >= utf8.RuneSelf }):
			b.foreign.add(at+uint64(i), x)
		}
	}
}

func (b *badText) tell(c *checker, key string) {
	if t := b.utf8; t.n > 0 {
		c.flaw(key, "%s not valid UTF-8, the first at %d: %.50q", many(t.n, "string is", "strings are"), t.first, t.value)
	}
	if t := b.foreign; t.n > 0 {
		c.flaw(key, "the strings are declared as ASCII, but %s other characters, the first at %d: %.50q", many(t.n, "holds", "hold"), t.first, t.value)
	}
}

// records decodes compound data and the strings in it.
func (c *checker) records(d *hdf5.Dataset) bool {
	var names []string
	var bad []badText
	for _, m := range d.Type.Members {
		if isText(m.Type) {
			names = append(names, m.Name)
			bad = append(bad, badText{set: m.Type.CharSet})
		}
	}
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
			bad[i].look(at, s)
		}
		return nil
	})
	for i, name := range names {
		bad[i].tell(c, join(d.Path(), name))
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
func repeatedNumbers[T cmp.Ordered](v []T) (n int, value any) {
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
