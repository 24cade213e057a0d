package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// BenchmarkBesideLlamaServer puts the engine beside the llama-server that
// C2S_BENCH_LLAMACPP names, which has the demo model and one thread, in one run and in
// turns: the questions for the types of cells of 64 genes are read, and cells of 32 genes
// written. bench/model.sh starts the server.
func BenchmarkBesideLlamaServer(bm *testing.B) {
	server := os.Getenv("C2S_BENCH_LLAMACPP")
	if server == "" {
		bm.Skip("C2S_BENCH_LLAMACPP is not set: see bench/model.sh")
	}
	w, err := simulate.New(world.Config())
	if err != nil {
		bm.Fatal(err)
	}
	cells, err := world.Sentences(bm.Context(), w, world.TrainingRows, 30, func(row int) simulate.CellSpec { return simulate.CellSpec{CellType: row % 7} })
	if err != nil {
		bm.Fatal(err)
	}
	b, err := Demo(Config{Slots: 1, Threads: 1})
	if err != nil {
		bm.Fatal(err)
	}
	defer b.Close()
	for bm.Loop() {
		var own, other speeds
		for _, words := range cells {
			question := world.Prompt(world.TaskCellType, "num_genes", strconv.Itoa(len(words)), "cell_sentence", strings.Join(words, " "))
			order := world.Prompt(world.TaskGenerate, "num_genes", "32", "cell_type", "NK cell")
			own.add(engineSpeed(bm, b, question, order))
			other.add(serverSpeed(bm, server, question, order))
		}
		read, write := own.medians()
		readThere, writeThere := other.medians()
		for name, v := range map[string]float64{
			"engine-prompt/s": read, "engine-answer/s": write, "server-prompt/s": readThere, "server-answer/s": writeThere,
			"prompt-ratio": read / readThere, "answer-ratio": write / writeThere,
		} {
			bm.ReportMetric(v, name)
		}
	}
}

// speeds are tokens a second.
type speeds struct{ read, write []float64 }

func (s *speeds) add(read, write float64) {
	s.read, s.write = append(s.read, read), append(s.write, write)
}

func (s *speeds) medians() (read, write float64) {
	slices.Sort(s.read)
	slices.Sort(s.write)
	return s.read[len(s.read)/2], s.write[len(s.write)/2]
}

// engineSpeed reads a question for one token of an answer, and then writes a cell, whose
// prompt it has read before.
func engineSpeed(t testing.TB, b *Backend, question, order string) (read, write float64) {
	t.Helper()
	timed := func(prompt string, limit int) (a *llm.Answer, seconds float64) {
		start := time.Now()
		a, err := b.Generate(context.Background(), prompt, llm.Options{MaxTokens: limit}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a, time.Since(start).Seconds()
	}
	a, seconds := timed(question, 1)
	read = float64(a.PromptTokens-a.CachedTokens) / seconds
	timed(order, 1)
	a, seconds = timed(order, 32)
	return read, float64(a.AnswerTokens) / seconds
}

// serverSpeed is what the server says of its own work, without HTTP.
func serverSpeed(t testing.TB, server, question, order string) (read, write float64) {
	t.Helper()
	timings := func(prompt string, limit int) (read, write float64) {
		body, err := json.Marshal(map[string]any{"prompt": prompt, "n_predict": limit, "temperature": 0, "cache_prompt": false})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(server+"/completion", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var out struct {
			Timings struct {
				Read  float64 `json:"prompt_per_second"`
				Write float64 `json:"predicted_per_second"`
			} `json:"timings"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			t.Fatalf("%+v, %v", out, err)
		}
		return out.Timings.Read, out.Timings.Write
	}
	read, _ = timings(question, 1)
	_, write = timings(order, 32)
	if read == 0 || write == 0 {
		t.Fatalf("the server tells no speed: %g and %g", read, write)
	}
	return read, write
}
