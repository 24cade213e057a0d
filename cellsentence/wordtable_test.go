package cellsentence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// splitPlainly is what wordTable.next finds, by strings.Split.
func splitPlainly(words []string, delimiter, text string) []int32 {
	var out []int32
	for w := range strings.SplitSeq(text, delimiter) {
		out = append(out, int32(slices.Index(words, w)))
		if w == "" {
			out[len(out)-1] = -1
		}
	}
	return out
}

// splitByTable reads the sentence at text[p:end].
func splitByTable(t *wordTable, text string, p, end int) []int32 {
	var out []int32
	for {
		stop, col := t.next([]byte(text), p, end)
		out = append(out, col)
		if stop == end {
			return out
		}
		p = stop + len(t.delimiter)
	}
}

// checkTable compares both on a sentence with other text around it.
func checkTable(t *testing.T, words []string, delimiter, sentence string) {
	t.Helper()
	table := newWordTable(words, delimiter)
	want := splitPlainly(words, delimiter, sentence)
	for _, behind := range []string{"", "A", " B", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strings.Repeat(delimiter, 20)} {
		text := "xy " + sentence + behind
		if got := splitByTable(table, text, 3, 3+len(sentence)); !slices.Equal(got, want) {
			t.Fatalf("%q by %q before %q: %v, expected %v", sentence, delimiter, behind, got, want)
		}
	}
}

func TestWordTable(t *testing.T) {
	// Words of 1 to 20 bytes around the 15 that fit into a key, some of them the
	// beginnings of others, and bytes that upset tricks with them.
	words := []string{"A", "", "AB", "\x00", "\x00\x00", "A\x00", "\x1f", "!", "\x80", "\xff", "é", "Ω-1"}
	for n := 6; n <= 20; n++ {
		words = append(words, strings.Repeat("G", n), strings.Repeat("G", n-1)+"!", strings.Repeat("\x80", n))
	}
	for i := range 3000 {
		words = append(words, fmt.Sprintf("GENE%d", i*i))
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, delimiter := range []string{" ", "\t", "|", ", ", "\x00", "<sep>"} {
		var usable []string
		for _, w := range words {
			if strings.Contains(w, delimiter) {
				w = ""
			}
			usable = append(usable, w)
		}
		for range 40 {
			var s []string
			for range r.IntN(30) {
				w := usable[r.IntN(len(usable))]
				switch r.IntN(4) {
				case 0:
					w += "x"
				case 1:
					w = w[:r.IntN(len(w)+1)]
				}
				s = append(s, w)
			}
			checkTable(t, usable, delimiter, strings.Join(s, delimiter))
		}
	}
}

func FuzzWordTable(f *testing.F) {
	f.Add("A B ABCDEFGHIJKLMNO ABCDEFGHIJKLMNOP", "B A  ABCDEFGHIJKLMNO", byte(' '))
	f.Add("\x00 \x00\x00", "\x00\x00 \x00", byte(0))
	f.Fuzz(func(t *testing.T, vocabulary, sentence string, delimiter byte) {
		var words []string
		for w := range strings.FieldsSeq(vocabulary) {
			if !slices.Contains(words, w) && strings.IndexByte(w, delimiter) < 0 {
				words = append(words, w)
			}
		}
		checkTable(t, words, string([]byte{delimiter}), sentence)
	})
}

func FuzzReadGeneMap(f *testing.F) {
	f.Add(orthologTable)
	f.Add("a,b\n\"c\",d\n")
	f.Add(gzipped("a\tb\n"))
	f.Add("ENSG00000141510,TP53,1,1,x\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ReadGeneMap(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, table := range m.tables {
			for name := range table.targets {
				if _, err := m.Apply([]string{name, "no such gene"}); err != nil {
					var bad interface{ BadInput() bool }
					if !errors.As(err, &bad) {
						t.Fatal(err)
					}
				}
				break
			}
		}
	})
}

func FuzzReadRankModel(f *testing.F) {
	f.Add(`{"format":"c2s-rank-model/1","kind":"linear","slope":-1,"intercept":2}`)
	f.Add(`{"format":"c2s-rank-model/1","kind":"conditional","slope":-1,"nodes":[{"n_genes":2,"cells":1,"values":[2,1]},{"n_genes":3,"values":[1,1]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ReadRankModel(strings.NewReader(text))
		if err != nil {
			return
		}
		v := make([]float32, 40)
		for _, n := range []int{0, 1, 40, 1 << 30} {
			m.Predict(v, n)
			for r := 1; m.Kind == RankConditional && r < len(v); r++ {
				if !(v[r] > 0) || v[r] > v[r-1] {
					t.Fatalf("n %d: rank %d has %v after %v", n, r, v[r], v[r-1])
				}
			}
		}
	})
}
