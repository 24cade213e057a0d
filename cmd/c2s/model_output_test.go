package main

import (
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm/task"
)

// good runs c2s, which must end well, in a folder.
func good(t *testing.T, dir string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, log strings.Builder
	cmd := c2s(t, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("c2s %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), log.String())
	}
	return out.String(), log.String()
}

// inTestdata is the full path of a file of testdata.
func inTestdata(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// pythons are the oldest and the newest anndata there are: Debian's 0.8 and 0.12.
func pythons(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, variable := range []string{"C2S_PYTHON", "C2S_PYTHON_OLD"} {
		if p := os.Getenv(variable); p != "" {
			found[variable] = p
		} else if os.Getenv("C2S_CI") == "1" {
			t.Fatal(variable + " is not set")
		}
	}
	if len(found) == 0 {
		t.Skip("no Python with anndata: C2S_PYTHON and C2S_PYTHON_OLD are not set")
	}
	return found
}

// readModelOutputs checks files of annotate, generate and embed as Python sees them.
const readModelOutputs = `
import anndata, numpy as np
c, f, g, d, e = (anndata.read_h5ad(n) for n in ("closed.h5ad", "free.h5ad", "cells.h5ad", "decoded.h5ad", "placed.h5ad"))
before = anndata.read_h5ad("in.h5ad")
for a in (c, f, e):
    assert (a.X != before.X).nnz == 0 and list(a.obs_names) == list(before.obs_names)
for a in (c, f):
    kinds = a.obs.dtypes.astype(str)
    assert [kinds["c2s_" + n] for n in ("cell_type", "confidence", "answer", "valid", "stop", "abstained")] == ["category", "float64", "category", "bool", "category", "bool"], kinds
    # Cells 1, 6 and 12 have no value, and nobody is asked about them.
    empty = np.asarray((a.X.toarray() > 0).sum(1) == 0)
    assert empty.sum() == 4 and not a.obs.c2s_valid[empty].any() and a.obs.c2s_cell_type[empty].isna().all()
assert c.obs.c2s_abstained.sum() > 0 and (c.obs.c2s_confidence[c.obs.c2s_abstained] < 0.9995).all() and c.obs.c2s_cell_type[c.obs.c2s_abstained].isna().all()
assert c.obs.c2s_answer.isna().all() and f.obs.c2s_answer[f.obs.c2s_valid].str.startswith(" ").all()
assert set(f.obs.c2s_stop.dropna()) <= {"end", "string", "limit"} and f.obs.c2s_stop.isna().sum() == 4
assert g.n_obs == 6 and list(g.obs_names) == ["generated-%d" % i for i in range(6)]
for i in range(6):
    s = g.obs.cell_sentence[i].split(" ")
    assert len(s) == g.obs.c2s_n_genes[i] == (g.X[i].toarray() > 0).sum() and g.obs.c2s_answer[i].startswith(" " + s[0]), i
    assert g.var_names[g.X[i].toarray().ravel().argmax()] == s[0]
assert g.obs.c2s_stop.tolist() == ["end"] * 6 and g.obs.c2s_unknown.sum() == 0 and g.obs.c2s_repeats.sum() > 0
assert g.uns["c2s"]["notice"] == "demo model on simulated cells" and g.uns["c2s"]["rank_model"] == d.uns["c2s"]["rank_model"]
assert (g.X != d.X).nnz == 0 and list(g.var_names) == list(d.var_names) # as c2s decode has it
x = e.obsm["X_c2s"]
assert x.shape == (12, 192) and x.dtype == np.float32 and np.isnan(x).all(1).tolist() == (~e.obs.c2s_valid).tolist() and (~e.obs.c2s_valid).sum() == 4
assert np.allclose(np.linalg.norm(x[e.obs.c2s_valid.to_numpy()], axis=1), 1, atol=1e-5) # float32
assert (e.obs.c2s_n_genes == np.minimum((before.X.toarray() > 0).sum(1), 32)).all()
print("good")
`

// TestPythonReadsModelOutputs: anndata, old and new, finds in the files what the
// documentation promises.
func TestPythonReadsModelOutputs(t *testing.T) {
	all := pythons(t)
	dir := t.TempDir()
	data, err := os.ReadFile(inTestdata(t, "empty_cells.h5ad"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("in.h5ad", string(data))
	write("labels.txt", "B cell\nMonocyte\nNK cell\nPlatelet\n")
	demo := inTestdata(t, "demo.h5ad")
	good(t, dir, "annotate", "in.h5ad", "--backend", "demo", "--labels", "labels.txt", "--abstain", "0.9995", "-o", "closed.h5ad")
	good(t, dir, "annotate", "in.h5ad", "--backend", "demo", "-o", "free.h5ad")
	good(t, dir, "fidelity", demo, "-o", "fidelity")
	cells := []string{"generate", "--backend", "demo", "--cell-type", "B cell", "--cell-type", "NK cell", "-n", "3", "--vocab", demo}
	good(t, dir, append(cells, "-o", "cells.jsonl")...)
	good(t, dir, append(cells, "-o", "cells.h5ad", "--rank-model", "fidelity/rank.json")...)
	good(t, dir, "decode", "cells.jsonl", "--rank-model", "fidelity/rank.json", "--vocab", demo, "--top-k", "32", "-o", "decoded.h5ad")
	good(t, dir, "embed", "in.h5ad", "--method", "model", "--backend", "demo", "-o", "placed.h5ad")
	for name, python := range all {
		cmd := exec.Command(python, "-W", "ignore", "-c", readModelOutputs)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "good") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// drawn yields n cells and tells how many were taken.
func drawn(n int, labels []string, taken *int) iter.Seq2[typed, error] {
	return func(yield func(typed, error) bool) {
		for i := range n {
			*taken++
			c := typed{valid: true, Annotation: task.Annotation{Asked: true, Answer: fmt.Sprint(i % 3), Probabilities: make([]float64, len(labels))}}
			c.Index = i % len(labels)
			c.Probabilities[c.Index], c.Probabilities[(c.Index+1)%len(labels)] = 0.7, 0.3
			c.Label, c.Confidence = labels[c.Index], 0.7
			if !yield(c, nil) {
				return
			}
		}
	}
}

// TestBatchesStream: no more than a batch waits, each label is used once in it, and the
// rest that fills no batch comes as well.
func TestBatchesStream(t *testing.T) {
	labels := []string{"a", "b", "c", "d"}
	taken, row := 0, 0
	used := map[string]bool{}
	for c, err := range inBatches(drawn(1001, labels, &taken), 3, labels) {
		if err != nil {
			t.Fatal(err)
		}
		if row%3 == 0 {
			clear(used)
		}
		if used[c.Label] {
			t.Fatalf("row %d: %s twice in a batch", row, c.Label)
		}
		used[c.Label] = true
		row++
		if taken > row+2 {
			t.Fatalf("%d cells were taken when the %d-th came out", taken, row)
		}
	}
	if row != 1001 {
		t.Errorf("%d cells", row)
	}
}

// TestVote is calculated by hand: the shares of a cluster are means of probabilities, a
// cell without a cluster keeps its own label, and so does what the model answered.
func TestVote(t *testing.T) {
	labels := []string{"a", "b", "c", "d"}
	taken := 0
	clusters := &h5ad.Column{Categorical: &h5ad.Categorical{
		Codes: []int64{0, 0, 1, -1, 0}, Categories: &h5ad.Array{Dims: []int{2}, Values: []string{"one", "two"}},
	}}
	var got []string
	for c, err := range vote(drawn(5, labels, &taken), clusters, labels) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %.4f %s %t", c.Label, c.Confidence, c.Answer, c.valid))
	}
	// Cluster one holds cells 0, 1 and 4: a has 0.7 + 0 + 0.7, b 0.3 + 0.7 + 0.3.
	want := []string{"a 0.4667 0 true", "a 0.4667 1 true", "c 0.7000 2 true", "d 0.7000 0 true", "a 0.4667 1 true"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, expected %q", got, want)
	}
}
