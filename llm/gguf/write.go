package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// KeyValue is an entry of the metadata. Value has one of the types of
// [File.Value].
type KeyValue struct {
	Key   string
	Value any
}

// Source is a tensor to be written. Write puts exactly the bytes of its values to
// the writer; it is called once, in the order of the tensors, so that no more
// than one tensor need be in memory.
type Source struct {
	Name  string
	Type  Type
	Shape []int64 // the longest rows' length last
	Write func(io.Writer) error
}

// Write makes a GGUF file of version 3 with an alignment of 32 bytes.
func Write(out io.Writer, keys []KeyValue, tensors []Source) error {
	w := &writer{w: bufio.NewWriterSize(out, 1<<20)}
	if err := w.head(keys, tensors); err != nil {
		return err
	}
	for _, t := range tensors {
		w.pad()
		size := Tensor{Type: t.Type, Shape: t.Shape}
		if err := size.measure(); err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		end := w.at + size.size
		if err := t.Write(w); err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		if w.at != end {
			return fmt.Errorf("tensor %s: %d bytes were written, %d make up %v of %v", t.Name, w.at-(end-size.size), size.size, t.Shape, t.Type)
		}
	}
	w.pad()
	if w.err != nil {
		return w.err
	}
	return w.w.Flush()
}

const alignment = 32

// writer counts what it writes and keeps the first error.
type writer struct {
	w   *bufio.Writer
	at  int64
	err error
}

// Write is an io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(b)
	w.at += int64(n)
	w.err = err
	return n, err
}

func (w *writer) u32(v uint32) { _, _ = w.Write(binary.LittleEndian.AppendUint32(nil, v)) }
func (w *writer) u64(v uint64) { _, _ = w.Write(binary.LittleEndian.AppendUint64(nil, v)) }

func (w *writer) text(s string) {
	w.u64(uint64(len(s)))
	_, _ = io.WriteString(w, s)
}

func (w *writer) pad() {
	var zeros [alignment]byte
	_, _ = w.Write(zeros[:-w.at&(alignment-1)])
}

func (w *writer) head(keys []KeyValue, tensors []Source) error {
	if len(keys) > maxKeys || len(tensors) > maxTensors {
		return fmt.Errorf("%d keys and %d tensors: at most %d and %d are possible", len(keys), len(tensors), maxKeys, maxTensors)
	}
	_, _ = io.WriteString(w, "GGUF")
	w.u32(3)
	w.u64(uint64(len(tensors)))
	w.u64(uint64(len(keys)))
	for _, k := range keys {
		if k.Key == keyAlignment {
			return fmt.Errorf("key %s: the alignment is always %d", k.Key, alignment)
		}
		w.text(k.Key)
		if err := w.value(k.Value); err != nil {
			return fmt.Errorf("key %s: %w", k.Key, err)
		}
	}
	offset := int64(0)
	for _, s := range tensors {
		t := Tensor{Type: s.Type, Shape: s.Shape}
		if err := t.measure(); err != nil {
			return fmt.Errorf("tensor %s: %w", s.Name, err)
		}
		w.text(s.Name)
		w.u32(uint32(len(s.Shape)))
		for i := range s.Shape {
			w.u64(uint64(s.Shape[len(s.Shape)-1-i]))
		}
		w.u32(uint32(s.Type))
		w.u64(uint64(offset))
		if t.size > math.MaxInt64-alignment-offset {
			return fmt.Errorf("tensor %s: the file would be too large", s.Name)
		}
		offset = (offset + t.size + alignment - 1) / alignment * alignment
	}
	w.pad()
	return w.err
}

// value writes a metadata value with its kind.
func (w *writer) value(v any) error {
	switch v := v.(type) {
	case string:
		w.u32(kindString)
		w.text(v)
	case []string:
		w.u32(kindArray)
		w.u32(kindString)
		w.u64(uint64(len(v)))
		for _, s := range v {
			w.text(s)
		}
	default:
		kind, n, isList := kindOf(v)
		if kind < 0 {
			return fmt.Errorf("a value of type %T", v)
		}
		if isList {
			w.u32(kindArray)
		}
		w.u32(uint32(kind))
		if isList {
			w.u64(uint64(n))
		}
		return binary.Write(w, binary.LittleEndian, v)
	}
	return w.err
}

// kindOf is the kind of a number or a bool, or of a list of n of them; −1 for
// anything else.
func kindOf(v any) (kind, n int, isList bool) {
	switch v := v.(type) {
	case uint8:
		return kindUint8, 0, false
	case int8:
		return kindInt8, 0, false
	case uint16:
		return kindUint16, 0, false
	case int16:
		return kindInt16, 0, false
	case uint32:
		return kindUint32, 0, false
	case int32:
		return kindInt32, 0, false
	case float32:
		return kindFloat32, 0, false
	case bool:
		return kindBool, 0, false
	case uint64:
		return kindUint64, 0, false
	case int64:
		return kindInt64, 0, false
	case float64:
		return kindFloat64, 0, false
	case []uint8:
		return kindUint8, len(v), true
	case []int8:
		return kindInt8, len(v), true
	case []uint16:
		return kindUint16, len(v), true
	case []int16:
		return kindInt16, len(v), true
	case []uint32:
		return kindUint32, len(v), true
	case []int32:
		return kindInt32, len(v), true
	case []float32:
		return kindFloat32, len(v), true
	case []bool:
		return kindBool, len(v), true
	case []uint64:
		return kindUint64, len(v), true
	case []int64:
		return kindInt64, len(v), true
	case []float64:
		return kindFloat64, len(v), true
	}
	return -1, 0, false
}
