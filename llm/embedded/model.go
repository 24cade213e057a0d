package embedded

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/cellsentence/c2s/internal/kernel"
	"github.com/cellsentence/c2s/llm/gguf"
)

// model is a loaded Gemma-2. It does not change.
type model struct {
	shape
	weights *weights
	words   *tokenizer

	frequency []float32 // of the rotation, by pair of numbers
	batch     int       // tokens that are read at a time
	threads   int       // that work on one product
	params    int64
}

// parallelFrom is the number of multiplications from which threads are started: a
// tenth of a millisecond's work.
const parallelFrom = 1 << 20

// product is the number of multiplications that a product may take at most, so
// that it is done in less than a tenth of a second.
const product = 1 << 29

func loadModel(f *gguf.File, threads int) (*model, error) {
	s, err := readShape(f)
	if err != nil {
		return nil, err
	}
	words, err := newTokenizer(f)
	if err != nil {
		return nil, err
	}
	w, err := loadWeights(f, &s, len(words.tokens))
	if err != nil {
		return nil, err
	}
	m := &model{shape: s, weights: w, words: words, threads: threads}
	for _, t := range f.Tensors {
		n := int64(1)
		for _, d := range t.Shape {
			n *= d
		}
		m.params += n
	}
	if m.threads == 0 {
		m.threads = 1
		if m.large() {
			m.threads = runtime.GOMAXPROCS(0)
		}
	}
	for i := 0; i < s.head; i += 2 {
		m.frequency = append(m.frequency, float32(math.Pow(float64(s.ropeBase), -float64(i)/float64(s.head))))
	}
	largest := max(s.feed, s.heads*s.head, s.width) * s.width
	// The output's products are of single tokens and count no more than those.
	m.batch = min(max(product/largest, 4), 64)
	return m, nil
}

// large says that a server would serve better.
func (m *model) large() bool { return m.params > 50e6 }

// mul multiplies n rows of x by a matrix, on all threads where that is worth it.
// Every product is done by one thread, in the same way whatever their number.
func (m *model) mul(ctx context.Context, w *kernel.Matrix, dst, x []float32, n int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.threads == 1 || w.Rows*w.Cols*n < parallelFrom {
		return guard(func() { w.Mul(dst, x, n, 0, w.Rows) })
	}
	var wg sync.WaitGroup
	errs := make([]error, m.threads)
	for t := range m.threads {
		wg.Go(func() {
			errs[t] = guard(func() { w.Mul(dst, x, n, w.Rows*t/m.threads, w.Rows*(t+1)/m.threads) })
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// guard calls a function that touches weights, which may lie in a mapped file, and
// turns the fault of a file that was cut short meanwhile into an error. Other
// panics pass.
func guard(f func()) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = fmt.Errorf("%w: the model's file was cut short while it was in use", gguf.ErrTruncated)
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// norm is RMSNorm: each number over the root of the mean square, times a weight.
func (m *model) norm(dst, x, weight []float32) {
	var square [1]float32
	kernel.Dot(square[:], x, x, 1)
	r := float32(1 / math.Sqrt(float64(square[0]/float32(len(x))+m.epsilon)))
	for i, w := range weight {
		dst[i] = float32(x[i]*r) * w
	}
}

// logits gives the capped logits of all tokens after a state, in dst's memory.
func (m *model) logits(ctx context.Context, dst, state []float32) ([]float32, error) {
	dst = fit(dst, m.weights.output.Rows)
	if err := m.mul(ctx, &m.weights.output, dst, state, 1); err != nil {
		return nil, err
	}
	kernel.SoftCap(dst, m.logitCap)
	return dst, nil
}
