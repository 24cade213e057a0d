package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cellsentence/c2s/llm/gguf"
)

// Limits that no honest file comes near: the header of a model of 27 billion
// parameters has 60 kB and 508 tensors.
const (
	maxHeader     = 16 << 20
	maxTensors    = 1 << 16
	maxDimensions = 8
	maxName       = 1 << 10
)

// widths are the bytes of a value by the names that safetensors has for types.
var widths = map[string]int64{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
	"U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}

// floats are the types that weights may have.
var floats = map[string]gguf.Type{"F32": gguf.F32, "F16": gguf.F16, "BF16": gguf.BF16}

// stored is a tensor in a safetensors file.
type stored struct {
	file  string // its path
	in    io.ReaderAt
	dtype string
	shape []int64
	// begin and end are bytes of the file.
	begin, end int64
}

// readHeader reads the head of a safetensors file of a size: eight bytes of length,
// then JSON. Names that occur twice, tensors that overlap or leave holes, and
// shapes that do not fit their bytes are errors, as the format says.
func readHeader(in io.ReaderAt, size int64, file string) (map[string]*stored, error) {
	var length [8]byte
	if size < 8 {
		return nil, badf(file, "", "truncated: %d bytes are no safetensors file", size)
	}
	if err := readFull(in, length[:], 0, file); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	switch {
	case n > uint64(size-8):
		if err := foreign(in, size, file); err != nil {
			return nil, err
		}
		return nil, badf(file, "", "truncated, or no safetensors file: a header of %d bytes in a file of %d", n, size)
	case n > maxHeader:
		return nil, badf(file, "", "a header of %d bytes, where %d are the most that make sense", n, maxHeader)
	}
	header := make([]byte, n)
	if err := readFull(in, header, 8, file); err != nil {
		return nil, err
	}
	tensors, err := parseHeader(header, file)
	if err != nil {
		return nil, err
	}
	for _, t := range tensors {
		t.file, t.in = file, in
		t.begin, t.end = t.begin+8+int64(n), t.end+8+int64(n)
	}
	return tensors, checkCover(tensors, 8+int64(n), size, file)
}

// readFull reads bytes that must be there.
func readFull(in io.ReaderAt, b []byte, at int64, file string) error {
	n, err := in.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return badf(file, "", "truncated: the file ends before byte %d", at+int64(len(b)))
	}
	return err
}

// foreign recognises other files in the place of safetensors.
func foreign(in io.ReaderAt, size int64, file string) error {
	head := make([]byte, min(size, 64))
	if err := readFull(in, head, 0, file); err != nil {
		return err
	}
	if err := pointer(file, head); err != nil {
		return err
	}
	if pickled(head) {
		return pickleError(file)
	}
	return nil
}

// pickled recognises torch's files: a zip archive, or a bare pickle.
func pickled(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5
}

func pickleError(path string) *Error {
	return badf(path, "", "a pickled checkpoint: opening one runs the code in it, so that it is refused").
		tip("take the safetensors version of the model, or let a machine that trusts it write one: model.save_pretrained(folder, safe_serialization=True)")
}

// parseHeader reads the JSON of a header; offsets are those in the data.
func parseHeader(header []byte, file string) (map[string]*stored, error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, badf(file, "", "no safetensors file: the header is no JSON object")
	}
	tensors := map[string]*stored{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, badf(file, "", "header: %w", err)
		}
		name, _ := key.(string)
		if name == "__metadata__" {
			var ignored map[string]string
			if err := dec.Decode(&ignored); err != nil {
				return nil, badf(file, name, "header: %w", err)
			}
			continue
		}
		if err := checkName(name); err != nil {
			return nil, badf(file, "", "%w", err)
		}
		var entry struct {
			Dtype   string  `json:"dtype"`
			Shape   []int64 `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := dec.Decode(&entry); err != nil {
			return nil, badf(file, "tensor "+name, "header: %w", err)
		}
		if tensors[name] != nil {
			return nil, badf(file, "tensor "+name, "the name occurs twice")
		}
		if len(tensors) == maxTensors {
			return nil, badf(file, "", "more than %d tensors", maxTensors)
		}
		size, err := sizeOf(entry.Dtype, entry.Shape)
		if err != nil {
			return nil, badf(file, "tensor "+name, "%w", err)
		}
		if len(entry.Offsets) != 2 || entry.Offsets[0] < 0 || entry.Offsets[1] < entry.Offsets[0] || entry.Offsets[1] > math.MaxInt64/2 {
			return nil, badf(file, "tensor "+name, "the offsets %v", entry.Offsets)
		}
		if have := entry.Offsets[1] - entry.Offsets[0]; have != size {
			return nil, badf(file, "tensor "+name, "%d bytes, where %v of %s has %d", have, entry.Shape, entry.Dtype, size)
		}
		tensors[name] = &stored{dtype: entry.Dtype, shape: entry.Shape, begin: entry.Offsets[0], end: entry.Offsets[1]}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, badf(file, "", "header: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, badf(file, "", "the header goes on behind its end")
	}
	return tensors, nil
}

// checkName refuses names that messages could not show.
func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("a tensor without a proper name")
	}
	return nil
}

// sizeOf is the bytes of a tensor.
func sizeOf(dtype string, shape []int64) (int64, error) {
	size, ok := widths[dtype]
	if !ok {
		return 0, fmt.Errorf("the type %q is not known", dtype)
	}
	if len(shape) > maxDimensions {
		return 0, fmt.Errorf("the shape %v", shape)
	}
	for _, d := range shape {
		if d < 0 || d > 0 && size > math.MaxInt64/4/d {
			return 0, fmt.Errorf("the shape %v", shape)
		}
		size *= d
	}
	return size, nil
}

// checkCover says whether tensors fill the data, each byte once.
func checkCover(tensors map[string]*stored, begin, end int64, file string) error {
	names := make([]string, 0, len(tensors))
	for name := range tensors {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := tensors[a], tensors[b]
		return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.end, y.end), strings.Compare(a, b))
	})
	at := begin
	for _, name := range names {
		t := tensors[name]
		if t.begin != at {
			return badf(file, "tensor "+name, "it begins at byte %d, where the one before it ends at %d", t.begin, at)
		}
		if t.end > end {
			return badf(file, "tensor "+name, "truncated: it ends at byte %d of a file of %d", t.end, end)
		}
		at = t.end
	}
	if at != end {
		return badf(file, "", "%d bytes behind the last tensor", end-at)
	}
	return nil
}
