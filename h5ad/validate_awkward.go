package h5ad

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// form is a node of the description of an awkward array, as
// awkward.forms.Form.to_json writes it.
type form struct {
	Class      string          `json:"class"`
	Key        *string         `json:"form_key"`
	Primitive  string          `json:"primitive"`
	InnerShape []int64         `json:"inner_shape"`
	Size       int64           `json:"size"`
	Content    *form           `json:"content"`
	Contents   json.RawMessage `json:"contents"`
	Offsets    string          `json:"offsets"`
	Index      string          `json:"index"`
	Starts     string          `json:"starts"`
}

// awkward checks an awkward array: that its buffers are as long as the form and
// the length demand (awkward.from_buffers).
func (c *checker) awkward(g *hdf5.Group) extent {
	key := g.Path()
	x := extent{kind: "awkward-array"}
	c.mapping(g, func(o hdf5.Object) {
		if _, ok := o.(*hdf5.Dataset); !ok {
			c.flaw(o.Path(), "a buffer must be a dataset, but it is %s", objectKind(o))
			return
		}
		c.element(o, false)
	})
	length := int64(-1)
	a, err := g.Attr("length")
	if errors.Is(err, hdf5.ErrNotFound) {
		c.flaw(key, "the attribute length is missing")
	} else if !c.failed(key, err) {
		n, err := a.Ints()
		switch {
		case c.failed(key, err):
		case len(n) != 1 || n[0] < 0:
			c.flaw(key, "the attribute length is %v instead of one number", n)
		default:
			length = n[0]
			x.dims = []int64{length}
		}
	}
	text, err := textAttr(g, "form")
	switch {
	case c.failed(key, err):
		return x
	case text == "":
		c.flaw(key, "the attribute form is missing")
		return x
	}
	var root form
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		c.flaw(key, "the attribute form is not a form in JSON: %v", err)
		return x
	}
	if length >= 0 {
		b := buffers{checker: c, group: g}
		b.walk(&root, length)
	}
	return x
}

// buffers holds the buffers of an awkward array against its form.
type buffers struct {
	*checker
	group *hdf5.Group
}

// walk checks one node that has n elements, and those below it.
func (b *buffers) walk(f *form, n int64) {
	if b.stopped() || n < 0 {
		return
	}
	below := func(n int64) {
		if f.Content == nil {
			b.flaw(b.group.Path(), "the form's %s has no content", f.Class)
			return
		}
		b.walk(f.Content, n)
	}
	switch strings.TrimSuffix(f.Class, "Form") {
	case "EmptyArray":
	case "NumpyArray":
		for _, k := range f.InnerShape {
			if k < 0 || k > 0 && n > 1<<48/k {
				b.flaw(b.group.Path(), "the form's inner_shape is %v", f.InnerShape)
				return
			}
			n *= k
		}
		b.need(f, "data", primitiveSize(f.Primitive), n)
	case "RegularArray":
		if f.Size < 0 || f.Size > 0 && n > 1<<48/f.Size {
			b.flaw(b.group.Path(), "the form's RegularArray has the size %d", f.Size)
			return
		}
		below(n * f.Size)
	case "ListOffsetArray":
		below(b.offsets(f, n))
	case "ListArray":
		b.need(f, "starts", indexSize(f.Starts), n)
		below(b.largest(f, "stops", f.Starts, n))
	case "IndexedArray", "IndexedOptionArray":
		below(b.largest(f, "index", f.Index, n) + 1)
	case "ByteMaskedArray":
		b.need(f, "mask", 1, n)
		below(n)
	case "BitMaskedArray":
		b.need(f, "mask", 1, (n+7)/8)
		below(n)
	case "UnmaskedArray":
		below(n)
	case "RecordArray":
		for _, part := range b.contents(f) {
			b.walk(part, n)
		}
	case "UnionArray":
		b.union(f, n)
	default:
		b.flaw(b.group.Path(), "the form has the unknown class %q", f.Class)
	}
}

// contents are the parts of a record or a union: a list, or by name.
func (b *buffers) contents(f *form) []*form {
	var list []*form
	if json.Unmarshal(f.Contents, &list) == nil {
		return slices.DeleteFunc(list, func(f *form) bool { return f == nil })
	}
	var named map[string]*form
	if err := json.Unmarshal(f.Contents, &named); err != nil {
		b.flaw(b.group.Path(), "the form's %s has no contents", f.Class)
	}
	for _, name := range sortedKeys(named) {
		if named[name] != nil {
			list = append(list, named[name])
		}
	}
	return list
}

// need checks that a buffer holds n items of size bytes.
func (b *buffers) need(f *form, role string, size, n int64) *hdf5.Dataset {
	if f.Key == nil {
		b.flaw(b.group.Path(), "the form's %s has no form_key", f.Class)
		return nil
	}
	name := *f.Key + "-" + role
	if !b.group.Has(name) {
		b.flaw(join(b.group.Path(), name), "the form needs this buffer, but it is missing")
		return nil
	}
	d, err := b.group.Dataset(name)
	if err != nil {
		return nil // told already
	}
	items, ok := d.Space.Elements()
	if have := int64(items) * int64(d.Type.Size); ok && have/size < n {
		b.flaw(d.Path(), "%s, but the form needs %d", many(uint64(have/size), "item", "items"), n)
		return nil
	}
	return d
}

// offsets checks the offsets of n lists and gives how many items they span, -1
// when that cannot be told.
func (b *buffers) offsets(f *form, n int64) int64 {
	d := b.need(f, "offsets", indexSize(f.Offsets), n+1)
	if d == nil || len(d.Space.Dims) != 1 || d.Type.Class != hdf5.ClassInteger {
		return -1
	}
	var falls tally
	last := int64(0)
	b.quiet(d, func(at uint64, v *hdf5.Data) error {
		x, err := hdf5.Numbers[int64](v)
		for i, o := range x {
			if int64(at)+int64(i) > n {
				break
			}
			if o < last {
				falls.add(at+uint64(i), [2]int64{last, o})
			}
			last = o
		}
		return err
	})
	if falls.n > 0 {
		pair := falls.value.([2]int64)
		b.flaw(d.Path(), "falls %s, first from %d to %d at entry %d", many(falls.n, "time", "times"), pair[0], pair[1], falls.first)
		return -1
	}
	return last
}

// largest is the largest of the first n numbers of a buffer, -1 when there are
// none and -2 when it cannot be told.
func (b *buffers) largest(f *form, role, kind string, n int64) int64 {
	d := b.need(f, role, indexSize(kind), n)
	if d == nil || len(d.Space.Dims) != 1 || d.Type.Class != hdf5.ClassInteger {
		return -2
	}
	most := int64(-1)
	b.quiet(d, func(at uint64, v *hdf5.Data) error {
		x, err := hdf5.Numbers[int64](v)
		for i, o := range x {
			if int64(at)+int64(i) < n {
				most = max(most, o)
			}
		}
		return err
	})
	return most
}

// union checks tags and index: each element lies in one of the contents.
func (b *buffers) union(f *form, n int64) {
	parts := b.contents(f)
	tags := b.need(f, "tags", 1, n)
	index := b.need(f, "index", indexSize(f.Index), n)
	if tags == nil || index == nil || len(tags.Space.Dims) != 1 || len(index.Space.Dims) != 1 {
		return
	}
	lengths := make([]int64, len(parts))
	var beyond tally
	ok := b.quiet(tags, func(at uint64, v *hdf5.Data) error {
		tag, err := hdf5.Numbers[int64](v)
		if err != nil {
			return err
		}
		at64, end := int64(at), min(int64(at)+int64(len(tag)), n)
		if at64 >= end {
			return nil
		}
		where := make([]int64, end-at64)
		if err := hdf5.ReadInto(b.ctx, index, at, uint64(end), where); err != nil {
			return err
		}
		for i, w := range where {
			if t := tag[i]; t < 0 || t >= int64(len(parts)) {
				beyond.add(at+uint64(i), t)
			} else {
				lengths[t] = max(lengths[t], w+1)
			}
		}
		return nil
	})
	if beyond.n > 0 {
		b.flaw(tags.Path(), "%s beyond the %d contents, the first at %d: %d", many(beyond.n, "tag is", "tags are"), len(parts), beyond.first, beyond.value)
	}
	if ok {
		for i, part := range parts {
			b.walk(part, lengths[i])
		}
	}
}

// indexSize is the bytes of an index type such as i64, u32 or i8.
func indexSize(name string) int64 {
	switch name {
	case "i32", "u32":
		return 4
	case "i8", "u8":
		return 1
	}
	return 8
}

// primitiveSize is the bytes of a type as awkward names it.
func primitiveSize(name string) int64 {
	name, _, _ = strings.Cut(name, "[") // datetime64[ns]
	switch name {
	case "bool":
		return 1
	case "complex64":
		return 8
	case "complex128", "float128":
		return 16
	case "complex256":
		return 32
	}
	var bits int64
	if _, err := fmt.Sscanf(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"), "%d", &bits); err != nil || bits < 8 {
		return 1
	}
	return bits / 8
}
