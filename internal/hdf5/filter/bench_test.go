package filter_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// matrix is a chunk of an expression matrix as h5py cuts it: log-normalised
// float32 values, or rising int32 columns.
func matrix(indices bool) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	var b []byte
	scale, col := 3.0, uint32(0)
	for i := range 19_533 {
		if i%2000 == 0 {
			scale, col = 2+2*r.Float64(), 0
		}
		col += 1 + uint32(r.ExpFloat64()*9)
		v := col
		if !indices {
			v = math.Float32bits(float32(math.Log1p(scale * (1 + math.Floor(r.ExpFloat64()*0.8)))))
		}
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return b
}

// BenchmarkDecode measures pipelines, in decoded MB/s.
func BenchmarkDecode(b *testing.B) {
	shuffle := func(size uint32) filter.Spec { return filter.Spec{ID: filter.Shuffle, Client: []uint32{size}} }
	for _, tc := range []struct {
		name string
		p    filter.Pipeline
	}{
		{"shuffle2", filter.Pipeline{shuffle(2)}},
		{"shuffle4", filter.Pipeline{shuffle(4)}},
		{"shuffle8", filter.Pipeline{shuffle(8)}},
		{"fletcher32", filter.Pipeline{{ID: filter.Fletcher32}}},
		{"lzf", filter.Pipeline{{ID: filter.LZF}}},
		{"gzip", filter.Pipeline{{ID: filter.Deflate}}},
		{"gzip+shuffle4", filter.Pipeline{shuffle(4), {ID: filter.Deflate}}},
	} {
		for _, indices := range []bool{false, true} {
			data, name := matrix(indices), tc.name+"/data"
			if indices {
				name = tc.name + "/indices"
			}
			src, mask := encode(b, tc.p, data)
			dst := make([]byte, len(data))
			b.Run(name, func(b *testing.B) {
				var d filter.Decoder
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if err := d.Decode(tc.p, mask, src, dst); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkEncode measures what a writer uses, in MB/s of the chunk.
func BenchmarkEncode(b *testing.B) {
	data := matrix(false)
	var buf []byte
	var lzf filter.LZFEncoder
	for name, f := range map[string]func(){
		"shuffle4":   func() { buf = filter.AppendShuffled(buf[:0], data, 4) },
		"fletcher32": func() { buf = filter.AppendFletcher32(buf[:0], data) },
		"lzf":        func() { buf, _ = lzf.Append(buf[:0], data) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				f()
			}
		})
	}
}
