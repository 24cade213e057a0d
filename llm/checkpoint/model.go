package checkpoint

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/llm/gguf"
)

// Model is an open checkpoint. Its weights are still in its files.
type Model struct {
	// Architecture is GGUF's name: "gemma2", "gptneox", or what a GGUF says.
	Architecture string
	// Name is that of the folder or file, or what a GGUF says.
	Name string
	// Type is how most of the weights are stored, as in "BF16".
	Type string
	// Parameters is the number of weights.
	Parameters int64
	// Context is the number of tokens that prompt and answer may have together.
	Context int
	// Notes are differences between the model and what is written, for the user.
	Notes []string

	path       string
	keys       []gguf.KeyValue // without those of the vocabulary
	vocabulary *vocabulary     // nil for GGUF, whose keys hold it
	tensors    []tensor
	weights    gguf.Type // the type that Type names
	isGGUF     bool
	close      func() error
}

// Open reads everything of a checkpoint but its weights: a Hugging Face folder or
// a GGUF file. Errors are an [*Error], a [*gguf.Error], or one of the operating
// system.
func Open(path string) (*Model, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var m *Model
	if st.IsDir() {
		m, err = fromFolder(path)
	} else {
		m, err = fromFile(path)
	}
	if err != nil {
		return nil, err
	}
	m.path = path
	if m.Name == "" {
		if whole, err := filepath.Abs(path); err == nil {
			path = whole
		}
		m.Name = filepath.Base(path)
	}
	m.count()
	return m, nil
}

// Close closes the files.
func (m *Model) Close() error { return m.close() }

func fromFolder(path string) (*Model, error) {
	f, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	m, err := f.model()
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	m.close = f.close
	return m, nil
}

// model reads a folder as the architecture that it names.
func (f *folder) model() (*Model, error) {
	if f.config.raw["quantization_config"] != nil && !f.config.null("quantization_config") {
		return nil, badf(f.config.file, "quantization_config", "a quantised checkpoint").tip("take the checkpoint before it was quantised")
	}
	kind := f.config.text("model_type")
	read := map[string]func(*folder) (*Model, error){"gemma2": gemma2, "gpt_neox": gptneox}[kind]
	if err := f.config.failed(); err != nil {
		return nil, err
	}
	if read == nil {
		return nil, badf(f.config.file, "model_type", "%q; gemma2 and gpt_neox (Pythia) can be converted", kind).
			tip("for another architecture, convert with llama.cpp's own converter and import the GGUF file")
	}
	m, err := read(f)
	if err != nil {
		return nil, err
	}
	m.keys = append([]gguf.KeyValue{{Key: "general.architecture", Value: m.Architecture}, {Key: "general.type", Value: "model"}}, m.keys...)
	m.Notes = append(m.Notes, m.vocabulary.notes...)
	return m, nil
}

// count sums up the tensors.
func (m *Model) count() {
	most := map[gguf.Type]int64{}
	for _, t := range m.tensors {
		n := t.values()
		m.Parameters += n
		most[t.typ] += n
		if most[t.typ] > most[m.weights] {
			m.weights = t.typ
		}
	}
	m.Type = m.weights.String()
}
