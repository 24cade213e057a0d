package cellsentence

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Expected: Python 3.11, str.upper.
func TestUpperName(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", ""},
		{"Actb", "ACTB"},
		{"hla-a.1_2", "HLA-A.1_2"},
		{"tgfß1", "TGFSS1"},
		{"ifn-γ", "IFN-Γ"},
		{"µ-opioid", "Μ-OPIOID"}, // the micro sign becomes a capital Greek mu
		{"ﬁx1", "FIX1"},
		{"ŉ", "ʼN"},
		{"ᾳ", "ΑΙ"},
		{"\u0390", "\u0399\u0308\u0301"},
		{"ı", "I"},
		{"ẞ", "ẞ"},
		{"og\U0001f9ecn", "OG\U0001f9ecN"},
	} {
		if got := upperName(tc.in); got != tc.want {
			t.Errorf("upperName(%q) = %+q, want %+q", tc.in, got, tc.want)
		}
	}
	if n := len(strings.Fields(specialUpper)); n != 2*102 {
		t.Errorf("%d fields in the table, want 102 pairs", n)
	}
}

func TestBadNames(t *testing.T) {
	for _, tc := range []struct{ name, delimiter, problem string }{
		{"", "", "is empty"},
		{"HLA A", "", "holds white space"},
		{"HLA\u00a0A", "", "holds white space"},
		{"A\t", "", "holds white space"},
		{"A\nB", "", "holds white space"},
		{"A\x00", "", "holds a control character"},
		{"\ufeffA", "", "holds a control character"},
		{"A\u200b", "", "holds a control character"},
		{"A\xff", "", "is not valid UTF-8"},
		{"A|B", "|", "holds the delimiter"},
		{"A B", "|", "holds white space"},
		{"x|y", "|", "holds the delimiter"},
		{"abc", "B", "holds the delimiter"}, // the word is ABC
		{"aBc", "b", ""},
		{strings.Repeat("A", maxName+1), "", "is longer than 1024 bytes"},
		{"A|B", "", ""},
		{"NKX2-1", "", ""},
		{"β-cat", "", ""},
		{strings.Repeat("A", maxName), "", ""},
	} {
		_, err := NewEncoder([]string{"ok", tc.name}, Config{Delimiter: tc.delimiter})
		var bad *NameError
		switch {
		case tc.problem == "":
			if err != nil {
				t.Errorf("%q: %v", tc.name, err)
			}
		case !errors.As(err, &bad):
			t.Errorf("%q: error %v, want a NameError", tc.name, err)
		case bad.Count != 1 || bad.First[0] != (BadName{Column: 1, Name: tc.name, Problem: tc.problem}):
			t.Errorf("%q: %+v", tc.name, bad)
		}
	}
	_, err := NewEncoder([]string{"", "a b", "c\x1b[31m", "", "ok", ""}, Config{})
	want := `5 gene names cannot be words of a sentence: column 0 "" is empty, column 1 "a b" holds white space, ` +
		`column 2 "c\x1b[31m" holds a control character, …; take the names from another column with --gene-names COLUMN`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestCollisions(t *testing.T) {
	// The table of defects: in the reference package these counts print C B A.
	genes := []string{"a", "A", "b", "c"}
	m := dense([]int32{1, 2, 3, 0}, []int32{0, 5, 0, 1}, []int32{2, 0, 0, 0})

	_, err := NewEncoder(genes, Config{})
	var c *CollisionError
	if !errors.As(err, &c) || len(c.Collisions) != 1 || !slices.Equal(c.Collisions[0].Columns, []int{0, 1}) {
		t.Fatalf("error %v, want a CollisionError of columns 0 and 1", err)
	}
	for _, part := range []string{`2 genes share 1 word: "a" (column 0), "A" (column 1)`, "--collisions first", "--collisions suffix", "--gene-names"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}

	for _, ties := range []Ties{TiesRandom, TiesPython, TiesIndex} {
		first := mustEncoder(t, genes, Config{Ties: ties, Collisions: CollisionsFirst})
		if got := encodeAll(t, first, m, 1); !slices.Equal(got, []string{"B A", "C", "A"}) {
			t.Errorf("first, %v ties: %q", ties, got)
		}
		if !slices.Equal(first.Words(), []string{"A", "", "B", "C"}) {
			t.Errorf("first: words %q", first.Words())
		}
		cs := first.Collisions()
		if s := first.Stats(); s.Dropped != 2 || s.Words != 4 || cs[0].Dropped != 2 || cs[0].Word != "A" {
			t.Errorf("first: stats %+v, collisions %+v", s, cs)
		}
		if w := first.Warnings(); len(w) != 1 || !strings.Contains(w[0], "2 values of the others dropped") ||
			strings.Contains(w[0], "Python package") != (ties == TiesPython) {
			t.Errorf("first, %v ties: warnings %q", ties, w)
		}

		suffix := mustEncoder(t, genes, Config{Ties: ties, Collisions: CollisionsSuffix})
		if got := encodeAll(t, suffix, m, 1); !slices.Equal(got, []string{"B A-1 A", "A-1 C", "A"}) {
			t.Errorf("suffix, %v ties: %q", ties, got)
		}
		if w := suffix.Warnings(); len(w) != 1 || !strings.Contains(w[0], "numbered") {
			t.Errorf("suffix: warnings %q", w)
		}
	}
}

// The total of a cell is over all its values, those without a word included.
func TestTotalOfShadowedGenes(t *testing.T) {
	e := mustEncoder(t, []string{"a", "A"}, Config{Collisions: CollisionsFirst})
	for s, err := range e.Encode(t.Context(), NewSliceSource(dense([]float32{1, 2.5}), 0)) {
		if err != nil || s.Total[0] != 3.5 || s.NGenes[0] != 1 {
			t.Errorf("total %v, genes %v, error %v", s.Total, s.NGenes, err)
		}
	}
}

// Expected: anndata 0.8.0, anndata.utils.make_index_unique.
func TestSuffixes(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"A A A B B-1 B", "A A-1 A-2 B B-1 B-2"},
		{"X A-1 A A A-1 A A-1-1 A", "X A-1 A A-2 A-1-2 A-3 A-1-1 A-4"},
		{"B B-1 B B-1 C", "B B-1 B-2 B-1-1 C"},
		{"a A b B", "A A-1 B B-1"},
	} {
		e := mustEncoder(t, strings.Fields(tc.in), Config{Collisions: CollisionsSuffix})
		if got := strings.Join(e.Words(), " "); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.in, got, tc.want)
		}
		seen := map[string]bool{}
		for _, w := range e.Words() {
			if seen[w] {
				t.Errorf("%s: %s is not unique", tc.in, w)
			}
			seen[w] = true
		}
	}
}

func TestCollisionsOfManyGenes(t *testing.T) {
	genes := strings.Fields("a A b B c C d D e E e E")
	_, err := NewEncoder(genes, Config{})
	want := `12 genes share 5 words: "a" (column 0), "A" (column 1); "b" (column 2), "B" (column 3); "c" (column 4), "C" (column 5); …;`
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := NewEncoder(genes, Config{KeepCase: true}); err == nil || !strings.Contains(err.Error(), "4 genes share 2 words") {
		t.Errorf("in their own case: error %v", err)
	}
	// Excluded columns do not collide.
	skip := make([]bool, len(genes))
	for i := range skip {
		skip[i] = i%2 == 1 || i == 10
	}
	if _, err := NewEncoder(genes, Config{Exclude: skip}); err != nil {
		t.Errorf("with one of each: %v", err)
	}
}

func TestParseCollisions(t *testing.T) {
	for _, want := range []Collisions{CollisionsError, CollisionsFirst, CollisionsSuffix} {
		if got, err := ParseCollisions(want.String()); err != nil || got != want {
			t.Errorf("ParseCollisions(%q) = %v, %v", want.String(), got, err)
		}
	}
	if _, err := ParseCollisions("last"); err == nil {
		t.Error("an unknown rule was taken")
	}
	if _, err := NewEncoder([]string{"a", "a"}, Config{Collisions: CollisionsSuffix, Delimiter: "-"}); err == nil || !strings.Contains(err.Error(), `"A-1"`) {
		t.Errorf("a number behind a delimiter: error %v", err)
	}
	if _, err := NewEncoder([]string{"a", "a"}, Config{Collisions: 9}); err == nil {
		t.Error("an unknown number was taken")
	}
}
