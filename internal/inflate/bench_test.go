package inflate_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"github.com/cellsentence/c2s/internal/inflate"
)

// BenchmarkZlib compares decoders on chunks of the size that h5py chooses for a
// matrix of 40 million values, compressed at gzip level 4, in decoded MB/s.
func BenchmarkZlib(b *testing.B) {
	const chunk, chunks = 4 * 19_533, 16
	floats, indices := matrix(rand.New(rand.NewPCG(5, 6)), chunks*chunk/4)
	for _, tc := range []struct {
		name string
		data []byte
	}{{"data", floats}, {"indices", indices}} {
		var z [][]byte
		for i := range chunks {
			z = append(z, compress(b, tc.data[i*chunk:(i+1)*chunk], 4, false))
		}
		dst := make([]byte, chunk)
		run := func(name string, decode func(z []byte) error) {
			b.Run(tc.name+"/"+name, func(b *testing.B) {
				b.SetBytes(chunks * chunk)
				b.ReportAllocs()
				for b.Loop() {
					for _, z := range z {
						if err := decode(z); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
		var d inflate.Decoder
		run("c2s", func(z []byte) error {
			_, err := d.Zlib(dst, z)
			return err
		})
		read := func(r io.ReadCloser, err error) func(z []byte) error {
			if err != nil {
				b.Fatal(err)
			}
			return func(z []byte) error {
				err := r.(zlib.Resetter).Reset(bytes.NewReader(z), nil)
				if err == nil {
					_, err = io.ReadFull(r, dst)
				}
				return err
			}
		}
		run("stdlib", read(zlib.NewReader(bytes.NewReader(z[0]))))
		run("klauspost", read(kzlib.NewReader(bytes.NewReader(z[0]))))
	}
}

// BenchmarkAdler32 is the part of the checksum.
func BenchmarkAdler32(b *testing.B) {
	floats, _ := matrix(rand.New(rand.NewPCG(5, 6)), 19_533)
	b.SetBytes(int64(len(floats)))
	for b.Loop() {
		inflate.Adler32(floats)
	}
}
