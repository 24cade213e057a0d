package cellsentence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// draw is a kind of value that cells are made of.
type draw struct {
	name string
	next func(r *rand.Rand) float64
}

var draws = []draw{
	{"one value", func(*rand.Rand) float64 { return 1 }},
	{"counts", func(r *rand.Rand) float64 { return math.Ceil(r.ExpFloat64()) }},
	{"counts with zeros", func(r *rand.Rand) float64 { return math.Floor(2 * r.ExpFloat64()) }},
	{"wide counts", func(r *rand.Rand) float64 { return math.Ceil(math.Exp(11 * r.Float64())) }},
	{"logs of counts", func(r *rand.Rand) float64 { return math.Log1p(1e4 / 3571 * math.Ceil(r.ExpFloat64())) }},
	{"continuous", func(r *rand.Rand) float64 { return r.ExpFloat64() }},
	{"half tied", func(r *rand.Rand) float64 { return max(1, 2*r.Float64()) }},
	{"all magnitudes", func(r *rand.Rand) float64 { return math.Exp(80*r.Float64() - 40) }},
}

// TestAgainstNaive runs every kind of value through both ways of ranking: few
// and many different values, short and long cells, narrow and wide matrices, in
// sorted and unsorted rows.
func TestAgainstNaive(t *testing.T) {
	for _, genes := range []int{1, 3, 70, 3000, 1 << 20} {
		names := make([]string, genes)
		for i := range names {
			names[i] = fmt.Sprintf("G%d", i)
		}
		base := mustEncoder(t, names, Config{Seed: 42, Workers: 1})
		for _, d := range draws {
			r := rand.New(rand.NewPCG(1, uint64(genes)))
			var m csr[float64]
			for cell := range 6 {
				n := r.IntN(min(genes, 2500) + 1)
				if genes > 1e6 && cell == 0 {
					n = 5000 // too many for items of place, key and column
				}
				cols := r.Perm(genes)[:n]
				if cell%2 == 0 {
					slices.Sort(cols)
				}
				for _, c := range cols {
					m.put(int32(c), d.next(r))
				}
				m.end()
			}
			name := fmt.Sprintf("%s of %d genes", d.name, genes)
			for _, ties := range []Ties{TiesRandom, TiesPython, TiesIndex} {
				for _, k := range []int{0, 1, 50, 900} {
					e := &Encoder{cfg: base.cfg, words: base.words}
					if e.cfg.Ties = ties; k > 0 {
						e.cfg.TopK = k
					}
					check(t, name, e, &m)
					if genes <= 3000 {
						check(t, name+" as float32", e, convert[float32](&m))
						check(t, name+" as uint16", e, convert[uint16](&m))
						check(t, name+" as int64", e, convert[int64](&m))
					}
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

func convert[T h5ad.Number](m *csr[float64]) *csr[T] {
	out := &csr[T]{ptr: m.ptr, cols: m.cols}
	var top T
	isFloat := any(top) == any(float32(0))
	for _, v := range m.vals {
		if !isFloat {
			v = min(v, 60000) // else the conversion is not defined
		}
		out.vals = append(out.vals, T(v))
	}
	return out
}

func check[T h5ad.Number](t *testing.T, name string, e *Encoder, m *csr[T]) {
	t.Helper()
	want := naive(e, m.batch(), m.vals)
	for i, got := range encodeAll(t, e, m.batch(), 4) {
		if got != want[i] {
			t.Errorf("%s, %v ties, top %d, cell %d:\n got %.300s\nwant %.300s", name, e.cfg.Ties, e.cfg.TopK, i, got, want[i])
			return
		}
	}
}

// Integers beyond 2^53 are apart although their float64 are not.
func TestLargeIntegers(t *testing.T) {
	e := mustEncoder(t, []string{"a", "b", "c"}, Config{Ties: TiesIndex})
	const big = 1 << 53
	for _, m := range []h5ad.Batch{
		dense([]int64{big, big + 1, big + 2}),
		dense([]uint64{big, big + 1, math.MaxUint64}),
	} {
		if got := encodeAll(t, e, m, 0)[0]; got != "C B A" {
			t.Errorf("%T: got %q, want C B A", m.Values, got)
		}
	}
}

func TestEveryNumberType(t *testing.T) {
	e := mustEncoder(t, []string{"a", "b", "c"}, Config{})
	for _, m := range []h5ad.Batch{
		dense([]int8{1, 0, 2}), dense([]int16{1, 0, 2}), dense([]int32{1, 0, 2}), dense([]int64{1, 0, 2}),
		dense([]uint8{1, 0, 2}), dense([]uint16{1, 0, 2}), dense([]uint32{1, 0, 2}), dense([]uint64{1, 0, 2}),
		dense([]float32{1, 0, 2}), dense([]float64{1, 0, 2}),
	} {
		if got := encodeAll(t, e, m, 0); !slices.Equal(got, []string{"C A"}) {
			t.Errorf("%T: got %q, want C A", m.Values, got)
		}
	}
}

// Values chosen to fall on one slot of the hash table must not be lost, nor take
// more than a bounded search each.
func TestCollidingKeys(t *testing.T) {
	const n = 300
	var m csr[uint64]
	for key := uint64(1); len(m.vals) < n; key++ {
		if key*golden>>(64-tableBits) == 5 {
			m.put(int32(len(m.vals)), key)
		}
	}
	m.end()
	genes := make([]string, n)
	for i := range genes {
		genes[i] = fmt.Sprintf("G%d", i)
	}
	var table groupTable
	if table.assign(m.vals, make([]uint16, n)) {
		t.Error("the table took keys beyond its bound on probes")
	}
	for _, k := range []int{0, 10} {
		check(t, "colliding keys", mustEncoder(t, genes, Config{Ties: TiesRandom, TopK: k}), &m)
	}
}

// FuzzEncode compares the encoder with the naive one on matrices made of the
// input: two bytes set the options, each further pair of bytes is a stored value
// or the end of a cell.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 2, 2, 3, 1, 255, 0, 9, 9, 7, 9})
	f.Add([]byte{1, 3, 1, 2, 2, 0, 3, 1, 255, 0, 9, 9, 7, 9, 8, 9, 255, 255})
	f.Add([]byte{2, 2, 200, 200, 100, 200, 3, 128})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 2 {
			return
		}
		const genes = 120
		names := make([]string, genes)
		for i := range names {
			names[i] = fmt.Sprintf("g%d", i%100) // the last twenty collide
		}
		cfg := Config{
			Ties: Ties(in[0] % 3), TopK: int(in[1] % 8), Seed: uint64(in[0]), Collisions: CollisionsFirst + Collisions(in[0]>>2&1),
			Workers: 1 + int(in[1]>>6), Exclude: make([]bool, genes),
		}
		cfg.Exclude[in[0]%genes] = in[1]&8 != 0
		var m csr[float64]
		seen := map[int32]bool{}
		bad := false
		for p := 2; p+1 < len(in); p += 2 {
			c, v := int32(in[p]), float64(in[p+1])
			if c >= genes || seen[c] {
				clear(seen)
				m.end()
				continue
			}
			seen[c] = true
			if in[1]&16 != 0 {
				v = math.Sqrt(v) * float64(1+p)
			}
			if in[p+1] == 200 {
				v = -v
				bad = bad || !cfg.Exclude[c]
			}
			m.put(c, v)
		}
		m.end()
		e := mustEncoder(t, names, cfg)
		got, err := tryEncode(e, m.batch(), 1+int(in[0]>>4))
		if bad != (err != nil) {
			t.Fatalf("error %v, but a negative value: %v", err, bad)
		}
		if want := naive(e, m.batch(), m.vals); !bad && !slices.Equal(got, want) {
			t.Fatalf("%+v\n got %q\nwant %q", cfg, got, want)
		}
	})
}
