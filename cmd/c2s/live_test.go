package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/internal/live"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// demoFile is the file of the model that c2s carries.
func demoFile(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "llm", "embedded", "demo.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// demoPrompts is a folder with the words that the demo model was trained on, which a
// server does not tell.
func demoPrompts(t *testing.T, dir string) string {
	t.Helper()
	folder := filepath.Join(dir, "prompts")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for task, response := range map[string]string{"cell_type": "{cell_type}.", "generation": "{cell_sentence}."} {
		text, err := json.Marshal(map[string][]string{"model_input": {world.Prompts()[task]}, "response": {response}})
		if err != nil {
			t.Fatal(err)
		}
		name := map[string]string{"cell_type": "cell_type_prediction.json", "generation": "cell_type_generation.json"}[task]
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// closeEnough is the bound of a probability: 9e-5 was the largest difference that was measured, which
// depends on how many tokens a server reads at a time.
const closeEnough = 1e-3

// realServer is one with the demo model.
type realServer struct {
	name   string // of the backend
	args   []string
	scores bool
	// embed are the flags for embed, as far as they differ from args, with the pooling last.
	embed []string
}

// realServers are a llama-server of the test's own, and both generations of Ollama, to which
// c2s itself brings the model.
func realServers(t *testing.T, dir string) map[string]realServer {
	t.Helper()
	own, _ := live.Llama(t, demoFile(t), 3)
	out := map[string]realServer{"llama-server": {name: "llamacpp://" + own.Host, scores: true, embed: []string{"--pooling", "mean"}}}
	for kind, variable := range map[string]string{"Ollama": "C2S_OLLAMA", "old Ollama": "C2S_OLLAMA_OLD"} {
		name := bring(t, dir, demoFile(t), "c2s-demo", variable)
		out[kind] = realServer{name: name, args: []string{"--model", "c2s-demo", "--num-ctx", "512", "--threads", "1"}, embed: []string{"--pooling", "last"}}
	}
	// The new generation embeds with what is made for it, and does not generate with that.
	s := out["Ollama"]
	bring(t, dir, demoFile(t), "c2s-demo-mean", "C2S_OLLAMA", "--pooling", "mean")
	s.embed = []string{"--model", "c2s-demo-mean", "--pooling", "mean"}
	out["Ollama"] = s
	return out
}

// bring lets c2s import a model into the Ollama that a variable names, and takes it away
// after the test. It gives the name of the backend.
func bring(t *testing.T, dir, from, model, variable string, more ...string) (backend string) {
	t.Helper()
	at := live.Server(t, variable)
	backend = "ollama://" + at.Host
	good(t, dir, append(more, "model", "import", from, "--name", model, "--to", backend)...)
	t.Cleanup(func() {
		body := strings.NewReader(`{"model": "` + model + `"}`)
		req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, at.String()+"/api/delete", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Errorf("%s is still on the server: %s", model, resp.Status)
		}
	})
	return backend
}

// table reads a TSV by column.
func table(t *testing.T, path string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			out[name] = append(out[name], row[i])
		}
	}
	return out
}

// farthest is the largest distance of two columns of numbers.
func farthest(t *testing.T, a, b []string) float64 {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d numbers and %d", len(a), len(b))
	}
	worst := 0.0
	for i := range a {
		x, err := strconv.ParseFloat(a[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		y, err := strconv.ParseFloat(b[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		worst = max(worst, math.Abs(x-y))
	}
	return worst
}

// tokensOf is the number of tokens in the last line of progress.
func tokensOf(t *testing.T, log string) (tokens int) {
	t.Helper()
	for line := range strings.Lines(log) {
		var state struct{ Tokens *int }
		if json.Unmarshal([]byte(line), &state) == nil && state.Tokens != nil {
			tokens = *state.Tokens
		}
	}
	return tokens
}

// vectors reads an .npy.
func vectors(t *testing.T, path string) (rows [][]float64) {
	t.Helper()
	a, err := embedfile.Open(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	all := make([]float64, a.Len()*a.Dim())
	if err := a.ReadRows(t.Context(), 0, all); err != nil {
		t.Fatal(err)
	}
	for row := range slices.Chunk(all, a.Dim()) {
		rows = append(rows, row)
	}
	return rows
}

// TestRealServers: the commands get from real servers what the engine inside c2s gives
// with the same model. Labels and sentences are the same; probabilities differ, as ggml
// rounds activations to F16 where weights are (a relative 2^-11 in each product).
func TestRealServers(t *testing.T) {
	live.Program(t, "llama-server")
	dir := t.TempDir()
	prompts, demo := demoPrompts(t, dir), inTestdata(t, "demo.h5ad")
	// A tenth of the cells: servers have one thread.
	good(t, dir, "convert", demo, "cells.h5ad", "--sample", "6", "--groupby", "cell_type")
	labels := "CD4 T cell\nCD8 T cell\nTumour cell\nMonocyte\nNK cell\nB cell\nDendritic cell\nPlatelet\n"
	if err := os.WriteFile(filepath.Join(dir, "labels.txt"), []byte(labels), 0o600); err != nil {
		t.Fatal(err)
	}
	// run lets a backend do a task and gives the path of the output and the log.
	run := func(t *testing.T, s realServer, what string) (path, log string) {
		t.Helper()
		args := map[string][]string{
			"closed.tsv":     {"annotate", "cells.h5ad", "--labels", "labels.txt"},
			"free.tsv":       {"annotate", "cells.h5ad"},
			"generated.json": {"generate", "--cell-type", "B cell", "--cell-type", "Monocyte", "-n", "2", "--temperature", "0", "--vocab", demo},
			"embedded.npy":   {"embed", "cells.h5ad", "--method", "model"},
		}[what]
		path = strings.NewReplacer(":", "_", "/", "_").Replace(s.name) + "-" + what
		if what == "generated.json" {
			path += "l"
		}
		args = append(args, "--backend", s.name, "-o", path, "--prompts", prompts, "--top-k", "32", "--progress", "json")
		args = append(args, s.args...)
		if what == "embedded.npy" {
			args = append(args, s.embed...)
		}
		_, log = good(t, dir, args...)
		if tokens := tokensOf(t, log); tokens == 0 {
			t.Errorf("%s: no tokens were counted", what)
		}
		return filepath.Join(dir, path), log
	}
	engine := realServer{name: "demo"}
	free, _ := run(t, engine, "free.tsv")
	closed, _ := run(t, engine, "closed.tsv")
	cells, _ := run(t, engine, "generated.json")
	placed := map[string]string{}
	for _, pooling := range []string{"mean", "last"} {
		path, _ := run(t, realServer{name: "demo", embed: []string{"--pooling", pooling}}, "embedded.npy")
		placed[pooling] = filepath.Join(dir, pooling+".npy")
		if err := os.Rename(path, placed[pooling]); err != nil {
			t.Fatal(err)
		}
	}
	for kind, s := range realServers(t, dir) {
		t.Run(kind, func(t *testing.T) {
			got, _ := run(t, s, "free.tsv")
			want, have := table(t, free), table(t, got)
			for _, column := range []string{"cell_name", "c2s_cell_type", "c2s_answer", "c2s_valid", "c2s_stop"} {
				if !slices.Equal(want[column], have[column]) {
					t.Errorf("%s: %q, expected %q", column, have[column], want[column])
				}
			}
			d := farthest(t, want["c2s_confidence"], have["c2s_confidence"])
			t.Logf("free: %d cells, probability of an answer differs by %.2g at most", len(have["cell_name"]), d)
			if d > closeEnough {
				t.Errorf("the probability of an answer differs by %g", d)
			}

			got, log := run(t, s, "closed.tsv")
			want, have = table(t, closed), table(t, got)
			if !slices.Equal(want["c2s_cell_type"], have["c2s_cell_type"]) {
				t.Errorf("%q, expected %q", have["c2s_cell_type"], want["c2s_cell_type"])
			}
			if s.scores {
				d := farthest(t, want["c2s_confidence"], have["c2s_confidence"])
				t.Logf("closed: share of a label differs by %.2g at most", d)
				if d > closeEnough {
					t.Errorf("the share of a label differs by %g", d)
				}
			} else if !strings.Contains(log, "this backend cannot score labels") {
				t.Errorf("no word of labels that are not scored: %s", log)
			}

			got, _ = run(t, s, "generated.json")
			a, err := os.ReadFile(cells)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(got)
			if err != nil {
				t.Fatal(err)
			}
			if x, y := sentences(t, a), sentences(t, b); !slices.Equal(x, y) {
				t.Errorf("cells\n%s\nexpected\n%s", strings.Join(y, "\n"), strings.Join(x, "\n"))
			}

			got, _ = run(t, s, "embedded.npy")
			x, y := vectors(t, placed[s.embed[len(s.embed)-1]]), vectors(t, got)
			least := 1.0
			for i := range x {
				dot := 0.0
				for k := range x[i] {
					dot += x[i][k] * y[i][k]
				}
				least = min(least, dot)
			}
			t.Logf("embed: cosine of %d cells %.7f at least", len(y), least)
			if len(x) != len(y) || least < 0.99999 {
				t.Errorf("%d vectors for %d, least cosine %g", len(y), len(x), least)
			}

			out, _ := good(t, dir, append([]string{"model", "check", "--backend", s.name, "--prompts", prompts}, s.args...)...)
			if strings.Contains(out, " wrong ") || !strings.Contains(out, "refused: the prompt has") {
				t.Errorf("model check:\n%s", out)
			}
			out, _ = good(t, dir, "doctor", "--backend", s.name)
			if !strings.Contains(out, "server: "+s.name+" (") || !strings.Contains(out, "use --backend "+s.name) {
				t.Errorf("doctor:\n%s", out)
			}
		})
	}
}

// sentences are the sentence, counts and stop reason of generated cells.
func sentences(t *testing.T, jsonl []byte) (out []string) {
	t.Helper()
	for line := range strings.Lines(string(jsonl)) {
		var c struct {
			Sentence string `json:"cell_sentence"`
			Genes    int    `json:"c2s_n_genes"`
			Unknown  int    `json:"c2s_unknown"`
			Repeats  int    `json:"c2s_repeats"`
			Stop     string `json:"c2s_stop"`
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(c))
	}
	return out
}
