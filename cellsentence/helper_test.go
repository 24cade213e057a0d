package cellsentence

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/mt19937"
)

// csr builds a matrix cell by cell.
type csr[T h5ad.Number] struct {
	ptr  []int64
	cols []int32
	vals []T
}

func (m *csr[T]) put(c int32, v T) { m.cols, m.vals = append(m.cols, c), append(m.vals, v) }

func (m *csr[T]) end() {
	if m.ptr == nil {
		m.ptr = []int64{0}
	}
	m.ptr = append(m.ptr, int64(len(m.cols)))
}

func (m *csr[T]) batch() h5ad.Batch {
	return h5ad.Batch{Indptr: m.ptr, Indices: m.cols, Values: m.vals}
}

// dense makes a matrix of the non-zero values of rows.
func dense[T h5ad.Number](rows ...[]T) h5ad.Batch {
	m := csr[T]{ptr: []int64{0}}
	for _, row := range rows {
		for c, v := range row {
			if v != 0 {
				m.put(int32(c), v)
			}
		}
		m.end()
	}
	return m.batch()
}

// encodeAll returns the sentences of m, read in batches of some cells.
func encodeAll(t testing.TB, e *Encoder, m h5ad.Batch, cells int) []string {
	t.Helper()
	out, err := tryEncode(e, m, cells)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryEncode(e *Encoder, m h5ad.Batch, cells int) ([]string, error) {
	var out []string
	for s, err := range e.Encode(context.Background(), NewSliceSource(m, cells)) {
		if err != nil {
			return out, err
		}
		for i := range s.Len() {
			out = append(out, string(s.At(i)))
		}
	}
	return out, nil
}

func mustEncoder(t testing.TB, genes []string, cfg Config) *Encoder {
	t.Helper()
	e, err := NewEncoder(genes, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// naive is the encoder written as plainly as possible: a stable sort of each
// cell.
func naive[T h5ad.Number](e *Encoder, b h5ad.Batch, vals []T) []string {
	type entry struct {
		col int32
		val T
	}
	stream := mt19937.New(uint32(e.cfg.Seed))
	var out []string
	for i := range b.NObs() {
		var cell []entry
		for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
			if e.cfg.Exclude == nil || !e.cfg.Exclude[b.Indices[k]] {
				cell = append(cell, entry{b.Indices[k], vals[k]})
			}
		}
		key := func(col int32) uint64 {
			// Read the stream of the row word by word up to the column.
			state := mix64(mix64(e.cfg.Seed+golden) ^ mix64(uint64(b.Start+i)*golden+mixA))
			state += golden * uint64(col)
			state += golden
			return mix64(state) >> 32
		}
		switch e.cfg.Ties {
		case TiesRandom:
			sort.Slice(cell, func(x, y int) bool {
				if kx, ky := key(cell[x].col), key(cell[y].col); kx != ky {
					return kx < ky
				}
				return cell[x].col < cell[y].col
			})
		case TiesIndex:
			sort.Slice(cell, func(x, y int) bool { return cell[x].col < cell[y].col })
		case TiesPython:
			for k := len(cell) - 1; k > 0; k-- {
				j := stream.Interval(uint32(k))
				cell[k], cell[j] = cell[j], cell[k]
			}
		}
		sort.SliceStable(cell, func(x, y int) bool { return cell[x].val > cell[y].val })
		var words []string
		for _, c := range cell {
			if w := e.Words()[c.col]; c.val > 0 && w != "" && len(words) < e.cfg.TopK {
				words = append(words, w)
			}
		}
		out = append(out, strings.Join(words, e.cfg.delimiter()))
	}
	return out
}

// sharedFile is the path of a file of the shared data.
func sharedFile(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("shared data: %v", err)
		}
		t.Skipf("shared data are not here (set C2S_SHARED to their folder): %v", err)
	}
	return path
}

func openShared(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(sharedFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
