package cellsentence

import (
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// passing gives cells of 50 of 200 genes without keeping any.
type passing struct {
	cells, next int
	rng         *rand.Rand
}

func (e *passing) Next(_ context.Context, b *h5ad.Batch) error {
	n := min(100, e.cells-e.next)
	if n == 0 {
		return io.EOF
	}
	b.Start = e.next
	e.next += n
	b.Indptr, b.Indices = append(b.Indptr[:0], 0), b.Indices[:0]
	v, _ := b.Values.([]float32)
	v = v[:0]
	for range n {
		for g := range int32(50) {
			b.Indices = append(b.Indices, g*4)
			v = append(v, 1+3*e.rng.Float32()/float32(1+g))
		}
		b.Indptr = append(b.Indptr, int64(len(v)))
	}
	b.Values = v
	return nil
}

// allocated is how many bytes f allocates, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestMemoryIsBounded measures and decodes ten times the cells, which may take no
// more memory.
func TestMemoryIsBounded(t *testing.T) {
	genes := make([]string, 200)
	for i := range genes {
		genes[i] = string(rune('A'+i/26)) + string(rune('A'+i%26))
	}
	var model *RankModel
	measure := func(cells int) uint64 {
		return allocated(func() {
			f, err := MeasureFidelity(context.Background(), genes, func(context.Context) (Source, error) {
				return &passing{cells: cells, rng: rand.New(rand.NewPCG(1, 1))}, nil
			}, FidelityConfig{Resamples: 20, Points: 1000})
			if err != nil {
				t.Fatal(err)
			}
			model = f.Model
		})
	}
	few, many := measure(1000), measure(10_000)
	if many > few+few/4 { // the points of the plots grow by chance
		t.Errorf("fidelity of 1,000 cells takes %d bytes, of 10,000 %d", few, many)
	}
	decode := func(cells int) uint64 {
		return allocated(func() {
			enc := mustEncoder(t, genes, Config{Workers: 1})
			d, err := NewDecoder(enc.Words(), DecoderConfig{Model: model, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			for _, err := range d.Decode(ctx, enc.Encode(ctx, &passing{cells: cells, rng: rand.New(rand.NewPCG(1, 1))})) {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	few, many = decode(1000), decode(10_000)
	if many > few+100_000 { // two goroutines a batch
		t.Errorf("decoding 1,000 cells takes %d bytes, 10,000 %d", few, many)
	}
}
