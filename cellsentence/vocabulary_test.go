package cellsentence

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func text(t *testing.T, v *Vocabulary) string {
	t.Helper()
	var b bytes.Buffer
	n, err := v.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo = %d, %v for %d bytes", n, err, b.Len())
	}
	return b.String()
}

func TestCountVocabulary(t *testing.T) {
	m := dense([]float64{1, 0, 2, 0}, []float64{0, 0, 0.5, 0}, []float64{3, 1, 1, 0})
	v, err := CountVocabulary(t.Context(), []string{"a", "b", "c", "d"}, NewSliceSource(m, 2), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, v), "A\t2\nB\t1\nC\t3\nD\t0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	counts, err := CountCells(t.Context(), []string{"same", "same", " ", ""}, NewSliceSource(m, 2))
	if err != nil || !slices.Equal(counts, []int64{2, 1, 3, 0}) {
		t.Errorf("CountCells = %v, %v", counts, err)
	}
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{Collisions: CollisionsFirst}, "A\t2\nC\t3\nD\t0\n"},
		{Config{Collisions: CollisionsSuffix, KeepCase: true}, "a\t2\na-1\t1\nc\t3\nd\t0\n"},
		{Config{Exclude: []bool{true, false, false, true}}, "A\t1\nC\t3\n"},
	} {
		v, err := CountVocabulary(t.Context(), []string{"a", "a", "c", "d"}, NewSliceSource(m, 2), tc.cfg)
		if err != nil || text(t, v) != tc.want {
			t.Errorf("%+v: got %q, %v", tc.cfg, text(t, v), err)
		}
	}
	var c *CollisionError
	if _, err := CountVocabulary(t.Context(), []string{"a", "a", "c", "d"}, NewSliceSource(m, 2), Config{}); !errors.As(err, &c) {
		t.Errorf("colliding names: error %v", err)
	}
}

func TestCountBadValues(t *testing.T) {
	genes := []string{"a", "b"}
	for _, v := range []float64{-1, math.Inf(1), math.Inf(-1), math.NaN()} {
		m := dense([]float64{1, 1}, []float64{1, v})
		m.Start = 3
		_, err := CountVocabulary(t.Context(), genes, NewSliceSource(m, 1), Config{})
		var s *ScaledError
		var n *NonFiniteError
		if v == -1 && (!errors.As(err, &s) || s.Row != 4 || s.Gene != "b") || v != -1 && (!errors.As(err, &n) || n.Row != 4 || n.Gene != "b") {
			t.Errorf("%v: error %v", v, err)
		}
	}
}

func TestVocabularyMerge(t *testing.T) {
	var a, b Vocabulary
	a.Add("X", 1)
	a.Add("Y", 2)
	b.Add("Z", 5)
	b.Add("X", 10)
	b.Add("W", 0)
	a.Merge(&b)
	if got, want := text(t, &a), "X\t11\nY\t2\nZ\t5\nW\t0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if a.Index("Z") != 2 || a.Index("nothing") != -1 || (&Vocabulary{}).Index("X") != -1 {
		t.Error("Index is wrong")
	}
	if w, n := a.At(1); w != "Y" || n != 2 || a.Len() != 4 {
		t.Errorf("At(1) = %s, %d; %d words", w, n, a.Len())
	}
	for w := range a.All() {
		if w != "X" {
			t.Errorf("the first word is %s", w)
		}
		break
	}
}

func TestReadVocabulary(t *testing.T) {
	for _, tc := range []struct{ name, in, want, err string }{
		{"own form", "A\t2\nB\t0\n", "A\t2\nB\t0\n", ""},
		{"blanks, CRLF, no end of line", "MT-CO2 858\r\n\r\nB2M 857", "MT-CO2\t858\nB2M\t857\n", ""},
		{"list of genes", "a\nB\n", "a\t0\nB\t0\n", ""},
		{"empty", "", "", ""},
		{"no number", "A\t2\nB\tx\n", "", `line 2: "x" is no number`},
		{"negative", "A\t-2\n", "", "line 1"},
		{"too large", "A\t9223372036854775808\n", "", "line 1"},
		{"three fields", "A\t2\t3\n", "", "line 1 has 3 fields"},
		{"twice", "A\t2\nB\t1\nA\t2\n", "", `line 3: "A" comes twice`},
		{"long line", "A\t1\n" + strings.Repeat("x", maxLine+1), "", "line 2: bufio.Scanner: token too long"},
	} {
		v, err := ReadVocabulary(strings.NewReader(tc.in))
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %q in it", tc.name, err, tc.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		default:
			if got := text(t, v); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
			}
		}
	}
}

type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	n := min(f.room, len(p))
	if f.room -= n; n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestWriteVocabularyFails(t *testing.T) {
	var v Vocabulary
	for i := range 2000 {
		v.Add(strings.Repeat("x", 1+i%9)+string(rune('A'+i%26))+strings.Repeat("y", i/234), 1)
	}
	if _, err := v.WriteTo(&full{room: 100}); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}

// The vocabulary of cell2sentence-ft: 16,023 genes, falling counts.
func TestReadUpstreamVocabulary(t *testing.T) {
	f := openShared(t, "data/golden/c2sft_vocab_human.txt")
	v, err := ReadVocabulary(f)
	if err != nil {
		t.Fatal(err)
	}
	if w, n := v.At(0); v.Len() != 16023 || w != "MT-CO2" || n != 858 {
		t.Errorf("%d words, the first %s of %d cells", v.Len(), w, n)
	}
	lower, last := 0, int64(math.MaxInt64)
	for w, n := range v.All() {
		if w != upperName(w) {
			lower++
		}
		if n > last {
			t.Fatalf("%s: counts do not fall", w)
		}
		last = n
	}
	if lower != 190 {
		t.Errorf("%d names hold lower case, want 190", lower)
	}
}
