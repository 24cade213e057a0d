package cellsentence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

// batches yields sentences some at a time.
func batches(sentences []string, cells int) iter.Seq2[*cellsentence.Sentences, error] {
	return func(yield func(*cellsentence.Sentences, error) bool) {
		for at := 0; at < len(sentences); at += cells {
			s := &cellsentence.Sentences{Start: at}
			for _, text := range sentences[at:min(at+cells, len(sentences))] {
				s.Text = append(s.Text, text...)
				s.Ends = append(s.Ends, len(s.Text))
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// decode returns the expression of sentences, cell by cell, as column → value.
func decode(t testing.TB, d *cellsentence.Decoder, sentences iter.Seq2[*cellsentence.Sentences, error]) []map[int32]float32 {
	t.Helper()
	var out []map[int32]float32
	for b, err := range d.Decode(context.Background(), sentences) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Start != len(out) {
			t.Fatalf("batch at %d after %d cells", b.Start, len(out))
		}
		for i := range b.NObs() {
			lo, hi := b.Indptr[i], b.Indptr[i+1]
			cell := map[int32]float32{}
			for k := lo; k < hi; k++ {
				cell[b.Indices[k]] = b.Values.([]float32)[k]
			}
			if !slices.IsSorted(b.Indices[lo:hi]) || len(cell) != int(hi-lo) {
				t.Fatalf("columns %v", b.Indices[lo:hi])
			}
			out = append(out, cell)
		}
	}
	return out
}

func mustDecoder(t testing.TB, words []string, cfg cellsentence.DecoderConfig) *cellsentence.Decoder {
	t.Helper()
	d, err := cellsentence.NewDecoder(words, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// halves is a linear model whose values are 4, 3.69897, 3.5228… at ranks 0, 1, 2.
var falling = &cellsentence.RankModel{Kind: cellsentence.RankLinear, Slope: -1, Intercept: 4}

func TestDecodeCounts(t *testing.T) {
	at := func(p int) float32 { return float32(4 - math.Log10(float64(1+p))) }
	sentences := []string{"A B", "", "X Y", "A A", "B x A X", "A  B"}
	want := []map[int32]float32{
		{0: at(0), 2: at(1)},
		{},
		{},
		{0: at(1)},
		{2: at(0), 0: at(2)},
		{0: at(0), 2: at(2)},
	}
	for _, workers := range []int{1, 2, 5} {
		d := mustDecoder(t, []string{"A", "", "B"}, cellsentence.DecoderConfig{Model: falling, Workers: workers})
		got := decode(t, d, batches(sentences, 4))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%d workers: %v", workers, got)
		}
		wantStats := cellsentence.DecodeStats{Cells: 6, EmptyCells: 1, LostCells: 1, Words: 13, Unknown: 5, Repeats: 1}
		if s := d.Stats(); s != wantStats {
			t.Errorf("%d workers: %+v", workers, s)
		}
		words, rest := d.UnknownWords()
		wantWords := []cellsentence.WordCount{{"X", 2}, {"", 1}, {"Y", 1}, {"x", 1}}
		if !slices.Equal(words, wantWords) || rest != 0 {
			t.Errorf("%d workers: %v and %d", workers, words, rest)
		}
		if w := d.Warnings(); len(w) != 4 {
			t.Errorf("warnings %q", w)
		}
	}
}

func TestDecodeManyUnknownWords(t *testing.T) {
	var sentences []string
	for i := range 12_000 {
		sentences = append(sentences, fmt.Sprintf("N%d N%d", i, i/2))
	}
	var first []cellsentence.WordCount
	for _, workers := range []int{1, 3} {
		d := mustDecoder(t, []string{"A"}, cellsentence.DecoderConfig{Model: falling, Workers: workers})
		decode(t, d, batches(sentences, 500*workers))
		list, rest := d.UnknownWords()
		sum := rest
		for _, w := range list {
			sum += w.Count
		}
		if len(list) != 10_000 || sum != 24_000 {
			t.Fatalf("%d words, %d in all", len(list), sum)
		}
		if first == nil {
			first = list
		}
		if !slices.Equal(list, first) {
			t.Error("other words with another number of workers")
		}
	}
}

func TestDecodeNegative(t *testing.T) {
	m := &cellsentence.RankModel{Kind: cellsentence.RankLinear, Slope: -2, Intercept: 0.7}
	d := mustDecoder(t, []string{"A", "B", "C"}, cellsentence.DecoderConfig{Model: m})
	got := decode(t, d, batches([]string{"A B C"}, 1))
	if !(got[0][1] > 0 && got[0][2] < 0) || d.Stats().Negative != 1 {
		t.Errorf("%v, %+v", got, d.Stats())
	}
	if w := d.Warnings(); len(w) != 1 || !strings.Contains(w[0], "at rank 2;") {
		t.Errorf("%q", w)
	}
}

// conditional has two sizes of cells: 10 genes from 4 to 2, 100 genes from 6 to 1.
func conditional() *cellsentence.RankModel {
	return &cellsentence.RankModel{
		Kind: cellsentence.RankConditional, Slope: -1, Intercept: 4,
		Nodes: []cellsentence.RankNode{{NGenes: 10, Cells: 3, Values: []float32{4, 2}}, {NGenes: 100, Cells: 1, Values: []float32{6, 1}}},
	}
}

func TestPredict(t *testing.T) {
	u := func(r, n int) float64 { return math.Log(float64(1+r)) / math.Log(float64(1+n)) }
	small := func(r, n int) float64 { return 4 - 2*u(r, n) }
	large := func(r, n int) float64 { return 6 - 5*u(r, n) }
	for _, c := range []struct {
		name     string
		words, n int
		rank     int
		want     float64
	}{
		{"first of a small cell", 10, 10, 0, 4},
		{"last of a small cell", 10, 10, 9, small(9, 10)},
		{"large", 100, 100, 50, large(50, 100)},
		{"half way on the scale of the logarithm", 5, 32, 4, (small(4, 32) + large(4, 32)) / 2},
		{"smaller than the table", 3, 3, 1, small(1, 3)},
		{"larger than the table", 1000, 1000, 500, large(500, 1000)},
		{"fewer genes than words", 10, 4, 3, small(3, 10)},
		{"not known: 3 cells to 1", 5, 0, 4, (3*small(4, 10) + large(4, 100)) / 4},
		{"not known, more words than the small cells have", 11, 0, 4, large(4, 100)},
		{"not known, more words than any cell has", 200, 0, 4, large(4, 200)},
	} {
		v := make([]float32, c.words)
		conditional().Predict(v, c.n)
		tolerance := 1e-6 // float32
		if c.n == 32 {
			tolerance = 0.02 // 32 is not quite the mean of 10 and 100: 31.6
		}
		if math.Abs(float64(v[c.rank])-c.want) > tolerance {
			t.Errorf("%s: %v, expected %v", c.name, v[c.rank], c.want)
		}
		for r := 1; r < len(v); r++ {
			if v[r] >= v[r-1] {
				t.Errorf("%s: rank %d has %v after %v", c.name, r, v[r], v[r-1])
			}
		}
	}
}

func TestDecodeNGenes(t *testing.T) {
	words := make([]string, 200)
	for i := range words {
		words[i] = fmt.Sprintf("G%d", i)
	}
	sentence := func(n int) string { return strings.Join(words[:n], " ") }
	predict := func(words, n int) float32 {
		v := make([]float32, words)
		conditional().Predict(v, n)
		return v[words-1]
	}
	for _, c := range []struct {
		name   string
		cfg    cellsentence.DecoderConfig
		column []int32
		words  int
		want   int // n_genes, 0 for unknown
	}{
		{"auto, whole", cellsentence.DecoderConfig{}, nil, 20, 20},
		{"auto, shorter than any cell", cellsentence.DecoderConfig{}, nil, 5, 0},
		{"auto, cut", cellsentence.DecoderConfig{TopK: 20}, nil, 20, 0},
		{"auto, below the cut", cellsentence.DecoderConfig{TopK: 20}, nil, 5, 5},
		{"auto, column not used", cellsentence.DecoderConfig{TopK: 20}, []int32{50}, 20, 0},
		{"number", cellsentence.DecoderConfig{NGenes: 50}, nil, 20, 50},
		{"column", cellsentence.DecoderConfig{NGenes: cellsentence.NGenesColumn}, []int32{50}, 20, 50},
		{"column, missing", cellsentence.DecoderConfig{NGenes: cellsentence.NGenesColumn}, []int32{0}, 20, 20},
		{"no column", cellsentence.DecoderConfig{NGenes: cellsentence.NGenesColumn}, nil, 20, 20},
	} {
		c.cfg.Model = conditional()
		d := mustDecoder(t, words, c.cfg)
		s := func(yield func(*cellsentence.Sentences, error) bool) {
			for s := range batches([]string{sentence(c.words)}, 1) {
				s.NGenes = c.column
				yield(s, nil)
			}
		}
		if got, want := decode(t, d, s)[0][int32(c.words-1)], predict(c.words, c.want); got != want {
			t.Errorf("%s: %v, expected %v", c.name, got, want)
		}
	}
}

// TestOrderKept encodes random cells, decodes the sentences and encodes them
// again: the words come back in their order, so that Kendall's tau between the
// expression before and after is 1 on all pairs that are not tied before.
func TestOrderKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	genes := make([]string, 3000)
	for i := range genes {
		genes[i] = fmt.Sprintf("G%d", i)
	}
	var m h5ad.Batch
	var values []float32
	m.Indptr = []int64{0}
	for i := range 60 {
		share := rng.Float64()
		for g := range genes {
			if rng.Float64() < share {
				m.Indices = append(m.Indices, int32(g))
				values = append(values, float32(1+math.Floor(rng.ExpFloat64()*float64(1+i%20))))
			}
		}
		m.Indptr = append(m.Indptr, int64(len(values)))
	}
	m.Values = values
	fit, err := cellsentence.MeasureFidelity(context.Background(), genes, opener(m, 7), cellsentence.FidelityConfig{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	line := fit.Model.Linear()
	line.Slope, line.Intercept = -0.75, 2.9 // above zero for 3,000 genes
	for _, c := range []struct {
		name  string
		model *cellsentence.RankModel
		n     int
	}{{"linear", line, 0}, {"conditional", fit.Model, 0}, {"conditional, n fixed", fit.Model, 5000}} {
		enc, err := cellsentence.NewEncoder(genes, cellsentence.Config{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		d := mustDecoder(t, enc.Words(), cellsentence.DecoderConfig{Model: c.model, NGenes: c.n})
		ctx := context.Background()
		var want []string
		tap := func(yield func(*cellsentence.Sentences, error) bool) {
			for s, err := range enc.Encode(ctx, cellsentence.NewSliceSource(m, 16)) {
				for i := range s.Len() {
					want = append(want, string(s.At(i)))
				}
				if !yield(s, err) {
					return
				}
			}
		}
		at := 0
		for b, err := range d.Decode(ctx, tap) {
			if err != nil {
				t.Fatal(err)
			}
			for s, err := range enc.Encode(ctx, cellsentence.NewSliceSource(*b, 5)) {
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				for i := range s.Len() {
					if string(s.At(i)) != want[at] {
						t.Fatalf("%s: cell %d has another order", c.name, at)
					}
					at++
				}
			}
			after := b.Values.([]float32)
			for i := range b.NObs() {
				row := b.Start + i
				lo, from := b.Indptr[i], m.Indptr[row]
				n := int(b.Indptr[i+1] - lo)
				for range 2000 {
					p, q := int64(rng.IntN(n)), int64(rng.IntN(n))
					if before := values[from+p] - values[from+q]; before > 0 != (after[lo+p] > after[lo+q]) && before != 0 {
						t.Fatalf("%s: row %d, genes %d and %d change places", c.name, row, p, q)
					}
				}
			}
		}
		if at != 60 {
			t.Fatalf("%d cells", at)
		}
	}
}

func TestDecoderErrors(t *testing.T) {
	good := cellsentence.DecoderConfig{Model: falling}
	for _, c := range []struct {
		name  string
		words []string
		cfg   cellsentence.DecoderConfig
		want  string
		input bool
	}{
		{"no model", []string{"A"}, cellsentence.DecoderConfig{}, "needs a rank model", false},
		{"twice", []string{"A", "B", "A"}, good, `columns 0 and 2 have the same word "A"`, true},
		{"delimiter", []string{"A B"}, good, "holds the delimiter", true},
		{"empty", []string{"", ""}, good, "no word", true},
		{"number", []string{"A"}, cellsentence.DecoderConfig{Model: falling, NGenes: -2}, "-2 expressed genes", false},
		{"top-k", []string{"A"}, cellsentence.DecoderConfig{Model: falling, TopK: -1}, "top-k is -1", false},
		{"workers", []string{"A"}, cellsentence.DecoderConfig{Model: falling, Workers: -1}, "-1 workers", false},
		{"model", []string{"A"}, cellsentence.DecoderConfig{Model: &cellsentence.RankModel{Kind: "x"}}, `unknown kind "x"`, true},
	} {
		_, err := cellsentence.NewDecoder(c.words, c.cfg)
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &bad) != c.input {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	d := mustDecoder(t, []string{"A"}, good)
	for _, err := range d.Decode(ctx, batches([]string{"A"}, 1)) {
		if err == nil || err.Error() != "enough" {
			t.Errorf("cancelled: %v", err)
		}
	}
	fail := errors.New("broken file")
	for _, err := range d.Decode(context.Background(), func(yield func(*cellsentence.Sentences, error) bool) { yield(nil, fail) }) {
		if !errors.Is(err, fail) {
			t.Errorf("source: %v", err)
		}
	}
}

func TestRankModelFile(t *testing.T) {
	for _, m := range []*cellsentence.RankModel{falling, conditional()} {
		var text bytes.Buffer
		if err := m.Write(&text); err != nil {
			t.Fatal(err)
		}
		got, err := cellsentence.ReadRankModel(&text)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%v %+v", err, got)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", "no JSON"},
		{"{", "no JSON"},
		{`[1]`, "no JSON"},
		{`{"kind":"linear","slope":-1,"intercept":1}`, `the format is ""`},
		{`{"format":"c2s-rank-model/1","kind":"cubic","slope":-1}`, `unknown kind "cubic"`},
		{`{"format":"c2s-rank-model/1","kind":"linear","slope":0.5}`, "does not fall"},
		{`{"format":"c2s-rank-model/1","kind":"linear","slope":-1,"nodes":[{"n_genes":1,"values":[1,1]}]}`, "with 1 node"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1}`, "0 nodes"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":1,"values":[1]}]}`, "1 value a node"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":1,"values":[1,2]}]}`, "value 1 is 2"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":1,"values":[1,0]}]}`, "value 1 is 0"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":2,"values":[1,1]},{"n_genes":2,"values":[1,1]}]}`, "rising"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":2,"values":[1,1]},{"n_genes":3,"values":[1,1,1]}]}`, "node 1 has 3 values"},
		{`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":2,"cells":-1,"values":[1,1]}]}`, "-1 cells"},
	} {
		_, err := cellsentence.ReadRankModel(strings.NewReader(c.text))
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) || !bad.BadInput() {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}
