package embedded

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/kernel"
	"github.com/cellsentence/c2s/llm"
)

// sampler draws tokens by the options of a request.
type sampler struct {
	opt  llm.Options
	p    []float32 // e to the logits, over the largest
	ids  []int32
	base float64 // log-probability of the most probable token
	top  float32 // its logit
}

// look takes in the logits of the next token.
func (s *sampler) look(logits []float32) {
	s.top = slices.Max(logits)
	s.p = fit(s.p, len(logits))
	for i, v := range logits {
		s.p[i] = v - s.top
	}
	kernel.Exp(s.p)
	sum := 0.0
	for _, v := range s.p {
		sum += float64(v)
	}
	s.base = -math.Log(sum)
}

// logprob is the natural log-probability of a token at temperature 1.
func (s *sampler) logprob(logits []float32, id int32) float64 {
	return s.base + float64(logits[id]) - float64(s.top)
}

// pick chooses the token of a step. Random numbers are a function of the seed, the
// step and the token's id, so that two prompts under one seed meet the same luck: a
// perturbed cell and its control differ by the perturbation alone.
func (s *sampler) pick(logits []float32, step int) int32 {
	if s.opt.Temperature == 0 {
		best := 0
		for i, v := range logits {
			if v > logits[best] {
				best = i
			}
		}
		return int32(best)
	}
	weights := s.p
	if t := float32(s.opt.Temperature); t != 1 {
		weights = make([]float32, len(logits))
		for i, v := range logits {
			weights[i] = (v - s.top) / t
		}
		kernel.Exp(weights)
	}
	race := newRace(s.opt.Seed, step)
	if s.opt.TopK == 0 && (s.opt.TopP == 0 || s.opt.TopP == 1) && s.opt.MinP == 0 {
		for i, w := range weights {
			race.enter(int32(i), float64(w))
		}
		return race.first
	}
	for _, id := range s.kept(logits) {
		race.enter(id, float64(weights[id]))
	}
	return race.first
}

// kept is the tokens that top-k, top-p and min-p leave, the most probable first.
func (s *sampler) kept(logits []float32) []int32 {
	ids := s.sorted(logits)
	if k := s.opt.TopK; k > 0 {
		ids = ids[:min(k, len(ids))]
	}
	if s.opt.TopP > 0 && s.opt.TopP < 1 {
		all, sum := 0.0, 0.0
		for _, id := range ids {
			all += float64(s.p[id])
		}
		for i, id := range ids {
			if sum += float64(s.p[id]); sum >= s.opt.TopP*all {
				ids = ids[:i+1]
				break
			}
		}
	}
	if s.opt.MinP > 0 {
		// The largest of p is 1.
		n := slices.IndexFunc(ids, func(id int32) bool { return float64(s.p[id]) < s.opt.MinP })
		if n > 0 {
			ids = ids[:n]
		}
	}
	return ids
}

// sorted is all tokens, the most probable first, lower ids before higher ones.
func (s *sampler) sorted(logits []float32) []int32 {
	s.ids = s.ids[:0]
	for i := range logits {
		s.ids = append(s.ids, int32(i))
	}
	slices.SortFunc(s.ids, func(a, b int32) int {
		return cmp.Or(cmp.Compare(logits[b], logits[a]), cmp.Compare(a, b))
	})
	return s.ids
}

// race draws by exponential clocks: of independent times with rates w the first
// is that of a token with probability w over the sum of all (Efraimidis and
// Spirakis, Information Processing Letters 97:181, 2006; the Gumbel-max trick in
// other words).
type race struct {
	state uint64
	best  float64
	first int32
}

// golden and mix are SplitMix64's (G. L. Steele, D. Lea and C. H. Flood, OOPSLA 2014).
const golden = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func newRace(seed uint64, step int) race {
	return race{state: mix(mix(seed+golden) + uint64(step)*golden), best: math.Inf(1)}
}

// enter lets a token of weight w run.
func (r *race) enter(id int32, w float64) {
	u := (float64(mix(r.state+uint64(id)*golden)>>11) + 0.5) * 0x1p-53
	// −ln u is at least 1 − u: most tokens are seen to lose without a logarithm.
	if 1-u >= r.best*w {
		return
	}
	if t := -math.Log(u) / w; t < r.best {
		r.best, r.first = t, id
	}
}

// most lists the most probable tokens.
func (s *sampler) most(logits []float32, n int, words *tokenizer) []llm.Token {
	if n == 0 {
		return nil
	}
	ids := s.sorted(logits)
	out := make([]llm.Token, 0, n)
	for _, id := range slices.Clone(ids[:min(n, len(ids))]) {
		out = append(out, llm.Token{ID: int(id), Text: strings.ToValidUTF8(words.piece(id), "\uFFFD"), Logprob: s.logprob(logits, id)})
	}
	return out
}
