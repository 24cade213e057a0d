package cellsentence

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/cellsentence/c2s/h5ad"
)

// Where a [Decoder] takes the number of expressed genes of a cell from, beside
// a number above zero that holds for all cells.
const (
	// NGenesAuto tells it from the sentence. A whole sentence has a word for each
	// expressed gene. One that was cut (see [DecoderConfig.TopK]) does not tell, and
	// gets the mean expression over the cells that may have begun like it.
	NGenesAuto = 0
	// NGenesColumn takes it from [Sentences.NGenes], and where that is missing or
	// not above zero, as NGenesAuto does.
	NGenesColumn = -1
)

// DecoderConfig is how sentences become expression. Only Model must be set.
type DecoderConfig struct {
	// Model gives the expression of a rank.
	Model *RankModel
	// NGenes is the number of expressed genes of every cell, or [NGenesAuto] or
	// [NGenesColumn]. The linear model does not use it.
	NGenes int
	// TopK is the number of words at which sentences were cut. 0 means that this
	// is not known: then a sentence with fewer words than any cell of the model's
	// fit had genes counts as cut. Only NGenesAuto uses it.
	TopK int
	// Delimiter stands between the words; "" means one blank.
	Delimiter string
	// Workers is the number of goroutines; 0 means GOMAXPROCS. It has no influence
	// on the result.
	Workers int
}

// Decoder turns sentences into expression: the gene of the word at position p,
// from 0, gets the model's expression at rank p, all other genes are 0. As in
// the reference package, a word that is no gene keeps its position, and the
// last occurrence of a repeated gene counts. Words are compared as they stand.
//
// A linear model gives the numbers of the reference package, rounded once to
// float32 and not cut off below zero.
type Decoder struct {
	cfg     DecoderConfig
	table   *wordTable
	genes   int
	cut     int // without TopK: fewer words mean that a sentence was cut
	workers []*decodeWorker

	mu    sync.Mutex
	stats DecodeStats
	words unknownWords
}

// NewDecoder returns a decoder to a matrix whose columns have the given words,
// such as those of [Encoder.Words] or of a [Vocabulary]. Columns without a word
// ("") stay empty. A word that two columns have is an error, as are settings out
// of range.
func NewDecoder(words []string, cfg DecoderConfig) (*Decoder, error) {
	switch {
	case cfg.Model == nil:
		return nil, errors.New("decoding needs a rank model")
	case cfg.NGenes < NGenesColumn:
		return nil, fmt.Errorf("%d expressed genes: give a number above 0, column or auto", cfg.NGenes)
	case cfg.TopK < 0:
		return nil, fmt.Errorf("top-k is %d: give a number of words, or 0", cfg.TopK)
	case cfg.Workers < 0:
		return nil, fmt.Errorf("%d workers: give a number, or 0 for one a processor", cfg.Workers)
	}
	if err := cfg.Model.check(); err != nil {
		return nil, badInput("rank model: %w", err)
	}
	if cfg.Delimiter == "" {
		cfg.Delimiter = " "
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	columns := make(map[string]int, len(words))
	for i, w := range words {
		switch first, twice := columns[w]; {
		case w == "":
		case twice:
			return nil, badInput("columns %d and %d have the same word %s", first, i, quote(w))
		case strings.Contains(w, cfg.Delimiter):
			return nil, badInput("column %d: the word %s holds the delimiter %q", i, quote(w), cfg.Delimiter)
		default:
			columns[w] = i
		}
	}
	if len(columns) == 0 {
		return nil, badInput("the vocabulary has no word")
	}
	d := &Decoder{cfg: cfg, table: newWordTable(words, cfg.Delimiter), genes: len(words), cut: cfg.Model.least()}
	for range cfg.Workers {
		d.workers = append(d.workers, newDecodeWorker(d))
	}
	return d, nil
}

// Decode yields the expression of batches of sentences, such as [Encoder.Encode]
// yields them: float32 in compressed sparse rows, columns rising. The batch is
// valid until the next iteration. An error is the last thing yielded: that of
// sentences, or the cause of a cancelled ctx. A decoder serves one Decode at a
// time.
func (d *Decoder) Decode(ctx context.Context, sentences iter.Seq2[*Sentences, error]) iter.Seq2[*h5ad.Batch, error] {
	return func(yield func(*h5ad.Batch, error) bool) {
		var b h5ad.Batch
		for s, err := range sentences {
			if err == nil {
				err = d.batch(ctx, s, &b)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&b, nil) {
				return
			}
		}
	}
}

// batch shares out the cells of s in runs, whose results follow each other.
func (d *Decoder) batch(ctx context.Context, s *Sentences, b *h5ad.Batch) error {
	if d.cfg.NGenes == NGenesColumn && s.NGenes != nil && len(s.NGenes) != s.Len() {
		return fmt.Errorf("%s with %d numbers of genes", plural(s.Len(), "sentence"), len(s.NGenes))
	}
	n := len(d.workers)
	var wg sync.WaitGroup
	for i, w := range d.workers {
		wg.Go(func() { w.run(ctx, s, i*s.Len()/n, (i+1)*s.Len()/n) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.Start = s.Start
	b.Indptr, b.Indices = append(b.Indptr[:0], 0), b.Indices[:0]
	values, _ := b.Values.([]float32)
	values = values[:0]
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		at := int64(len(values))
		for _, end := range w.ends {
			b.Indptr = append(b.Indptr, at+int64(end))
		}
		b.Indices = append(b.Indices, w.cols...)
		values = append(values, w.values...)
		d.stats.add(w.stats)
		d.words.merge(&w.unknown)
	}
	b.Values = values
	return nil
}

// decodeWorker decodes runs of cells for one goroutine.
type decodeWorker struct {
	d     *Decoder
	model *predictor
	at    []int32  // by column: the position of its word in this cell
	seen  []uint64 // by column, a bit: it has one

	ends    []int
	cols    []int32
	values  []float32
	stats   DecodeStats
	unknown localWords
}

func newDecodeWorker(d *Decoder) *decodeWorker {
	return &decodeWorker{
		d: d, model: newPredictor(d.cfg.Model),
		at: make([]int32, d.genes), seen: make([]uint64, (d.genes+63)/64),
	}
}

// run decodes the cells [lo, hi) of s.
func (w *decodeWorker) run(ctx context.Context, s *Sentences, lo, hi int) {
	w.ends, w.cols, w.values = w.ends[:0], w.cols[:0], w.values[:0]
	w.stats = DecodeStats{}
	w.unknown.reset()
	for i := lo; i < hi; i++ {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return
		}
		words := w.place(s.Text, s.Ends[i]-len(s.At(i)), s.Ends[i])
		w.read(words, w.d.nGenes(s, i, words))
		w.ends = append(w.ends, len(w.cols))
	}
}

// place notes the positions of the words in text[p:end] and returns their number.
func (w *decodeWorker) place(text []byte, p, end int) int {
	w.stats.Cells++
	if p == end {
		w.stats.EmptyCells++
		return 0
	}
	table := w.d.table
	for n := 0; ; n++ {
		stop, col := table.next(text, p, end)
		if col >= 0 {
			bit := uint64(1) << (col & 63)
			if w.seen[col>>6]&bit != 0 {
				w.stats.Repeats++
			}
			w.seen[col>>6] |= bit
			w.at[col] = int32(n)
		} else {
			w.stats.Unknown++
			w.unknown.add(text[p:stop])
		}
		if stop == end {
			w.stats.Words += int64(n + 1)
			return n + 1
		}
		p = stop + len(table.delimiter)
	}
}

// read appends the expression of the noted words and forgets them.
func (w *decodeWorker) read(words, nGenes int) {
	curve := w.model.curve(words, nGenes)
	at := len(w.cols)
	w.cols, w.values = slices.Grow(w.cols, words), slices.Grow(w.values, words)
	for i, set := range w.seen {
		w.seen[i] = 0
		for ; set != 0; set &= set - 1 {
			col := int32(i<<6 + bits.TrailingZeros64(set))
			v := curve[w.at[col]]
			w.cols, w.values = append(w.cols, col), append(w.values, v)
			if v <= 0 {
				w.stats.Negative++
			}
		}
	}
	if words > 0 && len(w.cols) == at {
		w.stats.LostCells++
	}
}

// nGenes is the number of expressed genes of cell i, 0 if it is not known.
func (d *Decoder) nGenes(s *Sentences, i, words int) int {
	switch {
	case d.cfg.NGenes > 0:
		return d.cfg.NGenes
	case d.cfg.NGenes == NGenesColumn && s.NGenes != nil && s.NGenes[i] > 0:
		return int(s.NGenes[i])
	}
	cut := words < d.cut
	if d.cfg.TopK > 0 {
		cut = words >= d.cfg.TopK
	}
	if cut {
		return 0
	}
	return words
}
