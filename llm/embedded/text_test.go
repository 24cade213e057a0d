package embedded

import (
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/gguf"
	"github.com/cellsentence/c2s/llm/internal/answer"
)

func write(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func vocabulary(t testing.TB, toy *toy) *tokenizer {
	t.Helper()
	f, err := gguf.Parse(toy.file(t, nil), "toy")
	if err != nil {
		t.Fatal(err)
	}
	words, err := newTokenizer(f)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// TestTokens has pieces worked out by hand from the scores: abc −2, bc and cd −2.5,
// ab −3, ▁a −4.
func TestTokens(t *testing.T) {
	toy := newToy()
	words := vocabulary(t, &toy)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"abc", []string{"abc"}},           // bc first, then a + bc
		{"abcd", []string{"abc", "d"}},     // bc before cd, its equal
		{"abd", []string{"ab", "d"}},       //
		{"bcd", []string{"bc", "d"}},       //
		{" abc", []string{mark, "abc"}},    // abc before ▁a
		{" ad", []string{mark + "a", "d"}}, //
		{"  a", []string{mark, mark + "a"}},
		{"é", []string{"é"}},
		{"è", []string{"<0xC3>", "<0xA8>"}},
		{"x", []string{"<0x78>"}}, // an unused token is none
		{"\xff", []string{"<0xFF>"}},
		{"<eos>", []string{"<0x3C>", "<0x65>", "<0x6F>", "<0x73>", "<0x3E>"}},
		{"a<<a>><<bc", []string{"a", "<<a>>", "<<", "bc"}}, // the longer of the user's first
	} {
		var got []string
		for _, id := range words.encode(c.text, false) {
			got = append(got, words.tokens[id])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, expected %q", c.text, got, c.want)
		}
	}
	if got := words.encode("a", true); len(got) != 2 || got[0] != words.bos {
		t.Errorf("at the beginning: %v", got)
	}
	toy.keys = []gguf.KeyValue{{Key: "tokenizer.ggml.add_bos_token", Value: false}}
	if got := vocabulary(t, &toy).encode("a", true); len(got) != 1 {
		t.Errorf("without a beginning of text: %v", got)
	}
}

// slowly is the rule of merging as it is told: look at all neighbours, join the best.
func slowly(words *tokenizer, text string) []int32 {
	parts := strings.Split(strings.ReplaceAll(text, " ", mark), "")
	for {
		best, score := -1, float32(math.Inf(-1))
		for i := range len(parts) - 1 {
			if id, ok := words.ids[parts[i]+parts[i+1]]; ok && words.scores[id] > score {
				best, score = i, words.scores[id]
			}
		}
		if best < 0 {
			break
		}
		parts = slices.Replace(parts, best, best+2, parts[best]+parts[best+1])
	}
	var out []int32
	for _, p := range parts {
		if id, ok := words.ids[p]; ok {
			out = append(out, id)
			continue
		}
		for _, b := range []byte(p) {
			out = append(out, words.bytes[b])
		}
	}
	return out
}

func TestTokensSlowly(t *testing.T) {
	toy := newToy()
	toy.pieces = slices.DeleteFunc(toy.pieces, func(p piece) bool { return p.kind == tokenUser })
	r := rand.New(rand.NewPCG(7, 8))
	// Random words of up to six characters, all with their beginnings, many of equal score.
	for range 60 {
		w := ""
		for range 2 + r.IntN(5) {
			w += string("abcd "[r.IntN(5)])
			if len(w) > 1 {
				toy.pieces = append(toy.pieces, piece{strings.ReplaceAll(w, " ", mark), -float32(r.IntN(12)), tokenNormal})
			}
		}
	}
	words := vocabulary(t, &toy)
	for range 500 {
		text := ""
		for range r.IntN(40) {
			text += string([]rune("abcd éx")[r.IntN(7)])
		}
		if got, want := words.encode(text, false), slowly(words, text); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, expected %v", text, got, want)
		}
		back := ""
		for _, id := range words.encode(text, false) {
			back += words.piece(id)
		}
		if back != text {
			t.Fatalf("%q came back as %q", text, back)
		}
	}
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		name   string
		stops  []string
		pieces []string
		want   []string // the tokens' texts
		seen   []int    // how many the callback has seen after each
		stop   bool
	}{
		{"plain", nil, []string{"a", " b", "c"}, []string{"a", " b", "c"}, []int{1, 2, 3}, false},
		{"a character in three tokens", nil, []string{"x", "\xe7", "\xb4", "\xb0", "y"}, []string{"x", "", "", "細", "y"}, []int{1, 1, 2, 4, 5}, false},
		{"half a character at the end", nil, []string{"x", "\xe7\xb4"}, []string{"x", "\uFFFD"}, []int{1, 1}, false},
		{"no UTF-8", nil, []string{"\xff", "a"}, []string{"\uFFFD", "a"}, []int{1, 2}, false},
		{"a stop string", []string{"STOP"}, []string{"a", "ST", "OPb"}, []string{"a"}, []int{1, 1, 1}, true},
		{"within a token", []string{"b"}, []string{"a", "cbd"}, []string{"a", "c"}, []int{1, 2}, true},
		{"across tokens, cut within one", []string{"cd"}, []string{"a", "bc", "de"}, []string{"a", "b"}, []int{1, 1, 2}, true},
		{"begun, not come", []string{"xyz"}, []string{"a", "x", "y", "a"}, []string{"a", "x", "y", "a"}, []int{1, 1, 1, 4}, false},
		{"begun at the end", []string{"xyz"}, []string{"a", "xy"}, []string{"a", "xy"}, []int{1, 1}, false},
		{"the first of two", []string{"d", "bc"}, []string{"abcd"}, []string{"a"}, []int{1}, true},
		{"at once", []string{"a"}, []string{"ab"}, nil, []int{0}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen []string
			s := answer.Builder{Stops: c.stops, OnToken: func(tok llm.Token) error {
				seen = append(seen, tok.Text)
				return nil
			}}
			stopped := false
			for i, p := range c.pieces {
				var err error
				if stopped, err = s.Add(llm.Token{}, p); err != nil {
					t.Fatal(err)
				}
				if len(seen) != c.seen[i] {
					t.Errorf("%d tokens were shown after piece %d, expected %d", len(seen), i, c.seen[i])
				}
			}
			if !stopped {
				if err := s.Finish(); err != nil {
					t.Fatal(err)
				}
			}
			if stopped != c.stop || !slices.Equal(seen, c.want) || s.Text() != strings.Join(c.want, "") || len(s.Tokens()) != len(c.want) {
				t.Errorf("stopped %v, saw %q, text %q", stopped, seen, s.Text())
			}
		})
	}
}

// TestSampler compares frequencies over seeds with probabilities.
func TestSampler(t *testing.T) {
	logits := []float32{1, 3, 2, -40, 2.5, 0, 3}
	p := func(t float64) []float64 {
		out, sum := make([]float64, len(logits)), 0.0
		for i, v := range logits {
			out[i] = math.Exp(float64(v) / t)
			sum += out[i]
		}
		for i := range out {
			out[i] /= sum
		}
		return out
	}
	only := func(p []float64, ids ...int) []float64 {
		out, sum := make([]float64, len(p)), 0.0
		for _, i := range ids {
			out[i] = p[i]
			sum += p[i]
		}
		for i := range out {
			out[i] /= sum
		}
		return out
	}
	for _, c := range []struct {
		name string
		opt  llm.Options
		want []float64
	}{
		{"greedy, the first of equals", llm.Options{}, only(p(1), 1)},
		{"all", llm.Options{Temperature: 1}, p(1)},
		{"hot", llm.Options{Temperature: 2}, p(2)},
		{"cold", llm.Options{Temperature: 0.5}, p(0.5)},
		{"top-k", llm.Options{Temperature: 1, TopK: 3}, only(p(1), 1, 6, 4)},
		{"top-k of equals", llm.Options{Temperature: 1, TopK: 1}, only(p(1), 1)},
		{"top-k and hot", llm.Options{Temperature: 2, TopK: 2}, only(p(2), 1, 6)},
		// Probabilities: .33 .33 .20 .12 …
		{"top-p", llm.Options{Temperature: 1, TopP: 0.7}, only(p(1), 1, 6, 4)},
		{"top-p of one", llm.Options{Temperature: 1, TopP: 0.1}, only(p(1), 1)},
		{"top-p of what top-k left", llm.Options{Temperature: 1, TopK: 3, TopP: 0.7}, only(p(1), 1, 6)},
		{"min-p", llm.Options{Temperature: 1, MinP: 0.3}, only(p(1), 1, 6, 4, 2)},
		{"min-p of one", llm.Options{Temperature: 3, MinP: 1}, only(p(3), 1, 6)},
	} {
		t.Run(c.name, func(t *testing.T) {
			const n = 20000
			counts := make([]float64, len(logits))
			s := sampler{opt: c.opt}
			s.look(logits)
			for seed := range uint64(n) {
				s.opt.Seed = seed / 4
				counts[s.pick(logits, int(seed%4))]++
			}
			for i, want := range c.want {
				// Five standard deviations of a binomial share.
				if d := math.Abs(counts[i]/n - want); d > 5*math.Sqrt(want*(1-want)/n) {
					t.Errorf("token %d was drawn %.4f of the time, expected %.4f", i, counts[i]/n, want)
				}
			}
		})
	}
	s := sampler{}
	s.look(logits)
	for i, want := range p(1) {
		if got := s.logprob(logits, int32(i)); math.Abs(got-math.Log(want)) > 1e-6 {
			t.Errorf("log-probability of token %d: %g, expected %g", i, got, math.Log(want))
		}
	}
}

// TestSharedLuck: under one seed two similar distributions mostly draw the same
// token, which is what makes a perturbed cell comparable with its control.
func TestSharedLuck(t *testing.T) {
	a := []float32{1, 1.1, 0.9, 1, 1.2, 0.8, 1, 1}
	b := slices.Clone(a)
	b[3] += 0.3
	same := 0
	const n = 4000
	for seed := range uint64(n) {
		pick := func(logits []float32) int32 {
			s := sampler{opt: llm.Options{Temperature: 1, Seed: seed}}
			s.look(logits)
			return s.pick(logits, 0)
		}
		if pick(a) == pick(b) {
			same++
		}
	}
	// Token 3 takes .16 instead of .12; drawn apart, one in eight would agree.
	if share := float64(same) / n; share < 0.93 {
		t.Errorf("%.3f of the draws agree", share)
	}
}
