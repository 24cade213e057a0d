package hdf5

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

func chunkLike(seed uint64, n, symbols int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(symbols))
		if i > 100 && r.IntN(3) == 0 {
			b[i] = b[i-97]
		}
	}
	return b
}

// TestEncoderForgets compresses one chunk after different others: what an
// encoder did before must not show, or files would depend on the workers.
func TestEncoderForgets(t *testing.T) {
	pipelines := []filter.Pipeline{{LZF()}, {Zstd(1)}, {Zstd(3)}, {Zstd(9)}, {Zstd(19)}}
	for level := range 10 {
		pipelines = append(pipelines, filter.Pipeline{Deflate(level)})
	}
	const n = 150000
	chunk := chunkLike(1, n, 16)
	for _, p := range pipelines {
		out, _, err := new(wEncoder).encode(p, chunk)
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Clone(out)
		used := new(wEncoder)
		for i := range 6 {
			// Others of all sizes, and the chunk itself, whole or in part.
			other := chunkLike(uint64(i), 1+i*30011, 8+i)
			if i%3 == 2 {
				other = chunk[:n-i]
			}
			if _, _, err := used.encode(p, other); err != nil {
				t.Fatal(err)
			}
			if out, _, err = used.encode(p, chunk); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out, want) {
				t.Errorf("%s %d: the bytes differ after %d other chunks", p[0].Name, p[0].Client, i+1)
				break
			}
		}
	}
}

// TestEncodersRoundTrip lets the decoders undo what the encoders do, from the
// empty chunk on.
func TestEncodersRoundTrip(t *testing.T) {
	var sizes []int
	for n := range 70 {
		sizes = append(sizes, n)
	}
	sizes = append(sizes, 255, 256, 257, 263, 264, 265, 8191, 8192, 8193, 8194, 65536, 100003)
	e, d := new(wEncoder), new(filter.Decoder)
	for _, n := range sizes {
		for _, symbols := range []int{1, 2, 30, 256} {
			src := chunkLike(uint64(n), n, symbols)
			for _, p := range []filter.Pipeline{
				{LZF()}, {Shuffle()}, {Fletcher32()}, {Deflate(1)}, {Deflate(6)}, {Shuffle(), LZF(), Fletcher32()}, {Shuffle(), Deflate(4), Fletcher32()},
			} {
				p = wSettle(p, 1+n%9, uint64(n))
				out, mask, err := e.encode(p, src)
				if err != nil {
					t.Fatal(err)
				}
				back := make([]byte, n)
				if err := d.Decode(p, mask, out, back); err != nil {
					t.Fatalf("%d bytes of %d symbols, %v: %v", n, symbols, p, err)
				}
				if !bytes.Equal(back, src) {
					t.Fatalf("%d bytes of %d symbols, %v: other bytes came back", n, symbols, p)
				}
				if p[0].ID == filter.LZF && n > 1000 && symbols == 1 && len(out) > n/50 {
					t.Errorf("lzf makes %d bytes of %d equal ones", len(out), n)
				}
			}
		}
	}
}

// BenchmarkFilters is the speed of the filters that are not deflate or zstd.
func BenchmarkFilters(b *testing.B) {
	src := chunkLike(1, 1<<18, 40)
	for _, p := range []filter.Pipeline{{LZF()}, {Shuffle()}, {Fletcher32()}} {
		b.Run(p[0].Name, func(b *testing.B) {
			p = wSettle(p, 4, 1<<18)
			e := new(wEncoder)
			b.SetBytes(1 << 18)
			for b.Loop() {
				if _, _, err := e.encode(p, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
