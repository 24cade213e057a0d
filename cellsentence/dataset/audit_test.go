package dataset_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/simulate"
)

// TestAuditClean finds nothing in simulated cells without doublets, in whole
// sentences and in short ones.
func TestAuditClean(t *testing.T) {
	for _, topK := range []int{0, 200} {
		for seed := range uint64(2) {
			cells, _ := simulated(t, simulate.Config{Seed: seed, Perturbations: []simulate.Perturbation{}}, 0, 3000, topK)
			a := audit(t, dataset.AuditConfig{}, cells[:2000], cells[2000:])
			for name, n := range a.Report.Flags {
				if n > 0 {
					t.Errorf("top-k %d, seed %d: %d rows are flagged %s", topK, seed, n, name)
				}
			}
			if a.Report.Clean != 3000 || len(a.Report.Leakage) > 0 || len(a.Report.Examples) > 0 {
				t.Errorf("top-k %d: %d rows are clean; leaks %v", topK, a.Report.Clean, a.Report.Leakage)
			}
			for _, c := range a.Report.Confounding {
				if c.Confounded || *c.V > 0.1 {
					t.Errorf("%s is confounded with the label: %g", c.Column, *c.V)
				}
			}
			if testing.Verbose() {
				for i := range 3000 {
					in, row := i/2000, i%2000
					if f := a.Flags(in, row); f != 0 {
						x, y := a.Scores(in, row)
						t.Log(i, cells[i].label, f, x, y, len(words(cells[i].sentence)))
					}
				}
			}
		}
	}
}

// TestAuditFinds plants one kind of junk at a time and demands recall and precision
// of 0.95 of the flag that is meant for it.
func TestAuditFinds(t *testing.T) {
	clean, w := simulated(t, simulate.Config{Seed: 3, Perturbations: []simulate.Perturbation{}}, 0, 3000, 0)
	var types []string
	for _, c := range w.CellTypes {
		types = append(types, c.Name)
	}
	front := func(lead func(gene string) bool, least int) func(r *rand.Rand, c *cell) {
		return func(r *rand.Rand, c *cell) {
			var first []string
			for _, g := range w.Genes {
				if lead(g.Symbol) {
					first = append(first, g.Symbol)
				}
			}
			r.Shuffle(len(first), func(i, j int) { first[i], first[j] = first[j], first[i] })
			first = first[:min(len(first), least)]
			rest := slices.DeleteFunc(words(c.sentence), func(s string) bool { return slices.Contains(first, s) })
			c.sentence = join(append(first, rest...))
		}
	}
	for name, test := range map[string]struct {
		flags  dataset.Flags
		damage func(r *rand.Rand, c *cell)
	}{
		"empty": {dataset.FlagEmpty, func(_ *rand.Rand, c *cell) { c.sentence = "" }},
		"cut": {dataset.FlagShort | dataset.FlagCheapJunk, func(_ *rand.Rand, c *cell) {
			s := words(c.sentence)
			c.sentence = join(s[:len(s)/20])
		}},
		"repeats": {dataset.FlagRepeat, func(r *rand.Rand, c *cell) {
			s := words(c.sentence)
			c.sentence = join(append(s, s[r.IntN(len(s))]))
		}},
		"unknown genes": {dataset.FlagUnknown, func(_ *rand.Rand, c *cell) { c.sentence = strings.Replace(c.sentence, " ", " NOSUCHGENE ", 1) }},
		"shuffled": {dataset.FlagCheapJunk | dataset.FlagContentJunk, func(r *rand.Rand, c *cell) {
			s := words(c.sentence)
			r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			c.sentence = join(s)
		}},
		"random genes": {dataset.FlagContentJunk, func(r *rand.Rand, c *cell) {
			s := words(c.sentence)
			for i, g := range r.Perm(len(w.Genes))[:len(s)] {
				s[i] = w.Genes[g].Symbol
			}
			c.sentence = join(s)
		}},
		"wrong label": {dataset.FlagContentJunk, func(r *rand.Rand, c *cell) {
			own := c.label
			for c.label == own {
				c.label = types[r.IntN(len(types))]
			}
		}},
		"ribosomal":     {dataset.FlagRibosomal, front(func(g string) bool { return strings.HasPrefix(g, "RPL") || strings.HasPrefix(g, "RPS") }, 50)},
		"mitochondrial": {dataset.FlagMitochondrial, front(func(g string) bool { return strings.HasPrefix(g, "MT-") }, 13)},
		"stress":        {dataset.FlagStress, front(func(g string) bool { return strings.HasPrefix(g, "HSP") || g == "FOS" || g == "JUN" || g == "ATF3" }, 15)},
	} {
		t.Run(name, func(t *testing.T) {
			cells, planted := plant(clean, 11, test.damage)
			cfg := dataset.AuditConfig{Vocabulary: vocabulary(w)}
			a := audit(t, cfg, cells)
			found := map[int]bool{}
			for i := range cells {
				if a.Flags(0, i)&test.flags != 0 {
					found[i] = true
				}
			}
			demand(t, found, planted)
		})
	}
}

// demand is recall and precision of 0.95 each.
func demand(t *testing.T, found, planted map[int]bool) {
	t.Helper()
	hits := 0
	for i := range found {
		if planted[i] {
			hits++
		}
	}
	recall, precision := float64(hits)/float64(len(planted)), float64(hits)/float64(max(len(found), 1))
	t.Logf("recall %.3f, precision %.3f of %d", recall, precision, len(planted))
	if recall < 0.95 || precision < 0.95 {
		t.Errorf("recall %.3f, precision %.3f of %d planted", recall, precision, len(planted))
	}
}

// lineageOf is the lineage of the simulated cell types.
var lineageOf = map[string]string{
	"CD4 T cell": "T", "CD8 T cell": "T", "NK cell": "T", "B cell": "B", "Monocyte": "M", "Dendritic cell": "M",
	"Platelet": "P", "Tumour cell": "E",
}

// TestAuditDoublets finds cells with the markers of two lineages.
func TestAuditDoublets(t *testing.T) {
	cells, _ := simulated(t, simulate.Config{Seed: 4, Perturbations: []simulate.Perturbation{}, DoubletShare: 0.05}, 0, 3000, 0)
	a := audit(t, dataset.AuditConfig{}, cells)
	found, planted := map[int]bool{}, map[int]bool{}
	for i, c := range cells {
		if c.partner != "" && lineageOf[c.partner] == lineageOf[c.label] {
			continue // a doublet, but not of two lineages
		}
		if c.share < 0.25 || c.share > 0.75 {
			continue // nearly all of the RNA is that of one cell, and few markers of the other are in sight
		}
		if a.Flags(0, i)&dataset.FlagLineages != 0 {
			found[i] = true
		}
		if c.partner != "" && lineageOf[c.partner] != lineageOf[c.label] {
			planted[i] = true
			if !found[i] {
				t.Log("missed: ", c.label, c.partner, a.Flags(0, i))
			}
		} else if found[i] {
			t.Log("wrong: ", c.label, c.partner, a.Flags(0, i))
		}
	}
	demand(t, found, planted)
}

// again makes a sentence of the same words in an order that other ties could give,
// without every fiftieth word.
func again(r *rand.Rand, sentence string) string {
	s := words(sentence)
	for i := 0; i+10 <= len(s); i += 10 {
		r.Shuffle(10, func(x, y int) { s[i+x], s[i+y] = s[i+y], s[i+x] })
	}
	var out []string
	for i, w := range s {
		if i%50 != 49 {
			out = append(out, w)
		}
	}
	return join(out)
}

// TestAuditDuplicates finds planted duplicates, near-duplicates, leaks from train to
// test and conflicts of labels, and takes none for another.
func TestAuditDuplicates(t *testing.T) {
	for _, topK := range []int{0, 150} {
		clean, _ := simulated(t, simulate.Config{Seed: 5, Perturbations: []simulate.Perturbation{}}, 0, 3000, topK)
		train, test := clean[:2000:2000], clean[2000:]
		r := rand.New(rand.NewPCG(1, 2))
		want := map[dataset.Flags]map[[2]int]bool{}
		put := func(flag dataset.Flags, input, row int) {
			if want[flag] == nil {
				want[flag] = map[[2]int]bool{}
			}
			want[flag][[2]int{input, row}] = true
		}
		// Copies stand behind their originals, under other names.
		for i := range 100 {
			c := train[i]
			c.name = "copy-" + c.name
			put(dataset.FlagDuplicate, 0, len(train))
			train = append(train, c)
		}
		for i := 100; i < 200; i++ {
			c := train[i]
			c.sentence = again(r, c.sentence)
			put(dataset.FlagNearDuplicate, 0, len(train))
			train = append(train, c)
		}
		for i := 200; i < 300; i++ {
			put(dataset.FlagLeak, 1, len(test))
			c := train[i]
			if i%2 == 0 {
				c.sentence = again(r, c.sentence)
			}
			test = append(test, c)
		}
		for i := 300; i < 360; i++ {
			c := train[i]
			c.label = map[bool]string{true: "B cell", false: "NK cell"}[c.label == "NK cell"]
			if i%2 == 0 {
				put(dataset.FlagNearDuplicate, 0, len(train))
				c.sentence = again(r, c.sentence) // known by its name
			} else {
				put(dataset.FlagDuplicate, 0, len(train))
				c.name = "other" // known by its sentence
			}
			put(dataset.FlagConflict, 0, i)
			put(dataset.FlagConflict, 0, len(train))
			train = append(train, c)
		}
		a := audit(t, dataset.AuditConfig{}, train, test)
		for flag, rows := range want {
			found, planted := map[int]bool{}, map[int]bool{}
			for k, cells := range [][]cell{train, test} {
				for i := range cells {
					if a.Flags(k, i)&flag != 0 {
						found[k*1_000_000+i] = true
					}
				}
			}
			for at := range rows {
				planted[at[0]*1_000_000+at[1]] = true
			}
			t.Run(flag.String(), func(t *testing.T) { demand(t, found, planted) })
		}
		if l := a.Report.Leakage; len(l) != 1 || l[0].From != "train" || l[0].To != "test" || l[0].Exact != 50 || l[0].Near < 48 {
			t.Errorf("leakage %+v", l)
		}
	}
}

// TestAuditConfounded finds labels that come from one donor alone.
func TestAuditConfounded(t *testing.T) {
	cells, _ := simulated(t, simulate.Config{Seed: 6, Perturbations: []simulate.Perturbation{}}, 0, 1000, 100)
	for i := range cells {
		switch cells[i].label {
		case "B cell":
			cells[i].donor = "D1"
		case "Monocyte":
			cells[i].donor = "D2"
		}
	}
	c := audit(t, dataset.AuditConfig{}, cells).Report.Confounding
	if len(c) != 1 || len(c[0].Alone) != 2 || c[0].Alone[0].Value == c[0].Alone[1].Value || c[0].Alone[0].Share != 1 || c[0].Confounded {
		t.Fatalf("%+v", c)
	}
	for i := range cells {
		cells[i].donor = cells[i].label
	}
	c = audit(t, dataset.AuditConfig{}, cells).Report.Confounding
	if !c[0].Confounded || *c[0].V < 0.999 {
		t.Errorf("%+v, expected that donor and label tell each other", c)
	}
}

// TestAuditWrites adds the flags as columns, from which a mixture is made.
func TestAuditWrites(t *testing.T) {
	clean, w := simulated(t, simulate.Config{Seed: 7, Perturbations: []simulate.Perturbation{}}, 0, 1500, 0)
	cells, planted := plant(clean, 3, func(_ *rand.Rand, c *cell) { c.sentence = join(words(c.sentence)[:5]) })
	cells = append(cells, clean[0]) // a duplicate is neither good nor junk
	cells[len(cells)-2].label = ""
	a := audit(t, dataset.AuditConfig{Vocabulary: vocabulary(w)}, cells)
	dir := t.TempDir()
	path := filepath.Join(dir, "flagged.parquet")
	if err := a.Write(t.Context(), 0, path, dataset.Options{}); err != nil {
		t.Fatal(err)
	}
	row := 0
	for b, err := range dataset.Read(t.Context(), path, dataset.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		flags, cheap, content := b.Column("c2s_flags"), b.Column("c2s_junk_cheap"), b.Column("c2s_junk_content")
		for i := range b.Rows() {
			if got := string(flags.Print(nil, i)); got != a.Flags(0, row).String() || flags.Missing[i] != (got == "") {
				t.Fatalf("row %d: flags %q, expected %q", row, got, a.Flags(0, row))
			}
			x, y := a.Scores(0, row)
			if cheap.Floats[i] != x || content.Missing[i] != math.IsNaN(y) || !content.Missing[i] && content.Floats[i] != y {
				t.Fatalf("row %d: scores %g and %g, expected %g and %g", row, cheap.Floats[i], content.Floats[i], x, y)
			}
			row++
		}
	}
	if row != len(cells) {
		t.Errorf("%d rows, expected %d", row, len(cells))
	}
	if err := a.Write(t.Context(), 0, filepath.Join(dir, "x.txt"), dataset.Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	out := func(dose int) string { return filepath.Join(dir, fmt.Sprintf("mix-%d.hf", dose)) }
	report, err := dataset.Mix(t.Context(), path, "", out, dataset.MixConfig{Doses: []int{0, 50}}, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.LeftOut != 1 || report.Junk.Rows != int64(len(planted)) || report.Good.Rows != int64(1500-len(planted)) {
		t.Errorf("%+v, planted %d", report, len(planted))
	}
	again := []dataset.AuditInput{{Name: "x", Path: path}}
	b, err := dataset.Audit(t.Context(), again, dataset.AuditConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var bad *dataset.Error
	if err := b.Write(t.Context(), 0, filepath.Join(dir, "twice.parquet"), dataset.Options{}); !errors.As(err, &bad) {
		t.Errorf("%v, expected that the columns are there already", err)
	}
}

// TestAuditReport has the same report, as JSON, each time, for other formats of the
// same rows, and examples of what was flagged.
func TestAuditReport(t *testing.T) {
	clean, _ := simulated(t, simulate.Config{Seed: 8, Perturbations: []simulate.Perturbation{}}, 0, 600, 0)
	cells, _ := plant(clean, 1, func(_ *rand.Rand, c *cell) { c.sentence = "" })
	var texts []string
	for _, name := range []string{"a.parquet", "a.jsonl.zst", "a.hf"} {
		a, err := dataset.Audit(t.Context(), []dataset.AuditInput{{Name: "a", Path: save(t, name, cells)}}, dataset.AuditConfig{Examples: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Report.Inputs {
			a.Report.Inputs[i].Path = ""
		}
		b, err := json.Marshal(a.Report)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
		if e := a.Report.Examples; len(e) < 2 || e[0].Flag != "empty" || e[0].Name != fmt.Sprintf("cell-%d", e[0].Row) {
			t.Errorf("%+v", e)
		}
		if k := a.Report.Junk; k.Cheap == 0 || k.Scored == 0 {
			t.Errorf("%+v", k)
		}
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Error("the reports differ")
	}
	for name, cfg := range map[string]dataset.AuditConfig{
		"label": {Label: "celltype"}, "group": {Groups: []string{"lab"}}, "text": {Text: "prompt"}, "near": {Near: 0.5}, "odds": {Odds: 1},
	} {
		if _, err := dataset.Audit(t.Context(), []dataset.AuditInput{{Name: "a", Path: save(t, "a.parquet", cells)}}, cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAuditUnknown refuses what the vocabulary knows nothing of.
func TestAuditUnknown(t *testing.T) {
	cells, w := simulated(t, simulate.Config{Seed: 8}, 0, 50, 0)
	in := []dataset.AuditInput{{Name: "a", Path: save(t, "a.parquet", cells)}}
	var bad *dataset.Error
	_, err := dataset.Audit(t.Context(), in, dataset.AuditConfig{Vocabulary: vocabulary(w), Delimiter: "; "})
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "none of its 50 words") {
		t.Errorf("%v, expected that no word is known", err)
	}
}

// TestAuditWithoutLabels finds doublets by the built-in markers.
func TestAuditWithoutLabels(t *testing.T) {
	cells, _ := simulated(t, simulate.Config{Seed: 9, Perturbations: []simulate.Perturbation{}, DoubletShare: 0.05}, 0, 2000, 0)
	a := audit(t, dataset.AuditConfig{Label: "-"}, cells)
	found, right := 0, 0
	for i, c := range cells {
		if a.Flags(0, i)&dataset.FlagLineages != 0 {
			found++
			if c.partner != "" && lineageOf[c.partner] != lineageOf[c.label] {
				right++
			}
		}
	}
	t.Logf("%d found, %d of them doublets", found, right)
	if found == 0 || float64(right)/float64(found) < 0.9 || len(a.Report.Warnings) != 1 {
		t.Errorf("%d of %d flagged cells are doublets; %v", right, found, a.Report.Warnings)
	}
}
