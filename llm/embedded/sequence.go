package embedded

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/cellsentence/c2s/internal/kernel"
	"github.com/cellsentence/c2s/llm"
)

// sequence is a text that the model has read so far, with the keys and values of
// its tokens. It is used by one goroutine at a time.
type sequence struct {
	m      *model
	tokens []int32
	// keys and values have an entry for each layer and key head, one row a token.
	keys, values [][]float32

	// Scratch space for a batch of tokens.
	x, h, h2, q, k, v, attended, gate, up, spare []float32
	cos, sin                                     []float32
	scores                                       [][]float32 // by query head
}

func newSequence(m *model) *sequence {
	n := m.layers * m.kvHeads
	return &sequence{m: m, keys: make([][]float32, n), values: make([][]float32, n), scores: make([][]float32, m.heads)}
}

// truncate forgets all but the first n tokens.
func (s *sequence) truncate(n int) {
	s.tokens = s.tokens[:n]
	for i := range s.keys {
		s.keys[i] = s.keys[i][:n*s.m.head]
		s.values[i] = s.values[i][:n*s.m.head]
	}
}

// shared is the number of tokens at the front that the sequence has in common with
// others.
func (s *sequence) shared(tokens []int32) int {
	n := 0
	for n < len(tokens) && n < len(s.tokens) && tokens[n] == s.tokens[n] {
		n++
	}
	return n
}

// read takes in tokens and gives the states after the last norm of the last keep
// of them, one row each, valid until the next call. On an error the sequence is
// as before.
func (s *sequence) read(ctx context.Context, tokens []int32, keep int) ([]float32, error) {
	before := len(s.tokens)
	var states []float32
	for at := 0; at < len(tokens); {
		n := min(s.m.batch, len(tokens)-at)
		if err := s.batch(ctx, tokens[at:at+n]); err != nil {
			s.truncate(before)
			return nil, err
		}
		at += n
		// How many rows of this batch are among the last keep.
		rows := min(n, keep-(len(tokens)-at))
		if rows > 0 {
			x := s.x[(n-rows)*s.m.width : n*s.m.width]
			for r := range rows {
				row := x[r*s.m.width : (r+1)*s.m.width]
				s.m.norm(row, row, s.m.weights.outputNorm)
			}
			if at == len(tokens) && states == nil {
				return x, nil
			}
			states = append(states, x...)
		}
	}
	return states, nil
}

// batch runs the layers over tokens and leaves their states in s.x.
func (s *sequence) batch(ctx context.Context, tokens []int32) error {
	m, n := s.m, len(tokens)
	s.x = fit(s.x, n*m.width)
	scale := float32(math.Sqrt(float64(m.width)))
	err := guard(func() {
		for i, id := range tokens {
			m.weights.embedding.Row(s.x[i*m.width:(i+1)*m.width], int(id))
		}
	})
	if err != nil {
		return err
	}
	for i := range s.x {
		s.x[i] *= scale
	}
	s.angles(n)
	s.h, s.h2 = fit(s.h, n*m.width), fit(s.h2, n*m.width)
	for i := range m.weights.layers {
		if err := s.layer(ctx, i, n); err != nil {
			return err
		}
	}
	s.tokens = append(s.tokens, tokens...)
	llm.Tally(ctx, n)
	return nil
}

// angles fills the tables of the rotation for the next n positions. The angle is
// rounded as torch does it.
func (s *sequence) angles(n int) {
	half := s.m.head / 2
	s.cos, s.sin = fit(s.cos, n*half), fit(s.sin, n*half)
	for i := range n {
		at := float32(len(s.tokens) + i)
		for j, f := range s.m.frequency {
			sin, cos := math.Sincos(float64(at * f))
			s.cos[i*half+j], s.sin[i*half+j] = float32(cos), float32(sin)
		}
	}
}

// layer runs a layer over the n rows of s.x.
func (s *sequence) layer(ctx context.Context, index, n int) error {
	m := s.m
	l := &m.weights.layers[index]
	rows := func(dst, src, weight []float32) {
		for r := range n {
			m.norm(dst[r*m.width:(r+1)*m.width], src[r*m.width:(r+1)*m.width], weight)
		}
	}
	s.q, s.k, s.v = fit(s.q, n*m.heads*m.head), fit(s.k, n*m.kvHeads*m.head), fit(s.v, n*m.kvHeads*m.head)
	s.attended = fit(s.attended, n*m.heads*m.head)
	rows(s.h, s.x, l.attentionNorm)
	for _, p := range []struct {
		w   *kernel.Matrix
		dst []float32
	}{{&l.query, s.q}, {&l.key, s.k}, {&l.value, s.v}} {
		if err := m.mul(ctx, p.w, p.dst, s.h, n); err != nil {
			return err
		}
	}
	s.remember(index, n)
	s.attend(index, n)
	if err := m.mul(ctx, &l.attentionOut, s.h2, s.attended, n); err != nil {
		return err
	}
	rows(s.h2, s.h2, l.afterAttentionNorm)
	add(s.x, s.h2)

	s.gate, s.up, s.spare = fit(s.gate, n*m.feed), fit(s.up, n*m.feed), fit(s.spare, n*m.feed)
	rows(s.h, s.x, l.feedNorm)
	if err := m.mul(ctx, &l.gate, s.gate, s.h, n); err != nil {
		return err
	}
	if err := m.mul(ctx, &l.up, s.up, s.h, n); err != nil {
		return err
	}
	kernel.GatedGelu(s.gate, s.up, s.spare)
	if err := m.mul(ctx, &l.down, s.h2, s.gate, n); err != nil {
		return err
	}
	rows(s.h2, s.h2, l.afterFeedNorm)
	add(s.x, s.h2)
	return nil
}

// remember rotates queries and keys and appends keys and values to the cache. A
// batch that failed before may have left rows behind; they are overwritten.
func (s *sequence) remember(layer, n int) {
	m := s.m
	old := len(s.tokens) * m.head
	for h := range m.kvHeads {
		at := layer*m.kvHeads + h
		keys, values := s.keys[at][:old], s.values[at][:old]
		for i := range n {
			row := (i*m.kvHeads + h) * m.head
			s.rotate(s.k[row:row+m.head], i)
			keys = append(keys, s.k[row:row+m.head]...)
			values = append(values, s.v[row:row+m.head]...)
		}
		s.keys[at], s.values[at] = keys, values
	}
	for i := range n {
		for h := range m.heads {
			row := (i*m.heads + h) * m.head
			q := s.q[row : row+m.head]
			s.rotate(q, i)
			for j := range q {
				q[j] *= m.queryScale
			}
		}
	}
}

// rotate turns the pairs of a head by the angles of row i: the first half of the
// numbers with the second.
func (s *sequence) rotate(v []float32, i int) {
	half := len(v) / 2
	cos, sin := s.cos[i*half:(i+1)*half], s.sin[i*half:(i+1)*half]
	a, b := v[:half], v[half:]
	for j, c := range cos {
		x, y := a[j], b[j]
		a[j] = float32(x*c) - float32(y*sin[j])
		b[j] = float32(y*c) + float32(x*sin[j])
	}
}

// attend lets each of n new tokens look at those before it and itself.
func (s *sequence) attend(layer, n int) {
	m := s.m
	head := func(h int) {
		at := layer*m.kvHeads + h/(m.heads/m.kvHeads)
		for i := range n {
			pos := len(s.tokens) + i
			from := 0
			if m.local(layer) {
				from = max(0, pos+1-m.window)
			}
			count := pos + 1 - from
			s.scores[h] = fit(s.scores[h], count)
			p := s.scores[h]
			row := (i*m.heads + h) * m.head
			kernel.Dot(p, s.keys[at][from*m.head:], s.q[row:row+m.head], count)
			kernel.SoftCap(p, m.attentionCap)
			sum := exponents(p)
			out := s.attended[row : row+m.head]
			kernel.AddRows(out, s.values[at][from*m.head:], p, count)
			for j := range out {
				out[j] /= sum
			}
		}
	}
	if work := n * (len(s.tokens) + n) * m.head * m.heads; m.threads == 1 || work < parallelFrom {
		for h := range m.heads {
			head(h)
		}
		return
	}
	var wg sync.WaitGroup
	for t := range m.threads {
		wg.Go(func() {
			for h := t; h < m.heads; h += m.threads {
				head(h)
			}
		})
	}
	wg.Wait()
}

// exponents turns scores into weights up to a common factor: their sum.
func exponents(p []float32) float32 {
	top := slices.Max(p)
	for i := range p {
		p[i] -= top
	}
	kernel.Exp(p)
	sum := float32(0)
	for _, v := range p {
		sum += v
	}
	return sum
}

func add(dst, v []float32) {
	for i, x := range v {
		dst[i] += x
	}
}

// fit returns a slice of n numbers, in the memory of v if there is room.
func fit(v []float32, n int) []float32 { return slices.Grow(v[:0], n)[:n] }
