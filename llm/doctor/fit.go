package doctor

import "fmt"

// size is a model by its shape.
type size struct {
	Name       string
	Parameters uint64
	Layers     uint64
	KVHeads    uint64
	HeadSize   uint64
	Vocabulary uint64
	Context    uint64 // tokens that it was trained on
}

// sizes are those of published cell-sentence models. Shapes are those of the
// config.json of google/gemma-2-2b and -27b and EleutherAI/pythia-410m and -1b;
// parameters, embeddings included, are computed from them.
var sizes = []size{
	{"Pythia 410M", 405_334_016, 24, 16, 64, 50_304, 2048},
	{"Pythia 1B", 1_011_781_632, 16, 8, 256, 50_304, 2048},
	{"Gemma-2 2B", 2_614_341_888, 26, 4, 256, 256_000, 8192},
	{"Gemma-2 27B", 27_227_128_320, 46, 16, 128, 256_000, 8192},
}

// quantizations, the best first, with the bits that a parameter takes. F16 and Q8_0
// (32 bytes and a 2-byte scale for 32 parameters) follow from the format; the mixed
// ones are file sizes of Gemma-2 27B (22.3, 19.4, 16.6 GB) over its parameters. Its
// perplexity with them: F16 7.185, Q8_0 7.188, Q6_K 7.218, Q4_K_M 7.419.
var quantizations = []struct {
	name string
	bits float64
}{
	{"F16", 16},
	{"Q8_0", 8.5},
	{"Q6_K", 6.56},
	{"Q5_K_M", 5.7},
	{"Q4_K_M", 4.88},
}

const (
	// batch is the number of prompt tokens that llama.cpp reads at a time. It keeps
	// their logits, which is most of its working memory.
	batch = 512
	// perGPU is what CUDA itself takes of each card.
	perGPU = 400 << 20
	// headroom is left to the rest of a machine whose processor runs the model.
	headroom = 1 << 30
)

// Fit is a model in a quantisation, and where it has room. Bytes throughout.
type Fit struct {
	Model        string `json:"model"`
	Quantization string `json:"quantization"`
	// Weights is the size of the file, KV that of the keys and values of Context tokens
	// in F16: 2 × layers × heads × head size × tokens × 2 bytes. (Every other layer of
	// Gemma-2 needs the last 4,096 only, which not all servers make use of.) Work is the
	// rest: the logits of 512 tokens as float32.
	Weights uint64 `json:"weights"`
	KV      uint64 `json:"kv"`
	Work    uint64 `json:"work"`
	Context int    `json:"context"`
	// GPU says that all of it fits the free memory of the graphics cards together, each
	// less 400 MiB; Memory that it fits the machine's, less 1 GiB.
	GPU    bool `json:"gpu"`
	Memory bool `json:"memory"`
}

// Total is what it needs.
func (f *Fit) Total() uint64 { return f.Weights + f.KV + f.Work }

// fit computes what one request at a time with a full context needs; each further
// slot needs the KV again.
func (s *size) fit(quantization string, bits float64, m *Machine) Fit {
	f := Fit{
		Model: s.Name, Quantization: quantization, Context: int(s.Context),
		Weights: uint64(float64(s.Parameters) * bits / 8),
		KV:      2 * s.Layers * s.KVHeads * s.HeadSize * s.Context * 2,
		Work:    batch * s.Vocabulary * 4,
	}
	var free uint64
	for _, g := range m.GPUs {
		if g.Free > perGPU {
			free += g.Free - perGPU
		}
	}
	f.GPU = f.Total() <= free
	f.Memory = f.Total()+headroom <= m.Available
	return f
}

// fits are all models in all quantisations.
func fits(m *Machine) []Fit {
	var out []Fit
	for i := range sizes {
		for _, q := range quantizations {
			out = append(out, sizes[i].fit(q.name, q.bits, m))
		}
	}
	return out
}

// advise says in a line for each model which quantisation to take. Q8_0 is as good
// as F16 at half the size, so that nothing larger is advised.
func advise(m *Machine, all []Fit) []Advice {
	var out []Advice
	for i := range sizes {
		var card, memory, smallest *Fit
		for j := range all {
			f := &all[j]
			if f.Model != sizes[i].Name || f.Quantization == "F16" {
				continue
			}
			if f.GPU && card == nil {
				card = f
			}
			if f.Memory && memory == nil {
				memory = f
			}
			smallest = f
		}
		name := sizes[i].Name
		switch {
		case card != nil:
			out = append(out, Advice{"fit", fmt.Sprintf("%s fits the GPU as %s: %s with a context of %d", name, card.Quantization, bytes(card.Total()), card.Context)})
		case memory != nil && sizes[i].Parameters > 10e9:
			out = append(out, Advice{"fit", fmt.Sprintf("%s fits the memory as %s (%s), but takes minutes a cell without a GPU", name, memory.Quantization, bytes(memory.Total()))})
		case memory != nil:
			out = append(out, Advice{"fit", fmt.Sprintf("%s fits the memory as %s: %s with a context of %d", name, memory.Quantization, bytes(memory.Total()), memory.Context)})
		case m.Available == 0 && len(m.GPUs) == 0:
			out = append(out, Advice{"fit", fmt.Sprintf("%s as %s needs %s", name, smallest.Quantization, bytes(smallest.Total()))})
		default:
			out = append(out, Advice{"fit", fmt.Sprintf("%s does not fit: as %s it needs %s", name, smallest.Quantization, bytes(smallest.Total()))})
		}
	}
	return out
}

// bytes is a number of bytes for people.
func bytes(n uint64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
