package prompt

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
)

// Repeats says where a gene stands that an answer names several times.
type Repeats uint8

const (
	// RepeatsMean is the zero value: at the mean of its positions, rounded down, as
	// the Python package cell2sentence has it. Repeated genes are taken in the order
	// in which they first come, and each removal and insertion moves what follows.
	RepeatsMean Repeats = iota
	// RepeatsFirst is where it first comes.
	RepeatsFirst
)

// GeneConfig says how gene lists are read.
type GeneConfig struct {
	Repeats Repeats
	// Stops end an answer where the first of them comes. None stands for the tokens
	// that end a text for the C2S models: <|endoftext|>, <eos> and <end_of_turn>.
	Stops []string
}

// GeneParser reads answers that are cell sentences. It may be used concurrently.
type GeneParser struct {
	words  []string
	exact  map[string]int32 // the words of the vocabulary
	folded map[string]int32 // those that differ from their upper case, by it
	cfg    GeneConfig
}

// GeneAnswer is what an answer says.
type GeneAnswer struct {
	// Genes are words of the vocabulary, each once, most expressed first.
	Genes []string
	// Unknown are the words that are not in the vocabulary, in order, without
	// control characters and cut to 64 bytes.
	Unknown []string
	Counts  GeneCounts
}

// GeneCounts counts what was met in answers. Words = Genes + Repeated + Unknown +
// Marks + TooMany.
type GeneCounts struct {
	Cleaning
	Words      int // words between white space
	Genes      int // different genes
	Repeated   int // words that name a gene again
	Unknown    int // words that name no gene
	Marks      int // words of nothing but periods, commas, colons and semicolons
	Punctuated int // genes with such marks behind them, save a period that ends the answer
	Period     int // answers with a period at their end
	Recased    int // genes in another case than the vocabulary's
	TooMany    int // words beyond the first 32,768, which are not read
}

// Add adds the counts of other answers.
func (c *GeneCounts) Add(o GeneCounts) {
	c.add(o.Cleaning)
	c.Words += o.Words
	c.Genes += o.Genes
	c.Repeated += o.Repeated
	c.Unknown += o.Unknown
	c.Marks += o.Marks
	c.Punctuated += o.Punctuated
	c.Period += o.Period
	c.Recased += o.Recased
	c.TooMany += o.TooMany
}

const (
	// maxWords bounds the work for an answer. No C2S model writes more than 8,192
	// tokens.
	maxWords = 1 << 15
	// marks may stand behind a gene: a response ends in a period, and other models
	// write lists with commas.
	marks = ".,;:"
	// noGene is what the Python package puts in the place of an unknown word.
	noGene = "NOT_A_GENE"
)

// unknown stands for a word that is not in the vocabulary.
const unknown = -1

// NewGeneParser returns a parser for the words of a vocabulary.
func NewGeneParser(v *cellsentence.Vocabulary, cfg GeneConfig) (*GeneParser, error) {
	var err error
	if cfg.Stops, err = stopsOf(cfg.Stops); err != nil {
		return nil, err
	}
	if cfg.Repeats > RepeatsFirst {
		return nil, fmt.Errorf("unknown rule for repeated genes: %d", cfg.Repeats)
	}
	if v.Len() == 0 {
		return nil, &Error{File: "vocabulary", Problem: "it is empty: no answer could name a gene"}
	}
	p := &GeneParser{exact: make(map[string]int32, v.Len()), folded: map[string]int32{}, cfg: cfg}
	for word := range v.All() {
		if _, bad := badRune(word, false); bad || word == "" || strings.Contains(word, " ") {
			return nil, &Error{File: "vocabulary", Problem: fmt.Sprintf("%s cannot be a word of a sentence", quote(word))}
		}
		i := int32(len(p.words))
		p.words = append(p.words, word)
		p.exact[word] = i
	}
	for i, word := range p.words {
		if up := strings.ToUpper(word); up != word {
			if _, taken := p.folded[up]; !taken {
				p.folded[up] = int32(i)
			}
		}
	}
	return p, nil
}

// Parse reads an answer. Words are separated by white space and matched as they
// are, then without marks behind them, then in any case. Unknown words have places
// while the mean of a repeated gene's positions is taken and are left out then, as
// the Python package's fifth tutorial does.
//
// Unlike the Python package it takes "GENE." at the end for GENE, so that the last
// gene is not lost; [GeneParser.ParsePython] repeats the package.
func (p *GeneParser) Parse(answer string) GeneAnswer {
	text, cleaning := clean(answer, p.cfg.Stops)
	out := GeneAnswer{Counts: GeneCounts{Cleaning: cleaning}}
	c := &out.Counts
	ids := make([]int32, 0, min(len(text)/5+1, maxWords))
	// A period that ends the answer as it should is not a defect of the last gene.
	var last, lastBare string
	lastID := int32(unknown)
	for word := range strings.FieldsSeq(text) {
		c.Words++
		if c.Words > maxWords {
			c.TooMany++
			continue
		}
		id, bare := p.find(word, c)
		last, lastBare, lastID = word, bare, id
		switch {
		case bare == "":
			c.Marks++
			continue
		case id == unknown:
			c.Unknown++
			out.Unknown = append(out.Unknown, shorten(bare))
		case bare != word:
			c.Punctuated++
		}
		ids = append(ids, id)
	}
	if last == lastBare+"." {
		c.Period = 1
		if lastID != unknown {
			c.Punctuated--
		}
	}
	named := len(ids) - c.Unknown
	ids = p.merge(ids)
	for _, id := range ids {
		if id != unknown {
			out.Genes = append(out.Genes, p.words[id])
		}
	}
	c.Genes = len(out.Genes)
	c.Repeated = named - c.Genes
	return out
}

// find looks a word up and returns it without the marks behind it, unless the
// vocabulary has it with them.
func (p *GeneParser) find(word string, c *GeneCounts) (id int32, bare string) {
	if id, ok := p.exact[word]; ok {
		return id, word
	}
	bare = strings.TrimRight(word, marks)
	if id, ok := p.exact[bare]; ok {
		return id, bare
	}
	up := strings.ToUpper(bare)
	id, ok := p.exact[up]
	if !ok {
		if id, ok = p.folded[up]; !ok {
			return unknown, bare
		}
	}
	c.Recased++
	return id, bare
}

// merge leaves each gene once, by the parser's rule.
func (p *GeneParser) merge(ids []int32) []int32 {
	repeated, some := repeats(ids)
	switch {
	case !some:
		return ids
	case p.cfg.Repeats == RepeatsFirst:
		return first(ids)
	}
	return mean(ids, repeated)
}

// repeats has for each gene whether it comes several times, and whether any does.
func repeats(ids []int32) (repeated map[int32]bool, some bool) {
	repeated = make(map[int32]bool, len(ids))
	for _, id := range ids {
		if id == unknown {
			continue
		}
		_, again := repeated[id]
		repeated[id] = again
		some = some || again
	}
	return repeated, some
}

// first leaves each gene where it first comes.
func first(ids []int32) []int32 {
	seen := make(map[int32]bool, len(ids))
	out := ids[:0]
	for _, id := range ids {
		if id == unknown || !seen[id] {
			out = append(out, id)
			seen[id] = true
		}
	}
	return out
}

// mean leaves each gene at the mean of its positions, as [RepeatsMean] says. Genes
// that come several times are true in repeated.
func mean(ids []int32, repeated map[int32]bool) []int32 {
	var order []int32
	for _, id := range ids {
		if repeated[id] {
			order = append(order, id)
			repeated[id] = false
		}
	}
	for _, gene := range order {
		sum, n := 0, 0
		out := ids[:0]
		for i, id := range ids {
			if id == gene {
				sum += i
				n++
			} else {
				out = append(out, id)
			}
		}
		at := min(sum/n, len(out))
		ids = append(out, 0)
		copy(ids[at+1:], ids[at:])
		ids[at] = gene
	}
	return ids
}
