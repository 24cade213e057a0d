package predictor

import (
	"context"
	"io"
	"strings"
	"sync/atomic"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb"
)

// ranker makes sentences of predicted expression by the rules of package cellsentence,
// ties included.
type ranker struct {
	genes []string
	topK  int
	last  atomic.Pointer[seeded] // requests of one seed come together
}

type seeded struct {
	seed uint64
	enc  *cellsentence.Encoder
}

func newRanker(genes []string, topK int) (*ranker, error) {
	r := &ranker{genes: genes, topK: topK}
	_, err := r.encoder(0)
	return r, err
}

func (r *ranker) encoder(seed uint64) (*cellsentence.Encoder, error) {
	if s := r.last.Load(); s != nil && s.seed == seed {
		return s.enc, nil
	}
	enc, err := cellsentence.NewEncoder(r.genes, cellsentence.Config{TopK: r.topK, Seed: seed, Workers: 1})
	if err != nil {
		return nil, &InputError{Err: err}
	}
	r.last.Store(&seeded{seed, enc})
	return enc, nil
}

// sentences gives each cell its genes, by the values that it has and its row.
func (r *ranker) sentences(ctx context.Context, seed uint64, rows []int, cells []perturb.Predicted) error {
	enc, err := r.encoder(seed)
	if err != nil {
		return err
	}
	at := 0
	for s, err := range enc.Encode(ctx, &oneByOne{rows: rows, cells: cells}) {
		if err != nil {
			return err
		}
		cells[at].Genes = strings.Fields(string(s.At(0)))
		at++
	}
	return nil
}

// oneByOne is cells as batches of one, since their rows need not follow each other.
type oneByOne struct {
	rows  []int
	cells []perturb.Predicted
	at    int
}

// Next implements cellsentence.Source.
func (o *oneByOne) Next(_ context.Context, b *h5ad.Batch) error {
	if o.at == len(o.cells) {
		return io.EOF
	}
	b.Start, b.Indices = o.rows[o.at], b.Indices[:0]
	values, _ := b.Values.([]float32)
	values = values[:0]
	for g, v := range o.cells[o.at].Values {
		if v != 0 {
			b.Indices, values = append(b.Indices, int32(g)), append(values, v)
		}
	}
	b.Indptr, b.Values = append(b.Indptr[:0], 0, int64(len(values))), values
	o.at++
	return nil
}
