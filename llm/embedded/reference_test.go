package embedded

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

// shared is a file of the shared data; the test is skipped, or in CI fails, where
// it is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("no shared data: ", err)
	}
	return path
}

func decode(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string, cfg Config) *Backend {
	t.Helper()
	b, err := Open(path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// tolerance is how far a log-probability may be from torch's: both compute in
// float32, in other orders.
const tolerance = 1e-4

// TestTiny compares with what torch 1.13 computed from the same file (F16): ids,
// greedy tokens and their log-probabilities, label scores and embeddings.
func TestTiny(t *testing.T) {
	var ref struct {
		Prompts []struct {
			Prompt, Text, Stop string
			IDs, Tokens        []int
			Logprobs           []float64
		}
		Scores []struct {
			Prompt string
			Labels map[string]float64
		}
		Embeddings []struct {
			Text       string
			IDs        []int
			Last, Mean []float64
		}
	}
	decode(t, shared(t, "llm/tiny-trained-ref.json"), &ref)
	b := open(t, shared(t, "llm/tiny-trained-f16.gguf"), Config{})
	ctx := context.Background()
	worst := 0.0
	for _, p := range ref.Prompts {
		checkIDs(t, b, p.Prompt, p.IDs)
		opt := llm.Options{MaxTokens: 64}
		if p.Stop == "limit" {
			opt.MaxTokens = len(p.Tokens)
		}
		a, err := b.Generate(ctx, p.Prompt, opt, nil)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int
		var logprobs []float64
		for _, tok := range a.Tokens {
			ids, logprobs = append(ids, tok.ID), append(logprobs, tok.Logprob)
		}
		if a.EndLogprob != nil {
			logprobs = append(logprobs, *a.EndLogprob)
		}
		if !slices.Equal(ids, p.Tokens) || len(logprobs) != len(p.Logprobs) {
			t.Fatalf("%q:\n%v, expected\n%v", p.Prompt, ids, p.Tokens)
		}
		if (a.Stop == llm.StopEnd) != (p.Stop == "eos") {
			t.Errorf("%q: stopped by %s, expected %s", p.Prompt, a.Stop, p.Stop)
		}
		for i, v := range logprobs {
			worst = max(worst, math.Abs(v-p.Logprobs[i]))
		}
	}
	t.Logf("largest difference of a log-probability: %.2g", worst)
	if worst > tolerance {
		t.Errorf("a log-probability is off by %g", worst)
	}
	for _, s := range ref.Scores {
		for label, want := range s.Labels {
			got, err := b.Score(ctx, s.Prompt, []string{" " + label})
			if err != nil {
				t.Fatal(err)
			}
			// The sum of up to six log-probabilities, some far below zero.
			if d := math.Abs(got[0].Logprob - want); d > 5*tolerance {
				t.Errorf("%q: %q scores %g, expected %g", s.Prompt, label, got[0].Logprob, want)
			}
		}
	}
	for _, e := range ref.Embeddings {
		checkIDs(t, b, e.Text, e.IDs)
		for pooling, want := range map[llm.Pooling][]float64{llm.PoolLast: e.Last, llm.PoolMean: e.Mean} {
			got, err := b.Embed(ctx, []string{e.Text}, pooling)
			if err != nil {
				t.Fatal(err)
			}
			if c := cosine(got[0], want); c < 0.999999 {
				t.Errorf("%q: the cosine of the %s embedding to torch's is %.8f", e.Text, pooling, c)
			}
		}
	}
}

func checkIDs(t *testing.T, b *Backend, text string, want []int) {
	t.Helper()
	var got []int
	for _, id := range b.m.words.encode(text, true) {
		got = append(got, int(id))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q has the tokens\n%v, expected\n%v", text, got, want)
	}
}

func cosine(a []float32, b []float64) float64 {
	var ab, aa, bb float64
	for i, v := range a {
		ab += float64(v) * b[i]
		aa += float64(v) * float64(v)
		bb += b[i] * b[i]
	}
	return ab / math.Sqrt(aa*bb)
}

// TestDemoDesign compares with torch on a model of 2 M parameters in F16 and Q8_0,
// its rounded weights in float32 arithmetic on both sides, and on odd strings.
func TestDemoDesign(t *testing.T) {
	type result struct {
		Out         []int
		Text        string
		Logprobs    []float64
		Mean        []float64          `json:"embed_mean_l2_first8"`
		Last        []float64          `json:"embed_last_l2_first8"`
		LabelScores map[string]float64 `json:"label_logprob_with_eos"`
	}
	var ref struct {
		Prompts []struct {
			Prompt string
			IDs    []int
		}
		Tokenizer []struct {
			Text string
			IDs  []int
		}
		F16 []result `json:"f16"`
		Q8  []result `json:"q8_0"`
	}
	decode(t, shared(t, "llm/demo/reference.json"), &ref)
	ctx := context.Background()
	for name, results := range map[string][]result{"f16": ref.F16, "q8_0": ref.Q8} {
		t.Run(name, func(t *testing.T) {
			b := open(t, shared(t, "llm/demo/demo-"+name+".gguf"), Config{})
			for _, s := range ref.Tokenizer {
				if got := b.m.words.encode(s.Text, false); !slices.EqualFunc(got, s.IDs, func(a int32, b int) bool { return int(a) == b }) {
					t.Errorf("%q has the tokens %v, expected %v", s.Text, got, s.IDs)
				}
			}
			worst := 0.0
			for i, p := range ref.Prompts {
				checkIDs(t, b, p.Prompt, p.IDs)
				a, err := b.Generate(ctx, p.Prompt, llm.Options{MaxTokens: 40}, nil)
				if err != nil {
					t.Fatal(err)
				}
				var ids []int
				for j, tok := range a.Tokens {
					ids = append(ids, tok.ID)
					worst = max(worst, math.Abs(tok.Logprob-results[i].Logprobs[min(j, len(results[i].Logprobs)-1)]))
				}
				if a.Stop == llm.StopEnd {
					ids = append(ids, int(b.m.words.eos))
				}
				if !slices.Equal(ids, results[i].Out) {
					t.Fatalf("%q:\n%v, expected\n%v", p.Prompt, ids, results[i].Out)
				}
				for label, want := range results[i].LabelScores {
					got, err := b.Score(ctx, p.Prompt, []string{" " + label + "."})
					if err != nil {
						t.Fatal(err)
					}
					if d := math.Abs(got[0].Logprob - want); d > 5*tolerance {
						t.Errorf("%q scores %g, expected %g", label, got[0].Logprob, want)
					}
				}
				for pooling, want := range map[llm.Pooling][]float64{llm.PoolLast: results[i].Last, llm.PoolMean: results[i].Mean} {
					got, err := b.Embed(ctx, []string{p.Prompt}, pooling)
					if err != nil {
						t.Fatal(err)
					}
					for j, v := range want {
						// The reference has six digits.
						if math.Abs(float64(got[0][j])-v) > 2e-6 {
							t.Errorf("%s embedding: number %d is %g, expected %g", pooling, j, got[0][j], v)
						}
					}
				}
			}
			t.Logf("largest difference of a log-probability: %.2g", worst)
			if worst > tolerance {
				t.Errorf("a log-probability is off by %g", worst)
			}
		})
	}
}
