package checkpoint

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/gguf"
)

// Options say what is written.
type Options struct {
	// Type of the matrices: "F32", "F16", "BF16", "Q8_0", or "" as they are stored.
	// [Import] takes those of llama-quantize, too, as in "Q4_K_M". Case does not
	// count. Vectors, such as the weights of norms, are always F32.
	Type string
	// Pooling, if not "", is written into the file, so that servers which embed only
	// with it do. Ollama from 0.30 on then refuses to generate with this file.
	Pooling llm.Pooling
	// Name is general.name ("": the model's).
	Name string
	// Progress, if not nil, is told the stage and how far it is, in bytes for
	// "convert" and tensors for "quantise".
	Progress func(stage string, done, total int64)

	// Quantizer is the path of llama-quantize ("": it is looked for in PATH). The
	// rest is for Import alone.
	Quantizer string
	// Force replaces an existing file.
	Force bool
}

// fileTypes are llama.cpp's numbers of the types that matrices of a file have.
var fileTypes = map[gguf.Type]uint32{gguf.F32: 0, gguf.F16: 1, gguf.Q8_0: 7, gguf.BF16: 32}

// ownType is a type that this package writes.
func ownType(name string) (gguf.Type, bool) {
	for t := range fileTypes {
		if strings.EqualFold(name, t.String()) {
			return t, true
		}
	}
	return 0, false
}

// Write converts the model to GGUF. Equal checkpoints and options give equal bytes.
// A number that a type cannot hold is an [*Error].
func (m *Model) Write(ctx context.Context, w io.Writer, opt Options) error {
	want, retype := gguf.Type(0), opt.Type != ""
	if retype {
		var ok bool
		if want, ok = ownType(opt.Type); !ok {
			return fmt.Errorf("the type %q; F32, F16, BF16 and Q8_0 can be written", opt.Type)
		}
		if err := m.checkRetype(); err != nil {
			return err
		}
	}
	keys, err := m.metadata(want, retype, opt)
	if err != nil {
		return err
	}
	var total, done int64
	for _, t := range m.tensors {
		for _, p := range t.parts {
			total += p.end - p.begin
		}
	}
	c := &copier{ctx: ctx, moved: func(n int64) {
		done += n
		if opt.Progress != nil {
			opt.Progress("convert", done, total)
		}
	}}
	var sources []gguf.Source
	for _, t := range m.tensors {
		s := gguf.Source{Name: t.name, Type: t.typ, Shape: t.shape}
		switch {
		case m.isGGUF && !retype:
			s.Write = func(w io.Writer) error { return c.raw(w, &t) }
		default:
			if !retype {
				want = t.typ
			}
			s.Type = t.target(want)
			s.Write = func(w io.Writer) error { return c.convert(w, &t, s.Type) }
		}
		sources = append(sources, s)
	}
	return gguf.Write(w, keys, sources)
}

// checkRetype says whether Write can store all tensors anew.
func (m *Model) checkRetype() error {
	if m.isGGUF && m.Architecture != "gemma2" && m.Architecture != "gptneox" {
		// Others have matrices that must stay as they are.
		return badf(m.path, "", "weights of the architecture %q are copied only as they are", m.Architecture).
			tip("ask for no type, or for one of llama-quantize's")
	}
	return m.checkWhole()
}

// checkWhole says whether all tensors have the precision that they were trained in.
func (m *Model) checkWhole() error {
	for _, t := range m.tensors {
		if _, ok := fileTypes[t.typ]; !ok || t.typ == gguf.Q8_0 {
			return badf(m.path, "tensor "+t.name, "stored as %v already; to quantise it once more would lose precision", t.typ).
				tip("take the model in F32, F16 or BF16")
		}
	}
	return nil
}

// metadata is all keys of the file.
func (m *Model) metadata(want gguf.Type, retype bool, opt Options) ([]gguf.KeyValue, error) {
	keys := slices.Clone(m.keys)
	put := func(key string, value any) {
		i := slices.IndexFunc(keys, func(k gguf.KeyValue) bool { return k.Key == key })
		if i < 0 {
			keys = append(keys, gguf.KeyValue{Key: key, Value: value})
			return
		}
		keys[i].Value = value
	}
	put("general.name", cmp.Or(opt.Name, m.Name))
	if !retype {
		want = m.weights
	}
	if retype || !m.isGGUF {
		put("general.file_type", fileTypes[want])
	}
	if retype && want == gguf.Q8_0 {
		put("general.quantization_version", uint32(2)) // GGML_QNT_VERSION
	}
	if opt.Pooling != "" {
		kind, ok := map[llm.Pooling]uint32{llm.PoolMean: 1, llm.PoolLast: 3}[opt.Pooling]
		if !ok {
			return nil, fmt.Errorf("the pooling %q; mean and last are known", opt.Pooling)
		}
		put(m.Architecture+".pooling_type", kind)
	}
	if m.vocabulary != nil {
		keys = append(keys, m.vocabulary.keys()...)
	}
	return keys, nil
}
