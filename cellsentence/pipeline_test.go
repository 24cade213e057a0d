package cellsentence

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/h5ad"
)

// once is a source of one batch, handed out unchecked.
type once struct {
	m    h5ad.Batch
	done bool
}

func (s *once) Next(_ context.Context, b *h5ad.Batch) error {
	if s.done {
		return io.EOF
	}
	s.done = true
	*b = s.m
	return nil
}

// endless is a source that never ends, and fails after some batches if told so.
type endless struct {
	fail  error
	after int
	row   int
}

func (s *endless) Next(ctx context.Context, b *h5ad.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.fail != nil && s.row == s.after {
		return s.fail
	}
	b.Start, b.Indptr, b.Indices, b.Values = s.row, []int64{0, 1}, []int32{0}, []int8{1}
	s.row++
	return nil
}

// leaks fails the test if f leaves goroutines behind.
func leaks(t *testing.T, f func()) {
	t.Helper()
	before := runtime.NumGoroutine()
	f()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestEncodeEndsCleanly(t *testing.T) {
	boom := errors.New("boom")
	for _, ties := range []Ties{TiesRandom, TiesPython} {
		e := mustEncoder(t, []string{"a"}, Config{Ties: ties, Workers: 3})
		leaks(t, func() {
			n := 0
			for _, err := range e.Encode(t.Context(), &endless{}) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == 50 {
					break
				}
			}
		})
		leaks(t, func() {
			n := 0
			var last error
			for _, err := range e.Encode(t.Context(), &endless{fail: boom, after: 20}) {
				if last = err; err == nil {
					n++
				}
			}
			if !errors.Is(last, boom) || n != 20 {
				t.Errorf("%d batches and error %v, want 20 and boom", n, last)
			}
		})
		leaks(t, func() {
			stop := errors.New("that is enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var last error
			n := 0
			for _, err := range e.Encode(ctx, &endless{}) {
				if n++; n == 5 {
					cancel(stop)
				}
				last = err
			}
			if !errors.Is(last, stop) && !errors.Is(last, context.Canceled) {
				t.Errorf("after a cancel: error %v", last)
			}
		})
		leaks(t, func() {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			n := 0
			for _, err := range e.Encode(ctx, NewSliceSource(dense([]int8{1}), 0)) {
				if n++; !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled before: error %v", err)
				}
			}
			if n != 1 {
				t.Errorf("cancelled before: %d values, want the error alone", n)
			}
		})
		leaks(t, func() {
			defer func() { _ = recover() }()
			for range e.Encode(t.Context(), &endless{}) {
				panic("in the loop")
			}
		})
	}
}

// A cancel must reach a worker in the middle of a batch.
func TestCancelWithinABatch(t *testing.T) {
	const cells = 3000
	m := csr[int8]{}
	for range cells {
		m.put(0, 1)
		m.end()
	}
	e := mustEncoder(t, []string{"a"}, Config{Workers: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	j := &job{batch: m.batch(), lost: nil}
	if err := e.encodeJob(ctx, newRanker(TiesRandom, 1), j); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestEmptySource(t *testing.T) {
	e := mustEncoder(t, []string{"a"}, Config{})
	for range e.Encode(t.Context(), NewSliceSource(h5ad.Batch{Values: []int8{}}, 0)) {
		t.Error("something was yielded")
	}
	if e.Stats() != (Stats{}) || e.Warnings() != nil {
		t.Errorf("stats %+v, warnings %q", e.Stats(), e.Warnings())
	}
}

// Memory is bounded: the reader runs ahead by no more than the jobs in the ring.
func TestReaderWaits(t *testing.T) {
	e := mustEncoder(t, []string{"a"}, Config{Workers: 2})
	src := &endless{}
	n := 0
	for range e.Encode(t.Context(), src) {
		if n++; n == 10 {
			break
		}
	}
	if src.row > 10+4 {
		t.Errorf("%d batches were read for 10 that were taken", src.row)
	}
}

func TestStatsAddUp(t *testing.T) {
	names, m := sample(100, 60)
	e := mustEncoder(t, names, Config{Workers: 2})
	one := encodeAll(t, e, m.batch(), 7)
	once := e.Stats()
	encodeAll(t, e, m.batch(), 7)
	if twice := e.Stats(); twice.Cells != 200 || twice.Words != 2*once.Words || twice.Bytes != 2*int64(len(strings.Join(one, ""))) {
		t.Errorf("once %+v, twice %+v", once, twice)
	}
}
