package embedded

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cellsentence/c2s/llm/gguf"
)

// The types of tokens in GGUF.
const (
	tokenNormal  = 1
	tokenUnknown = 2
	tokenControl = 3
	tokenUser    = 4
	tokenUnused  = 5
	tokenByte    = 6
)

// mark stands for a blank in SentencePiece's vocabularies.
const mark = "\u2581"

// tokenizer splits text as SentencePiece's BPE models and llama.cpp do (Kudo and
// Richardson, EMNLP 2018): from single characters on, the neighbours whose union
// has the best score are joined, the leftmost among equals, until no union is a
// token. Characters that are no token become bytes.
//
// Tokens that the vocabulary marks as defined by its user are cut out of the text
// first, the longest before shorter ones. Control tokens are never made from text:
// a prompt that holds "<eos>" holds five characters.
type tokenizer struct {
	tokens []string
	scores []float32
	types  []int32
	ids    map[string]int32
	user   []int32 // the longest first
	bytes  [256]int32

	bos, eos  int32
	ends      []int32 // all tokens that end a text
	unknown   int32
	addBOS    bool
	addPrefix bool // a blank in front of the text
}

const maxWords = 1 << 21

func newTokenizer(f *gguf.File) (*tokenizer, error) {
	const prefix = "tokenizer.ggml."
	kind, err := gguf.Get[string](f, prefix+"model")
	if err != nil {
		return nil, err
	}
	if kind != "llama" {
		return nil, fmt.Errorf("the tokenizer is %q; the built-in engine knows SentencePiece (\"llama\") only", kind)
	}
	t := &tokenizer{ids: map[string]int32{}}
	if t.tokens, err = gguf.Get[[]string](f, prefix+"tokens"); err != nil {
		return nil, err
	}
	if t.scores, err = gguf.Get[[]float32](f, prefix+"scores"); err != nil {
		return nil, err
	}
	if t.types, err = gguf.Get[[]int32](f, prefix+"token_type"); err != nil {
		return nil, err
	}
	n := len(t.tokens)
	if n == 0 || n > maxWords || len(t.scores) != n || len(t.types) != n {
		return nil, fmt.Errorf("the tokenizer has %d tokens, %d scores and %d types", n, len(t.scores), len(t.types))
	}
	special := func(key string, instead int) int32 {
		v, e := f.Uint(prefix + key)
		if errors.Is(e, gguf.ErrNotFound) {
			return int32(min(instead, n-1))
		}
		if e == nil && v >= uint64(n) {
			e = fmt.Errorf("%s%s is %d of %d tokens", prefix, key, v, n)
		}
		if e != nil && err == nil {
			err = e
		}
		return int32(min(v, uint64(n-1)))
	}
	// What is missing is what Gemma has.
	t.bos, t.eos, t.unknown = special("bos_token_id", 2), special("eos_token_id", 1), special("unknown_token_id", 3)
	t.ends = []int32{t.eos}
	if _, e := f.Uint(prefix + "eot_token_id"); e == nil {
		t.ends = append(t.ends, special("eot_token_id", 0))
	}
	if err != nil {
		return nil, err
	}
	flag := func(key string, instead bool) bool {
		v, e := gguf.Get[bool](f, prefix+key)
		if e != nil {
			return instead
		}
		return v
	}
	t.addBOS, t.addPrefix = flag("add_bos_token", true), flag("add_space_prefix", true)
	t.index()
	return t, nil
}

// index sorts the tokens by what they are for.
func (t *tokenizer) index() {
	for i := range t.bytes {
		t.bytes[i] = t.unknown
	}
	for i, s := range t.tokens {
		switch t.types[i] {
		case tokenByte:
			if b, ok := byteOf(s); ok {
				t.bytes[b] = int32(i)
			}
		case tokenUser:
			if s != "" {
				t.user = append(t.user, int32(i))
			}
			fallthrough
		case tokenNormal:
			if _, ok := t.ids[s]; !ok {
				t.ids[s] = int32(i)
			}
		}
	}
	slices.SortStableFunc(t.user, func(a, b int32) int { return len(t.tokens[b]) - len(t.tokens[a]) })
}

// byteOf is the byte that a token such as <0x0A> stands for.
func byteOf(token string) (byte, bool) {
	digits, ok := strings.CutPrefix(token, "<0x")
	if !ok || !strings.HasSuffix(digits, ">") {
		return 0, false
	}
	b, err := strconv.ParseUint(strings.TrimSuffix(digits, ">"), 16, 8)
	return byte(b), err == nil
}

// encode gives the tokens of a text; start says that it begins a text, so that
// the beginning of text and the blank in front that some models want are added.
func (t *tokenizer) encode(text string, start bool) []int32 {
	var out []int32
	if start && t.addBOS {
		out = append(out, t.bos)
	}
	if start && t.addPrefix && text != "" {
		text = " " + text
	}
	return t.split(out, text, t.user)
}

// split cuts the user's tokens out of a text and encodes what lies between.
func (t *tokenizer) split(out []int32, text string, user []int32) []int32 {
	for i, id := range user {
		word := t.tokens[id]
		if !strings.Contains(text, word) {
			continue
		}
		for {
			before, after, found := strings.Cut(text, word)
			out = t.split(out, before, user[i+1:])
			if !found {
				return out
			}
			out = append(out, id)
			text = after
		}
	}
	if text == "" {
		return out
	}
	return t.merge(out, strings.ReplaceAll(text, " ", mark))
}

// symbol is a piece of text in a doubly linked list. A symbol that was joined to
// the one before it has length 0.
type symbol struct{ prev, next, start, length int }

// pair is two neighbours that could be joined; length tells whether they still are
// what they were when the pair was found.
type pair struct {
	left, right, length int
	score               float32
}

// pairs is a heap, the best score first, then the leftmost.
type pairs []pair

func (p pairs) Len() int { return len(p) }
func (p pairs) Less(i, j int) bool {
	return p[i].score > p[j].score || p[i].score == p[j].score && p[i].left < p[j].left
}
func (p pairs) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pairs) Push(x any)   { *p = append(*p, x.(pair)) }
func (p *pairs) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// merge encodes a text in which blanks are marks.
func (t *tokenizer) merge(out []int32, text string) []int32 {
	symbols := make([]symbol, 0, len(text))
	for at := 0; at < len(text); {
		_, n := utf8.DecodeRuneInString(text[at:])
		symbols = append(symbols, symbol{len(symbols) - 1, len(symbols) + 1, at, n})
		at += n
	}
	symbols[len(symbols)-1].next = -1
	var queue pairs
	add := func(left, right int) {
		if left < 0 || right < 0 {
			return
		}
		a, b := &symbols[left], &symbols[right]
		if id, ok := t.ids[text[a.start:b.start+b.length]]; ok {
			heap.Push(&queue, pair{left, right, a.length + b.length, t.scores[id]})
		}
	}
	for i := 1; i < len(symbols); i++ {
		add(i-1, i)
	}
	for len(queue) > 0 {
		p := heap.Pop(&queue).(pair)
		a, b := &symbols[p.left], &symbols[p.right]
		if a.length == 0 || b.length == 0 || a.length+b.length != p.length {
			continue
		}
		a.length, a.next, b.length = p.length, b.next, 0
		if a.next >= 0 {
			symbols[a.next].prev = p.left
		}
		add(a.prev, p.left)
		add(p.left, a.next)
	}
	for i := 0; i >= 0; i = symbols[i].next {
		piece := text[symbols[i].start:][:symbols[i].length]
		if id, ok := t.ids[piece]; ok {
			out = append(out, id)
			continue
		}
		for j := range len(piece) {
			out = append(out, t.bytes[piece[j]])
		}
	}
	return out
}

// piece is the bytes that a token adds to a text. Control tokens add none.
func (t *tokenizer) piece(id int32) string {
	s := t.tokens[id]
	switch t.types[id] {
	case tokenByte:
		if b, ok := byteOf(s); ok {
			return string([]byte{b})
		}
		return ""
	case tokenControl, tokenUnknown, tokenUnused:
		return ""
	}
	return strings.ReplaceAll(s, mark, " ")
}

// end says whether a token ends a text.
func (t *tokenizer) end(id int32) bool { return slices.Contains(t.ends, id) }
