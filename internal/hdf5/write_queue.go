package hdf5

import (
	"context"
	"sync"
	"sync/atomic"
)

// wJob is a chunk on its way to the file.
type wJob struct {
	ds     *DatasetWriter
	number uint64 // position in the grid of chunks
	raw    []byte // owned by the job
	stored []byte
	mask   uint32
	err    error
	done   chan struct{} // closed when stored, mask and err are set
}

// wQueue compresses chunks in parallel and writes them in the order in which
// they came. Each chunk has a goroutine of its own that ends with the chunk: an
// abandoned writer leaves none behind.
type wQueue struct {
	w       *Writer
	slots   chan struct{} // one for each chunk that may be compressed at a time
	depth   int
	jobs    []*wJob // in order; at most depth
	stopped atomic.Bool
	running sync.WaitGroup

	mu       sync.Mutex
	encoders []*wEncoder // idle
	buffers  [][]byte    // idle, of the capacity last asked for
}

func (q *wQueue) init(w *Writer, workers int) {
	q.w = w
	q.slots = make(chan struct{}, workers)
	// While the caller writes or fills a chunk, the workers have others.
	q.depth = 2 * workers
}

// submit takes over job, waiting for room in the queue.
func (q *wQueue) submit(ctx context.Context, job *wJob) error {
	for len(q.jobs) >= q.depth {
		if err := q.commit(ctx); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return q.w.stop(job.ds.path, err)
	}
	job.done = make(chan struct{})
	q.jobs = append(q.jobs, job)
	if len(job.ds.spec.Filters) == 0 || job.stored != nil {
		if job.stored == nil {
			job.stored, job.raw = job.raw, nil
		}
		close(job.done)
	} else {
		q.running.Add(1)
		go q.run(job)
	}
	for len(q.jobs) > 0 {
		select {
		case <-q.jobs[0].done:
			if err := q.commit(ctx); err != nil {
				return err
			}
			continue
		default:
		}
		break
	}
	return nil
}

func (q *wQueue) run(job *wJob) {
	defer q.running.Done()
	defer close(job.done)
	q.slots <- struct{}{}
	defer func() { <-q.slots }()
	if q.stopped.Load() {
		job.err = context.Canceled
		return
	}
	e := q.encoder()
	var out []byte
	out, job.mask, job.err = e.encode(job.ds.spec.Filters, job.raw)
	job.stored = append(q.buffer(len(out))[:0], out...)
	q.giveBack(e, job.raw)
	job.raw = nil
}

// commit waits for the first job and writes its chunk.
func (q *wQueue) commit(ctx context.Context) error {
	job := q.jobs[0]
	select {
	case <-job.done:
	case <-ctx.Done():
		return q.w.stop(job.ds.path, ctx.Err())
	}
	q.jobs = q.jobs[1:]
	err := job.err
	if err == nil {
		err = job.ds.store(job)
	}
	if err != nil {
		return q.w.stop(job.ds.path, err)
	}
	q.giveBack(nil, job.stored)
	return nil
}

func (q *wQueue) drain() error {
	for len(q.jobs) > 0 {
		if err := q.commit(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// cancel makes chunks that wait for a worker end at once.
func (q *wQueue) cancel() { q.stopped.Store(true) }

// wait returns when no goroutine of the queue is left.
func (q *wQueue) wait() {
	q.running.Wait()
	q.jobs, q.encoders, q.buffers = nil, nil, nil
}

func (q *wQueue) encoder() *wEncoder {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.encoders); n > 0 {
		e := q.encoders[n-1]
		q.encoders = q.encoders[:n-1]
		return e
	}
	return &wEncoder{}
}

// buffer is a slice of n bytes of any content.
func (q *wQueue) buffer(n int) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(q.buffers) - 1; i >= 0; i-- {
		b := q.buffers[i]
		// A much larger buffer would tie up memory that its own kind needs.
		if cap(b) >= n && cap(b)/8 <= max(n, 4096) {
			q.buffers[i] = q.buffers[len(q.buffers)-1]
			q.buffers = q.buffers[:len(q.buffers)-1]
			return b[:n]
		}
	}
	return make([]byte, n)
}

// giveBack keeps an encoder and a buffer for the next chunk.
func (q *wQueue) giveBack(e *wEncoder, b []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e != nil {
		q.encoders = append(q.encoders, e)
	}
	if cap(b) == 0 {
		return
	}
	if len(q.buffers) >= 2*q.depth {
		copy(q.buffers, q.buffers[1:])
		q.buffers = q.buffers[:len(q.buffers)-1]
	}
	q.buffers = append(q.buffers, b)
}
