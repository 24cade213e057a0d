package embedded

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded/world"
	"github.com/cellsentence/c2s/llm/gguf"
)

// TestToy compares logits with a plain computation in float64: a window of five
// tokens, three queries to a key head, heads wider than their part of the width, an
// output apart from the embedding, and one that is not.
func TestToy(t *testing.T) {
	for _, own := range []bool{true, false} {
		toy := newToy()
		toy.ownOutput = own
		b := toy.load(t, Config{Slots: 1})
		ids := b.m.words.encode("abcd a bcdé <<a>> dcba", true)
		s := newSequence(b.m)
		worst := 0.0
		for n := range ids {
			state, err := s.read(context.Background(), ids[n:n+1], 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.m.logits(context.Background(), nil, state)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range toy.logits(ids[:n+1]) {
				worst = max(worst, math.Abs(float64(got[i])-want))
			}
		}
		t.Logf("own output %v: largest difference of a logit %.2g over %d tokens", own, worst, len(ids))
		// float32 keeps 6e-8 of numbers up to 30, and every layer adds to the error.
		if worst > 2e-4 {
			t.Errorf("a logit is off by %g", worst)
		}
	}
}

// states reads a text in pieces of the given sizes and gives all states.
func states(t *testing.T, b *Backend, ids []int32, sizes ...int) []float32 {
	t.Helper()
	s := newSequence(b.m)
	var out []float32
	for at, i := 0, 0; at < len(ids); i++ {
		n := min(sizes[i%len(sizes)], len(ids)-at)
		x, err := s.read(context.Background(), ids[at:at+n], n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x...)
		at += n
	}
	return out
}

// TestSameBits: neither the number of threads nor how a text is cut into batches
// changes a bit.
func TestSameBits(t *testing.T) {
	toy := newToy()
	toy.width, toy.feed = 256, 640 // large enough for threads
	data := toy.file(t, nil)
	var want []float32
	for _, threads := range []int{1, 2, 5} {
		b, err := Load(data, "toy", Config{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		ids := b.m.words.encode(strings.Repeat("abcd a bcdé ", 12), true)
		for _, sizes := range [][]int{{1}, {len(ids)}, {3, 7, 1}} {
			got := states(t, b, ids, sizes...)
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d threads, batches of %v: other bits", threads, sizes)
			}
		}
	}
}

// TestPrefix: a prompt that shares its beginning with an earlier one reads on from
// there, takes the slot that shares most, and gives the same answer.
func TestPrefix(t *testing.T) {
	toy := newToy()
	fresh := func(prompt string) *llm.Answer {
		t.Helper()
		a, err := toy.load(t, Config{Slots: 1}).Generate(t.Context(), prompt, llm.Options{MaxTokens: 1, Temperature: 1, Seed: 3}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	b := toy.load(t, Config{Slots: 2})
	for _, c := range []struct {
		prompt string
		known  int
	}{
		{"abcd abcd", 0},
		{"ddd ddd", 0}, // in the other slot
		{"abcd abcd", 5},
		{"abcd abcd dd", 6},
		{"ddd dda", 7},
		{"abcd d", 4},
		{"ca", 1}, // in the slot that was not used for longest
		{"abcd dd", 5},
	} {
		a, err := b.Generate(t.Context(), c.prompt, llm.Options{MaxTokens: 1, Temperature: 1, Seed: 3}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := fresh(c.prompt)
		if a.Text != want.Text || a.Tokens[0].Logprob != want.Tokens[0].Logprob {
			t.Errorf("%q: %q, fresh %q", c.prompt, a.Text, want.Text)
		}
		if a.CachedTokens != c.known {
			t.Errorf("%q: %d of %d tokens were known, expected %d", c.prompt, a.CachedTokens, a.PromptTokens, c.known)
		}
	}
}

// TestCancelled: a request that was cancelled half-way leaves a slot that answers
// as a fresh one does.
func TestCancelled(t *testing.T) {
	toy := newToy()
	b := toy.load(t, Config{Slots: 1})
	prompt := strings.Repeat("abcd ", 12)
	want, err := b.Generate(t.Context(), prompt, llm.Options{MaxTokens: 5}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := b.m.words.encode(prompt, true)
	for steps := range 40 {
		b := toy.load(t, Config{Slots: 1})
		ctx := &countdown{Context: t.Context(), left: steps}
		_, first := b.Generate(ctx, prompt, llm.Options{MaxTokens: 5}, nil)
		got, err := b.Generate(t.Context(), prompt, llm.Options{MaxTokens: 5}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != want.Text || got.Tokens[0].Logprob != want.Tokens[0].Logprob {
			t.Fatalf("cancelled (%v) after %d of its checks: %q, expected %q", first, steps, got.Text, want.Text)
		}
		if n := len(b.idle[0].tokens); n != len(ids)+len(want.Tokens)-1 {
			t.Fatalf("%d tokens are kept", n)
		}
	}
}

// countdown is a context that ends when it has been asked a number of times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestShrinkingFile cuts a file short under a model that is in use.
func TestShrinkingFile(t *testing.T) {
	toy := newToy()
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, toy.file(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, path, Config{})
	if _, err := b.Generate(t.Context(), "abc", llm.Options{MaxTokens: 3}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Skip("the file cannot be cut short while it is open: ", err)
	}
	_, err := b.Generate(t.Context(), "dcba", llm.Options{MaxTokens: 3}, nil)
	if !errors.Is(err, gguf.ErrTruncated) && err != nil {
		t.Errorf("%v, expected an error that wraps %v", err, gguf.ErrTruncated)
	}
	if err == nil && runtime.GOOS == "linux" {
		t.Log("the model was read from memory")
	}
}

func TestClose(t *testing.T) {
	toy := newToy()
	b := toy.load(t, Config{})
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Generate(t.Context(), "a", llm.Options{}, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestInfo(t *testing.T) {
	toy := newToy()
	toy.keys = []gguf.KeyValue{{Key: "c2s.demo", Value: true}, {Key: "c2s.prompt.cell_type", Value: "Cell: {cell_sentence}"}}
	b := toy.load(t, Config{Slots: 3, Context: 64})
	i, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i.Notice != DemoNotice || i.Prompts["cell_type"] != "Cell: {cell_sentence}" || i.Context != 64 || i.Slots != 3 || i.Advice != "" || len(i.Digest) != 7+64 {
		t.Errorf("%+v", i)
	}
}

// TestBadModels: files that are no model of this engine are refused, with the
// reason, before memory is taken for them.
func TestBadModels(t *testing.T) {
	set := func(key string, v any) func(*[]gguf.KeyValue, *[]gguf.Source) {
		return func(keys *[]gguf.KeyValue, _ *[]gguf.Source) {
			*keys = slices.DeleteFunc(*keys, func(k gguf.KeyValue) bool { return k.Key == key })
			if v != nil {
				*keys = append(*keys, gguf.KeyValue{Key: key, Value: v})
			}
		}
	}
	drop := func(name string) func(*[]gguf.KeyValue, *[]gguf.Source) {
		return func(_ *[]gguf.KeyValue, tensors *[]gguf.Source) {
			*tensors = slices.DeleteFunc(*tensors, func(s gguf.Source) bool { return s.Name == name })
		}
	}
	retype := func(name string, typ gguf.Type, shape ...int64) func(*[]gguf.KeyValue, *[]gguf.Source) {
		return func(keys *[]gguf.KeyValue, tensors *[]gguf.Source) {
			drop(name)(keys, tensors)
			size := shape[0] * 2
			if len(shape) > 1 {
				size *= shape[1]
			}
			*tensors = append(*tensors, gguf.Source{Name: name, Type: typ, Shape: shape, Write: write(make([]byte, size))})
		}
	}
	for _, c := range []struct {
		name   string
		change func(*[]gguf.KeyValue, *[]gguf.Source)
		want   string
	}{
		{"another architecture", set("general.architecture", "llama"), "gemma2 only"},
		{"no architecture", set("general.architecture", nil), "general.architecture"},
		{"a huge count of layers", set("gemma2.block_count", uint32(4e9)), "not between"},
		{"many layers", set("gemma2.block_count", uint32(1000)), "blk.3."},
		{"no layers", set("gemma2.block_count", uint32(0)), "not between"},
		{"a huge width", set("gemma2.embedding_length", uint64(1<<60)), "not between"},
		{"heads that do not divide", set("gemma2.attention.head_count_kv", uint32(4)), "cannot share"},
		{"odd heads", set("gemma2.attention.key_length", uint32(7)), "pairs"},
		{"other values", set("gemma2.attention.value_length", uint32(4)), "alike"},
		{"a negative cap", set("gemma2.final_logit_softcapping", float32(-1)), "positive"},
		{"a cap that is no number", set("gemma2.attn_logit_softcapping", float32(math.NaN())), "positive"},
		{"another width", set("gemma2.embedding_length", uint32(32)), "ask for"},
		{"another tokenizer", set("tokenizer.ggml.model", "gpt2"), "SentencePiece"},
		{"no tokens", set("tokenizer.ggml.tokens", []string{}), "0 tokens"},
		{"fewer scores", set("tokenizer.ggml.scores", []float32{1}), "1 scores"},
		{"an end beyond the tokens", set("tokenizer.ggml.eos_token_id", uint32(1e6)), "eos_token_id"},
		{"a missing tensor", drop("blk.2.ffn_up.weight"), "blk.2.ffn_up"},
		{"a quantised tensor", retype("blk.0.attn_q.weight", gguf.BF16, 48, 24), "BF16"},
		{"a norm in F16", retype("output_norm.weight", gguf.F16, 24), "F32 is usual"},
	} {
		t.Run(c.name, func(t *testing.T) {
			toy := newToy()
			_, err := Load(toy.file(t, c.change), "x.gguf", Config{})
			var bad interface{ BadInput() bool }
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.gguf: ") || strings.Count(err.Error(), "x.gguf") != 1 {
				t.Fatalf("%v, expected x.gguf: … %s", err, c.want)
			}
			if !errors.As(err, &bad) || !bad.BadInput() {
				t.Errorf("%#v is no bad input", err)
			}
		})
	}
	if _, err := Load(nil, "x", Config{Slots: -1}); err == nil {
		t.Error("no error for an empty file")
	}
	toy := newToy()
	if _, err := Load(toy.file(t, nil), "x", Config{Slots: -1}); err == nil {
		t.Error("-1 slots were taken")
	}
}

// FuzzLoad changes bytes of a small model: an error, or a model that answers.
func FuzzLoad(f *testing.F) {
	toy := newToy()
	toy.layers, toy.width, toy.heads, toy.kvHeads, toy.head, toy.feed = 1, 8, 1, 1, 8, 8
	data := toy.file(f, nil)
	f.Add(uint32(0), []byte("GGUF"))
	f.Add(uint32(400), []byte{255, 255})
	f.Fuzz(func(t *testing.T, at uint32, with []byte) {
		changed := slices.Clone(data)
		copy(changed[int(at)%len(changed):], with)
		b, err := Load(changed, "x", Config{Slots: 1, Context: 32})
		if err != nil {
			return
		}
		if _, err := b.Generate(t.Context(), "abc é", llm.Options{MaxTokens: 3, Temperature: 1}, nil); err != nil {
			if _, ok := errors.AsType[*llm.ContextError](err); !ok {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkGenerate(bm *testing.B) {
	b, err := Demo(Config{Slots: 1, Threads: 1})
	if err != nil {
		bm.Fatal(err)
	}
	prompt := world.Prompt(world.TaskGenerate, "num_genes", "32", "cell_type", "NK cell")
	tokens := 0
	for i := 0; bm.Loop(); i++ {
		a, err := b.Generate(bm.Context(), prompt, llm.Options{MaxTokens: 34, Temperature: 1, Seed: uint64(i)}, nil)
		if err != nil {
			bm.Fatal(err)
		}
		tokens += a.AnswerTokens + 1
	}
	bm.ReportMetric(float64(tokens)/bm.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkPrompt(bm *testing.B) {
	b, err := Demo(Config{Slots: 1, Threads: 1})
	if err != nil {
		bm.Fatal(err)
	}
	for _, n := range []int{100, 1000} {
		bm.Run(fmt.Sprint(n), func(bm *testing.B) {
			ids := slices.Repeat([]int32{300, 400, 500, 600, 700}, n/5)
			for bm.Loop() {
				if _, err := newSequence(b.m).read(bm.Context(), ids, 1); err != nil {
					bm.Fatal(err)
				}
			}
			bm.ReportMetric(float64(n*bm.N)/bm.Elapsed().Seconds(), "tokens/s")
		})
	}
}
