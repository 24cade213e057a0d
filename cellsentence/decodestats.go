package cellsentence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// DecodeStats counts what a [Decoder] has yielded so far.
type DecodeStats struct {
	Cells      int64 `json:"cells"`
	EmptyCells int64 `json:"empty_cells"` // cells without a word
	LostCells  int64 `json:"lost_cells"`  // cells with words, none of which is a gene
	Words      int64 `json:"words"`       // words read
	Unknown    int64 `json:"unknown"`     // of them, those that are no gene; they keep their position
	Repeats    int64 `json:"repeats"`     // of them, those whose gene stood there before; the last one counts
	Negative   int64 `json:"negative"`    // values at or below zero, which a linear model gives to deep ranks
}

func (s *DecodeStats) add(o DecodeStats) {
	s.Cells += o.Cells
	s.EmptyCells += o.EmptyCells
	s.LostCells += o.LostCells
	s.Words += o.Words
	s.Unknown += o.Unknown
	s.Repeats += o.Repeats
	s.Negative += o.Negative
}

// WordCount is a word and how often it came.
type WordCount struct {
	Word  string `json:"word"`
	Count int64  `json:"count"`
}

// Stats returns the counts of all batches yielded so far.
func (d *Decoder) Stats() DecodeStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// UnknownWords lists the words that are no gene, the most frequent first and then
// by name; what is longer than 64 bytes is cut. Of the different ones the first
// 10,000 are listed. rest counts the others.
func (d *Decoder) UnknownWords() (list []WordCount, rest int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.words.order {
		list = append(list, WordCount{w, d.words.counts[w]})
	}
	slices.SortFunc(list, func(a, b WordCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word))
	})
	return list, d.words.rest
}

// Warnings returns, for people, what about the sentences decoded so far they
// might not expect, a sentence each.
func (d *Decoder) Warnings() []string {
	s := d.Stats()
	var out []string
	note := func(n int64, noun, format string, args ...any) {
		if n > 0 {
			out = append(out, plural(int(n), noun)+fmt.Sprintf(format, args...))
		}
	}
	note(s.EmptyCells, "cell", " without a word: no gene is expressed")
	note(s.LostCells, "cell", " without a gene among the words: no gene is expressed")
	if s.Unknown > 0 {
		words, _ := d.UnknownWords()
		var some []string
		for _, w := range words[:min(shown, len(words))] {
			some = append(some, fmt.Sprintf("%s (%d)", quote(w.Word), w.Count))
		}
		note(s.Unknown, "word", " of %d not in the vocabulary, such as %s: they keep their position", s.Words, strings.Join(some, ", "))
	}
	note(s.Repeats, "repeat", " of a gene: its last position counts")
	note(s.Negative, "value", " at or below zero: the linear model reaches it at rank %d; "+
		"a conditional model stays above", d.zeroRank())
	return out
}

// zeroRank is the first rank at which the line is not above zero.
func (d *Decoder) zeroRank() int {
	r := 0
	for r < d.genes && float32(d.cfg.Model.line(r)) > 0 {
		r++
	}
	return r
}

const (
	maxUnknownWords = 10_000
	maxUnknownBytes = 64
)

// localWords counts the unknown words of one run, which bounds it.
type localWords struct {
	index map[string]int
	words []WordCount // in the order of their first occurrence
}

func (l *localWords) reset() {
	clear(l.index)
	l.words = l.words[:0]
}

func (l *localWords) add(word []byte) {
	word = word[:min(len(word), maxUnknownBytes)]
	if i, ok := l.index[string(word)]; ok {
		l.words[i].Count++
		return
	}
	if l.index == nil {
		l.index = make(map[string]int)
	}
	w := string(word)
	l.index[w] = len(l.words)
	l.words = append(l.words, WordCount{w, 1})
}

// unknownWords counts the first different words over all runs. Runs are merged in
// their order, so that which ones these are does not depend on how cells were
// shared out.
type unknownWords struct {
	counts map[string]int64
	order  []string
	rest   int64
}

func (u *unknownWords) merge(l *localWords) {
	for _, w := range l.words {
		if _, ok := u.counts[w.Word]; !ok {
			if len(u.order) == maxUnknownWords {
				u.rest += w.Count
				continue
			}
			if u.counts == nil {
				u.counts = make(map[string]int64)
			}
			u.order = append(u.order, w.Word)
		}
		u.counts[w.Word] += w.Count
	}
}
