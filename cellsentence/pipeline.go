package cellsentence

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/mt19937"
)

// A job is one batch on its way through the pipeline. A few of them go round:
//
//	free ─► read ─► drawn ─► work ─► (workers)
//	  ▲                └───► done ─► (caller) ─┐
//	  └────────────────────────────────────────┘
//
// The caller takes them from done in the order of reading and waits for each to
// be ready. As many as there are fit into any queue, so that only taking from
// free can wait for the caller.
type job struct {
	batch h5ad.Batch
	draws []uint32 // TiesPython: the draws of all cells, one after the other
	sizes []int    // how many of them each cell has
	out   Sentences
	stats Stats
	lost  []int64 // values that lost their word, by collision
	err   error
	ready chan struct{}
}

type pipeline struct {
	enc    *Encoder
	cancel context.CancelFunc
	wg     sync.WaitGroup
	free   chan *job
	read   chan *job
	work   chan *job
	done   chan *job
}

func (e *Encoder) start(ctx context.Context, src Source) *pipeline {
	ctx, cancel := context.WithCancel(ctx)
	n := e.cfg.Workers + 2
	p := &pipeline{
		enc: e, cancel: cancel,
		free: make(chan *job, n), read: make(chan *job, n), work: make(chan *job, n), done: make(chan *job, n),
	}
	for range n {
		p.free <- &job{ready: make(chan struct{}, 1), lost: make([]int64, len(e.dropped))}
	}
	p.wg.Go(func() { p.reader(ctx, src) })
	p.wg.Go(func() { p.drawer(ctx) })
	for range e.cfg.Workers {
		p.wg.Go(func() { p.worker(ctx) })
	}
	return p
}

func (p *pipeline) stop() {
	p.cancel()
	p.wg.Wait()
}

// reader fills jobs from the source until it ends or fails.
func (p *pipeline) reader(ctx context.Context, src Source) {
	defer close(p.read)
	for {
		var j *job
		select {
		case j = <-p.free:
		case <-ctx.Done():
			return
		}
		err := src.Next(ctx, &j.batch)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = checkBatch(&j.batch)
		}
		j.err = err
		p.read <- j // from here on the job is another's
		if err != nil {
			return
		}
	}
}

// drawer makes the draws of TiesPython, which follow one stream, and hands the
// jobs on, both to the workers and to the caller.
func (p *pipeline) drawer(ctx context.Context) {
	defer close(p.done)
	defer close(p.work)
	var d *drawing
	if p.enc.cfg.Ties == TiesPython {
		d = &drawing{enc: p.enc, stream: mt19937.New(uint32(p.enc.cfg.Seed))}
	}
	for j := range p.read {
		if d != nil && j.err == nil {
			j.err = d.draw(ctx, j)
		}
		p.done <- j
		p.work <- j
	}
}

// worker makes sentences.
func (p *pipeline) worker(ctx context.Context) {
	r := newRanker(p.enc.cfg.Ties, len(p.enc.words.list))
	for j := range p.work {
		if j.err == nil {
			j.err = p.enc.encodeJob(ctx, r, j)
		}
		j.ready <- struct{}{}
	}
}
