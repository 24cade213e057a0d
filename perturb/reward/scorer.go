package reward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
)

// Kind names a reward.
type Kind string

// The rewards.
const (
	// KindCorrected is [Corrected] of tau-b on the panel, the default. Its ceiling is the
	// truth's, or the tau of the replicate, or the mean tau between real cells in turn.
	KindCorrected Kind = "corrected-tau"
	KindTau       Kind = "tau"       // tau-b on the panel with the paired real cell
	KindMSE       Kind = "mse"       // −MSE between embeddings of the answer and the paired real cell
	KindOverlap   Kind = "overlap"   // [Panel.Overlap] with the paired real cell
	KindDirection Kind = "direction" // [Panel.Direction] of the program
	KindValidity  Kind = "validity"  // [Check.Score]; needs no truth
	// KindHero is [Hero] with validity as the verifier and the corrected tau as score.
	// The answers to a prompt must come in one batch.
	KindHero Kind = "hero"
)

// Kinds are all rewards.
func Kinds() []Kind {
	return []Kind{KindCorrected, KindTau, KindMSE, KindOverlap, KindDirection, KindValidity, KindHero}
}

// Config is what a [Scorer] does.
type Config struct {
	Kind  Kind   // "" is KindCorrected
	Panel *Panel // the gene subset; must be set
	// Validity is the check of KindValidity and KindHero; its Known may be nil, which
	// takes Panel.
	Validity Validity
	Program  *Panel // the genes of KindDirection: some of Panel, not all
	TopK     int    // of KindOverlap; 0 takes all genes of the real cell
	// Embed gives the points of sentences, as words, for KindMSE; nil takes
	// [Panel.Vector]. It must be safe for concurrent use. A sentence may have no point,
	// nil: its answer gets the reward of the point opposite to the real one.
	Embed func(ctx context.Context, sentences [][]string) ([][]float64, error)
	// GroupSize is the number of answers to each prompt of a batch, checked for
	// KindHero; at least 2.
	GroupSize int
	Hero      *Hero  // of KindHero; nil is NewHero(true)
	Seed      uint64 // of the pairing
}

// Item is one answer to be scored.
type Item struct {
	Prompt string
	Answer string // the model's words alone, without the prompt
	Truth  Truth
}

// Result is the reward of an answer.
type Result struct {
	// Reward is NaN where the truth defines none, such as a control that is as near to
	// the real cell as a replicate. All answers to a prompt share that fate.
	Reward float64
	// Score is the reward within 0 … 1, for trainers that filter prompts by it.
	Score float64
	Valid bool // as [Check.Valid] says; for the rewards that check it
}

// Scorer scores answers. It is safe for concurrent use; a KindHero's running mean
// depends on the order of the batches.
type Scorer struct {
	cfg  Config
	lock sync.Mutex // of cfg.Hero
}

// NewScorer checks a configuration.
func NewScorer(cfg Config) (*Scorer, error) {
	if cfg.Kind == "" {
		cfg.Kind = KindCorrected
	}
	if !slices.Contains(Kinds(), cfg.Kind) {
		return nil, fmt.Errorf("reward %q is none of %v", cfg.Kind, Kinds())
	}
	if cfg.Panel == nil {
		return nil, errors.New("the reward needs a panel of genes")
	}
	if cfg.Validity.Known == nil {
		cfg.Validity.Known = cfg.Panel
	}
	if v := cfg.Validity; v.Least < 0 || (v.Most > 0 && v.Most < v.Least) || !(v.MinKnown >= 0 && v.MinKnown <= 1) {
		return nil, fmt.Errorf("the limits of a valid sentence, %d to %d words and a share of %g, are none", v.Least, v.Most, v.MinKnown)
	}
	if cfg.Kind == KindDirection {
		if cfg.Program == nil {
			return nil, errors.New("the reward direction needs a gene program")
		}
		if a := cfg.Panel.AUC(nil, cfg.Program); math.IsNaN(a) {
			return nil, badInput("the program must hold some of the panel's genes, and not all")
		}
	}
	if cfg.Kind == KindHero {
		if cfg.GroupSize < 2 {
			return nil, errors.New("the reward hero needs the number of answers to a prompt, at least 2")
		}
		if cfg.Hero == nil {
			cfg.Hero = NewHero(true)
		}
	}
	return &Scorer{cfg: cfg}, nil
}

// prompt is the answers of a batch to one prompt and what they are held against.
type prompt struct {
	items            []int
	real             [][]string
	control          []string
	truth            Truth
	controlTau, ceil float64
}

// Score scores a batch; results[i] is of items[i].
func (s *Scorer) Score(ctx context.Context, items []Item) ([]Result, error) {
	prompts, err := s.group(items)
	if err != nil {
		return nil, err
	}
	out := make([]Result, len(items))
	for _, p := range prompts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.prompt(ctx, p, items, out); err != nil {
			return nil, err
		}
	}
	if s.cfg.Kind == KindHero {
		s.mix(prompts, out)
	}
	for i := range out {
		out[i].Score = s.unit(out[i])
	}
	return out, nil
}

// group brings the answers to one prompt together, in order of first appearance.
func (s *Scorer) group(items []Item) ([]*prompt, error) {
	var list []*prompt
	by := map[string]*prompt{}
	for i := range items {
		key := items[i].Prompt + "\x00" + items[i].Truth.Label
		p := by[key]
		if p == nil {
			p = &prompt{truth: items[i].Truth}
			by[key] = p
			list = append(list, p)
		} else if t := items[i].Truth; !slices.Equal(t.Real, p.truth.Real) || t.Control != p.truth.Control {
			return nil, badInput("answer %d: answers %d and %d have one prompt but different truths; give them labels", i, p.items[0], i)
		}
		p.items = append(p.items, i)
	}
	if s.cfg.Kind == KindHero {
		for _, p := range list {
			if len(p.items) != s.cfg.GroupSize {
				return nil, badInput("answer %d: its prompt has %d answers in the batch, not %d", p.items[0], len(p.items), s.cfg.GroupSize)
			}
		}
	}
	return list, nil
}

// prompt scores the answers to one prompt.
func (s *Scorer) prompt(ctx context.Context, p *prompt, items []Item, out []Result) error {
	pairs, err := s.prepare(p, items)
	if err != nil {
		return fmt.Errorf("answer %d: %w", p.items[0], err)
	}
	if s.cfg.Kind == KindMSE {
		return s.embed(ctx, p, pairs, items, out)
	}
	for k, i := range p.items {
		words := Words(items[i].Answer)
		r := &out[i]
		switch s.cfg.Kind {
		case KindValidity:
			c := s.cfg.Validity.Check(items[i].Answer)
			r.Reward, r.Valid = c.Score, c.Valid
			continue
		case KindOverlap:
			r.Reward = s.cfg.Panel.Overlap(words, p.real[pairs[k]], s.cfg.TopK)
		case KindDirection:
			r.Reward = s.cfg.Panel.Direction(words, p.real[pairs[k]], p.control, s.cfg.Program)
		case KindTau:
			r.Reward = s.tau(words, p.real[pairs[k]])
		default:
			r.Reward = Corrected(s.tau(words, p.real[pairs[k]]), p.controlTau, p.ceil)
			r.Valid = s.cfg.Kind == KindHero && s.cfg.Validity.Check(items[i].Answer).Valid
		}
	}
	return nil
}

// tau is tau-b on the panel. A prediction that orders no gene of it tells nothing: 0.
// A real cell that orders none gives NaN.
func (s *Scorer) tau(predicted, real []string) float64 {
	want := s.cfg.Panel.Order(real)
	if constant(want) {
		return math.NaN()
	}
	got := s.cfg.Panel.Order(predicted)
	if constant(got) {
		return 0
	}
	return TauB(got, want)
}

func constant(v []float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return x != v[0] })
}

// prepare reads the truth of a prompt as far as the reward needs it, and pairs.
func (s *Scorer) prepare(p *prompt, items []Item) (pairs []int, err error) {
	if s.cfg.Kind == KindValidity {
		return nil, nil
	}
	if len(p.truth.Real) == 0 {
		return nil, badInput("the truth has no real cell")
	}
	for _, r := range p.truth.Real {
		p.real = append(p.real, Words(r))
	}
	first := items[p.items[0]]
	label := first.Prompt + "\x00" + first.Truth.Label
	pairs, err = Pair(slices.Repeat([]string{label}, len(p.items)), slices.Repeat([]string{label}, len(p.real)), s.cfg.Seed)
	if err != nil {
		return nil, err
	}
	switch s.cfg.Kind {
	case KindCorrected, KindHero, KindDirection:
		if strings.TrimSpace(p.truth.Control) == "" {
			return nil, badInput("the truth has no control cell, which the reward %s needs", s.cfg.Kind)
		}
		p.control = Words(p.truth.Control)
	}
	if s.cfg.Kind == KindCorrected || s.cfg.Kind == KindHero {
		return pairs, s.anchors(p)
	}
	return pairs, nil
}

// anchors sets the mean tau of the control and the ceiling of a prompt.
func (s *Scorer) anchors(p *prompt) error {
	n := float64(len(p.real))
	replicate := Words(p.truth.Replicate)
	for i, r := range p.real {
		p.controlTau += s.tau(p.control, r) / n
		switch {
		case p.truth.Ceiling != nil:
			p.ceil = *p.truth.Ceiling
		case len(replicate) > 0:
			p.ceil += s.tau(replicate, r) / n
		case len(p.real) > 1:
			p.ceil += s.tau(p.real[(i+1)%len(p.real)], r) / n
		default:
			return badInput("the truth has one real cell and neither replicate nor ceiling, which the reward %s needs", s.cfg.Kind)
		}
	}
	return nil
}

// embed scores by −MSE.
func (s *Scorer) embed(ctx context.Context, p *prompt, pairs []int, items []Item, out []Result) error {
	// Only the real cells that answers are paired with need a point.
	var all [][]string
	at := map[int]int{}
	for _, r := range pairs {
		if _, known := at[r]; !known {
			at[r] = len(all)
			all = append(all, p.real[r])
		}
	}
	first := len(all)
	for _, i := range p.items {
		all = append(all, Words(items[i].Answer))
	}
	points := make([][]float64, len(all))
	if s.cfg.Embed == nil {
		for i, words := range all {
			points[i] = s.cfg.Panel.Vector(words)
		}
	} else {
		var err error
		if points, err = s.cfg.Embed(ctx, all); err != nil {
			return fmt.Errorf("embedding: %w", err)
		}
		if len(points) != len(all) {
			return fmt.Errorf("embedding: %d points for %d sentences", len(points), len(all))
		}
	}
	for k, i := range p.items {
		real, answer := points[at[pairs[k]]], points[first+k]
		if real == nil {
			return badInput("answer %d: its real cell has no place in the embedding", i)
		}
		if answer == nil {
			answer = make([]float64, len(real))
			for j, v := range real {
				answer[j] = -v
			}
		}
		v, err := NegativeMSE(answer, real)
		if err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
		out[i].Reward = v
	}
	return nil
}

// mix replaces scores by HERO's rewards. Prompts without a defined score stay undefined.
func (s *Scorer) mix(prompts []*prompt, out []Result) {
	var groups [][]Answer
	var members [][]int
	for _, p := range prompts {
		if math.IsNaN(out[p.items[0]].Reward) {
			continue
		}
		answers := make([]Answer, len(p.items))
		for k, i := range p.items {
			answers[k] = Answer{Right: out[i].Valid, Score: out[i].Reward}
		}
		groups, members = append(groups, answers), append(members, p.items)
	}
	s.lock.Lock()
	rewards := s.cfg.Hero.Rewards(groups)
	s.lock.Unlock()
	for g, items := range members {
		for k, i := range items {
			out[i].Reward = rewards[g][k]
		}
	}
}

// unit is a reward within 0 … 1: tau from −1 … 1, −MSE by its exponential, HERO by its
// verifier, the others cut off. What is undefined is 0.
func (s *Scorer) unit(r Result) float64 {
	v := r.Reward
	switch {
	case math.IsNaN(v):
		return 0
	case s.cfg.Kind == KindTau:
		v = (v + 1) / 2
	case s.cfg.Kind == KindMSE:
		v = math.Exp(v)
	case s.cfg.Kind == KindHero:
		if v = 0; r.Valid {
			v = 1
		}
	}
	return max(0, min(1, v))
}
