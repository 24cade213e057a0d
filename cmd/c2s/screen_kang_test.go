package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/live"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
)

// TestKangScreen runs examples/kang with every tenth drug: the contexts of real cells
// are told apart; interferon, learnt from the other donor, ranks first in the neutral
// context; and no signature is called context-selective.
func TestKangScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("some 10,000 predictions")
	}
	data, err := filepath.Abs(filepath.Dir(filepath.Dir(live.Shared(t, "data/h5ad/kang_ifnb_muscat.h5ad"))))
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join("..", "..", "examples", "kang", "screen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("screen.yaml", bytes.ReplaceAll(config, []byte("DATA/"), []byte(filepath.ToSlash(data)+"/")))
	compounds := "name\n"
	for i, name := range drugNames(t, filepath.Join(data, "drugs", "lincs_drugbank_names.tsv.gz")) {
		if i%10 == 0 {
			compounds += name + "\n"
		}
	}
	write("compounds.tsv", []byte(compounds))
	yaml := filepath.Join(dir, "screen.yaml")
	output := func(args ...string) []byte {
		t.Helper()
		var stderr bytes.Buffer
		cmd := c2s(t, args...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, stderr.Bytes())
		}
		return out
	}
	var plan screen.Plan
	if err := json.Unmarshal(output("screen", "plan", "-c", yaml, "--json"), &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan.Checks) != 2 || plan.Power.Shared != 2 || len(plan.CellTypes) != 5 {
		t.Fatalf("%d checks, %+v, %v", len(plan.Checks), plan.Power, plan.CellTypes)
	}
	for _, c := range plan.Checks {
		// The genes that the file has, as counted with the data.
		if !c.Passed || c.Pairs != 2 || c.Above != 2 || c.Genes != map[string]int{"HALLMARK_INTERFERON_ALPHA_RESPONSE": 61, "HALLMARK_INTERFERON_GAMMA_RESPONSE": 105}[c.Program] {
			t.Errorf("%+v", c)
		}
		t.Logf("%s: positive %+v, neutral %+v", c.Program, c.Donors[0], c.Donors[1])
	}
	if !strings.Contains(strings.Join(plan.Warnings, "\n"), "two donors") {
		t.Errorf("%q", plan.Warnings)
	}
	output("screen", "run", "-c", yaml, "-q")
	output("screen", "analyse", filepath.Join(dir, "screen"), "-q")
	text, err := os.ReadFile(filepath.Join(dir, "screen", "analysis", "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r analysis.Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if n := r.Calls[analysis.ContextSelective]; n != 0 || len(r.Hits) != 117 || !r.Assay.Sensitive {
		t.Errorf("%d of %d are context-selective; %+v", n, len(r.Hits), r.Assay)
	}
	table, err := record.ReadFile(filepath.Join(dir, "screen", record.FileName))
	if err != nil {
		t.Fatal(err)
	}
	sum, n := make([]float64, len(table.Header.Items)), make([]float64, len(table.Header.Items))
	for i := range table.Len() {
		if row := table.Row(i); row.Item >= 0 && row.Context == record.Neutral {
			sum[row.Item] += float64(row.U)
			n[row.Item]++
		}
	}
	first := 0
	for i := range sum {
		if sum[i]*n[first] > sum[first]*n[i] {
			first = i
		}
	}
	if table.Header.Items[first].Name != "stim" {
		t.Errorf("%s ranks first in the neutral context", table.Header.Items[first].Name)
	}
}

// drugNames is the second column of a table.
func drugNames(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if i > 0 {
			names = append(names, strings.Split(line, "\t")[1])
		}
	}
	return names
}
