package screenreport_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
	"github.com/cellsentence/c2s/screen/screenreport"
	"github.com/cellsentence/c2s/screen/simulate"
)

// input is a simulated screen with all that a report can hold.
func input(t *testing.T, compounds, selective int) screenreport.Input {
	t.Helper()
	table, _, err := simulate.Table(t.Context(), simulate.Typical(compounds, selective))
	if err != nil {
		t.Fatal(err)
	}
	r, err := analysis.Analyse(t.Context(), table, analysis.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	best := r.Hits[0]
	best.Moved = []record.Moved{{Gene: "HLA-A", By: record.Pair{0.21, 0.01}}, {Gene: "B2M", By: record.Pair{0.1, -0.02}}}
	best.Mechanism = `kinase <script>alert("x")</script>`
	return screenreport.Input{
		Title: "Amplifiers", Result: r, Notice: "demo model on simulated cells",
		Checks: []*screen.Check{{Program: "IFN-γ", Genes: 12, SD: 0.04, Pairs: 6, Above: 6, Passed: true, Donors: [2][]screen.Donor{
			{{Name: "D1", Cells: 50, Mean: 0.4, SD: 0.04}}, {{Name: "D1", Cells: 50, Mean: 0.1, SD: 0.03}},
		}}},
		Examples:   map[string][]screenreport.Example{best.Name: {{Context: "positive", Donor: "D1", CellType: "NK cell", Before: "GNLY NKG7", After: "HLA-A GNLY"}}},
		Validation: [][]string{{"compound", "arm"}, {best.Name, "compound alone"}},
		Files:      []report.Download{{Name: "hits.tsv", Type: "text/tab-separated-values", Data: []byte("rank\n1\n")}},
		Made:       []report.Fact{{Name: "Made by", Value: "c2s"}},
	}
}

func html(t *testing.T, in screenreport.Input) string {
	t.Helper()
	p, err := screenreport.Page(in)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("C2S_FIGURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, t.Name()+".html"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestPage(t *testing.T) {
	in := input(t, 120, 6)
	page := html(t, in)
	for _, want := range []string{
		screenreport.Disclaimer, "demo model on simulated cells", in.Result.Hits[0].Name, "context-selective",
		"Genes that moved most", "A cell before and after", "GNLY NKG7", "the contexts differ as they should",
		"For the methods section", `download="hits.tsv"`, "UCell", "compound alone", "decoys",
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "'", "&#39;")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, found := range []string{`<script>alert`, ">NaN", " NaN", "(NaN", "Inf", "ZgotmplZ", "%!"} {
		if strings.Contains(page, found) {
			t.Errorf("the page holds %q", found)
		}
	}
}

// Cards are for the best, and a link leads to each of them.
func TestCards(t *testing.T) {
	in := input(t, 120, 6)
	in.Cards = 5
	page := html(t, in)
	if n := strings.Count(page, `<details id="compound-`) - strings.Count(page, "A cell before and after"); n != 5 {
		t.Errorf("%d cards, expected 5", n)
	}
	if n := strings.Count(page, `href="#compound-`); n != 5 {
		t.Errorf("%d links to cards, expected 5", n)
	}
	if !strings.Contains(page, "The first 5 of 120 compounds") {
		t.Error("the page does not say that compounds have no card")
	}
}

// A screen without a hit, a panel, decoys, checks or files is a page, too.
func TestPageOfNothing(t *testing.T) {
	in := input(t, 40, 0)
	page := html(t, screenreport.Input{Result: in.Result})
	for _, want := range []string{"A dual-context screen", "None of 40 compounds", "nothing is to be run"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
