package checkpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/llm/gguf"
)

// The types of tokens in GGUF, which are those of SentencePiece.
const (
	tokenNormal  = 1
	tokenUnknown = 2
	tokenControl = 3
	tokenUser    = 4
	tokenUnused  = 5
	tokenByte    = 6
)

const (
	maxWords = 1 << 21
	// mark stands for a blank in SentencePiece's vocabularies.
	mark = "\u2581"
)

// vocabulary is a tokenizer as GGUF has it.
type vocabulary struct {
	file   string // for messages
	model  string // "llama" or "gpt2"
	pre    string // llama.cpp's name of how text is cut before it is merged
	tokens []string
	types  []int32
	scores []float32 // of SentencePiece
	merges []string  // of byte-level BPE
	addBOS bool
	notes  []string
	// ids of special tokens by GGUF's names of them
	special map[string]uint32
}

// newVocabulary has room for a number of words, none of them used yet.
func newVocabulary(file, model, pre string, words int) *vocabulary {
	v := &vocabulary{file: file, model: model, pre: pre, special: map[string]uint32{}}
	v.tokens, v.types = make([]string, words), make([]int32, words)
	for i := range v.types {
		v.types[i] = tokenUnused
	}
	return v
}

// set puts a token at its place.
func (v *vocabulary) set(id int, token string, kind int32) error {
	if id < 0 || id >= len(v.tokens) {
		return badf(v.file, "", "the token %q has the number %d, where the model has rows for %d", token, id, len(v.tokens))
	}
	v.tokens[id], v.types[id] = token, kind
	return nil
}

// addedToken is a token that is cut out of a text before all else.
type addedToken struct {
	ID      int    `json:"id"`
	Content string `json:"content"`
	Special bool   `json:"special"`
}

// add puts in tokens that were added to a vocabulary, or whose kind is told apart
// from it. Special ones become control tokens, others the user's.
func (v *vocabulary) add(tokens []addedToken) error {
	for _, t := range tokens {
		kind := int32(tokenUser)
		// The programs that read GGUF look for a user's tokens before blanks are marked.
		text := strings.ReplaceAll(t.Content, mark, " ")
		if t.Special {
			kind, text = tokenControl, t.Content
		}
		if t.ID >= 0 && t.ID < len(v.types) && t.Content == v.tokens[t.ID] {
			switch v.types[t.ID] {
			case tokenUnknown, tokenByte: // what they are, they stay
				continue
			}
		}
		if err := v.set(t.ID, text, kind); err != nil {
			return err
		}
	}
	return nil
}

// finish fills the rows that no token has, and checks that all are distinct, which
// llama.cpp asserts.
func (v *vocabulary) finish() error {
	seen := make(map[string]int, len(v.tokens))
	for i, t := range v.tokens {
		if t == "" {
			v.tokens[i], v.types[i] = fmt.Sprintf("[PAD%d]", i), tokenUnused
			t = v.tokens[i]
		}
		if j, ok := seen[t]; ok {
			return badf(v.file, "", "the token %q is there twice, as number %d and %d", t, j, i)
		}
		seen[t] = i
	}
	return nil
}

// id is the number of a token.
func (v *vocabulary) id(token string) (uint32, bool) {
	i := slices.Index(v.tokens, token)
	return uint32(max(i, 0)), i >= 0
}

// keys are the tokenizer's metadata.
func (v *vocabulary) keys() []gguf.KeyValue {
	const prefix = "tokenizer.ggml."
	out := []gguf.KeyValue{
		{Key: prefix + "model", Value: v.model},
		{Key: prefix + "pre", Value: v.pre},
		{Key: prefix + "tokens", Value: v.tokens},
		{Key: prefix + "token_type", Value: v.types},
	}
	if v.scores != nil {
		out = append(out, gguf.KeyValue{Key: prefix + "scores", Value: v.scores})
	}
	if v.merges != nil {
		out = append(out, gguf.KeyValue{Key: prefix + "merges", Value: v.merges})
	}
	for _, name := range slices.Sorted(maps.Keys(v.special)) {
		out = append(out, gguf.KeyValue{Key: prefix + name + "_token_id", Value: v.special[name]})
	}
	return append(out,
		gguf.KeyValue{Key: prefix + "add_bos_token", Value: v.addBOS},
		gguf.KeyValue{Key: prefix + "add_eos_token", Value: false},
		// Neither Gemma nor GPT-NeoX puts a blank in front of a text; without the key
		// llama.cpp does so for SentencePiece.
		gguf.KeyValue{Key: prefix + "add_space_prefix", Value: false},
	)
}
