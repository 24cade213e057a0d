package dataset_test

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// table makes cells with a donor each, in runs, and a rare cell type.
func table(n int) []cell {
	cells := make([]cell, n)
	for i := range cells {
		label := "common"
		if i%100 == 7 {
			label = "rare"
		}
		cells[i] = cell{name: fmt.Sprintf("c%d", i), sentence: fmt.Sprintf("A B G%d", i), label: label, donor: fmt.Sprintf("D%d", i*7/n)}
	}
	return cells
}

// split gives the side of each cell by its name.
func split(t *testing.T, path string, cfg dataset.SplitConfig) (*dataset.SplitReport, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	out := func(side string) string { return filepath.Join(dir, side+".jsonl") }
	report, err := dataset.Split(t.Context(), path, out, cfg, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sides := map[string]string{}
	for _, s := range report.Sides {
		n := int64(0)
		for b, err := range dataset.Read(t.Context(), out(s.Name), dataset.ReadOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Rows() {
				sides[string(b.Column("cell_name").TextAt(i))] = s.Name
				n++
			}
		}
		if n != s.Rows {
			t.Errorf("%s has %d rows, and the report says %d", s.Name, n, s.Rows)
		}
	}
	if len(sides) != int(report.Rows) {
		t.Errorf("%d of %d rows are on a side", len(sides), report.Rows)
	}
	return report, sides
}

// TestSplitRandom puts a row on the same side whatever its neighbours are.
func TestSplitRandom(t *testing.T) {
	const n = 5000
	cells := table(n)
	report, all := split(t, save(t, "a.parquet", cells), dataset.SplitConfig{Seed: 1})
	// Five standard deviations of a binomial count.
	for i, share := range []float64{0.8, 0.1, 0.1} {
		if d := math.Abs(float64(report.Sides[i].Rows) - share*n); d > 5*math.Sqrt(n*share*(1-share)) {
			t.Errorf("%s has %d of %d rows, expected %g of them", report.Sides[i].Name, report.Sides[i].Rows, n, share)
		}
	}
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		cells[i], cells[j] = cells[j], cells[i]
	}
	_, part := split(t, save(t, "b.jsonl.gz", cells[:1000]), dataset.SplitConfig{Seed: 1})
	for name, side := range part {
		if all[name] != side {
			t.Fatalf("%s is on the side %s, and was on %s", name, side, all[name])
		}
	}
	_, other := split(t, save(t, "c.jsonl.gz", cells), dataset.SplitConfig{Seed: 2})
	same := 0
	for name, side := range other {
		if all[name] == side {
			same++
		}
	}
	// By chance 0.8² + 0.1² + 0.1² = 0.66 of them.
	if got := float64(same) / n; math.Abs(got-0.66) > 0.04 {
		t.Errorf("another seed puts %g of the rows on the same side", got)
	}
}

// TestSplitStratified gives each side its share of the rare type, too.
func TestSplitStratified(t *testing.T) {
	report, _ := split(t, save(t, "a.parquet", table(5000)), dataset.SplitConfig{Stratify: "cell_type"})
	for i, want := range []int64{40, 5, 5} {
		if got := report.Sides[i].Values["rare"]; got != want {
			t.Errorf("%s has %d of 50 rare cells, expected %d", report.Sides[i].Name, got, want)
		}
	}
	if got := report.Sides[0].Values["common"]; got != 3960 {
		t.Errorf("train has %d common cells, expected 3960", got)
	}
}

// TestSplitGroups keeps donors together, with those that are held where they are
// wanted.
func TestSplitGroups(t *testing.T) {
	cells := table(7000)
	path := save(t, "a.parquet", cells)
	for seed := range uint64(6) {
		report, sides := split(t, path, dataset.SplitConfig{Group: "donor", Seed: seed, Hold: map[string]string{"D3": "test"}})
		of := map[string]string{}
		for _, c := range cells {
			if s, ok := of[c.donor]; ok && s != sides[c.name] {
				t.Fatalf("donor %s is on two sides", c.donor)
			}
			of[c.donor] = sides[c.name]
		}
		if of["D3"] != "test" {
			t.Errorf("D3 is on the side %s", of["D3"])
		}
		for i, want := range []int64{5000, 1000, 1000} {
			if report.Sides[i].Rows != want {
				t.Errorf("seed %d: %s has %d rows, expected %d", seed, report.Sides[i].Name, report.Sides[i].Rows, want)
			}
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	path := save(t, "a.parquet", table(100))
	for what, cfg := range map[string]dataset.SplitConfig{
		"is missing":           {Group: "batch"},
		"2 values for 3 sides": {Group: "cell_type"},
		"choose one":           {Group: "donor", Stratify: "cell_type"},
		"two sides":            {Sides: []dataset.Side{{Name: "a", Share: 1}}},
		"a share above 0":      {Sides: []dataset.Side{{Name: "a", Share: 1}, {Name: "b", Share: -1}}},
		"a name of its own":    {Sides: []dataset.Side{{Name: "a", Share: 1}, {Name: "a", Share: 1}}},
		"which there is not":   {Group: "donor", Hold: map[string]string{"D1": "dev"}},
		"has no value":         {Group: "donor", Hold: map[string]string{"D99": "test"}},
		"of no column":         {Hold: map[string]string{"D1": "test"}},
	} {
		_, err := dataset.Split(t.Context(), path, func(side string) string { return filepath.Join(t.TempDir(), side+".txt") }, cfg, dataset.Options{})
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, expected %q", err, what)
		}
	}
}

// TestMix makes the doses of two datasets, and of one that was audited.
func TestMix(t *testing.T) {
	good, junk := table(3000), table(2000)
	for i := range junk {
		junk[i].name = "junk-" + junk[i].name
		junk[i].sentence = "A A A A A A A A A A " + junk[i].sentence
	}
	dir := t.TempDir()
	out := func(dose int) string { return filepath.Join(dir, fmt.Sprintf("mix-%d.parquet", dose)) }
	paths := []string{save(t, "good.parquet", good), save(t, "junk.parquet", junk)}
	report, err := dataset.Mix(t.Context(), paths[0], paths[1], out, dataset.MixConfig{Seed: 5}, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Tokens != min(report.Good.Tokens, report.Junk.Tokens) || report.Good.Rows != 3000 || report.Junk.Rows != 2000 {
		t.Errorf("%+v", report)
	}
	var before map[string]bool
	for i, m := range report.Mixtures {
		if m.Dose != []int{0, 20, 50, 80, 100}[i] {
			t.Errorf("dose %d", m.Dose)
		}
		// Less than a row of each kind is missing; the longest has 30 tokens.
		if m.Tokens > report.Tokens || m.Tokens < report.Tokens-60 || math.Abs(float64(m.JunkTokens)/float64(report.Tokens)-float64(m.Dose)/100) > 0.01 {
			t.Errorf("%+v of %d tokens", m, report.Tokens)
		}
		seen := map[string]bool{}
		rows, junkRows := int64(0), int64(0)
		longest, run := 0, 0
		for b, err := range dataset.Read(t.Context(), m.Path, dataset.ReadOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Rows() {
				rows++
				name, isJunk := string(b.Column("cell_name").TextAt(i)), b.Column(dataset.ColumnJunk).Bools[i]
				if isJunk != strings.HasPrefix(name, "junk-") {
					t.Fatalf("%s: junk is %v", name, isJunk)
				}
				run++
				if isJunk {
					junkRows++
					seen[name] = true
					run = 0
				}
				longest = max(longest, run)
			}
		}
		if rows != m.Rows || junkRows != m.JunkRows {
			t.Errorf("%d rows, %d junk; the report says %+v", rows, junkRows, m)
		}
		if m.Dose == 50 && longest > 300 {
			t.Errorf("%d good rows follow each other in a mixture of half and half", longest)
		}
		for name := range before {
			if !seen[name] {
				t.Fatalf("a dose of %d lacks %s, which a lower one has", m.Dose, name)
			}
		}
		before = seen
	}
	again := t.TempDir()
	other := func(dose int) string { return filepath.Join(again, fmt.Sprintf("mix-%d.parquet", dose)) }
	if _, err := dataset.Mix(t.Context(), paths[0], paths[1], other, dataset.MixConfig{Seed: 5}, dataset.Options{}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(files(t, out(50)), files(t, other(50))) {
		t.Error("the same mixture has other bytes")
	}
	_, err = dataset.Mix(t.Context(), paths[0], paths[1], other, dataset.MixConfig{Tokens: 1 << 40}, dataset.Options{Force: true})
	if err == nil || !strings.Contains(err.Error(), "the most is") {
		t.Errorf("%v, expected that there are too few tokens", err)
	}
	if _, err = dataset.Mix(t.Context(), paths[0], "", other, dataset.MixConfig{}, dataset.Options{Force: true}); err == nil || !strings.Contains(err.Error(), "c2s_flags") {
		t.Errorf("%v, expected that the flags are missing", err)
	}
}

func TestEstimateTokens(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "CD3D": 3, "MS4A1": 4, "the": 2, "\n": 1,
	} {
		if got := dataset.EstimateTokens([]byte(text)); got != want {
			t.Errorf("%q: %d tokens, expected %d", text, got, want)
		}
	}
	// 200 genes of five characters have 680 tokens: with the 40 or so of an
	// instruction that is the 722 that Gemma was measured at.
	if got := dataset.EstimateTokens([]byte(strings.Repeat("GENES ", 200))); got < 670 || got > 690 {
		t.Errorf("%d tokens", got)
	}
}
