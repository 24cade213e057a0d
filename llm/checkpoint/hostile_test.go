package checkpoint

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// bad says that a call failed, and by the input's fault, and in these words.
func bad(t *testing.T, err error, words string) {
	t.Helper()
	var b interface{ BadInput() bool }
	switch {
	case err == nil:
		t.Fatal("no error")
	case !errors.As(err, &b) || !b.BadInput():
		t.Fatalf("not the input's fault: %v", err)
	case !strings.Contains(err.Error(), words):
		t.Fatalf("%q does not say %q", err, words)
	}
}

func open(path string) error {
	m, err := Open(path)
	if err != nil {
		return err
	}
	defer m.Close()
	return m.Write(context.Background(), io.Discard, Options{})
}

func TestHostileHeaders(t *testing.T) {
	data := make([]byte, 16)
	good := `{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`
	for _, c := range []struct{ name, header, words string }{
		{"good", good, ""},
		{"no JSON", `hello`, "no JSON object"},
		{"a list", `[]`, "no JSON object"},
		{"cut", `{"a":{"dtype":"F32"`, "header"},
		{"more behind", good + `{}`, "goes on"},
		{"twice", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, "twice"},
		{"a strange type", `{"a":{"dtype":"F31","shape":[4],"data_offsets":[0,16]}}`, `type "F31"`},
		{"too short", `{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}`, "16 bytes"},
		{"overflow", `{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,16]}}`, "shape"},
		{"below zero", `{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}`, "shape"},
		{"dimensions", `{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,16]}}`, "shape"},
		{"backwards", `{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}`, "offsets"},
		{"before the data", `{"a":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}`, "offsets"},
		{"one offset", `{"a":{"dtype":"F32","shape":[4],"data_offsets":[0]}}`, "offsets"},
		{"beyond the file", `{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}`, "truncated"},
		{"far beyond", `{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}`, ""},
		{"a hole", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, "begins at byte"},
		{"overlap", `{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, "begins at byte"},
		{"left over", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "behind the last"},
		{"a name with a newline", `{"a\n":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, "proper name"},
		{"numbers as text", `{"a":{"dtype":"F32","shape":["4"],"data_offsets":[0,16]}}`, "header"},
		{"fractions", `{"a":{"dtype":"F32","shape":[4.5],"data_offsets":[0,16]}}`, "header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := withHeader([]byte(c.header), data)
			_, err := readHeader(bytes.NewReader(file), int64(len(file)), "x")
			if c.name == "good" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			bad(t, err, c.words)
		})
	}
	for name, file := range map[string][]byte{
		"empty":            {},
		"seven bytes":      make([]byte, 7),
		"a huge header":    binary.LittleEndian.AppendUint64(nil, math.MaxUint64),
		"longer than that": append(binary.LittleEndian.AppendUint64(nil, 100), good...),
	} {
		_, err := readHeader(bytes.NewReader(file), int64(len(file)), "x")
		bad(t, err, "truncated")
		_ = name
	}
	// A header that claims most of a large file is not read.
	_, err := readHeader(sparse{}, 1<<40, "x")
	bad(t, err, "most that make sense")
}

// sparse is a file of which each eight bytes are the number 2^36.
type sparse struct{}

func (sparse) ReadAt(b []byte, at int64) (int, error) {
	for i := range b {
		b[i] = 0
		if (at+int64(i))%8 == 4 {
			b[i] = 16
		}
	}
	return len(b), nil
}

func TestBadCheckpoints(t *testing.T) {
	huge := int64(1) << 40
	const embedding = "model.embed_tokens.weight"
	for _, c := range []struct {
		name  string
		toy   *toy
		do    func(c *toy)
		words string
	}{
		{"another architecture", newGemma("F32"), func(c *toy) { c.config["model_type"] = "llama" }, `"llama"`},
		{"no architecture", newGemma("F32"), func(c *toy) { delete(c.config, "model_type") }, "model_type"},
		{"no size", newGemma("F32"), func(c *toy) { delete(c.config, "hidden_size") }, "hidden_size: missing"},
		{"a huge size", newGemma("F32"), func(c *toy) { c.config["hidden_size"] = huge }, "not between"},
		{"a huge vocabulary", newGemma("F32"), func(c *toy) { c.config["vocab_size"] = 2_000_000 }, "its shape"},
		{"layers without end", newGemma("F32"), func(c *toy) { c.config["num_hidden_layers"] = 1000 }, "lacks it"},
		{"a size as text", newGemma("F32"), func(c *toy) { c.config["hidden_size"] = "32" }, "hidden_size"},
		{"no caps", newGemma("F32"), func(c *toy) { c.config["attn_logit_softcapping"] = nil }, "trained with caps"},
		{"a negative cap", newGemma("F32"), func(c *toy) { c.config["final_logit_softcapping"] = -1 }, "positive"},
		{"another activation", newGemma("F32"), func(c *toy) { c.config["hidden_activation"] = "silu" }, "silu"},
		{"scaled rotation", newGemma("F32"), func(c *toy) { c.config["rope_scaling"] = map[string]any{"type": "yarn"} }, "yarn"},
		{"other layers", newGemma("F32"), func(c *toy) { c.config["layer_types"] = []string{"full_attention", "full_attention"} }, "layer 0"},
		{"biases", newGemma("F32"), func(c *toy) { c.config["attention_bias"] = true }, "attention_bias"},
		{"quantised", newGemma("F32"), func(c *toy) { c.config["quantization_config"] = map[string]any{"bits": 4} }, "quantised"},
		{"a tensor is missing", newGemma("F32"), func(c *toy) { delete(c.tensors, "model.norm.weight") }, "lacks it"},
		{"a tensor too many", newGemma("F32"), func(c *toy) { c.tensor("model.layers.0.self_attn.q_norm.weight", "F32", 8) }, "no such tensor"},
		{"integers", newGemma("F32"), func(c *toy) {
			c.tensors[embedding] = &toyTensor{shape: []int64{300, 32}, dtype: "I8", data: make([]byte, 300*32)}
		}, "stored as I8"},
		{"another shape", newGemma("F32"), func(c *toy) { c.tensor("model.layers.1.mlp.up_proj.weight", "F32", 32, 96) }, "[32 96]"},
		{"an output of its own", newGemma("F32"), func(c *toy) {
			c.config["tie_word_embeddings"] = false
			c.tensor("lm_head.weight", "F32", 300, 32)
		}, "output matrix of its own"},
		{"not a number", newGemma("F32"), func(c *toy) {
			copy(c.tensors[embedding].data[4:], []byte{0, 0, 0xc0, 0x7f})
		}, "NaN"},
		{"no tokenizer", newGemma("F32"), func(c *toy) { clear(c.files) }, "tokenizer.json: the checkpoint has no tokenizer"},
		{"a pointer", newGemma("F32"), func(c *toy) {
			c.files[piecesFile] = []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
		}, "Git LFS"},
		{"no SentencePiece", newGemma("F32"), func(c *toy) { c.files[piecesFile] = []byte("hello") }, "no SentencePiece model"},
		{"unigram", newGemma("F32"), func(c *toy) {
			c.files[piecesFile] = append(c.files[piecesFile], 2<<3|2, 2, 3<<3, 1)
		}, "merge by score"},
		{"a piece of no type", newGemma("F32"), func(c *toy) {
			c.files[piecesFile] = piecesModel(append(toyPieces(), piece{text: "x"}))
		}, "unknown type"},
		{"a piece without text", newGemma("F32"), func(c *toy) {
			c.files[piecesFile] = piecesModel(append(toyPieces(), piece{kind: tokenNormal}))
		}, "without text"},
		{"more pieces than rows", newGemma("F32"), func(c *toy) {
			list := toyPieces()
			for len(list) <= 300 {
				list = append(list, piece{strings.Repeat("x", len(list)), 0, tokenNormal})
			}
			c.files[piecesFile] = piecesModel(list)
		}, "rows for 300"},
		{"a piece twice", newGemma("F32"), func(c *toy) {
			c.files[piecesFile] = piecesModel(append(toyPieces(), piece{"C", 0, tokenNormal}))
		}, "twice"},
		{"no end of text", newGemma("F32"), func(c *toy) {
			c.tokenizer["eos_token"] = "<end>"
		}, `no "<end>"`},
		{"an end beyond the rows", newGemma("F32"), func(c *toy) {
			c.tokenizer, c.config["eos_token_id"] = nil, 1000
		}, "token 1000"},
		{"an added token beyond the rows", newGemma("F32"), func(c *toy) {
			c.tokenizer["added_tokens_decoder"] = map[string]any{"300": map[string]any{"content": "<new>"}}
		}, "rows for 300"},
		{"merges of another kind", newGemma("F32"), func(c *toy) {
			m := toyMerges(toyPieces())
			model := m["model"].(map[string]any)
			model["merges"] = model["merges"].([]string)[1:]
			c.files = map[string][]byte{tokenizerFile: toJSON(m)}
		}, "none of SentencePiece"},
		{"heads", newNeoX("F32"), func(c *toy) { c.config["num_attention_heads"] = 5 }, "do not divide"},
		{"rotation", newNeoX("F32"), func(c *toy) { c.config["rotary_pct"] = 0.1 }, "rotated"},
		{"no output", newNeoX("F32"), func(c *toy) { delete(c.tensors, "embed_out.weight") }, "lacks it"},
		{"another way to cut text", newNeoX("F32"), func(c *toy) {
			b := toyBPE()
			b["pre_tokenizer"] = map[string]any{"type": "Whitespace"}
			c.files[tokenizerFile] = toJSON(b)
		}, "GPT-2's"},
		{"a blank in front", newNeoX("F32"), func(c *toy) { c.tokenizer["add_prefix_space"] = true }, "blank in front"},
		{"lower case", newNeoX("F32"), func(c *toy) {
			b := toyBPE()
			b["normalizer"] = map[string]any{"type": "Lowercase"}
			c.files[tokenizerFile] = toJSON(b)
		}, "rewrites text"},
		{"a merge of nothing", newNeoX("F32"), func(c *toy) {
			b := toyBPE()
			b["model"].(map[string]any)["merges"] = []string{"C C"}
			c.files[tokenizerFile] = toJSON(b)
		}, "makes no word"},
		{"words beyond the rows", newNeoX("F32"), func(c *toy) {
			b := toyBPE()
			b["model"].(map[string]any)["vocab"].(map[string]int)["CCC"] = 270
			c.files[tokenizerFile] = toJSON(b)
		}, "rows for 270"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.do(c.toy)
			bad(t, open(c.toy.write(t, 1)), c.words)
		})
	}
}

func TestOtherFolders(t *testing.T) {
	good := newGemma("F32")
	weights := safetensors(good.tensors)
	config := toJSON(good.config)
	pickle := []byte("PK\x03\x04 and what torch puts into it")
	for _, c := range []struct {
		name  string
		files map[string][]byte
		words string
	}{
		{"empty", nil, "no config.json"},
		{"an adapter", map[string][]byte{"adapter_config.json": config}, "LoRA"},
		{"a GGUF", map[string][]byte{"x.gguf": weights}, "no config.json"},
		{"no weights", map[string][]byte{configFile: config}, "neither model.safetensors nor"},
		{"pickled", map[string][]byte{configFile: config, "pytorch_model.bin": pickle}, "pickled"},
		{"pickled shards", map[string][]byte{configFile: config, "pytorch_model-00001-of-00002.bin": pickle}, "pickled"},
		{"a pickle under another name", map[string][]byte{configFile: config, singleFile: pickle}, "pickled"},
		{"a pointer", map[string][]byte{configFile: config, singleFile: []byte("version https://git-lfs.github.com/spec/v1\n")}, "Git LFS"},
		{"cut short", map[string][]byte{configFile: config, singleFile: weights[:len(weights)-100]}, "truncated"},
		{"an index out of the folder", map[string][]byte{configFile: config, indexFile: []byte(`{"weight_map":{"a":"../model.safetensors"}}`)}, "file name"},
		{"an index of other files", map[string][]byte{configFile: config, indexFile: []byte(`{"weight_map":{"a":"config.json"}}`)}, "file name"},
		{"an empty index", map[string][]byte{configFile: config, indexFile: []byte(`{"weight_map":{}}`)}, "0 tensors"},
		{"a missing shard", map[string][]byte{configFile: config, indexFile: []byte(`{"weight_map":{"a":"m-1.safetensors"}}`)}, "missing"},
		{"a shard without the tensor", map[string][]byte{
			configFile: config, indexFile: []byte(`{"weight_map":{"a":"m-1.safetensors"}}`), "m-1.safetensors": weights,
		}, "lacks it"},
		{"a config without end", map[string][]byte{configFile: bytes.Repeat([]byte("["), maxConfig)}, "no JSON"},
		{"a large config", map[string][]byte{configFile: bytes.Repeat([]byte(" "), maxConfig+1)}, "make sense"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "toy")
			writeFiles(t, dir, c.files)
			bad(t, open(dir), c.words)
		})
	}
}

func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string][]byte{
		"model.bin": []byte("PK\x03\x04 and more"), "old.bin": {0x80, 2, 0x8a, 0x0a}, "model.safetensors": safetensors(newGemma("F32").tensors),
		"text": []byte("hello"), "empty": {}, "cut.gguf": []byte("GGUF\x03\x00\x00\x00"), "lfs.gguf": []byte("version https://git-lfs.github.com/spec/v1\n"),
	})
	for name, words := range map[string]string{
		"model.bin": "pickled", "old.bin": "pickled", "model.safetensors": "one file of a checkpoint", "text": "neither a GGUF",
		"empty": "neither a GGUF", "cut.gguf": "truncated", "lfs.gguf": "Git LFS",
	} {
		t.Run(name, func(t *testing.T) { bad(t, open(filepath.Join(dir, name)), words) })
	}
	if err := open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestShrunk cuts the weights after they were opened.
func TestShrunk(t *testing.T) {
	dir := newGemma("F32").write(t, 1)
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := os.Truncate(filepath.Join(dir, singleFile), 1<<16); err != nil {
		t.Fatal(err)
	}
	bad(t, m.Write(t.Context(), io.Discard, Options{}), "truncated")
}

// TestRange: numbers that a type cannot hold.
func TestRange(t *testing.T) {
	c := newGemma("F32")
	copy(c.tensors["model.layers.0.mlp.up_proj.weight"].data, pack([]float32{70000}, "F32"))
	m, err := Open(c.write(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	bad(t, m.Write(t.Context(), io.Discard, Options{Type: "F16"}), "blk.0.ffn_up.weight: corrupt: the value 70000 cannot be stored as F16")
	if err := m.Write(t.Context(), io.Discard, Options{Type: "BF16"}); err != nil {
		t.Error(err)
	}
}

// TestTwiceQuantised: what is quantised is only copied.
func TestTwiceQuantised(t *testing.T) {
	_, r := convert(t, newGemma("F32").write(t, 1), Options{Type: "Q8_0"})
	_, err := Import(t.Context(), r.Path, filepath.Join(t.TempDir(), "x.gguf"), Options{Type: "F16"})
	bad(t, err, "stored as Q8_0 already")
	f, again := convert(t, r.Path, Options{})
	if again.Digest != r.Digest || f.Value("general.file_type") != uint32(7) {
		t.Error("a copy differs")
	}
}

func TestHints(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string][]byte{"x.gguf": []byte("x")})
	_, err := Open(dir)
	h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !ok || h.Hint() != "name the GGUF file itself: "+filepath.Join(dir, "x.gguf") {
		t.Error(err)
	}
}

// limited checks that a call takes little more memory than its input.
func limited(t *testing.T, input int, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20+uint64(input)*200 {
		t.Fatalf("%d bytes of memory for %d of input", taken, input)
	}
}

// FuzzSafetensors: an error, or tensors that lie in the file.
func FuzzSafetensors(f *testing.F) {
	f.Add(safetensors(map[string]*toyTensor{"a": {shape: []int64{2, 1}, dtype: "F16", data: make([]byte, 4)}, "b": {dtype: "BOOL", data: []byte{1}}}))
	f.Add(withHeader([]byte(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`), make([]byte, 4)))
	f.Fuzz(func(t *testing.T, data []byte) {
		limited(t, len(data), func() {
			tensors, err := readHeader(bytes.NewReader(data), int64(len(data)), "x")
			if err != nil {
				bad(t, err, "")
				return
			}
			for name, s := range tensors {
				if size, err := sizeOf(s.dtype, s.shape); err != nil || s.begin < 8 || s.end > int64(len(data)) || s.end-s.begin != size {
					t.Fatalf("%s: %+v", name, s)
				}
			}
		})
	})
}

// FuzzConfig reads a folder under any configuration and index.
func FuzzConfig(f *testing.F) {
	gemma, neox := newGemma("F32"), newNeoX("F32")
	f.Add(toJSON(gemma.config), toJSON(gemma.tokenizer), true)
	f.Add(toJSON(neox.config), toJSON(neox.tokenizer), false)
	gemmaDir, neoxDir := gemma.write(f, 1), neox.write(f, 1)
	f.Fuzz(func(t *testing.T, config, more []byte, isGemma bool) {
		dir := neoxDir
		if isGemma {
			dir = gemmaDir
		}
		writeFiles(t, dir, map[string][]byte{configFile: config, "generation_config.json": more})
		limited(t, 1<<16+len(config)+len(more), func() {
			m, err := Open(dir)
			if err != nil {
				bad(t, err, "")
				return
			}
			m.Close()
		})
	})
}

// FuzzPieces: an error, or a vocabulary of distinct words.
func FuzzPieces(f *testing.F) {
	f.Add(piecesModel(toyPieces()))
	f.Add(piecesModel(toyPieces()[:5]))
	f.Fuzz(func(t *testing.T, data []byte) {
		limited(t, len(data), func() {
			v, err := fromPieces("x", data, 300)
			if err == nil {
				err = v.finish()
			}
			if err != nil {
				bad(t, err, "")
			}
		})
	})
}

// FuzzTokenizer feeds a tokenizer.json and a tokenizer_config.json to both readers.
func FuzzTokenizer(f *testing.F) {
	f.Add(toJSON(toyBPE()), toJSON(newNeoX("F32").tokenizer))
	f.Add(toJSON(toyMerges(toyPieces())), toJSON(newGemma("F32").tokenizer))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, tokenizer, config []byte) {
		writeFiles(t, dir, map[string][]byte{tokenizerFile: tokenizer, "tokenizer_config.json": config})
		limited(t, len(tokenizer)+len(config), func() {
			fd := &folder{path: dir, config: &fields{err: new(error)}}
			for _, read := range []func(*folder, int) (*vocabulary, error){gemmaVocabulary, bpeVocabulary} {
				if _, err := read(fd, 300); err != nil {
					bad(t, err, "")
				}
			}
		})
	})
}
