package embedded

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/llm/gguf"
)

// toy is a small random model with everything at sizes of its own, so that no two
// can be confused.
type toy struct {
	context, width, layers, heads, kvHeads, head, feed, window int
	ownOutput                                                  bool // apart from the embedding
	seed                                                       uint64
	pieces                                                     []piece
	keys                                                       []gguf.KeyValue // further ones
}

type piece struct {
	text  string
	score float32
	kind  int32
}

func newToy() toy {
	t := toy{context: 128, width: 24, layers: 3, heads: 6, kvHeads: 2, head: 8, feed: 40, window: 5, ownOutput: true, seed: 1}
	t.pieces = []piece{{"<pad>", 0, tokenControl}, {"<eos>", 0, tokenControl}, {"<bos>", 0, tokenControl}, {"<unk>", 0, tokenUnknown}}
	for i := range 256 {
		t.pieces = append(t.pieces, piece{fmt.Sprintf("<0x%02X>", i), 0, tokenByte})
	}
	for i, s := range []string{"a", "b", "c", "d", "ab", "abc", mark, mark + "a", "bc", "cd", "é"} {
		t.pieces = append(t.pieces, piece{s, []float32{-20, -20, -20, -20, -3, -2, -20, -4, -2.5, -2.5, -20}[i], tokenNormal})
	}
	t.pieces = append(t.pieces, piece{"<<", 0, tokenUser}, piece{"<<a>>", 0, tokenUser}, piece{"x", 0, tokenUnused})
	return t
}

// matrix is the values of a tensor of the toy, by its name: the file and the
// reference draw the same ones.
func (t *toy) matrix(name string, n int) []float32 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	r := rand.New(rand.NewPCG(t.seed, h))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64() * 0.4)
	}
	return out
}

func (t *toy) metadata() []gguf.KeyValue {
	var tokens []string
	var scores []float32
	var types []int32
	for _, p := range t.pieces {
		tokens, scores, types = append(tokens, p.text), append(scores, p.score), append(types, p.kind)
	}
	u := func(n int) uint32 { return uint32(n) }
	return append([]gguf.KeyValue{
		{Key: "general.architecture", Value: "gemma2"},
		{Key: "general.name", Value: "toy"},
		{Key: "gemma2.context_length", Value: u(t.context)},
		{Key: "gemma2.embedding_length", Value: u(t.width)},
		{Key: "gemma2.block_count", Value: u(t.layers)},
		{Key: "gemma2.feed_forward_length", Value: u(t.feed)},
		{Key: "gemma2.attention.head_count", Value: u(t.heads)},
		{Key: "gemma2.attention.head_count_kv", Value: u(t.kvHeads)},
		{Key: "gemma2.attention.key_length", Value: u(t.head)},
		{Key: "gemma2.attention.layer_norm_rms_epsilon", Value: float32(1e-6)},
		{Key: "gemma2.attention.sliding_window", Value: u(t.window)},
		{Key: "tokenizer.ggml.model", Value: "llama"},
		{Key: "tokenizer.ggml.tokens", Value: tokens},
		{Key: "tokenizer.ggml.scores", Value: scores},
		{Key: "tokenizer.ggml.token_type", Value: types},
		{Key: "tokenizer.ggml.add_space_prefix", Value: false},
	}, t.keys...)
}

// shapes lists the tensors.
func (t *toy) shapes() map[string][]int64 {
	n := func(v ...int) []int64 {
		var out []int64
		for _, x := range v {
			out = append(out, int64(x))
		}
		return out
	}
	out := map[string][]int64{"token_embd": n(len(t.pieces), t.width), "output_norm": n(t.width)}
	if t.ownOutput {
		out["output"] = n(len(t.pieces), t.width)
	}
	for i := range t.layers {
		for name, shape := range map[string][]int64{
			"attn_norm": n(t.width), "post_attention_norm": n(t.width), "ffn_norm": n(t.width), "post_ffw_norm": n(t.width),
			"attn_q": n(t.heads*t.head, t.width), "attn_k": n(t.kvHeads*t.head, t.width), "attn_v": n(t.kvHeads*t.head, t.width),
			"attn_output": n(t.width, t.heads*t.head), "ffn_gate": n(t.feed, t.width), "ffn_up": n(t.feed, t.width), "ffn_down": n(t.width, t.feed),
		} {
			out[fmt.Sprintf("blk.%d.%s", i, name)] = shape
		}
	}
	return out
}

// file is the toy as GGUF. change may alter the metadata and the tensors.
func (t *toy) file(tb testing.TB, change func(keys *[]gguf.KeyValue, tensors *[]gguf.Source)) []byte {
	tb.Helper()
	keys := t.metadata()
	var tensors []gguf.Source
	for name, shape := range t.shapes() {
		count := 1
		for _, d := range shape {
			count *= int(d)
		}
		values := t.matrix(name, count)
		tensors = append(tensors, gguf.Source{Name: name + ".weight", Type: gguf.F32, Shape: shape, Write: func(w io.Writer) error {
			return binary.Write(w, binary.LittleEndian, values)
		}})
	}
	if change != nil {
		change(&keys, &tensors)
	}
	var out bytes.Buffer
	if err := gguf.Write(&out, keys, tensors); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func (t *toy) load(tb testing.TB, cfg Config) *Backend {
	tb.Helper()
	b, err := Load(t.file(tb, nil), "toy", cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// logits is Gemma-2 as the paper and the code of its authors have it, in float64,
// one position at a time and without a cache: the logits after the last token.
func (t *toy) logits(ids []int32) []float64 {
	vec := func(name string, n int) []float64 {
		out := make([]float64, n)
		for i, v := range t.matrix(name, n) {
			out[i] = float64(v)
		}
		return out
	}
	mul := func(name string, rows int, x []float64) []float64 {
		w, out := vec(name, rows*len(x)), make([]float64, rows)
		for r := range out {
			for c, v := range x {
				out[r] += w[r*len(x)+c] * v
			}
		}
		return out
	}
	norm := func(name string, x []float64) []float64 {
		square, w, out := 0.0, vec(name, len(x)), make([]float64, len(x))
		for _, v := range x {
			square += v * v
		}
		for i, v := range x {
			out[i] = v / math.Sqrt(square/float64(len(x))+float64(float32(1e-6))) * w[i]
		}
		return out
	}
	rotate := func(v []float64, pos int) []float64 {
		out, half := make([]float64, len(v)), len(v)/2
		for j := range half {
			angle := float64(pos) * math.Pow(10000, -float64(2*j)/float64(len(v)))
			out[j] = v[j]*math.Cos(angle) - v[half+j]*math.Sin(angle)
			out[half+j] = v[half+j]*math.Cos(angle) + v[j]*math.Sin(angle)
		}
		return out
	}
	embedding := vec("token_embd", len(t.pieces)*t.width)
	x := make([][]float64, len(ids))
	for p, id := range ids {
		for _, v := range embedding[int(id)*t.width : (int(id)+1)*t.width] {
			x[p] = append(x[p], v*math.Sqrt(float64(t.width)))
		}
	}
	for l := range t.layers {
		at := func(name string) string { return fmt.Sprintf("blk.%d.%s", l, name) }
		var keys, values [][]float64 // [position], all heads
		for p := range x {
			h := norm(at("attn_norm"), x[p])
			k := mul(at("attn_k"), t.kvHeads*t.head, h)
			for j := range t.kvHeads {
				copy(k[j*t.head:], rotate(k[j*t.head:(j+1)*t.head], p))
			}
			keys, values = append(keys, k), append(values, mul(at("attn_v"), t.kvHeads*t.head, h))
		}
		for p := range x {
			q := mul(at("attn_q"), t.heads*t.head, norm(at("attn_norm"), x[p]))
			attended := make([]float64, t.heads*t.head)
			for j := range t.heads {
				qj := rotate(q[j*t.head:(j+1)*t.head], p)
				kv := j / (t.heads / t.kvHeads) * t.head
				total := 0.0
				sum := make([]float64, t.head)
				for o := 0; o <= p; o++ {
					if l%2 == 0 && p-o >= t.window {
						continue
					}
					score := 0.0
					for i, v := range qj {
						score += v * keys[o][kv+i]
					}
					e := math.Exp(50 * math.Tanh(score/math.Sqrt(float64(t.head))/50))
					total += e
					for i := range sum {
						sum[i] += e * values[o][kv+i]
					}
				}
				for i := range sum {
					attended[j*t.head+i] = sum[i] / total
				}
			}
			for i, v := range norm(at("post_attention_norm"), mul(at("attn_output"), t.width, attended)) {
				x[p][i] += v
			}
			h := norm(at("ffn_norm"), x[p])
			gate, up := mul(at("ffn_gate"), t.feed, h), mul(at("ffn_up"), t.feed, h)
			for i, g := range gate {
				gate[i] = 0.5 * g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g))) * up[i]
			}
			for i, v := range norm(at("post_ffw_norm"), mul(at("ffn_down"), t.width, gate)) {
				x[p][i] += v
			}
		}
	}
	output := "token_embd"
	if t.ownOutput {
		output = "output"
	}
	out := mul(output, len(t.pieces), norm("output_norm", x[len(x)-1]))
	for i, v := range out {
		out[i] = 30 * math.Tanh(v/30)
	}
	return out
}
