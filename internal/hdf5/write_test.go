package hdf5_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// TestBytesDoNotDependOnWorkers writes one of everything at several degrees of
// parallelism.
func TestBytesDoNotDependOnWorkers(t *testing.T) {
	want := build(t, 1, func(b *builder) { writeBroad(b) })
	for _, workers := range []int{1, 2, 7} {
		got := build(t, workers, func(b *builder) { writeBroad(b) })
		if !bytes.Equal(got, want) {
			t.Errorf("%d workers give other bytes than 1", workers)
		}
	}
}

// noGoroutines fails if more goroutines run than before.
func noGoroutines(t *testing.T, before int) {
	t.Helper()
	for range 3000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestDiskFull lets the disk fill up at many places: each time the error comes
// out, names the file, stays, and no goroutine is left.
func TestDiskFull(t *testing.T) {
	ctx := context.Background()
	write := func(w *hdf5.Writer) error {
		for i := range 3 {
			d, err := w.Root().CreateDataset(fmt.Sprint(i), hdf5.DatasetSpec{
				Type: hdf5.TypeOf[uint8](), Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{50000},
				Filters: filter.Pipeline{hdf5.Deflate(1)},
			})
			if err != nil {
				return err
			}
			if err := d.Append(ctx, noise(1, 500000)); err != nil {
				return err
			}
			if _, err := w.Root().WriteValue(ctx, fmt.Sprint("s", i), hdf5.StringsValue([]string{"a", strings.Repeat("b", 200000)}), hdf5.DatasetSpec{}); err != nil {
				return err
			}
		}
		return nil
	}
	whole := build(t, 2, func(b *builder) { b.must(write(b.w)) })
	before := runtime.NumGoroutine()
	for limit := int64(0); limit < int64(len(whole)); limit += int64(len(whole))/40 + 1 {
		disk := &fullDisk{limit: limit}
		w, err := hdf5.NewWriter(disk, hdf5.WriteOptions{Name: "full.h5", Workers: 3})
		if err != nil {
			t.Fatal(err)
		}
		err = write(w)
		closed := w.Close()
		if err == nil {
			err = closed
		}
		if !errors.Is(err, errDiskFull) || !errors.Is(closed, errDiskFull) || !strings.HasPrefix(err.Error(), "full.h5: ") {
			t.Fatalf("limit %d: %v, Close: %v", limit, err, closed)
		}
		if _, err := w.Root().CreateGroup("late"); !errors.Is(err, errDiskFull) {
			t.Fatalf("limit %d: a later call returns %v", limit, err)
		}
		if _, err := hdf5.NewReader(bytes.NewReader(disk.b), int64(len(disk.b)), hdf5.Options{}); err == nil {
			t.Fatalf("limit %d: a half-written file opens", limit)
		}
	}
	noGoroutines(t, before)
}

func TestCancelAndAbort(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, abandon := range []bool{false, true} {
		w, err := hdf5.NewWriter(new(memFile), hdf5.WriteOptions{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.Root().CreateDataset("x", hdf5.DatasetSpec{
			Type: hdf5.TypeOf[uint8](), Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{1 << 18},
			Filters: filter.Pipeline{hdf5.Deflate(9)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if abandon { // without a further call: the goroutines end by themselves
			ctx = context.Background()
		}
		if err := d.Append(ctx, noise(1, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if abandon {
			continue
		}
		cancel()
		if err := d.Append(ctx, noise(1, 2<<20)); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled Append returns %v", err)
		}
		w.Abort()
		w.Abort()
		if err := w.Close(); err == nil {
			t.Error("Close after Abort succeeds")
		}
	}
	noGoroutines(t, before)
}

// TestRefusals lists calls that the writer refuses, with what the error says.
// Each leaves the writer usable.
func TestRefusals(t *testing.T) {
	ctx := context.Background()
	f4 := hdf5.TypeOf[float32]()
	type spec = hdf5.DatasetSpec
	create := func(s spec) func(*hdf5.GroupWriter) error {
		return func(g *hdf5.GroupWriter) error { _, err := g.CreateDataset("d", s); return err }
	}
	attr := func(name string, v hdf5.Value) func(*hdf5.GroupWriter) error {
		return func(g *hdf5.GroupWriter) error { return g.SetAttr(name, v) }
	}
	named := func(name string) func(*hdf5.GroupWriter) error {
		return func(g *hdf5.GroupWriter) error { _, err := g.CreateGroup(name); return err }
	}
	appended := func(s spec, raw []byte) func(*hdf5.GroupWriter) error {
		return func(g *hdf5.GroupWriter) error {
			d, err := g.CreateDataset("e", s)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Append(ctx, raw); err != nil {
				return err
			}
			return d.Close()
		}
	}
	tests := []struct {
		name string
		call func(*hdf5.GroupWriter) error
		is   error
		want string
	}{
		{"same name", named("taken"), hdf5.ErrExists, "/g/taken"},
		{"path", named("a/b"), hdf5.ErrInvalid, "is a path"},
		{"no name", named(""), hdf5.ErrInvalid, "empty"},
		{"dot", named("."), hdf5.ErrInvalid, "is a path"},
		{"NUL", named("a\x00"), hdf5.ErrInvalid, "NUL"},
		{"attribute too large", attr("column-order", hdf5.StringsValue(make([]string, 4097))), hdf5.ErrTooLarge, `/g: attribute "column-order": too large: attribute of 65`},
		{"attribute without a name", attr("", hdf5.NumberValue(1.0)), hdf5.ErrInvalid, "empty"},
		{"NUL in text", attr("a", hdf5.StringValue("a\x00b")), hdf5.ErrInvalid, "NUL at byte 1"},
		{"shape", attr("a", hdf5.NumbersValue([]int32{1, 2, 3}, 2, 2)), hdf5.ErrInvalid, "12 bytes"},
		{"fixed text", attr("a", hdf5.TextValue(hdf5.FixedStringType(3, hdf5.PadNullTerm, hdf5.ASCII), hdf5.Space{}, []string{"abc"})), hdf5.ErrInvalid, "has room for 2"},
		{"text as number", attr("a", hdf5.TextValue(f4, hdf5.Space{}, []string{"abc"})), hdf5.ErrType, "float"},
		{"no value", attr("a", hdf5.Value{}), hdf5.ErrInvalid, "without a type"},
		{"no type", create(spec{}), hdf5.ErrInvalid, "datatype is missing"},
		{"filters without chunks", create(spec{Type: f4, Dims: []uint64{3}, Filters: filter.Pipeline{hdf5.Shuffle()}}), hdf5.ErrInvalid, "need chunks"},
		{"growing without chunks", create(spec{Type: f4, Dims: []uint64{3}, MaxDims: []uint64{9}}), hdf5.ErrInvalid, "needs chunks"},
		{"rank of chunks", create(spec{Type: f4, Dims: []uint64{3}, Chunk: []uint64{1, 1}}), hdf5.ErrInvalid, "2 dimensions"},
		{"empty chunks", create(spec{Type: f4, Dims: []uint64{3}, Chunk: []uint64{0}}), hdf5.ErrInvalid, "is 0"},
		{"large chunks", create(spec{Type: f4, Dims: []uint64{3}, Chunk: []uint64{1 << 30}}), hdf5.ErrTooLarge, "4 GiB"},
		{"chunked scalar", create(spec{Type: f4, Chunk: []uint64{}}), hdf5.ErrInvalid, "without dimensions"},
		{"maximum", create(spec{Type: f4, Dims: []uint64{3}, MaxDims: []uint64{2}, Chunk: []uint64{1}}), hdf5.ErrInvalid, "above its maximum"},
		{"rank", create(spec{Type: f4, Dims: make([]uint64, 33)}), hdf5.ErrInvalid, "33 dimensions"},
		{"fill", create(spec{Type: f4, Dims: []uint64{3}, Fill: []byte{1}}), hdf5.ErrInvalid, "fill value of 1 bytes"},
		{"compact", create(spec{Type: f4, Dims: []uint64{30000}, Compact: true}), hdf5.ErrTooLarge, "120000 bytes"},
		{"overflow", create(spec{Type: f4, Dims: []uint64{1, 1 << 40, 1 << 40}}), hdf5.ErrTooLarge, "shape"},
		{"too many elements", appended(spec{Type: f4, Dims: []uint64{2}}, make([]byte, 12)), hdf5.ErrTooLarge, "more elements"},
		{"half an element", appended(spec{Type: f4, Dims: []uint64{2}}, make([]byte, 7)), hdf5.ErrInvalid, "7 bytes"},
		{"too few elements", appended(spec{Type: f4, Dims: []uint64{2}}, make([]byte, 4)), hdf5.ErrInvalid, "1 of 2 rows"},
		{"half a row", appended(spec{Type: f4, Dims: []uint64{0, 2}, MaxDims: []uint64{5, 2}, Chunk: []uint64{1, 1}}, make([]byte, 4)), hdf5.ErrInvalid, "4 of its 8 bytes"},
		{"deflate level", appended(spec{Type: f4, Dims: []uint64{2}, Chunk: []uint64{2}, Filters: filter.Pipeline{hdf5.Deflate(10)}}, make([]byte, 8)), hdf5.ErrInvalid, "0 to 9"},
		{"filter", appended(spec{Type: f4, Dims: []uint64{2}, Chunk: []uint64{2}, Filters: filter.Pipeline{{ID: filter.SZIP}}}, make([]byte, 8)), hdf5.ErrUnsupported, "szip"},
		{"opaque tag", create(spec{Type: &hdf5.Datatype{Class: hdf5.ClassOpaque, Size: 1, Tag: strings.Repeat("t", 300)}}), hdf5.ErrInvalid, "248"},
		{"member", create(spec{Type: &hdf5.Datatype{Class: hdf5.ClassCompound, Size: 4, Members: []hdf5.Member{{Name: "m", Offset: 2, Type: f4}}}}), hdf5.ErrInvalid, `"m" reaches past`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := hdf5.NewWriter(new(memFile), hdf5.WriteOptions{Name: "w.h5"})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Abort()
			g, err := w.Root().CreateGroup("g")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.CreateGroup("taken"); err != nil {
				t.Fatal(err)
			}
			err = tt.call(g)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "w.h5: /g") {
				t.Errorf("error %v, expected one of kind %q with %q", err, tt.is, tt.want)
			}
			if _, err := g.CreateGroup("after"); err != nil {
				t.Errorf("the next call: %v", err)
			}
		})
	}
}

// TestUnfinishedDatasets closes files whose datasets lack elements.
func TestUnfinishedDatasets(t *testing.T) {
	w, err := hdf5.NewWriter(new(memFile), hdf5.WriteOptions{Name: "w.h5"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Root().CreateDataset("x", hdf5.DatasetSpec{Type: hdf5.TypeOf[int8](), Dims: []uint64{4}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, hdf5.ErrInvalid) || !strings.Contains(err.Error(), "w.h5: /x: invalid: 0 of 4 rows") {
		t.Errorf("Close returns %v", err)
	}
	w, err = hdf5.NewWriter(new(memFile), hdf5.WriteOptions{Name: "w.h5"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Root().SetAttr("r", hdf5.RefValue("/nowhere")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, hdf5.ErrNotFound) || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("Close returns %v", err)
	}
	if err := w.Close(); !errors.Is(err, hdf5.ErrNotFound) {
		t.Errorf("the second Close returns %v", err)
	}
}

func TestUserBlock(t *testing.T) {
	for _, n := range []int{1, 512, 513, 3000} {
		m := new(memFile)
		w, err := hdf5.NewWriter(m, hdf5.WriteOptions{UserBlock: bytes.Repeat([]byte{'u'}, n)})
		if err != nil {
			t.Fatal(err)
		}
		b := &builder{t, w}
		b.value(w.Root(), "x", hdf5.StringsValue([]string{"a", "b"}), hdf5.DatasetSpec{Chunk: []uint64{2}, Filters: filter.Pipeline{hdf5.Deflate(1)}})
		b.must(w.Close())
		f := openBytes(t, m.b)
		if f.UserBlock() < int64(n) || !bytes.HasPrefix(m.b, bytes.Repeat([]byte{'u'}, n)) {
			t.Errorf("%d bytes: a user block of %d", n, f.UserBlock())
		}
		if got := readBytes(t, f, "/x"); len(got) != 32 {
			t.Errorf("%d bytes read", len(got))
		}
		if python := pythonOrNone(); python != "" && n == 513 {
			runPython(t, python, `import sys, h5py; f = h5py.File(sys.argv[1]); assert f["x"][()].tolist() == [b"a", b"b"] and f.userblock_size == 1024`, "", writeTemp(t, m.b))
		}
	}
}

// nowhere takes bytes and forgets them.
type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// TestMemory streams 128 MiB in chunks of 64 KiB: memory is taken for a few
// chunks and encoders, and for the index.
func TestMemory(t *testing.T) {
	ctx := context.Background()
	part := noise(1, 1<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	err := buildTo(t, nowhere{}, 2, func(b *builder) {
		spec := hdf5.DatasetSpec{Type: hdf5.TypeOf[uint8](), Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{1 << 16}}
		plain, err := b.w.Root().CreateDataset("plain", spec)
		b.must(err)
		spec.Filters = filter.Pipeline{hdf5.Shuffle(), hdf5.Deflate(1)}
		packed, err := b.w.Root().CreateDataset("packed", spec)
		b.must(err)
		for range 64 {
			b.must(plain.Append(ctx, part))
			b.must(packed.Append(ctx, part))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}
