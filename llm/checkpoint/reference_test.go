package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/live"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/gguf"
)

// missing skips a test, or fails it in CI.
func missing(t testing.TB, why ...any) {
	t.Helper()
	if os.Getenv("C2S_CI") == "1" {
		t.Fatal(why...)
	}
	t.Skip(why...)
}

// answer is what torch computed for a prompt.
type answer struct {
	Prompt   string
	IDs      []int
	Tokens   []int
	Logprobs []float64
	Served   []float64 // with ggml's gelu
	Scores   map[string]float64
}

// reference makes the checkpoints of testdata/reference.py, with torch, and reads
// what it computed from them.
func reference(t testing.TB) (dir string, answers map[string][]answer) {
	t.Helper()
	python := os.Getenv("C2S_PYTHON_OLD")
	if python == "" {
		missing(t, "C2S_PYTHON_OLD is not set")
	}
	if err := exec.Command(python, "-c", "import torch").Run(); err != nil {
		missing(t, "no torch for ", python)
	}
	dir = t.TempDir()
	if out, err := exec.Command(python, filepath.Join("testdata", "reference.py"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "reference.json"))
	if err == nil {
		err = json.Unmarshal(data, &answers)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, answers
}

// TestTorch: an imported Gemma-2 gives torch's log-probabilities in the built-in
// engine. Both compute in float32, in other orders: 1e-4 for each token.
func TestTorch(t *testing.T) {
	dir, answers := reference(t)
	_, r := convert(t, filepath.Join(dir, "gemma2"), Options{})
	b, err := embedded.Open(r.Path, embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	worst := 0.0
	for _, want := range answers["gemma2"] {
		got, err := b.Generate(context.Background(), want.Prompt, llm.Options{MaxTokens: len(want.Tokens)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.PromptTokens != len(want.IDs) || len(got.Tokens) != len(want.Tokens) {
			t.Fatalf("%q: %d tokens and %d, expected %d and %d", want.Prompt, got.PromptTokens, len(got.Tokens), len(want.IDs), len(want.Tokens))
		}
		for i, tok := range got.Tokens {
			if tok.ID != want.Tokens[i] {
				t.Fatalf("%q: token %d is %d, expected %d", want.Prompt, i, tok.ID, want.Tokens[i])
			}
			worst = max(worst, math.Abs(tok.Logprob-want.Logprobs[i]))
		}
		for text, logprob := range want.Scores {
			s, err := b.Score(context.Background(), want.Prompt, []string{text})
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, math.Abs(s[0].Logprob-logprob)/float64(s[0].Tokens))
		}
	}
	t.Logf("largest difference of a log-probability: %.2g", worst)
	if worst > 1e-4 {
		t.Errorf("a log-probability differs by %g", worst)
	}
}

func post(t *testing.T, url string, body, out any) {
	t.Helper()
	resp, err := http.Post(url, "application/json", bytes.NewReader(toJSON(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(data, out)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v %s", url, resp.Status, err, data)
	}
}

// TestLlamaServer: both architectures give torch's tokens and log-probabilities in
// llama-server, which has but one form of gelu and looks it up in a table of F16:
// 1e-3 with the model's own gelu, 1e-4 where torch takes the same table.
func TestLlamaServer(t *testing.T) {
	live.Program(t, "llama-server")
	dir, answers := reference(t)
	for name, all := range answers {
		t.Run(name, func(t *testing.T) {
			_, r := convert(t, filepath.Join(dir, name), Options{})
			server, _ := live.Llama(t, r.Path, 1)
			url := server.String()
			worst, worstServed := 0.0, 0.0
			for _, want := range all {
				var tokens struct{ Tokens []int }
				post(t, url+"/tokenize", map[string]any{"content": want.Prompt, "add_special": true}, &tokens)
				if !slices.Equal(tokens.Tokens, want.IDs) {
					t.Errorf("%q is %v, expected %v", want.Prompt, tokens.Tokens, want.IDs)
				}
				// Each token of torch's is asked for in its own place, whatever the server
				// prefers.
				for i, id := range want.Tokens {
					var got struct {
						Probabilities []struct {
							Top []struct {
								ID      int
								Logprob float64
							} `json:"top_logprobs"`
						} `json:"completion_probabilities"`
					}
					post(t, url+"/completion", map[string]any{
						"prompt": slices.Concat(want.IDs, want.Tokens[:i]), "n_predict": 1, "n_probs": 1, "temperature": 0, "cache_prompt": true,
					}, &got)
					top := got.Probabilities[0].Top[0]
					if top.ID != id {
						t.Fatalf("%q: token %d is %d, expected %d", want.Prompt, i, top.ID, id)
					}
					worst = max(worst, math.Abs(top.Logprob-want.Logprobs[i]))
					worstServed = max(worstServed, math.Abs(top.Logprob-want.Served[i]))
				}
			}
			t.Logf("largest difference of a log-probability: %.2g, with the same gelu %.2g", worst, worstServed)
			if worst > 1e-3 || worstServed > 1e-4 {
				t.Errorf("a log-probability differs by %g, with the same gelu by %g", worst, worstServed)
			}
		})
	}
}

// TestLlamaQuantize: its Q8_0 is this package's, byte for byte, and a type that only
// it makes comes out.
func TestLlamaQuantize(t *testing.T) {
	program := live.Program(t, "llama-quantize")
	c := newGemma("F32")
	c.tensors["model.embed_tokens.weight"].data = pack(uneven(300*32), "F32")
	dir := c.write(t, 1)
	ours, _ := convert(t, dir, Options{Type: "Q8_0"})
	_, whole := convert(t, dir, Options{})
	to := filepath.Join(t.TempDir(), "theirs.gguf")
	if err := quantise(t.Context(), program, whole.Path, to, "Q8_0", nil); err != nil {
		t.Fatal(err)
	}
	theirs, err := gguf.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	same := 0
	for i := range ours.Tensors {
		a := &ours.Tensors[i]
		b, err := theirs.Tensor(a.Name)
		if err != nil {
			t.Fatal(err)
		}
		if a.Type != b.Type {
			if a.Type != gguf.F16 {
				t.Errorf("%s: %v, llama-quantize has %v", a.Name, a.Type, b.Type)
			}
			continue
		}
		x, _ := ours.Data(a)
		y, _ := theirs.Data(b)
		if !bytes.Equal(x, y) {
			t.Errorf("%s (%v) differs", a.Name, a.Type)
		}
		if a.Type == gguf.Q8_0 {
			same++
		}
	}
	if same < 5 {
		t.Errorf("%d tensors in Q8_0", same)
	}
	var stages []string
	four, r := convert(t, dir, Options{Type: "q4_0", Quantizer: program, Progress: func(stage string, done, total int64) {
		if stages = append(stages, stage); done <= 0 || done > total {
			t.Errorf("%s: %d of %d", stage, done, total)
		}
	}})
	data, err := os.ReadFile(r.Path)
	if err != nil || r.Type != "Q4_0" || r.Size != int64(len(data)) || r.Digest != digest(data) {
		t.Errorf("%+v, %v", r, err)
	}
	if v, _ := four.Tensor("blk.0.attn_v.weight"); v.Type.String() != "Q4_0" {
		t.Error(v.Type)
	}
	if !slices.Contains(stages, "convert") || !slices.Contains(stages, "quantise") {
		t.Error(stages)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(r.Path), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// uneven are numbers whose blocks have all kinds of scales.
func uneven(n int) []float32 {
	v := floatsOf("uneven", int64(n))
	for i := range v {
		v[i] *= float32(math.Exp2(float64(i/32%50-30))) * (1 + float32(i%7)*1e-3)
	}
	return v
}

// TestNoQuantizer: what cannot be made is said before anything is read.
func TestNoQuantizer(t *testing.T) {
	for typ, words := range map[string]string{"q4_k_m": "Q4_K_M is made by llama-quantize", "q4_k_n": `"q4_k_n" is not known`} {
		_, err := Import(t.Context(), "none", "none", Options{Type: typ, Quantizer: "/nowhere/llama-quantize"})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v does not say %q", err, words)
		}
	}
}
