package checkpoint

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/llm/gguf"
)

// gptneox reads a GPT-NeoX, such as Pythia.
func gptneox(f *folder) (*Model, error) {
	c := f.config
	words := c.size("vocab_size", maxWords)
	width := c.size("hidden_size", maxWidth)
	layers := c.size("num_hidden_layers", maxLayers)
	feed := c.size("intermediate_size", maxWidth)
	heads := c.size("num_attention_heads", maxHeads)
	context := c.size("max_position_embeddings", maxContext)
	if width%heads != 0 {
		c.fail("num_attention_heads", "%d do not divide a width of %d", heads, width)
	}
	head := width / heads
	turned := c.object("rope_parameters").number("partial_rotary_factor", c.number("rotary_pct", 0.25))
	rotary := int64(turned * float64(head))
	if rotary < 2 || rotary > head || rotary%2 != 0 {
		c.fail("rotary_pct", "%g of a head of %d numbers cannot be rotated in pairs", turned, head)
	}
	if v := c.text("hidden_act"); v != "" && !strings.HasPrefix(v, "gelu") {
		c.fail("hidden_act", "%q, where kinds of gelu are known", v)
	}
	m := &Model{Architecture: "gptneox", Context: int(context)}
	m.keys = []gguf.KeyValue{
		{Key: "gptneox.context_length", Value: uint32(context)},
		{Key: "gptneox.embedding_length", Value: uint32(width)},
		{Key: "gptneox.block_count", Value: uint32(layers)},
		{Key: "gptneox.feed_forward_length", Value: uint32(feed)},
		{Key: "gptneox.attention.head_count", Value: uint32(heads)},
		{Key: "gptneox.attention.layer_norm_epsilon", Value: float32(c.number("layer_norm_eps", 1e-5))},
		{Key: "gptneox.rope.dimension_count", Value: uint32(rotary)},
		{Key: "gptneox.rope.freq_base", Value: float32(ropeBase(c, neoxBase(c)))},
		{Key: "gptneox.use_parallel_residual", Value: c.flag("use_parallel_residual", true)},
	}
	if !c.flag("attention_bias", true) {
		c.fail("attention_bias", "false, which llama.cpp's GPT-NeoX does not have")
	}
	if err := c.failed(); err != nil {
		return nil, err
	}
	b := builder{f: f}
	b.add("token_embd.weight", "gpt_neox.embed_in.weight", nil, words, width)
	for i := range layers {
		if b.err != nil {
			break
		}
		both := func(to, from string, rows int64, cols ...int64) {
			b.add(fmt.Sprintf("blk.%d.%s.weight", i, to), fmt.Sprintf("gpt_neox.layers.%d.%s.weight", i, from), nil, append([]int64{rows}, cols...)...)
			b.add(fmt.Sprintf("blk.%d.%s.bias", i, to), fmt.Sprintf("gpt_neox.layers.%d.%s.bias", i, from), nil, rows)
		}
		both("attn_norm", "input_layernorm", width)
		both("attn_qkv", "attention.query_key_value", 3*width, width)
		b.untangle(2, heads)
		both("attn_output", "attention.dense", width, width)
		both("ffn_norm", "post_attention_layernorm", width)
		both("ffn_up", "mlp.dense_h_to_4h", feed, width)
		both("ffn_down", "mlp.dense_4h_to_h", width, feed)
	}
	b.add("output_norm.weight", "gpt_neox.final_layer_norm.weight", nil, width)
	b.add("output_norm.bias", "gpt_neox.final_layer_norm.bias", nil, width)
	output := "embed_out.weight"
	switch {
	case f.tensors[output] != nil:
	case f.tensors["lm_head.weight"] != nil:
		output = "lm_head.weight"
	case c.flag("tie_word_embeddings", false):
		output = "gpt_neox.embed_in.weight" // llama.cpp has no tied GPT-NeoX: the matrix is written twice
	}
	b.add("output.weight", output, nil, words, width)
	if b.err != nil {
		return nil, b.err
	}
	m.tensors = b.out
	v, err := bpeVocabulary(f, int(words))
	if err != nil {
		return nil, err
	}
	m.vocabulary = v
	return m, f.checkRest(func(name string) bool {
		// Buffers that early versions of transformers saved: masks and frequencies.
		return strings.HasSuffix(name, ".attention.bias") || strings.HasSuffix(name, ".attention.masked_bias") ||
			strings.HasSuffix(name, ".rotary_emb.inv_freq")
	})
}

// neoxBase is the key of the rotation's base: the architecture has its own one.
func neoxBase(c *fields) string {
	if c.raw["rotary_emb_base"] != nil {
		return "rotary_emb_base"
	}
	return "rope_theta"
}

// untangle reorders the last n tensors. The checkpoint has, head by head, the rows of
// query, key and value; GGUF has all queries, then all keys, then all values.
func (b *builder) untangle(n int, heads int64) {
	if b.err != nil {
		return
	}
	for i := len(b.out) - n; i < len(b.out); i++ {
		t := &b.out[i]
		whole := t.parts[0]
		step := (whole.end - whole.begin) / (3 * heads)
		t.parts = nil
		for which := range int64(3) {
			for h := range heads {
				at := whole.begin + (3*h+which)*step
				t.parts = append(t.parts, part{whole.in, at, at + step})
			}
		}
	}
}
