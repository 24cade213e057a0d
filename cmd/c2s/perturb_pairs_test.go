package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/reward"
)

// TestPairsKeepApart reads what a trainer would: no sentence of a cell to test with, be it
// the perturbed or the control, is in what is trained on, truths of rewards included.
func TestPairsKeepApart(t *testing.T) {
	in := filepath.Join("..", "..", "testdata", "perturb.h5ad")
	for _, design := range []string{"random", "unseen-perturbation", "unseen-celltype-perturbation"} {
		out := filepath.Join(t.TempDir(), "pairs")
		e, _, stderr := testEnv()
		args := []string{"perturb", "pairs", in, "--control", "control", "--design", design, "--test-share", "0.3", "--match", "nearest", "--format", "trl,openrlhf", "-o", out}
		if code := run(t.Context(), args, e); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		train := map[string]bool{}
		n := 0
		for _, row := range jsonLines(t, filepath.Join(out, "trl", "sft_train.jsonl")) {
			train[strings.Trim(row["completion"], " .")] = true
			n++
		}
		for _, row := range jsonLines(t, filepath.Join(out, "openrlhf", "rl_train.jsonl")) {
			truth, err := reward.ParseTruth(json.RawMessage(row["truth"]))
			if err != nil {
				t.Fatal(err)
			}
			train[truth.Control] = true
			for _, s := range truth.Real {
				train[s] = true
			}
		}
		test := 0
		for _, row := range jsonLines(t, filepath.Join(out, "trl", "sft_test.jsonl")) {
			test++
			if train[strings.Trim(row["completion"], " .")] {
				t.Errorf("%s: a cell to test with is trained on", design)
			}
		}
		for _, row := range jsonLines(t, filepath.Join(out, "trl", "grpo_test.jsonl")) {
			truth, err := reward.ParseTruth(json.RawMessage(row["truth"]))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range append(truth.Real, truth.Control) {
				if train[s] {
					t.Errorf("%s: %.40s is on both sides", design, s)
				}
			}
		}
		if n == 0 || test == 0 || n+test != 210 {
			t.Errorf("%s: %d to train, %d to test", design, n, test)
		}
	}
}

func jsonLines(t testing.TB, path string) (out []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var row map[string]string
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}
