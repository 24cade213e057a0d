package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/llm/gguf"
)

// toyTensor is a tensor of a checkpoint that a test writes.
type toyTensor struct {
	shape []int64
	dtype string
	data  []byte
}

// toy is a checkpoint that a test writes: what is changed in it before is what the
// test is about.
type toy struct {
	config    map[string]any
	files     map[string][]byte
	tensors   map[string]*toyTensor
	values    map[string][]float32 // as stored, before rounding to a dtype
	tokenizer map[string]any       // tokenizer_config.json
}

// floatsOf are the values of a tensor, by its name, rounded to a multiple of 2^-7
// below 1, which BF16 holds.
func floatsOf(name string, n int64) []float32 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	r := rand.New(rand.NewPCG(1, h))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.IntN(255)-127) / 128
	}
	return out
}

func (t *toy) tensor(name, dtype string, shape ...int64) {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	v := floatsOf(name, n)
	t.values[name] = v
	t.tensors[name] = &toyTensor{shape: shape, dtype: dtype, data: pack(v, dtype)}
}

// pack is the bytes of values.
func pack(v []float32, dtype string) []byte {
	var out []byte
	for _, x := range v {
		switch dtype {
		case "F32":
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		case "BF16":
			out = binary.LittleEndian.AppendUint16(out, uint16(math.Float32bits(x)>>16))
		case "F16":
			out, _ = gguf.Encode(out, gguf.F16, []float32{x})
		}
	}
	return out
}

// newGemma is a Gemma-2 with sizes that cannot be confused, in one dtype.
func newGemma(dtype string) *toy {
	t := &toy{files: map[string][]byte{}, tensors: map[string]*toyTensor{}, values: map[string][]float32{}}
	const words, width, layers, feed, heads, kv, head = 300, 32, 2, 96, 6, 2, 8
	t.config = map[string]any{
		"architectures": []string{"Gemma2ForCausalLM"}, "model_type": "gemma2", "vocab_size": words, "hidden_size": width,
		"num_hidden_layers": layers, "intermediate_size": feed, "num_attention_heads": heads, "num_key_value_heads": kv, "head_dim": head,
		"max_position_embeddings": 128, "sliding_window": 64, "query_pre_attn_scalar": head, "rms_norm_eps": 1e-6,
		"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "hidden_activation": "gelu_pytorch_tanh",
		"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "rope_theta": 10000.0,
	}
	t.tokenizer = map[string]any{"add_bos_token": true, "bos_token": "<bos>", "eos_token": map[string]any{"content": "<eos>"}}
	t.tensor("model.embed_tokens.weight", dtype, words, width)
	t.tensor("model.norm.weight", dtype, width)
	for i := range layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		for _, n := range []string{"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"} {
			t.tensor(p+n+".weight", dtype, width)
		}
		t.tensor(p+"self_attn.q_proj.weight", dtype, heads*head, width)
		t.tensor(p+"self_attn.k_proj.weight", dtype, kv*head, width)
		t.tensor(p+"self_attn.v_proj.weight", dtype, kv*head, width)
		t.tensor(p+"self_attn.o_proj.weight", dtype, width, heads*head)
		t.tensor(p+"mlp.gate_proj.weight", dtype, feed, width)
		t.tensor(p+"mlp.up_proj.weight", dtype, feed, width)
		t.tensor(p+"mlp.down_proj.weight", dtype, width, feed)
	}
	t.files[piecesFile] = piecesModel(toyPieces())
	return t
}

// toyPieces is a vocabulary as Gemma's: specials, bytes, a user's run of blanks, and
// words whose every way to be joined is there.
func toyPieces() []piece {
	out := []piece{{"<pad>", 0, tokenControl}, {"<eos>", 0, tokenControl}, {"<bos>", 0, tokenControl}, {"<unk>", 0, tokenUnknown}}
	for i := range 256 {
		out = append(out, piece{fmt.Sprintf("<0x%02X>", i), 0, tokenByte})
	}
	for _, s := range []string{mark + mark, mark + mark + mark} {
		out = append(out, piece{s, 0, tokenUser})
	}
	for i, s := range []string{mark + "C", "CD", mark + "CD", "3D", "CD3", "CD3D", mark + "CD3D", "é", mark, "C", "D", "3"} {
		out = append(out, piece{s, -float32(i), tokenNormal})
	}
	return out
}

// piecesModel writes a tokenizer.model, as sentencepiece_model.proto has it.
func piecesModel(list []piece) []byte {
	field := func(out []byte, key int, body []byte) []byte {
		out = binary.AppendUvarint(out, uint64(key<<3|2))
		return append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	var out []byte
	for _, p := range list {
		body := field(nil, 1, []byte(p.text))
		body = binary.LittleEndian.AppendUint32(append(body, 2<<3|5), math.Float32bits(p.score))
		out = field(out, 1, append(body, 3<<3, byte(p.kind)))
	}
	return field(out, 2, []byte{3 << 3, 2}) // the trainer's model type: BPE
}

// newNeoX is a GPT-NeoX.
func newNeoX(dtype string) *toy {
	t := &toy{files: map[string][]byte{}, tensors: map[string]*toyTensor{}, values: map[string][]float32{}}
	const words, width, layers, feed, heads = 270, 32, 2, 96, 4
	t.config = map[string]any{
		"architectures": []string{"GPTNeoXForCausalLM"}, "model_type": "gpt_neox", "vocab_size": words, "hidden_size": width,
		"num_hidden_layers": layers, "intermediate_size": feed, "num_attention_heads": heads, "max_position_embeddings": 64,
		"rotary_pct": 0.25, "rotary_emb_base": 10000, "layer_norm_eps": 1e-5, "use_parallel_residual": true, "hidden_act": "gelu",
		"bos_token_id": 0, "eos_token_id": 0, "tie_word_embeddings": false,
	}
	t.tokenizer = map[string]any{"add_prefix_space": false, "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
	both := func(name string, shape ...int64) {
		t.tensor(name+".weight", dtype, shape...)
		t.tensor(name+".bias", dtype, shape[0])
	}
	t.tensor("gpt_neox.embed_in.weight", dtype, words, width)
	t.tensor("embed_out.weight", dtype, words, width)
	both("gpt_neox.final_layer_norm", width)
	for i := range layers {
		p := fmt.Sprintf("gpt_neox.layers.%d.", i)
		both(p+"input_layernorm", width)
		both(p+"post_attention_layernorm", width)
		both(p+"attention.query_key_value", 3*width, width)
		both(p+"attention.dense", width, width)
		both(p+"mlp.dense_h_to_4h", feed, width)
		both(p+"mlp.dense_4h_to_h", width, feed)
		t.tensors[p+"attention.bias"] = &toyTensor{shape: []int64{1, 1, 8, 8}, dtype: "BOOL", data: make([]byte, 64)}
		t.tensors[p+"attention.masked_bias"] = &toyTensor{shape: nil, dtype: "F32", data: pack([]float32{-1e9}, "F32")}
	}
	t.files[tokenizerFile] = toJSON(toyBPE())
	return t
}

// byteSign is the character that byte-level BPE has for a byte: itself where it is
// printable, else one from 256 on (GPT-2, encoder.py, bytes_to_unicode).
func byteSign(b int) string {
	n := 0
	for i := range 256 {
		printable := i >= '!' && i <= '~' || i >= 0xa1 && i <= 0xac || i >= 0xae
		if i == b && printable {
			return string(rune(i))
		}
		if i == b {
			return string(rune(256 + n))
		}
		if !printable {
			n++
		}
	}
	return ""
}

func toyBPE() map[string]any {
	vocab := map[string]int{"<|endoftext|>": 0, "<|padding|>": 1}
	for i := range 256 {
		vocab[byteSign(i)] = 2 + i
	}
	blank := byteSign(' ')
	merges := []any{blank + " C", []string{"D", "3"}, blank + "C D3"}
	for i, w := range []string{blank + "C", "D3", blank + "CD3"} {
		vocab[w] = 258 + i
	}
	added := []map[string]any{
		{"id": 0, "content": "<|endoftext|>", "special": true, "normalized": false},
		{"id": 1, "content": "<|padding|>", "special": true, "normalized": false},
		{"id": 261, "content": "   ", "special": false, "normalized": true},
		{"id": 262, "content": "  ", "special": false, "normalized": true},
	}
	return map[string]any{
		"added_tokens":   added,
		"normalizer":     map[string]any{"type": "NFC"},
		"pre_tokenizer":  map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"post_processor": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"model":          map[string]any{"type": "BPE", "dropout": nil, "unk_token": nil, "vocab": vocab, "merges": merges},
	}
}

func toJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// safetensors is the bytes of a file with tensors.
func safetensors(tensors map[string]*toyTensor) []byte {
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		t := tensors[name]
		shape := t.shape
		if shape == nil {
			shape = []int64{}
		}
		header[name] = map[string]any{"dtype": t.dtype, "shape": shape, "data_offsets": []int{len(data), len(data) + len(t.data)}}
		data = append(data, t.data...)
	}
	return withHeader(toJSON(header), data)
}

func withHeader(header, data []byte) []byte {
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

// write puts the checkpoint into a new folder, the weights in one file or in shards.
func (t *toy) write(tb testing.TB, shards int) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "toy")
	files := maps.Clone(t.files)
	if t.config != nil {
		files[configFile] = toJSON(t.config)
	}
	if t.tokenizer != nil {
		files["tokenizer_config.json"] = toJSON(t.tokenizer)
	}
	if shards == 1 {
		files[singleFile] = safetensors(t.tensors)
	} else {
		parts := make([]map[string]*toyTensor, shards)
		index := map[string]string{}
		for i, name := range slices.Sorted(maps.Keys(t.tensors)) {
			p := &parts[i%shards]
			if *p == nil {
				*p = map[string]*toyTensor{}
			}
			(*p)[name] = t.tensors[name]
			index[name] = fmt.Sprintf("model-%05d-of-%05d.safetensors", i%shards+1, shards)
		}
		for i, p := range parts {
			files[fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, shards)] = safetensors(p)
		}
		files[indexFile] = toJSON(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": index})
	}
	writeFiles(tb, dir, files)
	return dir
}

func writeFiles(tb testing.TB, dir string, files map[string][]byte) {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	for name, data := range files {
		if data == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}
