package journal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/klauspost/compress/zlib"
	"github.com/ncruces/go-sqlite3"

	"github.com/cellsentence/c2s/llm"
)

// key names a request: the same one always, another one never.
type key [sha256.Size]byte

// hasher makes a key of fields, each behind its length, so that no two lists of
// fields are the same bytes.
type hasher struct{ h hash.Hash }

func newHasher(kind, model string) hasher {
	h := hasher{sha256.New()}
	h.add(fmt.Sprintf("c2s journal %d", version))
	h.add(kind)
	h.add(model)
	return h
}

func (h hasher) add(field string) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(field)))
	h.h.Write(n[:])
	_, _ = io.WriteString(h.h, field) // a hash never fails
}

func (h hasher) key() key { return key(h.h.Sum(nil)) }

// The kinds of answers.
const (
	kindGenerate = "generate"
	kindScore    = "score"
	kindEmbed    = "embed"
)

func generateKey(model, prompt string, opt llm.Options) (key, error) {
	if opt.TopP == 1 {
		opt.TopP = 0 // means the same
	}
	options, err := json.Marshal(opt)
	if err != nil {
		return key{}, err
	}
	h := newHasher(kindGenerate, model)
	h.add(prompt)
	h.add(string(options))
	return h.key(), nil
}

func scoreKey(model, prompt string, continuations []string) key {
	h := newHasher(kindScore, model)
	h.add(prompt)
	for _, c := range continuations {
		h.add(c)
	}
	return h.key()
}

func embedKey(model, text string, pooling llm.Pooling) key {
	h := newHasher(kindEmbed, model)
	h.add(text)
	h.add(string(pooling))
	return h.key()
}

// row is one answer in the table.
type row struct {
	key         key
	kind, model string
	text        string // "" is NULL
	data        []byte // empty is NULL
}

func (r *row) bind(s *sqlite3.Stmt) error {
	err := cmp.Or(s.ClearBindings(), s.BindBlob(1, r.key[:]), s.BindText(2, r.kind), s.BindText(3, r.model))
	if r.text != "" {
		err = cmp.Or(err, s.BindText(4, r.text))
	}
	if len(r.data) > 0 {
		err = cmp.Or(err, s.BindBlob(5, r.data))
	}
	return err
}

// errRow means that a journal holds what this package does not write.
var errRow = errors.New("this is not a journal of answers")

func damaged(err error) error { return fmt.Errorf("%w: an answer is damaged: %w", errRow, err) }

func (r *row) encodeAnswer(a *llm.Answer) error {
	tokens := a.Tokens
	head := *a
	head.Tokens = nil
	text, err := json.Marshal(&head)
	if err != nil {
		return fmt.Errorf("an answer cannot be kept: %w", err)
	}
	r.text = string(text)
	if tokens == nil {
		return nil
	}
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(z).Encode(tokens); err != nil {
		return fmt.Errorf("an answer cannot be kept: %w", err)
	}
	if err := z.Close(); err != nil {
		return err
	}
	r.data = b.Bytes()
	return nil
}

func (r *row) answer() (*llm.Answer, error) {
	a := new(llm.Answer)
	if err := json.Unmarshal([]byte(r.text), a); err != nil {
		return nil, damaged(err)
	}
	if len(r.data) == 0 {
		return a, nil
	}
	z, err := zlib.NewReader(bytes.NewReader(r.data))
	if err != nil {
		return nil, damaged(err)
	}
	// A stream that inflates to more was not written here.
	tokens, err := io.ReadAll(io.LimitReader(z, maxRow+1))
	if err != nil {
		return nil, damaged(err)
	}
	if len(tokens) > maxRow {
		return nil, damaged(fmt.Errorf("more than %d bytes of tokens", maxRow))
	}
	if err := json.Unmarshal(tokens, &a.Tokens); err != nil {
		return nil, damaged(err)
	}
	return a, nil
}

func (r *row) encodeScores(s []llm.Score) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("scores cannot be kept: %w", err)
	}
	r.text = string(text)
	return nil
}

func (r *row) scores(n int) ([]llm.Score, error) {
	var s []llm.Score
	if err := json.Unmarshal([]byte(r.text), &s); err != nil {
		return nil, damaged(err)
	}
	if len(s) != n {
		return nil, damaged(fmt.Errorf("%d scores of %d", len(s), n))
	}
	return s, nil
}

func (r *row) encodeVector(v []float32) {
	r.data = make([]byte, 0, 4*len(v))
	for _, x := range v {
		r.data = binary.LittleEndian.AppendUint32(r.data, math.Float32bits(x))
	}
}

func (r *row) vector() ([]float32, error) {
	if len(r.data) == 0 || len(r.data)%4 != 0 {
		return nil, damaged(fmt.Errorf("a vector of %d bytes", len(r.data)))
	}
	v := make([]float32, len(r.data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(r.data[4*i:]))
	}
	return v, nil
}
