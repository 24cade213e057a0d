package predictor_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// group is n equal cells.
type group struct {
	perturbation, dose, context, cellType string
	n                                     int
	values                                []float32
}

var genes = []string{"A", "B", "C", "D"}

func reference(t testing.TB, groups []group, cfg predictor.ReferenceConfig) (*predictor.Reference, error) {
	t.Helper()
	cells := predictor.Cells{Name: "ref.h5ad", Genes: genes}
	known := map[[2]string]int{}
	var values [][]float32
	for _, g := range groups {
		at := [2]string{g.perturbation, g.dose}
		if _, ok := known[at]; !ok && g.perturbation != "" {
			known[at] = len(cells.Perturbations)
			cells.Perturbations = append(cells.Perturbations, predictor.Parse(g.perturbation, "", "ctrl", g.dose, ""))
		}
		for range g.n {
			place := known[at]
			if g.perturbation == "" {
				place = -1
			}
			cells.Of = append(cells.Of, place)
			cells.Contexts = append(cells.Contexts, g.context)
			cells.CellTypes = append(cells.CellTypes, g.cellType)
			values = append(values, g.values)
		}
	}
	cells.Source = source(values)
	return predictor.NewReference(t.Context(), cells, cfg)
}

// design: X moves A by +1 in T cells of context a, by +2 in B cells there, where 10
// cells stand against 30; elsewhere by +3. B cells express D, T cells do not, and X was
// tried mostly in T cells: the means of all would say that X lowers D.
func design() []group {
	return []group{
		{"ctrl", "", "a", "T", 10, []float32{1, 1, 0, 0}},
		{"ctrl", "", "a", "B", 20, []float32{1, 1, 0, 4}},
		{"ctrl", "", "b", "T", 10, []float32{2, 1, 0, 0}},
		{"X", "1 uM", "a", "T", 30, []float32{2, 1, 0, 0}},
		{"X", "1 uM", "a", "B", 10, []float32{3, 1, 0, 4}},
		{"X", "1 uM", "b", "T", 4, []float32{5, 1, 0, 0}},
		{"X", "2 uM", "a", "T", 10, []float32{4, 1, 0, 0}},
		{"Y", "", "a", "T", 10, []float32{1, 0, 2, 0}},
		{"Z", "", "a", "T", 10, []float32{1, 4, 0, 0}},
		{"Y+Z", "", "a", "T", 10, []float32{1, 3, 3, 0}},
		{"", "", "a", "T", 3, []float32{9, 9, 9, 9}},
	}
}

func shiftOf(t testing.TB, p *predictor.Shift, label, dose, context, cellType string) ([]float32, predictor.Explanation) {
	t.Helper()
	what := predictor.Parse(label, "", "ctrl", dose, "")
	e, err := p.Explain(what, context, cellType)
	if err != nil {
		t.Fatal(err)
	}
	// A cell far above zero shows the shift.
	out, err := p.Predict(t.Context(), perturb.Request{Cells: []perturb.Cell{{Row: 3, Values: []float32{5, 5, 5, 5}}}, Perturbation: what, Context: context, CellType: cellType})
	if err != nil {
		t.Fatal(err)
	}
	v := out.Cells[0].Values
	for i := range v {
		v[i] -= 5
	}
	return v, e
}

// The expected shifts are worked out by hand from the design.
func TestAdditive(t *testing.T) {
	ref, err := reference(t, design(), predictor.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if ref.LeftOut != 3 || !slices.Equal(ref.Perturbations(), []string{"X", "Y", "Y+Z", "Z"}) {
		t.Errorf("%d left out, %q", ref.LeftOut, ref.Perturbations())
	}
	p, err := predictor.NewAdditive(ref, genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, label, dose, context, cellType string
		want                                 []float32
		level                                predictor.Level
		cells                                int
		others                               bool
	}{
		{"its own group", "X", "1 uM", "a", "T", []float32{1, 0, 0, 0}, predictor.LevelExact, 30, false},
		{"another type", "X", "1 uM", "a", "B", []float32{2, 0, 0, 0}, predictor.LevelExact, 10, false},
		// (30·1 + 10·2) / 40, and D stays where it is.
		{"an unknown type", "X", "1 uM", "a", "NK", []float32{1.25, 0, 0, 0}, predictor.LevelContext, 40, false},
		// Four cells are too few of context b: T cells of both, (30·1 + 4·3) / 34.
		{"too few", "X", "1 uM", "b", "T", []float32{42. / 34, 0, 0, 0}, predictor.LevelCellType, 34, false},
		// (30·1 + 10·2 + 4·3) / 44
		{"nothing told", "X", "1 uM", "", "", []float32{62. / 44, 0, 0, 0}, predictor.LevelAll, 44, false},
		{"its own dose", "X", "2 uM", "a", "T", []float32{3, 0, 0, 0}, predictor.LevelExact, 10, false},
		// Both doses: (30·1 + 10·3) / 40.
		{"no dose", "X", "", "a", "T", []float32{1.5, 0, 0, 0}, predictor.LevelExact, 40, true},
		{"an unknown dose", "X", "9 uM", "a", "T", []float32{1.5, 0, 0, 0}, predictor.LevelExact, 40, true},
		{"a known combination", "Z+Y", "", "a", "T", []float32{0, 2, 3, 0}, predictor.LevelExact, 10, false},
		{"a sum", "Y+X", "+1 uM", "a", "T", []float32{1, -1, 2, 0}, predictor.LevelExact, 10, false},
		{"the vehicle", "ctrl", "", "a", "T", []float32{0, 0, 0, 0}, predictor.LevelExact, 0, false},
	} {
		got, e := shiftOf(t, p, c.label, c.dose, c.context, c.cellType)
		for g := range got {
			if math.Abs(float64(got[g]-c.want[g])) > 1e-6 { // float32 of numbers near 5
				t.Errorf("%s: shift %v, expected %v", c.name, got, c.want)
				break
			}
		}
		if e.Level != c.level || e.Cells != c.cells || e.OtherDoses != c.others {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

func TestMeanResponseLeavesOneOut(t *testing.T) {
	ref, err := reference(t, design(), predictor.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := predictor.NewMeanResponse(ref, genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	// In T cells of a: X of both doses 1.5 in A; Y (0, −1, 2); Z (0, 3, 0); Y+Z (0, 2, 3).
	for label, want := range map[string][]float32{
		"Y":   {0.5, 5. / 3, 1, 0},
		"Y+Z": {0.5, 2. / 3, 2. / 3, 0},
		"new": {0.375, 1, 1.25, 0},
	} {
		got, _ := shiftOf(t, p, label, "", "a", "T")
		for g := range got {
			if math.Abs(float64(got[g]-want[g])) > 1e-6 {
				t.Errorf("%s: %v, expected %v", label, got, want)
				break
			}
		}
	}
}

func TestNearest(t *testing.T) {
	ref, err := reference(t, design(), predictor.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	signatures, err := predictor.ReadSignatures(strings.NewReader("name\tg1\tg2\tg3\nX\t1\t2\t3\nlike X\t2\t4\t5\nY\t3\t2\t1\n"), predictor.SignatureConfig{Name: "sig.tsv"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := predictor.NewNearest(ref, genes, predictor.NearestConfig{
		Targets: map[string][]string{"drug": {"T1", "T2"}, "X": {"T2"}}, Signatures: signatures,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		label      string
		from       []string
		similarity float64
		want       []float32
	}{
		{"drug", []string{"X"}, 0.5, []float32{1.5, 0, 0, 0}},
		{"Y", []string{"Y+Z"}, 0.5, []float32{0, 2, 3, 0}},
		{"Y+Z", []string{"Y", "Z"}, 0.5, []float32{0, 1, 1, 0}},                  // of equals the mean
		{"like X", []string{"X"}, 0.98198, []float32{1.5, 0, 0, 0}},              // Pearson of (1,2,3), (2,4,5)
		{"new", []string{"X", "Y", "Y+Z", "Z"}, 0, []float32{0.375, 1, 1.25, 0}}, // the mean response
	} {
		got, e := shiftOf(t, p, c.label, "", "a", "T")
		if !slices.Equal(e.From, c.from) || math.Abs(e.Similarity-c.similarity) > 1e-5 {
			t.Errorf("%s: %+v, expected %v with %g", c.label, e, c.from, c.similarity)
		}
		for g := range got {
			if math.Abs(float64(got[g]-c.want[g])) > 1e-6 {
				t.Errorf("%s: %v, expected %v", c.label, got, c.want)
				break
			}
		}
	}
}

// TestSentences: predicted cells stop at zero, and their sentences are those that the
// encoder gives the same values under the same seed and row.
func TestSentences(t *testing.T) {
	ref, err := reference(t, design(), predictor.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := predictor.NewAdditive(ref, genes, predictor.Config{TopK: 3})
	if err != nil {
		t.Fatal(err)
	}
	// Y: B falls below zero and is 0, C rises.
	y := predictor.Parse("Y", "", "ctrl", "", "")
	cells := []perturb.Cell{{Row: 9, Values: []float32{2, 0.5, 0, 2}, Genes: []string{"A", "D", "B"}}, {Row: 4, Values: []float32{2, 3, 0, 2}}}
	out, err := p.Predict(t.Context(), perturb.Request{Cells: cells, Perturbation: y, Context: "a", CellType: "T", Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{2, 0, 2, 2}, {2, 2, 2, 2}} {
		got := out.Cells[i]
		if !slices.Equal(got.Values, want) {
			t.Errorf("cell %d: %v, expected %v", i, got.Values, want)
		}
		enc, err := cellsentence.NewEncoder(genes, cellsentence.Config{TopK: 3, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		rows := make([][]float32, cells[i].Row+1)
		for r := range rows {
			rows[r] = want
		}
		var last string
		for s, err := range enc.Encode(t.Context(), source(rows)) {
			if err != nil {
				t.Fatal(err)
			}
			last = string(s.At(s.Len() - 1))
		}
		if strings.Join(got.Genes, " ") != last || got.Flags != (perturb.Flags{Words: 3, Valid: true}) {
			t.Errorf("cell %d: %v %+v, expected %s", i, got.Genes, got.Flags, last)
		}
	}
	alone, err := p.Predict(t.Context(), perturb.Request{Cells: cells[1:], Perturbation: y, Context: "a", CellType: "T", Seed: 7})
	if err != nil || !slices.Equal(alone.Cells[0].Genes, out.Cells[1].Genes) {
		t.Errorf("%v %v: a cell depends on its company", alone, err)
	}
}

func TestControl(t *testing.T) {
	cell := perturb.Cell{Row: 1, Genes: []string{"A", "B"}, Values: []float32{2, 1}}
	out, err := predictor.NewControl().Predict(t.Context(), perturb.Request{Cells: []perturb.Cell{cell, {Row: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	if c := out.Cells[0]; !slices.Equal(c.Genes, cell.Genes) || !slices.Equal(c.Values, cell.Values) || c.Flags != (perturb.Flags{Words: 2, Valid: true, Copy: true}) {
		t.Errorf("%+v", c)
	}
	if c := out.Cells[1]; c.Flags != (perturb.Flags{}) {
		t.Errorf("an empty cell: %+v", c)
	}
}

func TestBadReferences(t *testing.T) {
	for _, c := range []struct {
		name   string
		groups []group
		cfg    predictor.ReferenceConfig
		want   string
	}{
		{"no control", []group{{"X", "", "", "", 9, []float32{1, 0, 0, 0}}}, predictor.ReferenceConfig{}, "no control cell"},
		{"scaled", []group{{"ctrl", "", "", "", 9, []float32{1, -1, 0, 0}}}, predictor.ReferenceConfig{}, "gene B: -1 is no log-normalised"},
		{"counts", []group{{"ctrl", "", "", "", 9, []float32{1, 400, 0, 0}}}, predictor.ReferenceConfig{}, "gene B: 400"},
		{"NaN", []group{{"ctrl", "", "", "", 9, []float32{1, float32(math.NaN()), 0, 0}}}, predictor.ReferenceConfig{}, "NaN"},
		{"memory", design(), predictor.ReferenceConfig{Budget: 4 * 8 * 3}, "4 groups of 4 genes"},
	} {
		_, err := reference(t, c.groups, c.cfg)
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) {
			t.Errorf("%s: %v, expected %q", c.name, err, c.want)
		}
	}
}

func TestBadRequests(t *testing.T) {
	ref, err := reference(t, design(), predictor.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := predictor.NewAdditive(ref, []string{"A", "E", "F", "G"}, predictor.Config{}); err == nil || !strings.Contains(err.Error(), "1 genes in common, of 4 and 4") {
		t.Errorf("%v: one gene of four is too few", err)
	}
	if p, err := predictor.NewAdditive(ref, []string{"A", "E", "F", "G"}, predictor.Config{MinOverlap: 0.25}); err != nil || p.Shared() != 1 {
		t.Errorf("%v", err)
	}
	p, err := predictor.NewAdditive(ref, genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	predict := func(label string, values ...float32) error {
		_, err := p.Predict(t.Context(), perturb.Request{Cells: []perturb.Cell{{Values: values}}, Perturbation: predictor.Parse(label, "", "ctrl", "", "")})
		return err
	}
	if err := predict("X", 1, 2); err == nil || !strings.Contains(err.Error(), "2 values for 4 genes") {
		t.Errorf("%v", err)
	}
	if err := predict("X", 1, 2, -3, 0); err == nil || !strings.Contains(err.Error(), "gene C: -3") {
		t.Errorf("%v", err)
	}
	err = predict("Z+X-2", 1, 2, 3, 4)
	unknown, ok := errors.AsType[*predictor.UnknownError](err)
	if !ok || unknown.Perturbation != "X-2" || !unknown.Guide || !strings.Contains(unknown.Hint(), "it has X: labels differ by the suffix of a guide") {
		t.Errorf("%v", err)
	}
}

// TestSignatures: values are cut, genes are named, and a gene without a name left out.
func TestSignatures(t *testing.T) {
	text := "id\t1\t2\t3\t4\nDB1\t100\t-3\t7\t4\nDB2\t0\t0\t0\t-11\n"
	s, err := predictor.ReadSignatures(strings.NewReader(text), predictor.SignatureConfig{
		Name: "sig.tsv", GeneNames: map[string]string{"1": "A", "2": "B", "4": "D"}, Names: map[string]string{"DB1": "aspirin"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Unnamed != 1 || s.Cut != 2 || !slices.Equal(s.Genes(), []string{"A", "B", "D"}) || !slices.Equal(s.Perturbations(), []string{"DB1", "DB2", "aspirin"}) {
		t.Errorf("%d %d %v %v", s.Unnamed, s.Cut, s.Genes(), s.Perturbations())
	}
	// (10, −3, 4) has the length √125; a fifth of it is √5.
	p, err := predictor.NewAdditive(s, genes, predictor.Config{Norm: math.Sqrt(5)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"DB1", "aspirin"} {
		got, e := shiftOf(t, p, name, "", "", "")
		for g, want := range []float32{2, -0.6, 0, 0.8} {
			if math.Abs(float64(got[g]-want)) > 1e-6 {
				t.Errorf("%s: %v", name, got)
			}
		}
		if e.Level != predictor.LevelSignature || e.Missing != 1 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	mean, err := predictor.NewMeanResponse(s, genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := shiftOf(t, mean, "aspirin", "", "", ""); got[0] != 0 || got[3] != -5 {
		t.Errorf("the mean of the others without aspirin, which is DB1: %v", got)
	}
	for name, text := range map[string]string{
		"no header": "", "one column": "id\nX\n", "columns": "id\tA\nX\t1\t2\n", "number": "id\tA\nX\tfive\n", "infinite": "id\tA\nX\tInf\n",
		"twice": "id\tA\nX\t1\nX\t2\n", "nothing": "id\tA\n", "gzip": "\x1f\x8b not gzip",
	} {
		_, err := predictor.ReadSignatures(strings.NewReader(text), predictor.SignatureConfig{Name: "sig.tsv"})
		var bad interface{ BadInput() bool }
		if err == nil || !errors.As(err, &bad) || !strings.Contains(err.Error(), "sig.tsv") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTables(t *testing.T) {
	targets, err := predictor.ReadTargets(strings.NewReader("# compounds\nsilmitasertib\tCSNK2A1;CSNK2A2\r\n\nx\tA, B | C\n"), "targets.tsv")
	if err != nil || !slices.Equal(targets["silmitasertib"], []string{"CSNK2A1", "CSNK2A2"}) || !slices.Equal(targets["x"], []string{"A", "B", "C"}) {
		t.Errorf("%v %v", targets, err)
	}
	if _, err := predictor.ReadTargets(strings.NewReader("x\n"), "targets.tsv"); err == nil || !strings.Contains(err.Error(), "targets.tsv: line 1") {
		t.Errorf("%v", err)
	}
	names, err := predictor.ReadNames(strings.NewReader("human_symbol\thuman_entrez\tsymbol\nA1BG\t1\tA1bg\nOTHER\t1\tx\n"), "orthologs.tsv")
	if err != nil || names["1"] != "A1BG" {
		t.Errorf("%v %v", names, err)
	}
	if _, err := predictor.ReadNames(strings.NewReader("x\n"), "names.tsv"); err == nil {
		t.Error("one column names nothing")
	}
}
