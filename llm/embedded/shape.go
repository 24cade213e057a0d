package embedded

import (
	"errors"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/llm/gguf"
)

// shape is the sizes and constants of a Gemma-2 model.
type shape struct {
	context, width, layers, heads, kvHeads, head, feed int

	epsilon, attentionCap, logitCap, ropeBase float32
	// window is the number of positions, its own included, that a token of every
	// other layer sees.
	window     int
	queryScale float32
}

// Bounds that no Gemma-2 comes near; they keep products of sizes within int64.
const (
	maxContext = 1 << 24
	maxWidth   = 1 << 17
	maxLayers  = 1 << 10
	maxHeads   = 1 << 10
	maxHead    = 1 << 12
)

// readShape reads the sizes of a model from its metadata. Those that converters of
// Gemma-2 have left out at times have the defaults of llama.cpp.
func readShape(f *gguf.File) (shape, error) {
	arch, err := gguf.Get[string](f, "general.architecture")
	if err != nil {
		return shape{}, err
	}
	if arch != "gemma2" {
		return shape{}, fmt.Errorf("the architecture is %q; the built-in engine runs gemma2 only, a server of llama.cpp or Ollama runs others", arch)
	}
	r := reader{f: f}
	s := shape{
		context: r.size("context_length", maxContext),
		width:   r.size("embedding_length", maxWidth),
		layers:  r.size("block_count", maxLayers),
		feed:    r.size("feed_forward_length", maxWidth),
		heads:   r.size("attention.head_count", maxHeads),
		kvHeads: r.size("attention.head_count_kv", maxHeads),
		epsilon: r.number("attention.layer_norm_rms_epsilon", 0),
	}
	if r.err != nil {
		return s, r.err
	}
	s.head = r.sizeOr("attention.key_length", maxHead, s.width/s.heads)
	s.window = r.sizeOr("attention.sliding_window", maxContext, 4096)
	s.attentionCap = r.number("attn_logit_softcapping", 50)
	s.logitCap = r.number("final_logit_softcapping", 30)
	s.ropeBase = r.number("rope.freq_base", 10000)
	if v := r.sizeOr("attention.value_length", maxHead, s.head); v != s.head {
		return s, fmt.Errorf("keys of %d and values of %d numbers; Gemma-2 has them alike", s.head, v)
	}
	switch {
	case r.err != nil:
		return s, r.err
	case s.heads%s.kvHeads != 0:
		return s, fmt.Errorf("%d query heads cannot share %d key heads", s.heads, s.kvHeads)
	case s.head%2 != 0:
		return s, fmt.Errorf("heads of %d numbers: rotation needs pairs", s.head)
	}
	// The scale of queries is not in the file. It is that of the head but for the
	// model of 27 billion parameters, which has 46 layers.
	s.queryScale = float32(1 / math.Sqrt(float64(s.head)))
	if s.layers == 46 {
		s.queryScale = float32(1 / math.Sqrt(float64(s.width)/float64(s.heads)))
	}
	return s, nil
}

// local says whether a layer sees the window only.
func (s *shape) local(layer int) bool { return layer%2 == 0 }

// reader reads keys of the architecture and keeps the first error.
type reader struct {
	f   *gguf.File
	err error
}

func (r *reader) size(key string, most int) int { return r.sizeOr(key, most, 0) }

// sizeOr is a size from 1 to most; instead, if not 0, stands for a missing key.
func (r *reader) sizeOr(key string, most, instead int) int {
	v, err := r.f.Uint("gemma2." + key)
	if instead > 0 && errors.Is(err, gguf.ErrNotFound) {
		return instead
	}
	if err == nil && (v == 0 || v > uint64(most)) {
		err = fmt.Errorf("gemma2.%s is %d, not between 1 and %d", key, v, most)
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	return int(min(v, uint64(most)))
}

// number is a positive number; instead, if not 0, stands for a missing key.
func (r *reader) number(key string, instead float32) float32 {
	v, err := gguf.Get[float32](r.f, "gemma2."+key)
	if instead > 0 && errors.Is(err, gguf.ErrNotFound) {
		return instead
	}
	if err == nil && !(v > 0 && v <= math.MaxFloat32) {
		err = fmt.Errorf("gemma2.%s is %g, not a positive number", key, v)
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	return v
}
