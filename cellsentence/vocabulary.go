package cellsentence

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
)

// Vocabulary is the words of one or more matrices in order, each with the
// number of cells that express its gene. The zero value is empty.
type Vocabulary struct {
	words  []string
	counts []int64
	index  map[string]int
}

// CountVocabulary reads src to its end and counts the cells that express each
// gene, which is the cells where its value is above zero. Words are in the order
// of the columns. Of cfg, Collisions, Delimiter, KeepCase and Exclude are used; the
// errors are those of [NewEncoder] and [Encoder.Encode].
func CountVocabulary(ctx context.Context, genes []string, src Source, cfg Config) (*Vocabulary, error) {
	w, err := newWords(genes, &cfg)
	if err != nil {
		return nil, err
	}
	counts, err := w.countCells(ctx, src)
	if err != nil {
		return nil, err
	}
	v := &Vocabulary{}
	for i, word := range w.list {
		if word != "" {
			v.Add(word, counts[i])
		}
	}
	return v, nil
}

// CountCells reads src to its end and returns, for each column, the number of
// cells whose value is above zero. The genes name the columns in errors and may
// be any strings.
func CountCells(ctx context.Context, genes []string, src Source) ([]int64, error) {
	w := &words{names: genes, list: genes}
	return w.countCells(ctx, src)
}

func (w *words) countCells(ctx context.Context, src Source) ([]int64, error) {
	counts := make([]int64, len(w.list))
	var b h5ad.Batch
	for {
		switch err := src.Next(ctx, &b); {
		case errors.Is(err, io.EOF):
			return counts, nil
		case err != nil:
			return nil, err
		}
		if err := checkBatch(&b); err != nil {
			return nil, err
		}
		if err := w.countBatch(counts, &b); err != nil {
			return nil, err
		}
	}
}

func (w *words) countBatch(counts []int64, b *h5ad.Batch) error {
	switch v := b.Values.(type) {
	case []float32:
		return countValues(w, counts, b, v)
	case []float64:
		return countValues(w, counts, b, v)
	case []int8:
		return countValues(w, counts, b, v)
	case []int16:
		return countValues(w, counts, b, v)
	case []int32:
		return countValues(w, counts, b, v)
	case []int64:
		return countValues(w, counts, b, v)
	case []uint8:
		return countValues(w, counts, b, v)
	case []uint16:
		return countValues(w, counts, b, v)
	case []uint32:
		return countValues(w, counts, b, v)
	case []uint64:
		return countValues(w, counts, b, v)
	}
	return errValues
}

func countValues[T h5ad.Number](w *words, counts []int64, b *h5ad.Batch, vals []T) error {
	for i := range b.NObs() {
		lo, hi := b.Indptr[i], b.Indptr[i+1]
		cols, cell := b.Indices[lo:hi], vals[lo:hi]
		for k, v := range cell {
			c := uint32(cols[k])
			if c >= uint32(len(counts)) {
				return w.badEntry(b.Start+i, int(cols[k]), float64(v))
			}
			if w.role != nil && w.role[c] == excluded {
				continue
			}
			if !(v >= 0) || float64(v) > math.MaxFloat64 {
				return w.badEntry(b.Start+i, int(c), float64(v))
			}
			if v > 0 {
				counts[c]++
			}
		}
	}
	return nil
}

// Add adds n cells to a word, which takes the last place if it is new.
func (v *Vocabulary) Add(word string, n int64) {
	i, ok := v.index[word]
	if !ok {
		if v.index == nil {
			v.index = make(map[string]int)
		}
		i = len(v.words)
		v.index[word] = i
		v.words = append(v.words, word)
		v.counts = append(v.counts, 0)
	}
	v.counts[i] += n
}

// Merge adds the words and counts of o; those that are new to v follow in o's
// order.
func (v *Vocabulary) Merge(o *Vocabulary) {
	for word, n := range o.All() {
		v.Add(word, n)
	}
}

// Len is the number of words.
func (v *Vocabulary) Len() int { return len(v.words) }

// At returns the word at place i, from 0, and the number of cells that express
// it.
func (v *Vocabulary) At(i int) (word string, cells int64) { return v.words[i], v.counts[i] }

// Index returns the place of a word, or -1.
func (v *Vocabulary) Index(word string) int {
	if i, ok := v.index[word]; ok {
		return i
	}
	return -1
}

// All yields the words in order with the number of cells that express them.
func (v *Vocabulary) All() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for i, word := range v.words {
			if !yield(word, v.counts[i]) {
				return
			}
		}
	}
}

// WriteTo writes a line a word: the word, a tab, the number of cells.
func (v *Vocabulary) WriteTo(w io.Writer) (int64, error) {
	bw := bufio.NewWriter(w)
	var n int64
	var line []byte
	for i, word := range v.words {
		line = append(append(line[:0], word...), '\t')
		line = append(strconv.AppendInt(line, v.counts[i], 10), '\n')
		k, err := bw.Write(line)
		if n += int64(k); err != nil {
			return n, err
		}
	}
	return n, bw.Flush()
}

// maxLine bounds a line of a vocabulary file.
const maxLine = 1 << 20

// ReadVocabulary reads lines of a word and a number of cells with a tab or
// blanks between them, the form of [Vocabulary.WriteTo] and of the files of
// cell2sentence-ft. Lines of one word, as in a plain list of genes, count as 0
// cells. Empty lines are skipped. Words are taken as they stand; a word that
// comes twice is an error.
func ReadVocabulary(r io.Reader) (*Vocabulary, error) {
	v := &Vocabulary{}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	line := 0
	for sc.Scan() {
		line++
		f := strings.Fields(sc.Text())
		n := int64(0)
		switch len(f) {
		case 0:
			continue
		case 1:
		case 2:
			var err error
			if n, err = strconv.ParseInt(f[1], 10, 64); err != nil || n < 0 {
				return nil, fmt.Errorf("vocabulary line %d: %s is no number of cells", line, quote(f[1]))
			}
		default:
			return nil, fmt.Errorf("vocabulary line %d has %d fields: give a gene and a number of cells", line, len(f))
		}
		if v.Index(f[0]) >= 0 {
			return nil, fmt.Errorf("vocabulary line %d: %s comes twice", line, quote(f[0]))
		}
		v.Add(f[0], n)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("vocabulary line %d: %w", line+1, err)
	}
	return v, nil
}
