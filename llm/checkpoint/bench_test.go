package checkpoint

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkImport converts the checkpoint that C2S_BENCH_CHECKPOINT names;
// bench/import.sh makes one of 5 GB and measures the memory from outside.
func BenchmarkImport(b *testing.B) {
	from := os.Getenv("C2S_BENCH_CHECKPOINT")
	if from == "" {
		b.Skip("C2S_BENCH_CHECKPOINT is not set")
	}
	for _, typ := range []string{"", "F16", "Q8_0"} {
		b.Run("type="+typ, func(b *testing.B) {
			for b.Loop() {
				to := filepath.Join(filepath.Dir(from), "out.gguf")
				if _, err := Import(b.Context(), from, to, Options{Type: typ, Force: true}); err != nil {
					b.Fatal(err)
				}
				m, err := Open(from)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(2 * m.Parameters) // BF16
				m.Close()
			}
		})
	}
}
