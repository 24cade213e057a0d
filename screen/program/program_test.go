package program_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/screen/program"
)

func load(t *testing.T, name string) *program.Program {
	t.Helper()
	p, err := program.Load("", name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBuiltin(t *testing.T) {
	for name, want := range map[string]string{
		program.MHC1Core:      "B2M CALR CANX ERAP1 ERAP2 HLA-A HLA-B HLA-C PDIA3 PSMB5 PSMB6 PSMB7 PSMB8 PSMB9 PSMB10 TAP1 TAP2 TAPBP",
		program.MHC1Light:     "B2M HLA-A HLA-B HLA-C",
		program.MHC1CoreNoIFN: "B2M CALR CANX ERAP1 ERAP2 HLA-A HLA-B HLA-C PDIA3 PSMB5 PSMB6 PSMB7 TAPBP",
	} {
		if got := strings.Join(load(t, name).Words(), " "); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, name := range program.Names() {
		seen := map[string]bool{}
		for _, g := range load(t, name).Genes {
			if seen[g.Symbol] || !strings.Contains(g.Source, "PMID ") && !strings.Contains(g.Source, " et al., ") || g.Symbol != strings.ToUpper(g.Symbol) {
				t.Errorf("%s: %+v", name, g)
			}
			seen[g.Symbol] = true
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sets.gmt":   "FIRST\tabout\tB2M\thla-a\tB2M\nSECOND\t\tGZMB-\tCD8A+\tPRF1\r\n",
		"one.gmt":    "ONLY\thttp://x\tA\tB\n",
		"list.txt":   "# antigen presentation\nB2M\n\nhla-a\t+\nCD274\tdown\nHLA-B\t1\nMYC-\n",
		"both.txt":   "A\nA-\n",
		"empty.txt":  "# nothing\n",
		"sign.txt":   "A\tsideways\n",
		"blank.txt":  "two words\n",
		"short.gmt":  "NAME\tabout\n",
		"twice.gmt":  "A\t\tB\nA\t\tC\n",
		"nobody.gmt": "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"sets.gmt#FIRST":  "FIRST: B2M HLA-A",
		"sets.gmt#SECOND": "SECOND: GZMB- CD8A PRF1",
		"one.gmt":         "ONLY: A B",
		"list.txt":        "list: B2M HLA-A CD274- HLA-B MYC-",
	} {
		p, err := program.Load(dir, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := p.Name + ":"
		for _, g := range p.Genes {
			got += " " + g.Symbol
			if g.Down {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, want := range map[string]string{
		"sets.gmt":        "2 gene sets",
		"sets.gmt#SECNOD": "none of the 2",
		"both.txt":        "both up and down",
		"empty.txt":       "no gene",
		"sign.txt":        "sideways",
		"blank.txt":       "no gene",
		"short.gmt":       "line 1",
		"twice.gmt#A":     "two sets",
		"nobody.gmt":      "no gene set",
		"list.txt#X":      "no set",
		"absent.txt":      "no such file",
		"mhc1core":        "no program",
	} {
		_, err := program.Load(dir, name)
		var bad *program.Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", name, err, want)
		}
		if name == "mhc1core" && !strings.Contains(bad.Hint(), "mhc1_core?") {
			t.Errorf("hint: %s", bad.Hint())
		}
	}
}

// TestScoreByHand: figures from the formulas in the documentation of Score.
func TestScoreByHand(t *testing.T) {
	p := &program.Program{Name: "p", Genes: []program.Gene{{Symbol: "A"}, {Symbol: "B"}, {Symbol: "C", Down: true}}}
	s, err := program.NewScorer(p, 10, program.Scale{
		Values: []float64{4, 3, 2, 1},
		Mean:   []float64{1, 2, 1}, SD: []float64{2, 1, 0.5},
	})
	if err != nil {
		t.Fatal(err)
	}
	absent := (-0.5 - 2 + 2) / 3.0 // z of 0: (0−1)/2, (0−2)/1, and −(0−1)/.5 as it falls
	for _, c := range []struct {
		sentence      string
		u, expression float64
	}{
		// Two genes up: the sum of ranks is 3 to 20. One down: 1 to 10.
		{"A B", 1, (1.5 + 1 + 2) / 3},
		{"X A C", 0, (1 - 2 - 2) / 3.0}, // 1 − 9/17 < 1 − 2/9
		{"X X X A", 1 - 11.0/17, (0 - 2 + 2) / 3.0},
		{"X X X X X X X X A", 1 - 16.0/17, absent}, // beyond Values
		{"X X X X X X X X X X A B", 0, absent},     // beyond maxRank
		{"", 0, absent},
	} {
		u, e := s.Score(strings.Fields(c.sentence))
		if math.Abs(u-c.u) > 1e-12 || math.Abs(e-c.expression) > 1e-12 {
			t.Errorf("%q: %v, %v; expected %v, %v", c.sentence, u, e, c.u, c.expression)
		}
	}
	if _, err := program.NewScorer(p, 1, program.Scale{Mean: make([]float64, 3), SD: make([]float64, 3)}); err == nil {
		t.Error("two genes fit into one word")
	}
}

// TestEqualsPyUCell compares the U statistic with pyucell on whole rankings and on cut
// ones. pyucell computes in float32, whose sums of at most 300 are exact and whose
// quotients are within 1e-7.
func TestEqualsPyUCell(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" || exec.Command(python, "-c", "import pyucell").Run() != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with pyucell (C2S_PYTHON)")
		}
		t.Skip("no Python with pyucell (C2S_PYTHON)")
	}
	out, err := exec.Command(python, "-W", "ignore", "testdata/reference.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Genes  []string
		Cells  [][]float64
		Scores []struct {
			MaxRank int `json:"max_rank"`
			Genes   []string
			U       []float64
		}
	}
	if err := json.Unmarshal(out, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.Scores) != 8 {
		t.Fatalf("%d scores", len(ref.Scores))
	}
	for _, c := range ref.Scores {
		p := &program.Program{}
		for _, g := range c.Genes {
			word := strings.TrimRight(g, "+-")
			p.Genes = append(p.Genes, program.Gene{Symbol: word, Down: strings.HasSuffix(g, "-")})
		}
		for i, cell := range ref.Cells {
			var order []int
			for g, v := range cell {
				if v > 0 {
					order = append(order, g)
				}
			}
			slices.SortFunc(order, func(a, b int) int { return int(cell[b] - cell[a]) })
			var sentence []string
			for _, g := range order {
				sentence = append(sentence, ref.Genes[g])
			}
			if got := program.U(p, c.MaxRank, sentence); math.Abs(got-c.U[i]) > 2e-7 {
				t.Errorf("%v, rank %d, cell %d: %v, pyucell %v", c.Genes, c.MaxRank, i, got, c.U[i])
			}
		}
	}
}

// FuzzLoad: no file breaks the readers, and what they take has genes that are words.
func FuzzLoad(f *testing.F) {
	f.Add("A\tabout\tB2M\tHLA-A-\n", true)
	f.Add("B2M\t-\n# no\nHLA-A+\n", false)
	f.Fuzz(func(t *testing.T, text string, sets bool) {
		name := "list.txt"
		if sets {
			name = "sets.gmt"
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := program.Load(dir, name)
		if err != nil {
			return
		}
		for _, w := range p.Words() {
			if w == "" || strings.ContainsAny(w, " \t\n") {
				t.Errorf("%q", w)
			}
		}
		if u := program.U(p, 2*len(p.Genes)+1, p.Words()); u < 0 || u > 1 {
			t.Errorf("U is %v", u)
		}
	})
}
