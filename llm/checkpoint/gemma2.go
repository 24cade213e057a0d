package checkpoint

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/cellsentence/c2s/llm/gguf"
)

// Bounds that no model of these architectures comes near; they keep products of
// sizes within int64.
const (
	maxContext = 1 << 24
	maxWidth   = 1 << 17
	maxLayers  = 1 << 10
	maxHeads   = 1 << 10
	maxHead    = 1 << 12
)

// gemma2 reads a Gemma-2: its metadata and its tensors. Constants that a
// configuration leaves out are those of transformers.
func gemma2(f *folder) (*Model, error) {
	c := f.config
	words := c.size("vocab_size", maxWords)
	width := c.size("hidden_size", maxWidth)
	layers := c.size("num_hidden_layers", maxLayers)
	feed := c.size("intermediate_size", maxWidth)
	heads := c.size("num_attention_heads", maxHeads)
	kvHeads := c.sizeOr("num_key_value_heads", maxHeads, heads)
	head := c.sizeOr("head_dim", maxHead, 256)
	context := c.size("max_position_embeddings", maxContext)
	window := c.sizeOr("sliding_window", maxContext, 4096)
	queryScale := c.number("query_pre_attn_scalar", 256)
	m := &Model{Architecture: "gemma2", Context: int(context)}
	m.keys = []gguf.KeyValue{
		{Key: "gemma2.context_length", Value: uint32(context)},
		{Key: "gemma2.embedding_length", Value: uint32(width)},
		{Key: "gemma2.block_count", Value: uint32(layers)},
		{Key: "gemma2.feed_forward_length", Value: uint32(feed)},
		{Key: "gemma2.attention.head_count", Value: uint32(heads)},
		{Key: "gemma2.attention.head_count_kv", Value: uint32(kvHeads)},
		{Key: "gemma2.attention.key_length", Value: uint32(head)},
		{Key: "gemma2.attention.value_length", Value: uint32(head)},
		{Key: "gemma2.attention.layer_norm_rms_epsilon", Value: float32(c.number("rms_norm_eps", 1e-6))},
		{Key: "gemma2.attn_logit_softcapping", Value: float32(c.number("attn_logit_softcapping", 50))},
		{Key: "gemma2.final_logit_softcapping", Value: float32(c.number("final_logit_softcapping", 30))},
		{Key: "gemma2.attention.sliding_window", Value: uint32(window)},
		{Key: "gemma2.rope.freq_base", Value: float32(ropeBase(c, "rope_theta"))},
	}
	checkGemma2(c, layers)
	if err := c.failed(); err != nil {
		return nil, err
	}
	// GGUF has no key for the scale of queries. llama.cpp takes the root of the head's
	// size, or, for 46 layers, that of the model's width by head. What a model has
	// beyond that goes into the weights: rotation and cap come after the product.
	implied := float64(head)
	if layers == 46 {
		implied = float64(width / heads)
	}
	var query func([]float32)
	if factor := math.Sqrt(implied / queryScale); factor != 1 {
		query = func(v []float32) {
			for i := range v {
				v[i] = float32(float64(v[i]) * factor)
			}
		}
		m.Notes = append(m.Notes, fmt.Sprintf("query_pre_attn_scalar %g: the query weights are multiplied by %.6g", queryScale, factor))
	}
	b := builder{f: f}
	b.add("token_embd.weight", "model.embed_tokens.weight", nil, words, width)
	b.add("output_norm.weight", "model.norm.weight", plusOne, width)
	for i := range layers {
		if b.err != nil {
			break
		}
		layer := func(to, from string, change func([]float32), shape ...int64) {
			b.add(fmt.Sprintf("blk.%d.%s.weight", i, to), fmt.Sprintf("model.layers.%d.%s.weight", i, from), change, shape...)
		}
		layer("attn_norm", "input_layernorm", plusOne, width)
		layer("attn_q", "self_attn.q_proj", query, heads*head, width)
		layer("attn_k", "self_attn.k_proj", nil, kvHeads*head, width)
		layer("attn_v", "self_attn.v_proj", nil, kvHeads*head, width)
		layer("attn_output", "self_attn.o_proj", nil, width, heads*head)
		layer("post_attention_norm", "post_attention_layernorm", plusOne, width)
		layer("ffn_norm", "pre_feedforward_layernorm", plusOne, width)
		layer("ffn_gate", "mlp.gate_proj", nil, feed, width)
		layer("ffn_up", "mlp.up_proj", nil, feed, width)
		layer("ffn_down", "mlp.down_proj", nil, width, feed)
		layer("post_ffw_norm", "post_feedforward_layernorm", plusOne, width)
	}
	if b.err != nil {
		return nil, b.err
	}
	if err := untied(f, words, width); err != nil {
		return nil, err
	}
	m.tensors = b.out
	v, err := gemmaVocabulary(f, int(words))
	if err != nil {
		return nil, err
	}
	m.vocabulary = v
	return m, f.checkRest(func(name string) bool {
		return name == "lm_head.weight" || strings.HasSuffix(name, ".rotary_emb.inv_freq")
	})
}

// checkGemma2 refuses what the architecture in GGUF has no place for.
func checkGemma2(c *fields, layers int64) {
	for _, key := range []string{"attn_logit_softcapping", "final_logit_softcapping"} {
		if c.null(key) {
			c.fail(key, "null: Gemma 2 is trained with caps; if they were taken out for a server, write 50 for attn_logit_softcapping and 30 for final_logit_softcapping")
		}
	}
	for _, key := range []string{"hidden_activation", "hidden_act"} {
		if v := c.text(key); v != "" && v != "gelu_pytorch_tanh" && (key == "hidden_activation" || c.text("hidden_activation") == "") {
			// Early checkpoints say "gelu" in hidden_act and mean the same.
			if key == "hidden_activation" || v != "gelu" {
				c.fail(key, "%q, where gelu_pytorch_tanh is known", v)
			}
		}
	}
	if c.flag("attention_bias", false) {
		c.fail("attention_bias", "true, which llama.cpp's Gemma 2 does not have")
	}
	var kinds []string
	if c.read("layer_types", &kinds) {
		for i, kind := range kinds {
			if want := []string{"sliding_attention", "full_attention"}[i%2]; kind != want {
				c.fail("layer_types", "layer %d has %q, where llama.cpp has %s", i, kind, want)
			}
		}
		if int64(len(kinds)) != layers {
			c.fail("layer_types", "%d layers, where num_hidden_layers is %d", len(kinds), layers)
		}
	}
}

// ropeBase reads the base of the rotation, at either of the two places that
// versions of transformers have for it, and refuses scaled ones.
func ropeBase(c *fields, key string) float64 {
	rope := c.object("rope_parameters")
	for _, o := range []*fields{rope, c.object("rope_scaling")} {
		for _, kind := range []string{"rope_type", "type"} {
			if v := o.text(kind); v != "" && v != "default" {
				o.fail(kind, "%q, where only plain rotation can be converted", v)
			}
		}
	}
	return rope.number("rope_theta", c.number(key, 10000))
}

// plusOne turns weights of Gemma's norm, which multiplies by 1 + w, into what GGUF
// has.
func plusOne(v []float32) {
	for i := range v {
		v[i]++
	}
}

// untied refuses an output matrix that is not the embedding, which is what
// llama.cpp takes. transformers looks at it only where tie_word_embeddings is false.
func untied(f *folder, words, width int64) error {
	if f.tensors["lm_head.weight"] == nil || f.config.flag("tie_word_embeddings", true) {
		return f.config.failed()
	}
	out, err := f.take("lm_head.weight", words, width)
	if err != nil {
		return err
	}
	in := f.tensors["model.embed_tokens.weight"]
	same := out.dtype == in.dtype
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); same && at < in.end-in.begin; at += int64(len(a)) {
		n := min(int64(len(a)), in.end-in.begin-at)
		if err := readFull(in.in, a[:n], in.begin+at, in.file); err != nil {
			return err
		}
		if err := readFull(out.in, b[:n], out.begin+at, out.file); err != nil {
			return err
		}
		same = bytes.Equal(a[:n], b[:n])
	}
	if !same {
		return badf(out.file, "tensor lm_head.weight", "an output matrix of its own, where llama.cpp's Gemma 2 takes the embedding")
	}
	return nil
}

// builder collects tensors and keeps the first error.
type builder struct {
	f   *folder
	out []tensor
	err error
}

func (b *builder) add(to, from string, change func([]float32), shape ...int64) {
	if b.err != nil {
		return
	}
	s, err := b.f.take(from, shape...)
	if err != nil {
		b.err = err
		return
	}
	t := tensorOf(to, s)
	t.change = change
	b.out = append(b.out, t)
}
