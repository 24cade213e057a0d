package cellsentence

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// The tables of the reference package's own unit tests, and the sentences that
// they expect (cell2sentence, commit a6efaf0).
func TestUpstreamTables(t *testing.T) {
	for _, tc := range []struct {
		file string
		want []string
	}{
		{"c2s_small_data.csv", []string{"G3", "G1 G3", "G2", "G1 G2", "G1 G2 G3"}},
		{"c2s_small_data_diffgenes.csv", []string{"G3 G4", "G1 G3 G4", "G2", "G2 G1", "G1 G2 G3 G4"}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			genes, m := readTable(t, openShared(t, "data/golden/"+tc.file))
			e := mustEncoder(t, genes, Config{Ties: TiesPython, Seed: DefaultSeed})
			if got := encodeAll(t, e, m, 2); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			v, err := CountVocabulary(t.Context(), genes, NewSliceSource(m, 2), Config{})
			if err != nil {
				t.Fatal(err)
			}
			for word, n := range v.All() {
				if n != 3 {
					t.Errorf("%s is counted in %d cells, want 3", word, n)
				}
			}
			if v.Len() != len(genes) {
				t.Errorf("%d words, want %d", v.Len(), len(genes))
			}
		})
	}
}

// readTable reads a CSV of genes by cells.
func readTable(t *testing.T, f io.Reader) (genes []string, m h5ad.Batch) {
	t.Helper()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cells := make([][]int64, len(rows[0])-1)
	for _, row := range rows[1:] {
		genes = append(genes, row[0])
		for i, s := range row[1:] {
			v, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			cells[i] = append(cells[i], v)
		}
	}
	return genes, dense(cells...)
}

// The sentences of the default rule are a promise: another version of this
// package must not order ties otherwise. The expected ones were
// computed by a Python program from the documented rule.
func TestRandomTiesStayTheSame(t *testing.T) {
	genes := strings.Fields("a b c d e f g h i j")
	e := mustEncoder(t, genes, Config{Seed: DefaultSeed})
	one := []float32{1, 1, 1, 2, 1, 1, 1, 2, 1, 1}
	want := []string{
		"H D C I J A G F E B",
		"H D F A E I C J G B",
		"H D F E I B A G C J",
	}
	if got := encodeAll(t, e, dense(one, one, one), 0); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sample is a matrix of unsorted cells of counts, some of them empty.
func sample(cells, genes int) (names []string, m csr[float32]) {
	r := rand.New(rand.NewPCG(3, 9))
	for i := range genes {
		names = append(names, fmt.Sprintf("gene%d", i))
	}
	for i := range cells {
		n := r.IntN(genes / 2)
		if i%17 == 5 {
			n = 0
		}
		for _, c := range r.Perm(genes)[:n] {
			m.put(int32(c), float32(math.Ceil(r.ExpFloat64())))
		}
		m.end()
	}
	return names, m
}

func TestSameBytesAtAnyParallelism(t *testing.T) {
	names, m := sample(300, 200)
	for _, ties := range []Ties{TiesRandom, TiesPython, TiesIndex} {
		var want []string
		for _, workers := range []int{1, 2, 5, 16} {
			for _, cells := range []int{1, 7, 64, 1000} {
				e := mustEncoder(t, names, Config{Ties: ties, TopK: 30, Seed: 42, Workers: workers})
				got := encodeAll(t, e, m.batch(), cells)
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%v ties: %d workers and batches of %d cells change the sentences", ties, workers, cells)
				}
			}
		}
	}
}

// Under random ties a cell's sentence depends on its row, not on what is
// encoded with it, nor on how its values are stored.
func TestRandomTiesDependOnRowOnly(t *testing.T) {
	names, m := sample(60, 200)
	e := mustEncoder(t, names, Config{Seed: 7})
	all := encodeAll(t, e, m.batch(), 10)
	lo := m.ptr[40]
	part := h5ad.Batch{Start: 40, Indices: m.cols[lo:], Values: m.vals[lo:]}
	for _, p := range m.ptr[40:] {
		part.Indptr = append(part.Indptr, p-lo)
	}
	if got := encodeAll(t, e, part, 3); !slices.Equal(got, all[40:]) {
		t.Error("rows 40 to 59 alone have other sentences than in the whole")
	}
	sorted := csr[float32]{}
	for i := range 60 {
		lo, hi := m.ptr[i], m.ptr[i+1]
		byCol := map[int32]float32{}
		for k := lo; k < hi; k++ {
			byCol[m.cols[k]] = m.vals[k]
		}
		cols := slices.Sorted(slices.Values(m.cols[lo:hi]))
		for _, c := range cols {
			sorted.put(c, byCol[c])
		}
		sorted.end()
	}
	if got := encodeAll(t, e, sorted.batch(), 10); !slices.Equal(got, all) {
		t.Error("cells stored in order of columns have other sentences than unsorted ones")
	}
	if got := encodeAll(t, mustEncoder(t, names, Config{Seed: 8}), m.batch(), 10); slices.Equal(got, all) {
		t.Error("another seed gives the same sentences")
	}
}

func TestSentencesFall(t *testing.T) {
	names, m := sample(100, 300)
	value := map[string]map[int]float32{}
	for i := range 100 {
		for k := m.ptr[i]; k < m.ptr[i+1]; k++ {
			w := strings.ToUpper(names[m.cols[k]])
			if value[w] == nil {
				value[w] = map[int]float32{}
			}
			value[w][i] = m.vals[k]
		}
	}
	for _, ties := range []Ties{TiesRandom, TiesPython, TiesIndex} {
		e := mustEncoder(t, names, Config{Ties: ties})
		for i, s := range encodeAll(t, e, m.batch(), 9) {
			words := strings.Fields(s)
			if len(words) != int(m.ptr[i+1]-m.ptr[i]) {
				t.Fatalf("%v ties, cell %d: %d words for %d values", ties, i, len(words), m.ptr[i+1]-m.ptr[i])
			}
			for k := 1; k < len(words); k++ {
				if value[words[k]][i] > value[words[k-1]][i] {
					t.Fatalf("%v ties, cell %d: %s stands behind %s", ties, i, words[k], words[k-1])
				}
			}
		}
	}
}

// Stored zeros take part in the draws of the reference package. Expected: NumPy
// 1.24.2, seed(42), permutation(5) = [1 4 2 0 3], permutation(3) = [1 2 0], then a
// stable sort by falling value, zeros left out.
func TestPythonTiesDrawForZeros(t *testing.T) {
	m := csr[float32]{}
	for c, v := range []float32{1, 0, 1, 1, 0} {
		m.put(int32(c), v)
	}
	m.end()
	for c := range 3 {
		m.put(int32(c), 1)
	}
	m.end()
	e := mustEncoder(t, strings.Fields("a b c d e"), Config{Ties: TiesPython, Seed: 42})
	want := []string{"C A D", "B C A"}
	if got := encodeAll(t, e, m.batch(), 0); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w := e.Warnings()
	if len(w) != 1 || !strings.Contains(w[0], "2 values stored as zero") || !strings.Contains(w[0], "Python package") {
		t.Errorf("warnings %q", w)
	}
}

func TestPythonTiesFromTheMiddle(t *testing.T) {
	names, m := sample(50, 100)
	cfg := Config{Ties: TiesPython, Seed: 42}
	cfg.Exclude = make([]bool, 100)
	cfg.Exclude[3], cfg.Exclude[77] = true, true
	all := encodeAll(t, mustEncoder(t, names, cfg), m.batch(), 8)
	lo := m.ptr[30]
	part := h5ad.Batch{Start: 30, Indices: m.cols[lo:], Values: m.vals[lo:]}
	for _, p := range m.ptr[30:] {
		part.Indptr = append(part.Indptr, p-lo)
	}
	_, err := tryEncode(mustEncoder(t, names, cfg), part, 8)
	if err == nil || !strings.Contains(err.Error(), "starts at row 30, not 0") {
		t.Errorf("without the cells before: error %v", err)
	}
	cfg.Before = func(yield func(int) bool) {
		for i := range 30 {
			n := 0
			for _, c := range m.cols[m.ptr[i]:m.ptr[i+1]] {
				if !cfg.Exclude[c] {
					n++
				}
			}
			if !yield(n) {
				return
			}
		}
	}
	if got := encodeAll(t, mustEncoder(t, names, cfg), part, 8); !slices.Equal(got, all[30:]) {
		t.Error("rows 30 to 49 with the draws of those before have other sentences than in the whole")
	}
	cfg.Before = slices.Values([]int{101})
	if _, err = tryEncode(mustEncoder(t, names, cfg), part, 8); err == nil || !strings.Contains(err.Error(), "101 stored values, of 100 genes") {
		t.Errorf("impossible number of values: error %v", err)
	}
}

func TestBadValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tc := range []struct {
		name string
		v    float64
		want error
		text string
	}{
		{"negative", -0.25, &ScaledError{Row: 5, Column: 1, Gene: "abc", Value: -0.25}, `row 5, gene "abc": negative value -0.25: the matrix looks scaled`},
		{"infinite", inf, &NonFiniteError{Row: 5, Column: 1, Gene: "abc", Value: inf}, `row 5, gene "abc": the value is +Inf`},
		{"negative infinite", -inf, &NonFiniteError{Row: 5, Column: 1, Gene: "abc", Value: -inf}, "-Inf"},
		{"not a number", nan, &NonFiniteError{Row: 5, Column: 1, Gene: "abc"}, "NaN"},
		{"negative zero", math.Copysign(0, -1), nil, ""},
	} {
		for _, ties := range []Ties{TiesRandom, TiesPython} {
			m := csr[float64]{}
			for range 9 {
				m.put(0, 1)
				m.put(2, 1)
				m.end()
			}
			m.vals[11], m.cols[11] = tc.v, 1 // row 5
			e := mustEncoder(t, []string{"x", "abc", "y"}, Config{Ties: ties})
			got, err := tryEncode(e, m.batch(), 2)
			if tc.want == nil {
				if err != nil || got[5] != "X" || e.Stats().Zeros != 1 {
					t.Errorf("%s: sentence %q, error %v, %d zeros", tc.name, got[5], err, e.Stats().Zeros)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), tc.text) || !strings.Contains(err.Error(), "--layer") {
				t.Errorf("%s: error %v", tc.name, err)
			}
			var s *ScaledError
			var n *NonFiniteError
			switch {
			case errors.As(err, &s):
				if *s != *tc.want.(*ScaledError) {
					t.Errorf("%s: got %+v", tc.name, *s)
				}
			case errors.As(err, &n):
				if w := tc.want.(*NonFiniteError); n.Row != w.Row || n.Column != w.Column || n.Gene != w.Gene {
					t.Errorf("%s: got %+v", tc.name, *n)
				}
			default:
				t.Errorf("%s: error %T", tc.name, err)
			}
			if len(got) != 4 { // the two batches before
				t.Errorf("%s: %d sentences before the error, want 4", tc.name, len(got))
			}
		}
	}
}

func TestDamagedBatches(t *testing.T) {
	ok := []float32{1, 2, 3}
	for _, tc := range []struct {
		name string
		m    h5ad.Batch
		text string
	}{
		{"column beyond the genes", h5ad.Batch{Indptr: []int64{0, 3}, Indices: []int32{0, 1, 3}, Values: ok}, "column 3 of a matrix of 3 genes"},
		{"negative column", h5ad.Batch{Indptr: []int64{0, 3}, Indices: []int32{0, 1, -1}, Values: ok}, "column -1"},
		{"more values than genes", h5ad.Batch{Indptr: []int64{0, 4}, Indices: []int32{0, 1, 2, 2}, Values: []int8{1, 1, 1, 1}}, "4 stored values"},
		{"falling indptr", h5ad.Batch{Indptr: []int64{0, 2, 1}, Indices: []int32{0, 1, 2}, Values: ok}, "indptr"},
		{"indptr beyond the values", h5ad.Batch{Indptr: []int64{0, 4}, Indices: []int32{0, 1, 2, 0}, Values: ok}, "indptr"},
		{"indptr not from 0", h5ad.Batch{Indptr: []int64{1, 2}, Indices: []int32{0, 1, 2}, Values: ok}, "indptr"},
		{"strange values", h5ad.Batch{Indptr: []int64{0, 1}, Indices: []int32{0}, Values: []string{"1"}}, "[]string"},
		{"no values", h5ad.Batch{Indptr: []int64{0, 0}}, "values"},
		{"negative row", h5ad.Batch{Start: -1, Indptr: []int64{0, 3}, Indices: []int32{0, 1, 2}, Values: ok}, "row -1"},
	} {
		for _, ties := range []Ties{TiesRandom, TiesPython} {
			e := mustEncoder(t, []string{"a", "b", "c"}, Config{Ties: ties})
			var err error
			for _, err = range e.Encode(t.Context(), &once{m: tc.m}) {
			}
			if err == nil || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%s, %v ties: error %v", tc.name, ties, err)
			}
			if _, err := CountVocabulary(t.Context(), []string{"a", "b", "c"}, &once{m: tc.m}, Config{}); err == nil && tc.name != "more values than genes" {
				t.Errorf("%s: the vocabulary was counted", tc.name)
			}
		}
	}
}

func TestSentencesOfABatch(t *testing.T) {
	m := dense([]float32{0, 2, 1}, []float32{0, 0, 0}, []float32{3, 0.5, 1})
	m.Start = 10
	e := mustEncoder(t, []string{"a", "b", "c"}, Config{TopK: 2, Delimiter: ", "})
	for s, err := range e.Encode(t.Context(), NewSliceSource(m, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Start != 10 || s.Len() != 3 || string(s.Text) != "B, CA, C" {
			t.Errorf("start %d, %d cells, text %q", s.Start, s.Len(), s.Text)
		}
		if !slices.Equal(s.NGenes, []int32{2, 0, 3}) || !slices.Equal(s.Total, []float64{3, 0, 4.5}) {
			t.Errorf("genes %v, totals %v", s.NGenes, s.Total)
		}
		if string(s.At(0)) != "B, C" || string(s.At(1)) != "" || string(s.At(2)) != "A, C" {
			t.Errorf("sentences %q, %q, %q", s.At(0), s.At(1), s.At(2))
		}
	}
	want := Stats{Cells: 3, EmptyCells: 1, CutCells: 1, Values: 5, Words: 4, Bytes: 8}
	if got := e.Stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	if w := e.Warnings(); len(w) != 1 || !strings.Contains(w[0], "1 cell without an expressed gene") {
		t.Errorf("warnings %q", w)
	}
}

// Names of every length around that of the fast path, and one far beyond.
func TestWordLengths(t *testing.T) {
	var genes []string
	for n := 1; n <= 40; n++ {
		genes = append(genes, strings.Repeat(string(rune('a'+n%26)), n))
	}
	genes = append(genes, strings.Repeat("z", maxName))
	row := make([]int32, len(genes))
	for i := range row {
		row[i] = int32(len(row) - i)
	}
	want := strings.ToUpper(strings.Join(genes, " "))
	if got := encodeAll(t, mustEncoder(t, genes, Config{}), dense(row), 0)[0]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		text string
	}{
		{Config{TopK: -1}, "top-k is -1"},
		{Config{Workers: -1}, "-1 workers"},
		{Config{Ties: 7}, "rule for ties 7"},
		{Config{Ties: TiesPython, Seed: 1 << 32}, "seed 4294967296"},
		{Config{Delimiter: "\n"}, "line break"},
		{Config{Delimiter: "\xff"}, "UTF-8"},
		{Config{Exclude: []bool{true}}, "mask of excluded genes has 1 entries"},
	} {
		if _, err := NewEncoder([]string{"a", "b"}, tc.cfg); err == nil || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%+v: error %v", tc.cfg, err)
		}
	}
	if got := encodeAll(t, mustEncoder(t, nil, Config{}), h5ad.Batch{Indptr: []int64{0, 0}, Values: []int8{}}, 0); !slices.Equal(got, []string{""}) {
		t.Errorf("a matrix without genes: %q", got)
	}
	if got := encodeAll(t, mustEncoder(t, []string{"aBc"}, Config{KeepCase: true}), dense([]int8{1}), 0); got[0] != "aBc" {
		t.Errorf("KeepCase: %q", got)
	}
}

func TestExclude(t *testing.T) {
	// Column 1 would be an error by its name and by its value.
	m := dense([]float64{1, -3, 2}, []float64{0, math.NaN(), 0})
	e := mustEncoder(t, []string{"a", "", "c"}, Config{Exclude: []bool{false, true, false}})
	if got := encodeAll(t, e, m, 0); !slices.Equal(got, []string{"C A", ""}) {
		t.Errorf("got %q", got)
	}
	if s := e.Stats(); s.Values != 4 || s.Zeros != 0 || s.EmptyCells != 1 {
		t.Errorf("stats %+v", s)
	}
}
