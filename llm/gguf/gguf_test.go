package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// bytesOf is a source that writes b.
func bytesOf(name string, typ Type, shape []int64, b []byte) Source {
	return Source{Name: name, Type: typ, Shape: shape, Write: func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}}
}

var allKinds = []KeyValue{
	{"general.architecture", "gemma2"},
	{"u8", uint8(200)},
	{"i8", int8(-100)},
	{"u16", uint16(60000)},
	{"i16", int16(-30000)},
	{"u32", uint32(4e9)},
	{"i32", int32(-2e9)},
	{"f32", float32(1.5)},
	{"yes", true},
	{"u64", uint64(1 << 63)},
	{"i64", int64(-1 << 62)},
	{"f64", 2.5},
	{"empty", ""},
	{"words", []string{"a", "", "\u2581b"}},
	{"floats", []float32{1, -2, 3.5}},
	{"ints", []int32{-1, 0, 1}},
	{"bools", []bool{true, false}},
	{"bytes", []uint8{1, 2}},
	{"longs", []int64{1 << 40}},
	{"none", []uint32{}},
}

func sample(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	err := Write(&out, allKinds, []Source{
		bytesOf("a.weight", F32, []int64{2, 3}, bytes.Repeat([]byte{1, 2, 3, 4}, 6)),
		bytesOf("b.weight", Q8_0, []int64{1, 32}, bytes.Repeat([]byte{7}, 34)),
		bytesOf("c.weight", F16, []int64{3}, []byte{1, 2, 3, 4, 5, 6}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	data := sample(t)
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	inMemory, err := Parse(data, "memory")
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer onDisk.Close()
	for _, f := range []*File{inMemory, onDisk} {
		if f.Version != 3 || f.Size() != int64(len(data)) || len(f.Keys()) != len(allKinds) {
			t.Fatalf("version %d, %d bytes, keys %v", f.Version, f.Size(), f.Keys())
		}
		for i, kv := range allKinds {
			if f.Keys()[i] != kv.Key || !reflect.DeepEqual(f.Value(kv.Key), kv.Value) {
				t.Errorf("%s is %#v, expected %#v", f.Keys()[i], f.Value(kv.Key), kv.Value)
			}
		}
		for name, want := range map[string][]byte{"a.weight": bytes.Repeat([]byte{1, 2, 3, 4}, 6), "b.weight": bytes.Repeat([]byte{7}, 34), "c.weight": {1, 2, 3, 4, 5, 6}} {
			tensor, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Data(tensor)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %v, %v, expected %v", name, got, err, want)
			}
		}
		if a, _ := f.Tensor("a.weight"); !slices.Equal(a.Shape, []int64{2, 3}) || a.Type.String() != "F32" {
			t.Errorf("a.weight is %v of %v", a.Shape, a.Type)
		}
		whole, err := io.ReadAll(f.Reader())
		if err != nil || !bytes.Equal(whole, data) {
			t.Errorf("the whole file: %v", err)
		}
	}
}

func TestGet(t *testing.T) {
	f, err := Parse(sample(t), "x")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := Get[float32](f, "f32"); v != 1.5 || err != nil {
		t.Error(v, err)
	}
	for key, want := range map[string]uint64{"u8": 200, "u16": 60000, "u32": 4e9, "u64": 1<<63 - 1} {
		if v, err := f.Uint(key); v != want || err != nil {
			t.Error(key, v, err)
		}
	}
	for _, key := range []string{"i32", "f32", "words", "yes"} {
		if v, err := f.Uint(key); !errors.Is(err, ErrCorrupt) {
			t.Error(key, v, err)
		}
	}
	if _, err := Get[string](f, "nothing"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := Get[string](f, "f32"); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "x: f32: ") {
		t.Error(err)
	}
	if _, err := f.Tensor("nothing"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// TestByHand writes the smallest file as the specification has it, byte by byte.
func TestByHand(t *testing.T) {
	var b []byte
	b = append(b, "GGUF"...)
	b = binary.LittleEndian.AppendUint32(b, 3)
	b = binary.LittleEndian.AppendUint64(b, 1) // tensors
	b = binary.LittleEndian.AppendUint64(b, 1) // keys
	b = append(b, "\x01\x00\x00\x00\x00\x00\x00\x00k"...)
	b = binary.LittleEndian.AppendUint32(b, 4) // uint32
	b = binary.LittleEndian.AppendUint32(b, 77)
	b = append(b, "\x01\x00\x00\x00\x00\x00\x00\x00t"...)
	b = binary.LittleEndian.AppendUint32(b, 2) // dimensions, the fastest first
	b = binary.LittleEndian.AppendUint64(b, 2)
	b = binary.LittleEndian.AppendUint64(b, 1)
	b = binary.LittleEndian.AppendUint32(b, 1) // F16
	b = binary.LittleEndian.AppendUint64(b, 0)
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	b = append(b, 1, 2, 3, 4)
	f, err := Parse(b, "x")
	if err != nil {
		t.Fatal(err)
	}
	tensor, _ := f.Tensor("t")
	if data, _ := f.Data(tensor); !slices.Equal(tensor.Shape, []int64{1, 2}) || !bytes.Equal(data, []byte{1, 2, 3, 4}) || f.Value("k") != uint32(77) {
		t.Error(tensor, data, f.Value("k"))
	}
	// What Write makes of the same, but for the padding at the end.
	var out bytes.Buffer
	if err := Write(&out, []KeyValue{{"k", uint32(77)}}, []Source{bytesOf("t", F16, []int64{1, 2}, []byte{1, 2, 3, 4})}); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), b) || out.Len() != len(b)+28 {
		t.Errorf("written:\n%q, by hand:\n%q", out.Bytes(), b)
	}
}

func TestDamage(t *testing.T) {
	good := sample(t)
	// replace puts bytes behind the first place where the file has the text before.
	replace := func(before, with string) []byte {
		b := bytes.Clone(good)
		i := bytes.Index(b, []byte(before))
		if i < 0 {
			t.Fatal(before)
		}
		copy(b[i+len(before):], with)
		return b
	}
	const huge = "\xff\xff\xff\xff\xff\xff\xff\x7f"
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, ErrNotGGUF},
		{"another file", []byte("PK\x03\x04 and so on"), ErrNotGGUF},
		{"magic alone", good[:4], ErrTruncated},
		{"version 1", replace("GGUF", "\x01"), ErrUnsupported},
		{"big-endian", replace("GGUF", "\x00\x00\x00\x03"), ErrUnsupported},
		{"tensors without end", replace("GGUF\x03\x00\x00\x00", huge), ErrCorrupt},
		{"keys without end", replace("GGUF\x03\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00", huge), ErrCorrupt},
		{"a string without end", replace("empty\x08\x00\x00\x00", huge), ErrTruncated},
		{"a list without end", replace("words\x09\x00\x00\x00\x08\x00\x00\x00", huge), ErrTruncated},
		{"a list longer than the file", replace("floats\x09\x00\x00\x00\x06\x00\x00\x00", "\x00\x00\x00\x10"), ErrTruncated},
		{"a list of lists", replace("floats\x09\x00\x00\x00", "\x09"), ErrUnsupported},
		{"an unknown kind", replace("f32", "\x63"), ErrCorrupt},
		{"dimensions", replace("a.weight", "\x05"), ErrCorrupt},
		{"no dimensions", replace("a.weight", "\x00"), ErrCorrupt},
		{"a huge dimension", replace("a.weight\x02\x00\x00\x00", huge), ErrCorrupt},
		{"an unknown type", replace("c.weight\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00", "\xc8"), ErrUnsupported},
		{"a row of half a block", replace("b.weight\x02\x00\x00\x00", "\x10"), ErrCorrupt},
		{"a tensor beyond the end", replace("c.weight\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00", "\x00\x00\x01"), ErrTruncated},
		{"an odd offset", replace("c.weight\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00", "\x01"), ErrCorrupt},
		{"a huge offset", replace("c.weight\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00", "\xe0\xff\xff\xff\xff\xff\xff\x7f"), ErrTruncated},
		{"cut short", good[:len(good)-30], ErrTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Parse(c.data, "x")
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, expected %v", err, c.want)
			}
			var e *Error
			if f != nil || !errors.As(err, &e) || !e.BadInput() {
				t.Errorf("%v, %#v", f, err)
			}
		})
	}
	// Cut anywhere, it is an error and never a panic.
	for n := range len(good) - 28 {
		if _, err := Parse(good[:n], "x"); err == nil {
			t.Fatalf("%d bytes were read as a whole file", n)
		}
	}
}

func TestTwice(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, []KeyValue{{"k", "a"}, {"k", "b"}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(out.Bytes(), "x"); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	out.Reset()
	one := bytesOf("t", F32, []int64{1}, []byte{0, 0, 0, 0})
	if err := Write(&out, nil, []Source{one, one}); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(out.Bytes(), "x"); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

func TestOpenWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	var e *Error
	if _, err := Open(dir); !errors.As(err, &e) || !e.BadInput() {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	for name, err := range map[string]error{
		"a type":         Write(io.Discard, []KeyValue{{"k", struct{}{}}}, nil),
		"alignment":      Write(io.Discard, []KeyValue{{"general.alignment", uint32(64)}}, nil),
		"too few bytes":  Write(io.Discard, nil, []Source{bytesOf("t", F32, []int64{2}, []byte{0})}),
		"half a block":   Write(io.Discard, nil, []Source{bytesOf("t", Q8_0, []int64{16}, nil)}),
		"a full disk":    Write(failing{full}, nil, []Source{bytesOf("t", F32, []int64{1 << 20}, make([]byte, 4<<20))}),
		"the source":     Write(io.Discard, nil, []Source{{Name: "t", Type: F32, Shape: []int64{1}, Write: func(io.Writer) error { return full }}}),
		"no dimensions":  Write(io.Discard, nil, []Source{bytesOf("t", F32, nil, nil)}),
		"an odd type":    Write(io.Discard, nil, []Source{bytesOf("t", 200, []int64{1}, nil)}),
		"a zero in size": Write(io.Discard, nil, []Source{bytesOf("t", F32, []int64{0}, nil)}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// FuzzParse: whatever the bytes, an error or a file whose tensors can be read, and
// not much more memory than the file is long.
func FuzzParse(f *testing.F) {
	f.Add(sample(f))
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data, "x")
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || !e.BadInput() {
				t.Fatalf("%#v", err)
			}
			return
		}
		for i := range file.Tensors {
			b, err := file.Data(&file.Tensors[i])
			if err != nil || int64(len(b)) != file.Tensors[i].Size() {
				t.Fatal(len(b), err)
			}
		}
	})
}
