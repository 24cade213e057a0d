package checkpoint

import (
	"errors"
	"strings"

	"github.com/cellsentence/c2s/llm/gguf"
)

// fromFile reads a GGUF file, or says what else a file is.
func fromFile(path string) (*Model, error) {
	in, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, min(size, 64))
	err = readFull(in, head, 0, path)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(head), "GGUF"):
		return fromGGUF(path)
	case pickled(head):
		return nil, pickleError(path)
	case strings.HasSuffix(path, ".safetensors") || strings.HasSuffix(path, ".json"):
		return nil, badf(path, "", "one file of a checkpoint").tip("name the folder that it is in: config.json and the tokenizer are needed, too")
	}
	if err := pointer(path, head); err != nil {
		return nil, err
	}
	return nil, badf(path, "", "neither a GGUF file nor a folder with a checkpoint")
}

func fromGGUF(path string) (*Model, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := readGGUF(f, path)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	m.close = f.Close
	return m, nil
}

func readGGUF(f *gguf.File, path string) (*Model, error) {
	m := &Model{isGGUF: true}
	var err error
	if m.Architecture, err = gguf.Get[string](f, "general.architecture"); err != nil {
		return nil, err
	}
	if n, err := f.Uint("split.count"); err == nil && n > 1 {
		return nil, badf(path, "split.count", "one of %d parts of a model", n).tip("join them: llama-gguf-split --merge FIRST OUT")
	}
	if len(f.Tensors) == 0 {
		return nil, badf(path, "", "a GGUF file without weights")
	}
	m.Name, _ = f.Value("general.name").(string)
	if n, err := f.Uint(m.Architecture + ".context_length"); err == nil {
		m.Context = int(min(n, maxContext))
	}
	for _, key := range f.Keys() {
		if key != "general.alignment" { // the writer's own
			m.keys = append(m.keys, gguf.KeyValue{Key: key, Value: f.Value(key)})
		}
	}
	const prefix = "tokenizer.ggml.add_space_prefix"
	if m.Architecture == "gemma2" && f.Value(prefix) == nil {
		m.keys = append(m.keys, gguf.KeyValue{Key: prefix, Value: false})
		m.Notes = append(m.Notes, prefix+" was missing, so that servers put a blank in front of each prompt; it is set to false, as Gemma's training had it")
	}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		in := f.Section(t)
		m.tensors = append(m.tensors, tensor{
			name: t.Name, shape: t.Shape, typ: t.Type, file: path, parts: []part{{in, 0, in.Size()}},
		})
	}
	return m, nil
}
