package cellsentence

import (
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
)

// Config is how cells become sentences. The zero value gives whole sentences of
// upper-cased names, joined by a blank, ties in random order with the seed 0, on
// all processors.
type Config struct {
	// TopK is the number of genes a sentence has at most; 0 means all that are
	// expressed.
	TopK int
	// Ties orders genes of equal value.
	Ties Ties
	// Seed keys TiesRandom and seeds the generator of TiesPython, where it must be
	// below 2^32. It is used as it is: the reference package always takes
	// [DefaultSeed].
	Seed uint64
	// Collisions says what becomes of genes whose names are the same word.
	Collisions Collisions
	// Delimiter stands between the words; "" means one blank.
	Delimiter string
	// KeepCase leaves names as they are. The reference package, and so its
	// models, upper-case them by Python's str.upper.
	KeepCase bool
	// Exclude, if not nil, has an entry for each gene; the columns of those that
	// are true count as absent, as though the matrix had been cut before: they
	// need no valid name, their values are not looked at, and under TiesPython
	// they take no part in the draws.
	Exclude []bool
	// Workers is the number of goroutines that rank cells, beside one that reads;
	// 0 means GOMAXPROCS. It has no influence on the result.
	Workers int
	// Before gives, under TiesPython, the number of stored values of each cell in
	// front of the source's first, from row 0 on and without those of excluded
	// columns. The draws of these cells must be made before those of the first
	// (about 5 ns a value). It is nil for a source that starts at row 0; other
	// rules for ties ignore it.
	Before iter.Seq[int]
}

func (c *Config) delimiter() string {
	if c.Delimiter == "" {
		return " "
	}
	return c.Delimiter
}

// Encoder turns cells into sentences. It is safe for concurrent use.
type Encoder struct {
	cfg   Config
	words *words

	mu      sync.Mutex
	stats   Stats
	dropped []int64 // values that lost their word, by collision
}

// NewEncoder returns an encoder for a matrix whose columns are the given genes.
//
// It returns a [*NameError] for names that cannot be words, a [*CollisionError]
// for names that are the same word under CollisionsError, and other errors for
// settings out of range.
func NewEncoder(genes []string, cfg Config) (*Encoder, error) {
	switch {
	case cfg.TopK < 0:
		return nil, fmt.Errorf("top-k is %d: give a number of genes, or 0 for all", cfg.TopK)
	case cfg.Workers < 0:
		return nil, fmt.Errorf("%d workers: give a number, or 0 for one a processor", cfg.Workers)
	case cfg.Ties > TiesIndex:
		return nil, fmt.Errorf("unknown rule for ties %d", cfg.Ties)
	case cfg.Ties == TiesPython && cfg.Seed > math.MaxUint32:
		return nil, fmt.Errorf("seed %d: NumPy's generator, which python ties repeat, takes seeds below 2^32", cfg.Seed)
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.TopK == 0 {
		cfg.TopK = math.MaxInt
	}
	cfg.Exclude = slices.Clone(cfg.Exclude)
	w, err := newWords(slices.Clone(genes), &cfg)
	if err != nil {
		return nil, err
	}
	return &Encoder{cfg: cfg, words: w, dropped: make([]int64, len(w.collisions))}, nil
}

// Sentences is the sentences of a batch of consecutive cells.
type Sentences struct {
	// Start is the row of the first cell in the whole matrix.
	Start int
	// Text is the sentences back to back, without anything between them; the
	// sentence of cell i ends at Ends[i].
	Text []byte
	Ends []int
	// NGenes is the number of expressed genes of each cell that have a word, before
	// top-k: under TopK 0 the number of words in the sentence.
	NGenes []int32
	// Total is the sum of each cell's values over all genes that are not
	// excluded, added up as float64 in the order in which they are stored.
	Total []float64
}

// Len is the number of cells.
func (s *Sentences) Len() int { return len(s.Ends) }

// At returns the sentence of cell i, which counts from 0 in the batch. An empty
// cell has an empty sentence.
func (s *Sentences) At(i int) []byte {
	start := 0
	if i > 0 {
		start = s.Ends[i-1]
	}
	return s.Text[start:s.Ends[i]:s.Ends[i]]
}

func (s *Sentences) reset(start int) {
	s.Start, s.Text, s.Ends, s.NGenes, s.Total = start, s.Text[:0], s.Ends[:0], s.NGenes[:0], s.Total[:0]
}

// Encode reads src to its end and yields the sentences of its batches, in
// order. It can be ranged over once. The yielded value and its slices are valid
// until the next iteration.
//
// An error is the last thing yielded, with nil sentences: one from the source as
// it is, the cause of a cancelled ctx, or that of the first bad cell, such as a
// [*ScaledError] or a [*NonFiniteError]; batches before it are yielded first.
// When the loop ends, early or not, all goroutines have ended and src is no longer
// in use.
//
// Memory is bounded by Workers + 2 batches with their sentences.
func (e *Encoder) Encode(ctx context.Context, src Source) iter.Seq2[*Sentences, error] {
	return func(yield func(*Sentences, error) bool) {
		p := e.start(ctx, src)
		defer p.stop()
		for j := range p.done {
			<-j.ready
			if j.err != nil {
				yield(nil, j.err)
				return
			}
			e.count(j)
			if !yield(&j.out, nil) {
				return
			}
			p.free <- j
		}
		// The queue also ends when ctx is done.
		if ctx.Err() != nil {
			yield(nil, context.Cause(ctx))
		}
	}
}

// Words returns the word of each column, "" for excluded columns and for those
// that left their word to another. The caller must not change it.
func (e *Encoder) Words() []string { return e.words.list }
