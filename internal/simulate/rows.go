package simulate

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
)

// Batch is a run of consecutive cells in compressed sparse rows, sorted within the
// row.
type Batch struct {
	// Start is the row of the first cell.
	Start int
	// Indptr has one entry more than the batch has cells and begins with 0.
	Indptr  []int64
	Indices []int32
	Counts  []int32
	// Truth has an entry a cell.
	Truth []Truth
}

// NObs is the number of cells.
func (b *Batch) NObs() int { return len(b.Truth) }

// Options says how [World.Rows] works. No option changes the cells.
type Options struct {
	// Start is the first row.
	Start int
	// Batch is the number of cells in a batch (0: 256); the last may have fewer.
	Batch int
	// Workers is the number of batches drawn at a time (0: one a processor).
	Workers int
	// Spec says what the cell of a row is (nil: [World.Spec]). It is called from
	// several goroutines at once.
	Spec func(row int) CellSpec
}

// Rows draws n cells and gives them in row order, in batches that are valid until
// the next one is asked for. It ends with the error of ctx or of a specification.
func (w *World) Rows(ctx context.Context, n int, opt Options) iter.Seq2[*Batch, error] {
	if opt.Batch <= 0 {
		opt.Batch = 256
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.Spec == nil {
		opt.Spec = w.Spec
	}
	return func(yield func(*Batch, error) bool) {
		if n < 0 || opt.Start < 0 || opt.Start+n < n {
			yield(nil, fmt.Errorf("%w: %d rows from row %d", ErrSpec, n, opt.Start))
			return
		}
		w.rows(ctx, n, opt, yield)
	}
}

// job is a batch on its way through a worker.
type job struct {
	batch Batch
	n     int
	err   error
	done  chan struct{} // holds one token once the batch is drawn
}

// rows hands jobs to workers in row order and takes them back in the same order.
// Jobs are reused, which bounds memory to two batches a worker.
func (w *World) rows(ctx context.Context, n int, opt Options, yield func(*Batch, error) bool) {
	inner, stop := context.WithCancel(ctx)
	depth := 2 * opt.Workers
	work := make(chan *job, depth)
	var wg sync.WaitGroup
	for range opt.Workers {
		wg.Go(func() {
			var c Cell
			for j := range work {
				j.err = w.fill(inner, j, &c, opt.Spec)
				j.done <- struct{}{}
			}
		})
	}
	defer func() {
		stop()
		close(work)
		wg.Wait()
	}()

	var queue []*job // in row order, those out at work
	next := 0
	send := func(j *job) {
		j.batch.Start, j.n = opt.Start+next, min(opt.Batch, n-next)
		next += j.n
		queue = append(queue, j)
		work <- j
	}
	for len(queue) < depth && next < n {
		send(&job{done: make(chan struct{}, 1)})
	}
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		<-j.done
		if j.err != nil {
			yield(nil, j.err)
			return
		}
		if !yield(&j.batch, nil) {
			return
		}
		if next < n {
			send(j)
		}
	}
}

// fill draws the cells of a job.
func (w *World) fill(ctx context.Context, j *job, c *Cell, spec func(int) CellSpec) error {
	b := &j.batch
	b.Indptr = append(b.Indptr[:0], 0)
	b.Indices, b.Counts, b.Truth = b.Indices[:0], b.Counts[:0], b.Truth[:0]
	for i := range j.n {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row := b.Start + i
		if err := w.Cell(row, spec(row), c); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		b.Indices = append(b.Indices, c.Indices...)
		b.Counts = append(b.Counts, c.Counts...)
		b.Indptr = append(b.Indptr, int64(len(b.Indices)))
		b.Truth = append(b.Truth, c.Truth)
	}
	return nil
}

// Matrix draws n cells into memory.
func (w *World) Matrix(ctx context.Context, n int, opt Options) (*Batch, error) {
	out := &Batch{Start: opt.Start, Indptr: []int64{0}}
	for b, err := range w.Rows(ctx, n, opt) {
		if err != nil {
			return nil, err
		}
		at := int64(len(out.Indices))
		for _, p := range b.Indptr[1:] {
			out.Indptr = append(out.Indptr, at+p)
		}
		out.Indices = append(out.Indices, b.Indices...)
		out.Counts = append(out.Counts, b.Counts...)
		out.Truth = append(out.Truth, b.Truth...)
	}
	return out, nil
}
