package predictor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/cellsentence/c2s/perturb"
)

// Config says how shifts become cells. The zero value is good.
type Config struct {
	// TopK is the number of genes of a sentence (0: all that are expressed).
	TopK int
	// MinOverlap is the least share of the genes, of the smaller of both sides, that the
	// cells and the shifts must have in common (0: 0.5).
	MinOverlap float64
	// Norm is the Euclidean length over the common genes that every shift of a single
	// perturbation gets, for tables whose unit is not that of the cells (0: shifts are
	// taken as they are).
	Norm float64
}

// Explanation says where a shift is from.
type Explanation struct {
	// Level is the worst of the parts of a sum.
	Level Level
	// From names the perturbations whose shifts were taken; it is empty for a vehicle.
	From []string
	// OtherDoses says that a dose or a time is not known, and the shift is that of all
	// doses and times that are.
	OtherDoses bool
	// Cells is how many perturbed cells the shift rests on, 0 where that is not known.
	Cells int
	// Similarity is that of the nearest perturbation, NaN for other predictors.
	Similarity float64
	// Missing is the number of genes of the cells that have no shift and do not move.
	Missing int
	// Norm is the Euclidean length of the shift.
	Norm float64
}

// Shift adds a shift to each cell. What shift, its constructor says.
type Shift struct {
	info   perturb.Info
	genes  []string
	column []int32 // of each gene among those of the effects, −1
	shared int
	cfg    Config
	rank   *ranker
	known  Effects
	choose func(p perturb.Perturbation, context, cellType string) ([]float64, Explanation, error) // on the genes of the effects

	mu   sync.Mutex
	kept map[asking]shift // of what was asked before
}

// asking is what decides a shift.
type asking struct{ perturbation, context, cellType string }

// shift is one on the genes of the cells.
type shift struct {
	values []float32
	from   Explanation
}

// keep bounds the memory for shifts that were asked for before, in bytes: requests for
// one cell at a time repeat them.
const keep = 256 << 20

// NewAdditive predicts the mean shift that the perturbation had in a reference; that
// of a combination which the reference lacks is the sum of those of its parts. The
// genes are those of the cells to come. A perturbation that is not known is an
// *UnknownError.
func NewAdditive(known Effects, genes []string, cfg Config) (*Shift, error) {
	s, err := newShift("additive", known, genes, cfg)
	if err != nil {
		return nil, err
	}
	s.choose = s.additive
	return s, nil
}

// newShift aligns the genes of the cells with those of the effects.
func newShift(name string, known Effects, genes []string, cfg Config) (*Shift, error) {
	switch {
	case cfg.TopK < 0:
		return nil, errors.New("the number of genes cannot be negative")
	case !(cfg.MinOverlap >= 0 && cfg.MinOverlap <= 1):
		return nil, fmt.Errorf("the overlap of genes goes from 0 to 1, not %g", cfg.MinOverlap)
	case !(cfg.Norm >= 0 && cfg.Norm < math.MaxFloat32):
		return nil, fmt.Errorf("the length of a shift cannot be %g", cfg.Norm)
	}
	if cfg.MinOverlap == 0 {
		cfg.MinOverlap = 0.5
	}
	s := &Shift{known: known, genes: slices.Clone(genes), column: make([]int32, len(genes)), cfg: cfg}
	at := make(map[string]int32, len(known.Genes()))
	for i, g := range known.Genes() {
		if _, twice := at[g]; !twice {
			at[g] = int32(i)
		}
	}
	for i, g := range genes {
		j, ok := at[g]
		if !ok {
			s.column[i] = -1
			continue
		}
		s.column[i] = j
		s.shared++
	}
	if least := min(len(genes), len(known.Genes())); float64(s.shared) < cfg.MinOverlap*float64(least) || s.shared == 0 {
		return nil, badInput("rename genes with --gene-names or --gene-map, or allow less with --min-overlap",
			"the cells and %s have %d genes in common, of %d and %d: that is below %g of the fewer", known.Name(), s.shared, len(genes), len(known.Genes()), cfg.MinOverlap)
	}
	var err error
	if s.rank, err = newRanker(genes, cfg.TopK); err != nil {
		return nil, err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%s\n%+v\n%q", name, known.hashed(), cfg, genes)
	s.info = perturb.Info{Name: name, Model: known.Name(), Digest: hex.EncodeToString(hash.Sum(nil)), Values: true}
	return s, nil
}

// Info implements perturb.Predictor.
func (s *Shift) Info() perturb.Info { return s.info }

// Shared is the number of genes that the cells and the shifts have in common.
func (s *Shift) Shared() int { return s.shared }

// Explain says where the shift of a request is from.
func (s *Shift) Explain(p perturb.Perturbation, context, cellType string) (Explanation, error) {
	_, e, err := s.of(p, context, cellType)
	return e, err
}

// of is the shift of a request on the genes of the cells. Nobody may change it.
func (s *Shift) of(p perturb.Perturbation, context, cellType string) ([]float32, Explanation, error) {
	at := asking{key(p), context, cellType}
	s.mu.Lock()
	known, ok := s.kept[at]
	s.mu.Unlock()
	if ok {
		return known.values, known.from, nil
	}
	values, from, err := s.make(p, context, cellType)
	if err != nil {
		return nil, from, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept)*4*len(s.genes) > keep {
		s.kept = map[asking]shift{}
	}
	s.kept[at] = shift{values, from}
	return values, from, nil
}

func (s *Shift) make(p perturb.Perturbation, context, cellType string) ([]float32, Explanation, error) {
	out := make([]float32, len(s.genes))
	missing := len(s.genes) - s.shared
	if len(p.Parts) == 0 {
		return out, Explanation{Level: LevelExact, Similarity: math.NaN(), Missing: missing}, nil
	}
	v, e, err := s.choose(p, context, cellType)
	if err != nil {
		return nil, e, err
	}
	total := 0.0
	for i, j := range s.column {
		if j >= 0 {
			out[i] = float32(v[j])
			total += v[j] * v[j]
		}
	}
	e.Missing, e.Norm = missing, math.Sqrt(total)
	return out, e, nil
}

// single is the shift of an id, scaled as the configuration says.
func (s *Shift) single(id, context, cellType string) (v []float64, level Level, cells int) {
	v, level, cells = s.known.shift(id, context, cellType)
	if s.cfg.Norm == 0 {
		return v, level, cells
	}
	total := 0.0
	for _, j := range s.column {
		if j >= 0 {
			total += v[j] * v[j]
		}
	}
	if total == 0 {
		return v, level, cells
	}
	v = slices.Clone(v)
	for j := range v {
		v[j] *= s.cfg.Norm / math.Sqrt(total)
	}
	return v, level, cells
}

// additive is the shift of a perturbation or the sum of those of its parts.
func (s *Shift) additive(p perturb.Perturbation, context, cellType string) ([]float64, Explanation, error) {
	e := Explanation{Similarity: math.NaN()}
	if id, others, ok := s.known.find(p); ok {
		v, level, cells := s.single(id, context, cellType)
		e.Level, e.From, e.OtherDoses, e.Cells = level, []string{Label(p)}, others, cells
		return v, e, nil
	}
	total := make([]float64, len(s.known.Genes()))
	for _, part := range p.Parts {
		id, others, ok := s.known.find(perturb.Perturbation{Parts: []perturb.Part{part}, Time: p.Time})
		if !ok {
			return nil, e, unknown(part.Name, s.known.Name(), s.known.Perturbations())
		}
		v, level, cells := s.single(id, context, cellType)
		e.From, e.OtherDoses, e.Level = append(e.From, part.Name), e.OtherDoses || others, worse(e.Level, level)
		if e.Cells == 0 || cells < e.Cells {
			e.Cells = cells
		}
		for g := range total {
			total[g] += v[g]
		}
	}
	return total, e, nil
}

// worse is the worse of two levels; "" is better than all.
func worse(a, b Level) Level {
	order := []Level{"", LevelExact, LevelContext, LevelCellType, LevelAll, LevelSignature}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

// Predict adds the shift of the request to each cell.
func (s *Shift) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	if err := context.Cause(ctx); err != nil {
		return perturb.Response{}, err
	}
	shift, _, err := s.of(r.Perturbation, r.Context, r.CellType)
	if err != nil {
		return perturb.Response{}, err
	}
	cells := make([]perturb.Predicted, len(r.Cells))
	rows := make([]int, len(r.Cells))
	for i, c := range r.Cells {
		if len(c.Values) != len(s.genes) {
			return perturb.Response{}, fmt.Errorf("cell %d: %d values for %d genes", c.Row, len(c.Values), len(s.genes))
		}
		rows[i] = c.Row
		cells[i].Values = make([]float32, len(s.genes))
		for g, v := range c.Values {
			if !(v >= 0 && v <= maxLog) {
				return perturb.Response{}, badInput("", "cell %d, gene %s: %g is no log-normalised expression", c.Row, s.genes[g], v)
			}
			cells[i].Values[g] = max(0, v+shift[g])
		}
	}
	if err := s.rank.sentences(ctx, r.Seed, rows, cells); err != nil {
		return perturb.Response{}, err
	}
	for i := range cells {
		n := len(cells[i].Genes)
		shown := r.Cells[i].Genes
		if s.cfg.TopK > 0 {
			shown = shown[:min(len(shown), s.cfg.TopK)]
		}
		cells[i].Flags = perturb.Flags{Words: n, Valid: n > 0, Copy: n > 0 && slices.Equal(cells[i].Genes, shown)}
	}
	return perturb.Response{Cells: cells}, nil
}
