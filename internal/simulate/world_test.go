package simulate

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func mustNew(t testing.TB, cfg Config) *World {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestGenes(t *testing.T) {
	small, large := mustNew(t, Config{NGenes: 300}), mustNew(t, Config{NGenes: 3000, Seed: 9})
	if n := len(large.Genes); n != 3000 {
		t.Fatalf("%d genes, want 3000", n)
	}
	seen, made := map[string]bool{}, 0
	for i, g := range large.Genes {
		if seen[g.Symbol] {
			t.Errorf("%s occurs twice", g.Symbol)
		}
		seen[g.Symbol] = true
		if large.Column(g.Symbol) != i {
			t.Errorf("Column(%s) = %d, want %d", g.Symbol, large.Column(g.Symbol), i)
		}
		if g.Synthetic() != strings.HasPrefix(g.Symbol, "SIM0") {
			t.Errorf("%s has the role %s", g.Symbol, g.Role)
		}
		if g.Synthetic() {
			made++
		}
	}
	if made != 3000-len(candidates()) {
		t.Errorf("%d synthetic genes", made)
	}
	if large.Column("no such gene") != -1 {
		t.Error("a gene that is not there has a column")
	}
	// The small world's genes are among those of the large one, in the same order.
	last := -1
	for _, g := range small.Genes {
		at := large.Column(g.Symbol)
		if at <= last {
			t.Fatalf("%s is at %d, after %d", g.Symbol, at, last)
		}
		last = at
	}
	for s := range strings.FieldsSeq(presentationSymbols + " ISG15 STAT1 CD3D MS4A1 LYZ NKG7 PPBP MT-CO1") {
		if small.Column(s) < 0 {
			t.Errorf("a world of 300 genes lacks %s", s)
		}
	}
}

// All symbols but the synthetic ones are in the gene table of the CELLxGENE schema.
func TestSymbolsExist(t *testing.T) {
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(dir, "data", "genesets", "cxg_genes_homo_sapiens.csv.gz"))
	if err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("the gene table is absent (C2S_SHARED): %v", err)
		}
		t.Skipf("the gene table is absent (C2S_SHARED): %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ","); len(fields) > 1 {
			known[fields[1]] = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	all := candidates()
	if len(all) != 999 {
		t.Errorf("%d genes with symbols; the package comment says 999", len(all))
	}
	for _, c := range all {
		if !known[c.symbol] {
			t.Errorf("%s is no gene", c.symbol)
		}
	}
	for _, p := range Programs() {
		for _, g := range p.Genes {
			if !known[g] {
				t.Errorf("%s of program %s is no gene", g, p.Name)
			}
		}
	}
}

// A configuration with its defaults, through JSON, builds the same world.
func TestConfigRoundTrip(t *testing.T) {
	w := mustNew(t, Config{Seed: 5, NGenes: 200, DonorSD: Off, AmbientShare: 0.1, Perturbations: []Perturbation{}})
	text, err := json.Marshal(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	var cfg Config
	if err := json.Unmarshal(text, &cfg); err != nil {
		t.Fatal(err)
	}
	if again := mustNew(t, cfg); !reflect.DeepEqual(again, w) {
		t.Error("the world differs")
	}
}

func TestDefaults(t *testing.T) {
	w := mustNew(t, Config{})
	got := []int{len(w.Genes), len(w.CellTypes), len(w.Donors), len(w.Contexts), len(w.Perturbations), len(w.Doses)}
	if want := []int{2000, 8, 4, 2, 8, 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("genes, types, donors, contexts, perturbations with the control, doses: %v, want %v", got, want)
	}
	// With other contexts the default perturbations are those that fit.
	w = mustNew(t, Config{Contexts: []Context{{Name: "dish"}}})
	for _, p := range w.Perturbations {
		if p.Class == ClassSplit || p.Class == ClassLowOnly {
			t.Errorf("%s without its context", p.Name)
		}
	}
	if len(w.Perturbations) != 6 {
		t.Errorf("%d perturbations, want 6", len(w.Perturbations))
	}
}

func TestConfigErrors(t *testing.T) {
	one := func(p Perturbation) Config { return Config{NGenes: 100, Perturbations: []Perturbation{p}} }
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{NGenes: -1}, "n_genes is -1"},
		{Config{NGenes: 100_001}, "n_genes is 100001"},
		{Config{Donors: -2}, "donors"},
		{Config{NGenes: 100_000, Donors: 3000}, "at most 268435456"},
		{Config{Depth: math.NaN()}, "depth is NaN"},
		{Config{Depth: -5}, "depth"},
		{Config{DepthSD: 3}, "depth_sd"},
		{Config{Dispersion: -0.5}, "dispersion"},
		{Config{ControlShare: 2}, "control_share"},
		{Config{ResponseSD: Off}, "response_sd"},
		{Config{AmbientShare: 1}, "ambient_share"},
		{Config{Doses: []float64{1, 0}}, "dose 0"},
		{Config{CellTypes: []CellType{}}, "at least one cell type"},
		{Config{CellTypes: []CellType{{Name: "a", Share: -1}}}, `"a"`},
		{Config{CellTypes: []CellType{{Name: "a"}, {Name: "a"}}}, `two of the name "a"`},
		{Config{CellTypes: []CellType{{Name: ""}}}, "no name"},
		{Config{CellTypes: []CellType{{Name: "a", Programs: []Shift{{"nope", 1}}}}}, `no program is called "nope"`},
		{Config{Contexts: []Context{{Name: "x", Programs: []Shift{{ProgramStress, math.Inf(1)}}}}}, "not within"},
		{one(Perturbation{Name: "control"}), `two of the name "control"`},
		{one(Perturbation{Name: "p", Effects: []Effect{{"nope", 1, ""}}}), `perturbation "p"`},
		{one(Perturbation{Name: "p", Effects: []Effect{{ProgramStress, 1, "moon"}}}), `no context is called "moon"`},
		{one(Perturbation{Name: "p", Genes: []GeneEffect{{"SIM00001", 1, ""}}}), `gene "SIM00001" is not in this world`},
		{one(Perturbation{Name: "p", Genes: []GeneEffect{{"ISG15", 11, ""}}}), "not within"},
		{one(Perturbation{Name: "p", RandomGenes: -1}), "random_genes"},
		{one(Perturbation{Name: "p", ED50: -1}), "ed50"},
	} {
		_, err := New(tc.cfg)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: error %v, want %q", tc.cfg, err, tc.want)
		}
	}
}

func TestCompounds(t *testing.T) {
	list, err := Compounds(3, 1000, 25)
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, p := range list {
		n[p.Class]++
	}
	if n[ClassSplit] != 25 {
		t.Errorf("%d hits, want 25", n[ClassSplit])
	}
	for _, c := range []string{ClassInert, ClassAdditive, ClassLowOnly, ClassSuppressor, ClassInterferon, ClassOffTarget} {
		if n[c] == 0 {
			t.Errorf("no compound is %s", c)
		}
	}
	w := mustNew(t, Config{NGenes: 500, Perturbations: list, Doses: []float64{0.1, 1, 10}})
	col := w.Column("HLA-A")
	for p := range w.Perturbations {
		low, errLow := w.LogFC(p, 0, 1)
		high, errHigh := w.LogFC(p, 1, 1)
		if errLow != nil || errHigh != nil {
			t.Fatal(errLow, errHigh)
		}
		l, h := low[col], high[col]
		ok := false
		switch w.Perturbations[p].Class {
		case "control", ClassInert, ClassOffTarget:
			ok = l == 0 && h == 0
		case ClassSplit:
			ok = l == 0 && h > 0.1
		case ClassLowOnly:
			ok = l > 0.1 && h == 0
		case ClassSuppressor:
			ok = l < -0.1 && h == l
		default:
			ok = l > 0.1 && h == l
		}
		if !ok {
			t.Fatalf("%s (%s) moves HLA-A by %g and %g", w.Perturbations[p].Name, w.Perturbations[p].Class, l, h)
		}
	}
	for _, tc := range [][2]int{{0, 0}, {5, 6}, {5, -1}, {maxNames + 1, 1}} {
		if _, err := Compounds(1, tc[0], tc[1]); !errors.Is(err, ErrConfig) {
			t.Errorf("Compounds(1, %d, %d): %v", tc[0], tc[1], err)
		}
	}
}
