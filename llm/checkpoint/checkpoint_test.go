package checkpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/gguf"
)

// convert imports a checkpoint and opens what came out.
func convert(t testing.TB, from string, opt Options) (*gguf.File, *Result) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "out.gguf")
	r, err := Import(context.Background(), from, to, opt)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, r
}

// numbers are the values of a tensor in F32, F16 or BF16.
func numbers(t testing.TB, f *gguf.File, name string) []float32 {
	t.Helper()
	tensor, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.Data(tensor)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(1)
	for _, d := range tensor.Shape {
		n *= d
	}
	out := make([]float32, n)
	if err := gguf.Decode(out, tensor.Type, data); err != nil {
		t.Fatal(err)
	}
	return out
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func plus(v []float32, d float32) []float32 {
	out := slices.Clone(v)
	for i := range out {
		out[i] += d
	}
	return out
}

func TestGemma(t *testing.T) {
	for _, dtype := range []string{"F32", "BF16", "F16"} {
		for _, typ := range []string{"", "F32", "f16", "BF16"} {
			for _, shards := range []int{1, 3} {
				t.Run(fmt.Sprint(dtype, " ", typ, " ", shards), func(t *testing.T) {
					c := newGemma(dtype)
					f, r := convert(t, c.write(t, shards), Options{Type: typ})
					want := strings.ToUpper(typ)
					if typ == "" {
						want = dtype
					}
					if r.Type != want || r.Architecture != "gemma2" || r.Context != 128 || r.Name != "toy" {
						t.Errorf("%+v", r)
					}
					names := map[string]string{
						"token_embd": "model.embed_tokens", "output_norm": "model.norm",
						"attn_norm": "input_layernorm", "post_attention_norm": "post_attention_layernorm",
						"ffn_norm": "pre_feedforward_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
						"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
						"ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
					}
					if len(f.Tensors) != len(c.tensors) {
						t.Errorf("%d tensors of %d", len(f.Tensors), len(c.tensors))
					}
					for _, tensor := range f.Tensors {
						name := strings.TrimSuffix(tensor.Name, ".weight")
						var layer int
						var short string
						from := names[name] + ".weight"
						if n, _ := fmt.Sscanf(name, "blk.%d.%s", &layer, &short); n == 2 {
							from = fmt.Sprintf("model.layers.%d.%s.weight", layer, names[short])
						}
						values, typ := c.values[from], want
						if strings.HasSuffix(name, "_norm") {
							values, typ = plus(values, 1), "F32"
						}
						if !slices.Equal(numbers(t, f, tensor.Name), values) || tensor.Type.String() != typ {
							t.Errorf("%s (%v) is not %s", tensor.Name, tensor.Type, from)
						}
					}
				})
			}
		}
	}
}

func TestGemmaMetadata(t *testing.T) {
	c := newGemma("F32")
	f, r := convert(t, c.write(t, 1), Options{Name: "a name", Pooling: llm.PoolLast})
	for key, want := range map[string]any{
		"general.architecture": "gemma2", "general.name": "a name", "general.file_type": uint32(0), "general.type": "model",
		"gemma2.context_length": uint32(128), "gemma2.embedding_length": uint32(32), "gemma2.block_count": uint32(2),
		"gemma2.feed_forward_length": uint32(96), "gemma2.attention.head_count": uint32(6), "gemma2.attention.head_count_kv": uint32(2),
		"gemma2.attention.key_length": uint32(8), "gemma2.attention.value_length": uint32(8),
		"gemma2.attention.layer_norm_rms_epsilon": float32(1e-6), "gemma2.attn_logit_softcapping": float32(50),
		"gemma2.final_logit_softcapping": float32(30), "gemma2.attention.sliding_window": uint32(64), "gemma2.rope.freq_base": float32(10000),
		"gemma2.pooling_type":  uint32(3),
		"tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default", "tokenizer.ggml.bos_token_id": uint32(2),
		"tokenizer.ggml.eos_token_id": uint32(1), "tokenizer.ggml.padding_token_id": uint32(0), "tokenizer.ggml.unknown_token_id": nil,
		"tokenizer.ggml.add_bos_token": true, "tokenizer.ggml.add_eos_token": false, "tokenizer.ggml.add_space_prefix": false,
		"tokenizer.ggml.eot_token_id": nil, "general.quantization_version": nil,
	} {
		if got := f.Value(key); got != want {
			t.Errorf("%s is %v, expected %v", key, got, want)
		}
	}
	if r.Name != "a name" || len(r.Notes) != 0 {
		t.Errorf("%+v", r)
	}
	tokens := f.Value("tokenizer.ggml.tokens").([]string)
	types := f.Value("tokenizer.ggml.token_type").([]int32)
	scores := f.Value("tokenizer.ggml.scores").([]float32)
	if len(tokens) != 300 || len(types) != 300 || len(scores) != 300 {
		t.Fatal(len(tokens), len(types), len(scores))
	}
	for i, p := range toyPieces() {
		if p.kind == tokenUser {
			p.text = strings.ReplaceAll(p.text, mark, " ") // llama.cpp looks for them in the raw text
		}
		if got := (piece{tokens[i], scores[i], types[i]}); got != p {
			t.Errorf("piece %d is %v, expected %v", i, got, p)
		}
	}
	if tokens[299] != "[PAD299]" || types[299] != tokenUnused {
		t.Error(tokens[299], types[299])
	}
	data, err := os.ReadFile(r.Path)
	if err != nil || r.Digest != digest(data) || r.Size != int64(len(data)) {
		t.Error(r.Digest, r.Size, err)
	}
}

// TestQueryScale: GGUF has no key for it, so that the weights carry what is not
// implied. With 12.5 for heads of 8 the factor is sqrt(8/12.5) = 0.8.
func TestQueryScale(t *testing.T) {
	c := newGemma("F32")
	c.config["query_pre_attn_scalar"] = 12.5
	f, r := convert(t, c.write(t, 1), Options{})
	const name = "model.layers.1.self_attn.q_proj.weight"
	for i, v := range numbers(t, f, "blk.1.attn_q.weight") {
		if want := 0.8 * float64(c.values[name][i]); math.Abs(float64(v)-want) > 1e-7 {
			t.Fatalf("%d: %g, expected %g", i, v, want)
		}
	}
	if len(r.Notes) != 1 || !slices.Equal(numbers(t, f, "blk.1.attn_k.weight"), c.values["model.layers.1.self_attn.k_proj.weight"]) {
		t.Error(r.Notes)
	}
}

func TestNeoX(t *testing.T) {
	c := newNeoX("F16")
	f, r := convert(t, c.write(t, 2), Options{Type: "F32"})
	if r.Architecture != "gptneox" || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "NFC") {
		t.Errorf("%+v", r)
	}
	const width, heads = 32, 4
	const head = width / heads
	for _, layer := range []int{0, 1} {
		from := fmt.Sprintf("gpt_neox.layers.%d.", layer)
		for suffix, cols := range map[string]int{".weight": width, ".bias": 1} {
			// Row (h, which, i) of the checkpoint is row (which, h, i) of GGUF.
			fused := c.values[from+"attention.query_key_value"+suffix]
			got := numbers(t, f, fmt.Sprintf("blk.%d.attn_qkv%s", layer, suffix))
			for which := range 3 {
				for h := range heads {
					for i := range head {
						a := ((which*heads+h)*head + i) * cols
						b := ((h*3+which)*head + i) * cols
						if !slices.Equal(got[a:a+cols], fused[b:b+cols]) {
							t.Fatalf("layer %d%s, part %d, head %d, row %d", layer, suffix, which, h, i)
						}
					}
				}
			}
			for to, name := range map[string]string{
				"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_output": "attention.dense",
				"ffn_up": "mlp.dense_h_to_4h", "ffn_down": "mlp.dense_4h_to_h",
			} {
				if !slices.Equal(numbers(t, f, fmt.Sprintf("blk.%d.%s%s", layer, to, suffix)), c.values[from+name+suffix]) {
					t.Errorf("layer %d: %s%s", layer, to, suffix)
				}
			}
		}
	}
	for to, name := range map[string]string{
		"token_embd.weight": "gpt_neox.embed_in.weight", "output.weight": "embed_out.weight",
		"output_norm.weight": "gpt_neox.final_layer_norm.weight", "output_norm.bias": "gpt_neox.final_layer_norm.bias",
	} {
		if !slices.Equal(numbers(t, f, to), c.values[name]) {
			t.Error(to)
		}
	}
	blank := "\u0120"
	for key, want := range map[string]any{
		"gptneox.context_length": uint32(64), "gptneox.embedding_length": uint32(32), "gptneox.block_count": uint32(2),
		"gptneox.feed_forward_length": uint32(96), "gptneox.attention.head_count": uint32(4), "gptneox.rope.dimension_count": uint32(2),
		"gptneox.attention.layer_norm_epsilon": float32(1e-5), "gptneox.use_parallel_residual": true, "gptneox.rope.freq_base": float32(10000),
		"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.bos_token_id": uint32(0),
		"tokenizer.ggml.eos_token_id": uint32(0), "tokenizer.ggml.add_bos_token": false, "tokenizer.ggml.scores": nil,
	} {
		if got := f.Value(key); got != want {
			t.Errorf("%s is %v, expected %v", key, got, want)
		}
	}
	tokens := f.Value("tokenizer.ggml.tokens").([]string)
	types := f.Value("tokenizer.ggml.token_type").([]int32)
	for id, want := range map[int]piece{
		0: {"<|endoftext|>", 0, tokenControl}, 2 + 'C': {"C", 0, tokenNormal}, 2 + ' ': {blank, 0, tokenNormal},
		258: {blank + "C", 0, tokenNormal}, 261: {"   ", 0, tokenUser}, 262: {"  ", 0, tokenUser}, 269: {"[PAD269]", 0, tokenUnused},
	} {
		if tokens[id] != want.text || types[id] != want.kind {
			t.Errorf("token %d is %q of type %d, expected %v", id, tokens[id], types[id], want)
		}
	}
	if got, want := f.Value("tokenizer.ggml.merges").([]string), []string{blank + " C", "D 3", blank + "C D3"}; !slices.Equal(got, want) {
		t.Errorf("merges %q, expected %q", got, want)
	}
}

// TestQ8 bounds the error of each value by half a step of its block.
func TestQ8(t *testing.T) {
	c := newGemma("BF16")
	c.tensors["model.layers.0.mlp.up_proj.weight"].data[1] = 0x40 // one larger value
	f, r := convert(t, c.write(t, 1), Options{Type: "q8_0"})
	if r.Type != "Q8_0" || f.Value("general.file_type") != uint32(7) || f.Value("general.quantization_version") != uint32(2) {
		t.Error(r.Type)
	}
	tensor, err := f.Tensor("blk.1.attn_v.weight")
	if err != nil || tensor.Type != gguf.Q8_0 {
		t.Fatal(tensor, err)
	}
	// 48 numbers a row are no whole blocks.
	if odd, _ := f.Tensor("blk.1.attn_output.weight"); odd.Type != gguf.F16 {
		t.Error(odd.Type)
	}
	data, _ := f.Data(tensor)
	want := c.values["model.layers.1.self_attn.v_proj.weight"]
	for b := range len(data) / 34 {
		block := data[34*b:][:34]
		var scale [1]float32
		if err := gguf.Decode(scale[:], gguf.F16, block[:2]); err != nil {
			t.Fatal(err)
		}
		for i, q := range block[2:] {
			got, want := scale[0]*float32(int8(q)), want[32*b+i]
			// Half a step, and 127 times the rounding of the scale to F16.
			if math.Abs(float64(got-want)) > float64(scale[0])*(0.5+127.0/2048) {
				t.Fatalf("block %d, %d: %g, expected %g", b, i, got, want)
			}
		}
	}
}

// TestSame: one checkpoint gives one file, whatever its shards, and a GGUF gives
// what the checkpoint gives.
func TestSame(t *testing.T) {
	for name, c := range map[string]*toy{"gemma2": newGemma("F32"), "gptneox": newNeoX("F32")} {
		t.Run(name, func(t *testing.T) {
			write := func(from string, opt Options) []byte {
				m, err := Open(from)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				var out bytes.Buffer
				if err := m.Write(context.Background(), &out, opt); err != nil {
					t.Fatal(err)
				}
				return out.Bytes()
			}
			dir := c.write(t, 1)
			whole := write(dir, Options{})
			if !bytes.Equal(whole, write(c.write(t, 4), Options{})) {
				t.Error("shards change the file")
			}
			path := filepath.Join(t.TempDir(), "x.gguf")
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(whole, write(path, Options{})) {
				t.Error("a copy of the GGUF differs")
			}
			for _, typ := range []string{"F16", "BF16", "Q8_0"} {
				a, b := write(dir, Options{Type: typ}), write(path, Options{Type: typ})
				fa, errA := gguf.Parse(a, "a")
				fb, errB := gguf.Parse(b, "b")
				if errA != nil || errB != nil || len(fa.Tensors) != len(fb.Tensors) || fa.Value("general.file_type") != fb.Value("general.file_type") {
					t.Fatal(errA, errB)
				}
				for i := range fa.Tensors {
					x, _ := fa.Data(&fa.Tensors[i])
					y, _ := fb.Data(&fb.Tensors[i])
					if fa.Tensors[i].Name != fb.Tensors[i].Name || !bytes.Equal(x, y) {
						t.Errorf("%s: %s", typ, fa.Tensors[i].Name)
					}
				}
			}
		})
	}
}

// TestEmbedded: the built-in engine opens what was imported, and both tokenizer
// files of a Gemma give the same answers.
func TestEmbedded(t *testing.T) {
	ask := func(c *toy) float64 {
		_, r := convert(t, c.write(t, 1), Options{})
		b, err := embedded.Open(r.Path, embedded.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		s, err := b.Score(context.Background(), "CD3D  CD3 é\tCD   3", []string{" CD3D CD3"})
		if err != nil {
			t.Fatal(err)
		}
		return s[0].Logprob
	}
	pieces := newGemma("F32")
	merges := newGemma("F32")
	merges.files = map[string][]byte{tokenizerFile: toJSON(toyMerges(toyPieces()))}
	if a, b := ask(pieces), ask(merges); a != b || math.IsNaN(a) {
		t.Errorf("tokenizer.model gives %g, tokenizer.json %g", a, b)
	}
}

// toyMerges is the tokenizer.json that transformers makes of a SentencePiece model
// (convert_slow_tokenizer.py, GemmaConverter): the words in order of their scores,
// each with all its splits, and the tab in the place of its byte.
func toyMerges(list []piece) map[string]any {
	vocab := map[string]int{}
	added := []map[string]any{}
	for i, p := range list {
		text := p.text
		if text == "<0x09>" {
			text = "\t"
		}
		vocab[text] = i
		if p.kind == tokenControl || p.kind == tokenUnknown || p.kind == tokenUser {
			added = append(added, map[string]any{"id": i, "content": text, "special": p.kind != tokenUser})
		}
	}
	byScore := slices.Clone(list)
	slices.SortStableFunc(byScore, func(a, b piece) int { return int(1000 * (b.score - a.score)) })
	var merges []string
	for _, p := range byScore {
		for i := range p.text {
			if _, left := vocab[p.text[:i]]; !left {
				continue
			}
			if _, right := vocab[p.text[i:]]; right && p.kind != tokenByte {
				merges = append(merges, p.text[:i]+" "+p.text[i:])
			}
		}
	}
	return map[string]any{
		"added_tokens":  added,
		"normalizer":    map[string]any{"type": "Replace", "pattern": map[string]any{"String": " "}, "content": mark},
		"pre_tokenizer": map[string]any{"type": "Split", "pattern": map[string]any{"String": " "}, "behavior": "MergedWithPrevious"},
		"model":         map[string]any{"type": "BPE", "byte_fallback": true, "unk_token": "<unk>", "fuse_unk": true, "vocab": vocab, "merges": merges},
	}
}

// TestSpecialTokens: who may name them, in which order.
func TestSpecialTokens(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(c *toy)
		want map[string]any
	}{
		{"only config.json", func(c *toy) { c.tokenizer = nil }, map[string]any{"bos": uint32(2), "eos": uint32(1), "eot": nil}},
		{"a list of ends", func(c *toy) { c.config["eos_token_id"] = []int{1, 270} }, map[string]any{"eos": uint32(1), "eot": uint32(270)}},
		{"generation_config.json", func(c *toy) {
			c.files["generation_config.json"] = []byte(`{"eos_token_id": 271}`)
		}, map[string]any{"eos": uint32(1), "eot": uint32(271)}},
		{"another end", func(c *toy) { c.tokenizer["eos_token"] = "<bos>" }, map[string]any{"eos": uint32(2), "eot": uint32(1)}},
		{"a pad that is no token", func(c *toy) { c.tokenizer["pad_token"] = "[PAD]" }, map[string]any{"padding": uint32(0)}},
		{"none for padding", func(c *toy) { c.config["pad_token_id"] = -1 }, map[string]any{"padding": nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			toy := newGemma("F32")
			c.do(toy)
			f, _ := convert(t, toy.write(t, 1), Options{})
			for name, want := range c.want {
				if got := f.Value("tokenizer.ggml." + name + "_token_id"); got != want {
					t.Errorf("%s is %v, expected %v", name, got, want)
				}
			}
		})
	}
}

// TestAddedTokens: those of tokenizer_config.json or, without its list, of
// added_tokens.json.
func TestAddedTokens(t *testing.T) {
	for name, do := range map[string]func(c *toy){
		"decoder": func(c *toy) {
			c.tokenizer["added_tokens_decoder"] = map[string]any{
				"3": map[string]any{"content": "<unk>", "special": true}, "290": map[string]any{"content": "<drug>", "special": true},
				"291": map[string]any{"content": mark + "x" + mark},
			}
		},
		"added_tokens.json": func(c *toy) {
			c.files["added_tokens.json"] = toJSON(map[string]int{"<drug>": 290, mark + "x" + mark: 291})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newGemma("F32")
			do(c)
			f, _ := convert(t, c.write(t, 1), Options{})
			tokens := f.Value("tokenizer.ggml.tokens").([]string)
			types := f.Value("tokenizer.ggml.token_type").([]int32)
			kind := int32(tokenControl)
			if name != "decoder" { // it does not tell special tokens from others
				kind = tokenUser
			}
			if tokens[290] != "<drug>" || types[290] != kind || tokens[291] != " x " || types[291] != tokenUser || types[3] != tokenUnknown {
				t.Error(tokens[290:292], types[290:292], types[3])
			}
		})
	}
}

// TestOtherForms: what versions of transformers have written in other ways.
func TestOtherForms(t *testing.T) {
	same := func(a, b *toy) {
		t.Helper()
		_, want := convert(t, a.write(t, 1), Options{})
		if _, got := convert(t, b.write(t, 1), Options{}); got.Digest != want.Digest {
			t.Error("another file")
		}
	}
	c := newGemma("F32")
	delete(c.config, "rope_theta")
	c.config["rope_parameters"] = map[string]any{"rope_type": "default", "rope_theta": 10000.0}
	c.config["layer_types"] = []string{"sliding_attention", "full_attention"}
	c.config["rope_scaling"] = nil
	same(newGemma("F32"), c)

	c = newGemma("F32")
	c.config["tie_word_embeddings"] = false
	c.tensors["lm_head.weight"] = c.tensors["model.embed_tokens.weight"]
	same(newGemma("F32"), c)

	n := newNeoX("F32")
	delete(n.config, "rotary_pct")
	delete(n.config, "rotary_emb_base")
	n.config["rope_parameters"] = map[string]any{"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25}
	same(newNeoX("F32"), n)

	b := toyBPE()
	b["normalizer"] = map[string]any{"type": "Sequence", "normalizers": []any{map[string]any{"type": "NFC"}}}
	n.files[tokenizerFile] = toJSON(b)
	same(newNeoX("F32"), n)

	tied := newNeoX("F32")
	tied.config["tie_word_embeddings"] = true
	delete(tied.tensors, "embed_out.weight")
	f, _ := convert(t, tied.write(t, 1), Options{})
	if !slices.Equal(numbers(t, f, "output.weight"), tied.values["gpt_neox.embed_in.weight"]) {
		t.Error("a tied output is not the embedding")
	}

	begins := newNeoX("F32")
	b["post_processor"] = map[string]any{"type": "TemplateProcessing", "single": []any{
		map[string]any{"SpecialToken": map[string]any{"id": "<|endoftext|>", "type_id": 0}}, map[string]any{"Sequence": map[string]any{"id": "A"}},
	}}
	begins.files[tokenizerFile] = toJSON(b)
	f, _ = convert(t, begins.write(t, 1), Options{})
	if f.Value("tokenizer.ggml.add_bos_token") != true {
		t.Error("no token begins a text")
	}
}

func TestPooling(t *testing.T) {
	dir := newNeoX("F32").write(t, 1)
	f, r := convert(t, dir, Options{Pooling: llm.PoolMean})
	if f.Value("gptneox.pooling_type") != uint32(1) {
		t.Error(f.Value("gptneox.pooling_type"))
	}
	again, _ := convert(t, r.Path, Options{Pooling: llm.PoolLast})
	if again.Value("gptneox.pooling_type") != uint32(3) {
		t.Error(again.Value("gptneox.pooling_type"))
	}
	if _, err := Import(t.Context(), dir, filepath.Join(t.TempDir(), "x"), Options{Pooling: "first"}); err == nil {
		t.Error("an unknown pooling was taken")
	}
}

// TestSpacePrefix: a Gemma GGUF without the key, as ollama create makes it, gets it.
func TestSpacePrefix(t *testing.T) {
	var out bytes.Buffer
	err := gguf.Write(&out, []gguf.KeyValue{{Key: "general.architecture", Value: "gemma2"}}, []gguf.Source{
		{Name: "t", Type: gguf.F32, Shape: []int64{1}, Write: func(w io.Writer) error {
			_, err := w.Write(make([]byte, 4))
			return err
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, r := convert(t, path, Options{})
	if f.Value("tokenizer.ggml.add_space_prefix") != false || len(r.Notes) != 1 {
		t.Error(f.Keys(), r.Notes)
	}
}

func TestImportOutputs(t *testing.T) {
	dir := newGemma("F32").write(t, 1)
	to := filepath.Join(t.TempDir(), "out.gguf")
	stop, cancel := context.WithCancel(t.Context())
	steps := 0
	_, err := Import(stop, dir, to, Options{Progress: func(stage string, done, total int64) {
		if steps++; stage != "convert" || done <= 0 || done > total {
			t.Errorf("%s %d of %d", stage, done, total)
		}
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || steps != 1 {
		t.Errorf("%v after %d steps", err, steps)
	}
	if left, _ := os.ReadDir(filepath.Dir(to)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := Import(t.Context(), dir, to, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), dir, to, Options{}); err == nil {
		t.Error("the output was replaced")
	}
	if _, err := Import(t.Context(), to, to, Options{Force: true}); err == nil {
		t.Error("the input was replaced")
	}
	if _, err := Import(t.Context(), dir, to, Options{Force: true, Type: "f16"}); err != nil {
		t.Error(err)
	}
}

func TestRegistration(t *testing.T) {
	r := &Result{Path: filepath.Join("models", "x.gguf"), Digest: "sha256:00", Context: 131072}
	got := string(toJSON(r.Registration("c2s")))
	want := `{"model":"c2s","files":{"x.gguf":"sha256:00"},"template":"{{ .Prompt }}",` +
		`"parameters":{"min_p":0,"num_ctx":8192,"repeat_penalty":1,"temperature":0,"top_k":0,"top_p":1},"stream":false}`
	if got != want {
		t.Errorf("%s, expected\n%s", got, want)
	}
	r.Path, r.Context = "/models/x.gguf", 512
	file := "FROM /models/x.gguf\nTEMPLATE \"{{ .Prompt }}\"\nPARAMETER temperature 0\nPARAMETER top_k 0\nPARAMETER top_p 1\nPARAMETER min_p 0\nPARAMETER repeat_penalty 1\nPARAMETER num_ctx 512\n"
	if got := r.Modelfile(); got != file {
		t.Errorf("%s, expected\n%s", got, file)
	}
}
