package prompt_test

import (
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// TestPythonChoice has the first picks of CPython 3.11 after random.seed(42),
// recorded there.
func TestPythonChoice(t *testing.T) {
	for of, want := range map[int][]int{
		15: {10, 1, 0, 11, 4, 3, 3, 2, 11, 1, 10, 11, 14, 8, 1, 9, 6, 0, 0, 1},
		10: {1, 0, 4, 3, 3, 2, 1, 8, 1, 9},
		14: {10, 1, 0, 11, 4, 3, 3, 2, 11, 1},
	} {
		cfg := prompt.Config{Seed: 42, Choice: prompt.ChoicePython}
		if got := picks(t, cfg, of, len(want)); !slices.Equal(got, want) {
			t.Errorf("of %d: %v, CPython chooses %v", of, got, want)
		}
	}
}

// TestChoiceHangsOnRow asks for rows in another order: each keeps its template.
func TestChoiceHangsOnRow(t *testing.T) {
	for _, choice := range []prompt.Choice{prompt.ChoiceSeeded, prompt.ChoicePython} {
		t.Run(choice.String(), func(t *testing.T) {
			templates, err := prompt.Default("gene_set_naming")
			if err != nil {
				t.Fatal(err)
			}
			f, err := prompt.NewFormatter(templates, prompt.Config{Seed: 42, Choice: choice})
			if err != nil {
				t.Fatal(err)
			}
			template := func(row int) int {
				p, err := f.Prompt(prompt.Sample{Row: row, Values: map[string]string{"organism": "x", "genes": "A B"}})
				if err != nil {
					t.Fatal(err)
				}
				return p.Template
			}
			var want [40]int
			for row := range want {
				want[row] = template(row)
			}
			for _, row := range []int{39, 0, 7, 7, 12, 3, 38} {
				if got := template(row); got != want[row] {
					t.Errorf("row %d has template %d, then %d", row, want[row], got)
				}
			}
		})
	}
}

// TestSeededChoiceIsEven draws 20,000 rows among 7. A fair choice is within 5
// standard deviations of its mean in all but one of 10^6 runs; this one is always the
// same. Neighbouring rows, and seeds one apart, must not go together.
func TestSeededChoiceIsEven(t *testing.T) {
	const n, rows = 7, 20_000
	a := picks(t, prompt.Config{Seed: 42}, n, rows)
	b := picks(t, prompt.Config{Seed: 43}, n, rows)
	within := func(what string, count int, p float64) {
		mean, sd := rows*p, math.Sqrt(rows*p*(1-p))
		if math.Abs(float64(count)-mean) > 5*sd {
			t.Errorf("%s: %d of %d, expected %.0f ± %.0f", what, count, rows, mean, sd)
		}
	}
	var counts [n]int
	same, next := 0, 0
	for i := range a {
		counts[a[i]]++
		if a[i] == b[i] {
			same++
		}
		if a[i] == a[(i+1)%rows] {
			next++
		}
	}
	for _, c := range counts {
		within("a template", c, 1.0/n)
	}
	within("two seeds", same, 1.0/n)
	within("two rows", next, 1.0/n)
}
