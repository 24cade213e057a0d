package deflate_test

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/cellsentence/c2s/internal/deflate"
	"github.com/cellsentence/c2s/internal/inflate"
)

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec) + float64(r.Utime.Usec)/1e6
}

func TestTry(t *testing.T) {
	var e deflate.Encoder
	var d inflate.Decoder
	for _, n := range []string{"data", "indices", "densecounts", "denselog", "pca", "codes"} {
		b, _ := os.ReadFile("/tmp/filters-bench/" + n + ".bin")
		b = b[:min(len(b), 20<<20)]
		for _, l := range []int{1,2,3,4,5,6,7,8,9} {
			tot := 0
			sec := 0.
			for i := 0; i < len(b); i += 262144 {
				c := b[i:min(len(b), i+262144)]
				t0 := cpu()
				z := e.AppendZlib(nil, c, l)
				sec += cpu() - t0
				tot += len(z)
				back := make([]byte, len(c))
				if k, err := d.Zlib(back, z); err != nil || k != len(c) || !bytes.Equal(back, c) {
					t.Fatal(n, l, i, err)
				}
			}
			t.Logf("%s %d: %.4f %.0f MB/s", n, l, float64(tot)/float64(len(b)), float64(len(b))/1e6/sec)
		}
	}
	_ = time.Now
}
