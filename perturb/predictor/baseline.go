package predictor

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/cellsentence/c2s/internal/stats"
	"github.com/cellsentence/c2s/perturb"
)

// NewMeanResponse predicts the mean shift of all other perturbations, each counting
// once whatever its number of cells and doses. The one that is asked about, if it is
// known, does not take part: in all its doses, and as a part of a combination only
// where that is what is asked about.
func NewMeanResponse(known Effects, genes []string, cfg Config) (*Shift, error) {
	s, err := newShift("mean-response", known, genes, cfg)
	if err != nil {
		return nil, err
	}
	if len(known.ids()) < 2 {
		return nil, badInput("give a reference with more perturbations", "%s knows fewer than two perturbations: there is no mean of others", known.Name())
	}
	m := &meanResponse{s: s, totals: map[[2]string]*total{}}
	s.choose = m.choose
	return s, nil
}

// meanResponse keeps the sum over all perturbations for each context and cell type,
// from which one is left out at a time.
type meanResponse struct {
	s      *Shift
	mu     sync.Mutex
	totals map[[2]string]*total
}

type total struct {
	sum   []float64
	level Level
}

func (m *meanResponse) choose(p perturb.Perturbation, context, cellType string) ([]float64, Explanation, error) {
	t := m.total(context, cellType)
	ids := m.s.known.ids()
	n, out := len(ids), slices.Clone(t.sum)
	own := m.s.known.own(p)
	if slices.Contains(ids, own) {
		v, _, _ := m.s.single(own, context, cellType)
		for g := range out {
			out[g] -= v[g]
		}
		n--
	}
	for g := range out {
		out[g] /= float64(n)
	}
	e := Explanation{Level: t.level, Similarity: math.NaN()}
	for _, id := range ids {
		if id != own {
			e.From = append(e.From, text(id))
		}
	}
	return out, e, nil
}

func (m *meanResponse) total(context, cellType string) *total {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := [2]string{context, cellType}
	if t := m.totals[at]; t != nil {
		return t
	}
	t := &total{sum: make([]float64, len(m.s.known.Genes()))}
	for _, id := range m.s.known.ids() {
		v, level, _ := m.s.single(id, context, cellType)
		t.level = worse(t.level, level)
		for g := range t.sum {
			t.sum[g] += v[g]
		}
	}
	m.totals[at] = t
	return t
}

// NearestConfig says how the nearest perturbation is found: by Targets where both are
// there and share one, else by Signatures. One of them must be given.
type NearestConfig struct {
	Config
	// Targets are the genes, or whatever else may be shared, on which perturbations act.
	// For a name without an entry they are the name itself: a gene that is edited is its
	// own target.
	Targets map[string][]string
	// Signatures hold perturbations whose correlation is their similarity; nil: none.
	Signatures *Signatures
}

// NewNearest predicts the shift of the known perturbation that is most like the one
// that is asked about, which itself takes no part. Likeness is the Jaccard index of
// their targets, or, where nothing shares a target, the correlation of their
// signatures, if it is positive. Equally near ones are averaged. Where there is none
// the mean response stands in, with a similarity of 0.
func NewNearest(known Effects, genes []string, cfg NearestConfig) (*Shift, error) {
	s, err := newShift("nearest", known, genes, cfg.Config)
	if err != nil {
		return nil, err
	}
	if len(known.ids()) < 2 {
		return nil, badInput("give a reference with more perturbations", "%s knows fewer than two perturbations: there is no other", known.Name())
	}
	n := &nearest{cfg: cfg, mean: &meanResponse{s: s, totals: map[[2]string]*total{}}}
	s.choose = n.choose
	return s, nil
}

type nearest struct {
	cfg  NearestConfig
	mean *meanResponse
}

func (n *nearest) choose(p perturb.Perturbation, context, cellType string) ([]float64, Explanation, error) {
	s := n.mean.s
	like, similarity := n.like(s.known.own(p))
	if len(like) == 0 {
		v, e, err := n.mean.choose(p, context, cellType)
		e.Similarity = 0
		return v, e, err
	}
	e := Explanation{Similarity: similarity}
	out := make([]float64, len(s.known.Genes()))
	for _, id := range like {
		v, level, cells := s.single(id, context, cellType)
		e.Level, e.Cells, e.From = worse(e.Level, level), e.Cells+cells, append(e.From, text(id))
		for g := range out {
			out[g] += v[g] / float64(len(like))
		}
	}
	return out, e, nil
}

// like lists the known perturbations that are nearest to one of the given names.
func (n *nearest) like(own string) (ids []string, similarity float64) {
	for _, by := range []func(a, b string) float64{n.byTargets, n.bySignature} {
		for _, id := range n.mean.s.known.ids() {
			if id == own {
				continue
			}
			switch v := by(own, id); {
			case !(v > 0) || v < similarity:
			case v > similarity:
				ids, similarity = []string{id}, v
			default:
				ids = append(ids, id)
			}
		}
		if len(ids) > 0 {
			break
		}
	}
	return ids, similarity
}

// targets are those of all parts.
func (n *nearest) targets(id string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.SplitSeq(id, betweenParts) {
		list, ok := n.cfg.Targets[name]
		if !ok {
			list = []string{name}
		}
		for _, t := range list {
			set[t] = true
		}
	}
	return set
}

func (n *nearest) byTargets(a, b string) float64 {
	x, y := n.targets(a), n.targets(b)
	both := 0
	for t := range x {
		if y[t] {
			both++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

func (n *nearest) bySignature(a, b string) float64 {
	if n.cfg.Signatures == nil {
		return math.NaN()
	}
	x, y := n.cfg.Signatures.values(a), n.cfg.Signatures.values(b)
	if x == nil || y == nil {
		return math.NaN()
	}
	return stats.Pearson(x, y)
}
