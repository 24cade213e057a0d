package hdf5

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unsafe"
)

// Value is the content of an attribute or of a small dataset, with its type and
// extent. Make one with [StringValue], [NumbersValue] and their like.
type Value struct {
	typ   *Datatype
	space Space
	raw   []byte   // the elements, but for what patches put in
	text  []string // instead of raw, where the elements are strings of variable length
	fixes []wPatch
	err   error
}

// wPatch is an element of raw that is known only when the value is written.
type wPatch struct {
	off   int // in raw
	ref   wTarget
	data  []byte // behind a variable-length element, where ref is nil
	count int    // elements in data
	sub   []wPatch
}

// wTarget finds the address of an object that is referred to, when all objects
// exist. The address 0 is the null reference.
type wTarget func(*Writer) (uint64, error)

// wPathTarget is the object at a path of the new file.
func wPathTarget(path string) wTarget {
	return func(w *Writer) (uint64, error) {
		o, err := w.Lookup(path)
		if err != nil {
			return 0, fmt.Errorf("reference: %w", err)
		}
		return o.Address()
	}
}

// Type is the type of the value's elements.
func (v *Value) Type() *Datatype { return v.typ }

// Space is the extent of the value.
func (v *Value) Space() Space { return v.space }

// Raw is the elements as they lie in the file, but for references and data of
// variable length, whose places hold zeros.
func (v *Value) Raw() []byte { return v.raw }

// wLine is the extent of n elements: dims, or one dimension when there are none.
func wLine(n int, dims []uint64) Space {
	if len(dims) == 0 {
		dims = []uint64{uint64(n)}
	}
	return Space{Dims: dims}
}

// StringValue is one string of variable length in UTF-8.
func StringValue(s string) Value {
	return Value{typ: StringType(), text: []string{s}}
}

// StringsValue is strings of variable length in UTF-8, in one dimension unless
// dims says otherwise. The slice must not change until the writer is closed.
func StringsValue(s []string, dims ...uint64) Value {
	return Value{typ: StringType(), space: wLine(len(s), dims), text: s}
}

// TextValue is strings as t, a string type of fixed or variable length, has them.
func TextValue(t *Datatype, space Space, s []string) Value {
	v := Value{typ: t, space: space}
	if t.Class == ClassVLen && t.IsString {
		v.text = s
		return v
	}
	v.raw, v.err = encFixedStrings(nil, t, s)
	return v
}

// NumberValue is one number.
func NumberValue[T Number](x T) Value {
	return Value{typ: TypeOf[T](), raw: numberBytes([]T{x})}
}

// NumbersValue is numbers in one dimension, unless dims says otherwise. The
// slice must not change until the writer is closed.
func NumbersValue[T Number](x []T, dims ...uint64) Value {
	return Value{typ: TypeOf[T](), space: wLine(len(x), dims), raw: numberBytes(x)}
}

// BoolValue is one bool as h5py stores it.
func BoolValue(x bool) Value { return Value{typ: BoolType(), raw: boolBytes([]bool{x})} }

// BoolsValue is bools in one dimension, unless dims says otherwise.
func BoolsValue(x []bool, dims ...uint64) Value {
	return Value{typ: BoolType(), space: wLine(len(x), dims), raw: boolBytes(x)}
}

// NullValue has a type but no elements: a null dataspace.
func NullValue(t *Datatype) Value { return Value{typ: t, space: Space{Null: true}} }

// RefValue is a reference to the object at an absolute path, which must exist
// when the writer is closed.
func RefValue(path string) Value {
	v := RefsValue([]string{path})
	v.space.Dims = nil
	return v
}

// RefsValue is references to objects by their paths, in one dimension unless
// dims says otherwise; an empty path is the null reference.
func RefsValue(paths []string, dims ...uint64) Value {
	v := Value{typ: RefType(), space: wLine(len(paths), dims), raw: make([]byte, 8*len(paths))}
	for i, p := range paths {
		if p != "" {
			v.fixes = append(v.fixes, wPatch{off: 8 * i, ref: wPathTarget(p)})
		}
	}
	return v
}

// SequencesValue is sequences of variable length, in one dimension unless dims
// says otherwise.
func SequencesValue[T Number](x [][]T, dims ...uint64) Value {
	v := Value{typ: VLenType(TypeOf[T]()), space: wLine(len(x), dims), raw: make([]byte, wDescriptorSize*len(x))}
	for i, s := range x {
		if len(s) > 0 {
			v.fixes = append(v.fixes, wPatch{off: wDescriptorSize * i, data: numberBytes(s), count: len(s)})
		}
	}
	return v
}

// RawValue is elements of any type as they lie in the file. What they hold of
// references and variable-length data must come from [ObjectWriter.Address] and
// [Writer.PutSequence].
func RawValue(t *Datatype, space Space, raw []byte) Value {
	return Value{typ: t, space: space, raw: raw}
}

// size is the size of the elements in the file.
func (v *Value) size() int {
	if v.text != nil {
		return len(v.text) * wDescriptorSize
	}
	return len(v.raw)
}

// check holds the parts of the value against one another.
func (v *Value) check() error {
	if v.err != nil {
		return v.err
	}
	if v.typ == nil {
		return wInvalidf("a value without a type")
	}
	n, ok := v.space.Elements()
	if ok {
		n, ok = product([]uint64{n, uint64(v.typ.Size)})
	}
	if !ok || n != uint64(v.size()) {
		return wInvalidf("%d bytes of values for the shape %v of %d-byte elements", v.size(), v.space.Dims, v.typ.Size)
	}
	for i, s := range v.text {
		if err := wCheckText(s); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

// wCheckText refuses what no reader gives back: libhdf5 ends strings of variable
// length at the first NUL.
func wCheckText(s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return wInvalidf("a string of variable length with a NUL at byte %d", i)
	}
	return nil
}

// encodeValue appends the elements of v to b.
func (w *Writer) encodeValue(b []byte, v *Value) ([]byte, error) {
	var err error
	for _, s := range v.text {
		if b, err = w.heap.put(b, wStringBytes(s), len(s)); err != nil {
			return nil, err
		}
	}
	if v.text != nil {
		return b, nil
	}
	return w.encodePatched(b, v.raw, v.fixes)
}

func (w *Writer) encodePatched(b, raw []byte, fixes []wPatch) ([]byte, error) {
	at := len(b)
	b = append(b, raw...)
	for i := range fixes {
		p := &fixes[i]
		if p.ref != nil {
			addr, err := p.ref(w)
			if err != nil {
				return nil, err
			}
			binary.LittleEndian.PutUint64(b[at+p.off:], addr)
			continue
		}
		data, err := w.encodePatched(nil, p.data, p.sub)
		if err != nil {
			return nil, err
		}
		// The descriptor is appended where it belongs, over its placeholder.
		if _, err := w.heap.put(b[:at+p.off], data, p.count); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// PutSequence stores count elements of variable-length data and returns the
// descriptor that takes their place in the bytes of a dataset or an attribute:
// 16 bytes. A string has as many elements as bytes.
func (w *Writer) PutSequence(data []byte, count int) ([]byte, error) {
	if err := w.ready(); err != nil {
		return nil, err
	}
	desc, err := w.heap.put(nil, data, count)
	if err != nil {
		return nil, w.stop("", err)
	}
	return desc, nil
}

// encFixedStrings appends strings of fixed size.
func encFixedStrings(b []byte, t *Datatype, s []string) ([]byte, error) {
	if t.Class != ClassString {
		return nil, typef("expected a string type, found %v", t.Class)
	}
	pad, most := byte(0), t.Size
	switch t.Padding {
	case PadSpace:
		pad = ' '
	case PadNullTerm:
		most--
	}
	for i, x := range s {
		if len(x) > most {
			return nil, wInvalidf("element %d has %d bytes; the type has room for %d", i, len(x), most)
		}
		if strings.IndexByte(x, 0) >= 0 || pad == ' ' && strings.HasSuffix(x, " ") {
			return nil, wInvalidf("element %d holds the padding of its type: %q", i, x)
		}
		b = append(b, x...)
		for range t.Size - len(x) {
			b = append(b, pad)
		}
	}
	return b, nil
}

func boolBytes(x []bool) []byte {
	b := make([]byte, len(x))
	for i, v := range x {
		if v {
			b[i] = 1
		}
	}
	return b
}

// numberBytes is x as it lies in a file; on little-endian machines it shares
// the memory of x.
func numberBytes[T Number](x []T) []byte {
	if len(x) == 0 {
		return nil
	}
	size := int(unsafe.Sizeof(x[0]))
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*size)
	if littleEndian() || size == 1 {
		return b
	}
	swapped := make([]byte, len(b))
	for i := 0; i < len(b); i += size {
		for k := range size {
			swapped[i+k] = b[i+size-1-k]
		}
	}
	return swapped
}

// wStringBytes is the bytes of s, which must not be changed.
func wStringBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
