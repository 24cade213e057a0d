package checkpoint

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	tokenizerFile = "tokenizer.json"
	maxWord       = 1 << 10
)

// fastTokenizer is what counts of a tokenizer.json.
type fastTokenizer struct {
	AddedTokens   []addedToken `json:"added_tokens"`
	Normalizer    *stage       `json:"normalizer"`
	PreTokenizer  *stage       `json:"pre_tokenizer"`
	PostProcessor *stage       `json:"post_processor"`
	Model         struct {
		Type         string         `json:"type"`
		Unknown      string         `json:"unk_token"`
		ByteFallback bool           `json:"byte_fallback"`
		IgnoreMerges bool           `json:"ignore_merges"`
		Prefix       string         `json:"continuing_subword_prefix"`
		Suffix       string         `json:"end_of_word_suffix"`
		Vocab        map[string]int `json:"vocab"`
		Merges       []merge        `json:"merges"`
	} `json:"model"`
}

// stage is a step of a tokenizer, or several.
type stage struct {
	Type           string  `json:"type"`
	AddPrefixSpace bool    `json:"add_prefix_space"`
	UseRegex       *bool   `json:"use_regex"`
	Normalizers    []stage `json:"normalizers"`
	PreTokenizers  []stage `json:"pretokenizers"`
	Processors     []stage `json:"processors"`
	Single         []struct {
		SpecialToken *struct {
			ID string `json:"id"`
		} `json:"SpecialToken"`
	} `json:"single"`
}

// merge is a pair of tokens that are joined, written as "a b" or as ["a", "b"].
type merge struct{ left, right string }

// UnmarshalJSON reads either form.
func (m *merge) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		var pair []string
		if err := json.Unmarshal(data, &pair); err != nil {
			return err
		}
		if len(pair) != 2 {
			return errors.New("a merge that is no pair")
		}
		m.left, m.right = pair[0], pair[1]
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	var ok bool
	if m.left, m.right, ok = strings.Cut(text, " "); !ok {
		return fmt.Errorf("the merge %q", text)
	}
	return nil
}

// readTokenizer reads a tokenizer.json whose model is BPE.
func readTokenizer(path string, words int) (*fastTokenizer, error) {
	var t fastTokenizer
	found, err := readJSON(path, maxTokenizer, &t)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, badf(path, "", "the checkpoint has no tokenizer: the file is missing").tip("copy it from the model that this one was made of")
	}
	m := &t.Model
	switch {
	case m.Type != "BPE" && (m.Type != "" || m.Merges == nil):
		return nil, badf(path, "model", "the type %q, where BPE is known", m.Type)
	case m.Prefix != "" || m.Suffix != "" || m.IgnoreMerges:
		return nil, badf(path, "model", "a kind of BPE that llama.cpp does not have")
	case len(m.Vocab) == 0 || len(m.Vocab) > words:
		return nil, badf(path, "model", "%d words, where the model has rows for %d", len(m.Vocab), words)
	}
	for word := range m.Vocab {
		if len(word) > maxWord { // all ways to split a word are looked at
			return nil, badf(path, "model", "a word of %d bytes", len(word))
		}
	}
	for _, p := range m.Merges {
		if _, ok := m.Vocab[p.left+p.right]; !ok {
			return nil, badf(path, "model", "the merge of %q and %q makes no word", p.left, p.right)
		}
	}
	return &t, nil
}

// bpeVocabulary reads a byte-level BPE tokenizer, GPT-NeoX's kind.
func bpeVocabulary(f *folder, words int) (*vocabulary, error) {
	config, err := readTokenizerConfig(f)
	if err != nil {
		return nil, err
	}
	path := f.file(tokenizerFile)
	t, err := readTokenizer(path, words)
	if err != nil {
		return nil, err
	}
	pre, err := t.preTokenizer(config)
	if err != nil {
		return nil, badf(path, "", "%w", err)
	}
	v := newVocabulary(path, "gpt2", pre, words)
	for word, id := range t.Model.Vocab {
		if err := v.set(id, word, tokenNormal); err != nil {
			return nil, err
		}
	}
	for _, m := range t.Model.Merges {
		if strings.Contains(m.left, " ") || strings.Contains(m.right, " ") {
			return nil, badf(path, "model", "the merge of %q and %q: bytes have other signs for blanks", m.left, m.right)
		}
		v.merges = append(v.merges, m.left+" "+m.right)
	}
	nfc, ok := t.composes()
	if !ok {
		return nil, badf(path, "normalizer", "it rewrites text, which llama.cpp does not do for byte-level BPE")
	}
	if nfc {
		v.notes = append(v.notes, "the tokenizer puts text into Unicode's form NFC, llama.cpp does not: accents that stand alone are other tokens")
	}
	added, err := config.added()
	if err != nil {
		return nil, err
	}
	if err := v.add(append(t.AddedTokens, added...)); err != nil {
		return nil, err
	}
	if err := config.settle(v, t.begins()); err != nil {
		return nil, err
	}
	return v, v.finish()
}

// preTokenizer is llama.cpp's name of how a text is cut into words.
func (t *fastTokenizer) preTokenizer(config *tokenizerConfig) (string, error) {
	steps := t.PreTokenizer.flat()
	switch {
	case len(steps) != 1 || steps[0].Type != "ByteLevel" || steps[0].UseRegex != nil && !*steps[0].UseRegex || t.Model.ByteFallback:
		return "", errors.New("a way to cut text into words that is not GPT-2's, which is the one that can be converted")
	case config.tokenizer.flag("add_prefix_space", steps[0].AddPrefixSpace):
		return "", errors.New("it puts a blank in front of each text, which llama.cpp does not do for byte-level BPE")
	}
	// ByteLevel has the regular expression of GPT-2 built in. llama.cpp has it under
	// this name; "olmo" and "mpt", which other converters write, are the same.
	return "gpt-2", nil
}

// composes says that text is put into Unicode's form NFC; ok is false for any other
// rewriting.
func (t *fastTokenizer) composes() (nfc, ok bool) {
	for _, n := range t.Normalizer.flat() {
		if n.Type != "NFC" {
			return false, false
		}
		nfc = true
	}
	return nfc, true
}

// flat is the stage itself, or those that it consists of.
func (s *stage) flat() []stage {
	switch {
	case s == nil:
		return nil
	case s.Type == "Sequence":
		return slices.Concat(s.Normalizers, s.PreTokenizers, s.Processors)
	}
	return []stage{*s}
}

// begins says that a special token is put in front of each text.
func (t *fastTokenizer) begins() bool {
	for _, p := range t.PostProcessor.flat() {
		if len(p.Single) > 0 && p.Single[0].SpecialToken != nil {
			return true
		}
	}
	return false
}

// readAdded reads an added_tokens.json, tokens by name.
func readAdded(path string) ([]addedToken, error) {
	var list map[string]int
	if _, err := readJSON(path, maxConfig, &list); err != nil {
		return nil, err
	}
	var out []addedToken
	for _, word := range slices.Sorted(maps.Keys(list)) {
		out = append(out, addedToken{ID: list[word], Content: word})
	}
	return out, nil
}

// spaces puts blanks in the place of marks.
func spaces(s string) string { return strings.ReplaceAll(s, mark, " ") }

// fromMerges makes a SentencePiece vocabulary of a tokenizer.json that was made of
// one. There, pairs of tokens are joined by rank; here, those whose union has the
// best score. Both are the same where each word has all the merges that make it,
// one behind the other: then the rank of a word's merges is its score.
func fromMerges(path string, words int) (*vocabulary, error) {
	t, err := readTokenizer(path, words)
	if err != nil {
		return nil, err
	}
	if !t.Model.ByteFallback {
		return nil, badf(path, "model", "no bytes to fall back on, which Gemma's tokenizer has")
	}
	for _, step := range slices.Concat(t.Normalizer.flat(), t.PreTokenizer.flat()) {
		// Blanks are replaced by marks, and then nothing is left to be split at them.
		if step.Type != "Replace" && step.Type != "Split" {
			return nil, badf(path, "", "the step %q, which llama.cpp's SentencePiece does not have", step.Type)
		}
	}
	vocab := t.Model.Vocab
	ranks, err := rankWords(t.Model.Merges)
	if err != nil {
		return nil, badf(path, "model", "%w", err)
	}
	v := newVocabulary(path, "llama", "default", words)
	v.scores = make([]float32, words)
	for word, id := range vocab {
		kind := int32(tokenNormal)
		rank := ranks[word]
		switch {
		case word == t.Model.Unknown:
			kind = tokenUnknown
		case isByte(word):
			kind = tokenByte
		case word == "\t" && id == vocab["<0x08>"]+1 && vocab["<0x0A>"] == id+1:
			word, kind = "<0x09>", tokenByte // transformers has the character in the byte's place
		default:
			if n := ways(word, vocab); n != rank.merges {
				return nil, badf(path, "model", "%q can be joined in %d ways, %d of them are merges: the vocabulary is none of SentencePiece", word, n, rank.merges).
					tip("put " + piecesFile + " beside it")
			}
		}
		if err := v.set(id, word, kind); err != nil {
			return nil, err
		}
		v.scores[id] = -float32(cmp.Or(rank.order, len(ranks)+1))
	}
	return v, v.add(t.AddedTokens)
}

// ranked is a word's place among all that merges make, and their number.
type ranked struct{ order, merges int }

func rankWords(merges []merge) (map[string]ranked, error) {
	out := map[string]ranked{}
	last := ""
	for _, m := range merges {
		word := m.left + m.right
		r, seen := out[word]
		if seen && word != last {
			return nil, fmt.Errorf("the merges that make %q do not stand together: the vocabulary is none of SentencePiece", word)
		}
		r.order = cmp.Or(r.order, len(out)+1)
		r.merges++
		out[word] = r
		last = word
	}
	return out, nil
}

// ways is the number of pairs of words that make up a word.
func ways(word string, vocab map[string]int) int {
	n := 0
	for i := range word {
		if i == 0 {
			continue
		}
		if _, ok := vocab[word[:i]]; !ok {
			continue
		}
		if _, ok := vocab[word[i:]]; ok {
			n++
		}
	}
	return n
}

// isByte says that a token stands for a byte, as <0x0A> does.
func isByte(token string) bool {
	if len(token) != 6 || token[:3] != "<0x" || token[5] != '>' {
		return false
	}
	_, err := strconv.ParseUint(token[3:5], 16, 8)
	return err == nil
}
