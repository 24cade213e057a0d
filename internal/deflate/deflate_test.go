package deflate_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/deflate"
	"github.com/cellsentence/c2s/internal/inflate"
)

// samples are contents of many kinds, the same on every run.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	out := map[string][]byte{
		"empty": {}, "one": {7}, "seven": []byte("1234567"), "eight": []byte("12345678"), "nine": []byte("123456789"),
		"zeros": make([]byte, 300_000), "random": random(200_000),
		// Matches as far back as it goes, and a little farther.
		"far": slices.Concat(slices.Repeat(random(32767), 3), slices.Repeat(random(32768), 3), slices.Repeat(random(32769), 3)),
	}
	values, columns := matrix(r, 60_000)
	for _, v := range values {
		out["float32"] = binary.LittleEndian.AppendUint32(out["float32"], math.Float32bits(v))
		out["float64"] = binary.BigEndian.AppendUint64(out["float64"], math.Float64bits(float64(v)))
	}
	for _, v := range columns {
		out["int32"] = binary.LittleEndian.AppendUint32(out["int32"], v)
		out["int64"] = binary.LittleEndian.AppendUint64(out["int64"], uint64(v))
		out["int16"] = binary.LittleEndian.AppendUint16(out["int16"], uint16(v))
		out["codes"] = append(out["codes"], byte(v%30))
	}
	out["unaligned"] = out["float32"][:100_001]
	var lengths []byte // of every match, from many distances
	for n := range 300 {
		piece := random(n)
		lengths = append(append(append(lengths, piece...), random(r.IntN(2000))...), piece...)
	}
	out["lengths"] = lengths
	text := []byte{}
	for len(text) < 150_000 {
		text = append(text, "CD3D MS4A1 LYZ NKG7 GNLY "[r.IntN(20):]...)
	}
	out["text"] = text
	skewed := make([]byte, 300_000) // some literals are very rare
	for i := range skewed {
		skewed[i] = byte(min(255, int(r.ExpFloat64()*9)))
	}
	out["skewed"] = skewed
	return out
}

// matrix is what HDF5 chunks of an expression matrix hold: log-normalised values
// with many ties, and rising columns.
func matrix(r *rand.Rand, n int) (values []float32, columns []uint32) {
	scale, col := 3.0, uint32(0)
	for i := range n {
		if i%2000 == 0 {
			scale, col = 2+2*r.Float64(), 0
		}
		col += 1 + uint32(r.ExpFloat64()*9)
		values = append(values, float32(math.Log1p(scale*(1+math.Floor(r.ExpFloat64()*0.8)))))
		columns = append(columns, col)
	}
	return values, columns
}

// TestRoundTrip decompresses all levels with two decoders.
func TestRoundTrip(t *testing.T) {
	var e deflate.Encoder
	var d inflate.Decoder
	for name, b := range samples() {
		for level := -1; level <= 10; level++ {
			before := []byte("before")
			z := e.AppendZlib(before, b, level)
			if !bytes.HasPrefix(z, before) {
				t.Fatalf("%s, level %d: the beginning was changed", name, level)
			}
			z = z[len(before):]
			back := make([]byte, len(b))
			if n, err := d.Zlib(back, z); err != nil || !bytes.Equal(back[:n], b) {
				t.Errorf("%s, level %d: %d of %d bytes, %v", name, level, n, len(b), err)
			}
			r, err := zlib.NewReader(bytes.NewReader(z))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%s, level %d: compress/zlib finds %d of %d bytes, %v", name, level, len(got), len(b), err)
			}
			if most := len(b) + 5*(len(b)/16384+len(b)/65535+2) + 6; len(z) > most {
				t.Errorf("%s, level %d: %d bytes became %d", name, level, len(b), len(z))
			}
		}
	}
}

// script reads a length and a stream, over and over, and writes what zlib makes of
// each: its checksum and its length, and its length when zlib compresses it at
// level 4.
const script = `
import struct, sys, zlib
i, o = sys.stdin.buffer, sys.stdout.buffer
while head := i.read(4):
    z = i.read(struct.unpack("<I", head)[0])
    d = zlib.decompressobj()
    b = d.decompress(z) + d.flush()
    assert d.eof and not d.unused_data
    o.write(struct.pack("<III", zlib.adler32(b), len(b), len(zlib.compress(b, 4))))
`

// TestZlib lets zlib itself decompress all levels, and compares the sizes of level
// 4, of which level 1 must not be far.
func TestZlib(t *testing.T) {
	python := ""
	for _, name := range []string{os.Getenv("C2S_PYTHON"), "python3"} {
		if name != "" && exec.Command(name, "-c", "import zlib").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python (C2S_PYTHON)")
		}
		t.Skip("no Python (C2S_PYTHON)")
	}
	var e deflate.Encoder
	all := samples()
	names := slices.Sorted(maps.Keys(all))
	var in []byte
	var sizes [][10]int
	for _, name := range names {
		var s [10]int
		for level := range s {
			z := e.AppendZlib(nil, all[name], level)
			s[level] = len(z)
			in = append(binary.LittleEndian.AppendUint32(in, uint32(len(z))), z...)
		}
		sizes = append(sizes, s)
	}
	cmd := exec.Command(python, "-c", script)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil || len(out) != 12*10*len(names) {
		t.Fatalf("%v, %d bytes\n%s", err, len(out), stderr.Bytes())
	}
	for i, name := range names {
		b := all[name]
		for level := range 10 {
			got := out[12*(10*i+level):]
			if sum, n := binary.LittleEndian.Uint32(got), binary.LittleEndian.Uint32(got[4:]); sum != inflate.Adler32(b) || int(n) != len(b) {
				t.Errorf("%s, level %d: zlib finds %d of %d bytes", name, level, n, len(b))
			}
		}
		// Blocks of the fixed code, which this package does not write, would save some
		// tens of bytes of a small slice.
		want := int(binary.LittleEndian.Uint32(out[12*10*i+8:]))
		t.Logf("%s: %d, zlib's 4: %d", name, sizes[i], want)
		// Of pairs of bytes it takes no three, as a match must have.
		slack := 1.02
		if name == "int16" {
			slack = 1.06
		}
		if float64(sizes[i][4]) > slack*float64(want)+60 || float64(sizes[i][1]) > 1.2*float64(want)+60 {
			t.Errorf("%s: %d bytes at level 4, %d at level 1, zlib makes %d", name, sizes[i][4], sizes[i][1], want)
		}
	}
}

// TestLevels: for matrices, each level makes no more than the one below, but for a
// thousandth: to look longer is not always to find what is better.
func TestLevels(t *testing.T) {
	var e deflate.Encoder
	all := samples()
	for _, name := range []string{"float32", "int32", "float64", "int64", "zeros"} {
		last := len(all[name]) + 1000
		for level := range 10 {
			n := len(e.AppendZlib(nil, all[name], level))
			if n > last+last/1000 {
				t.Errorf("%s: level %d makes %d bytes, the one below %d", name, level, n, last)
			}
			last = n
		}
	}
}

// TestMemory: an encoder that has been used makes the same of a slice as a new
// one, and takes no memory when there is room.
func TestMemory(t *testing.T) {
	var used deflate.Encoder
	buf := make([]byte, 0, 1<<20)
	for name, b := range samples() {
		for _, level := range []int{1, 4, 9} {
			want := new(deflate.Encoder).AppendZlib(nil, b, level)
			if got := used.AppendZlib(buf, b, level); !bytes.Equal(got, want) {
				t.Errorf("%s, level %d: %d bytes, %d with a new encoder", name, level, len(got), len(want))
			}
		}
		if n := testing.AllocsPerRun(1, func() { used.AppendZlib(buf, b, 4) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzRoundTrip looks for panics and for what does not come back.
func FuzzRoundTrip(f *testing.F) {
	for _, b := range samples() {
		f.Add(b[:min(len(b), 3000)], 4)
	}
	f.Fuzz(func(t *testing.T, b []byte, level int) {
		var e deflate.Encoder
		var d inflate.Decoder
		z := e.AppendZlib(nil, b, level)
		back := make([]byte, len(b))
		if n, err := d.Zlib(back, z); err != nil || !bytes.Equal(back[:n], b) {
			t.Fatalf("level %d: %d of %d bytes, %v", level, n, len(b), err)
		}
	})
}

// BenchmarkAppendZlib measures levels on a chunk of values and on one of columns,
// in MB/s of what goes in, and says how many percent are left.
func BenchmarkAppendZlib(b *testing.B) {
	all := samples()
	for _, name := range []string{"float32", "int32"} {
		for _, level := range []string{"1", "4", "6", "9"} {
			b.Run(name+"/"+level, func(b *testing.B) {
				var e deflate.Encoder
				var z []byte
				b.SetBytes(int64(len(all[name])))
				for b.Loop() {
					z = e.AppendZlib(z[:0], all[name], int(level[0]-'0'))
				}
				b.ReportMetric(100*float64(len(z))/float64(len(all[name])), "%")
			})
		}
	}
}
