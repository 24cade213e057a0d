package cellsentence

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Stat is a statistic, NaN (null in JSON) where it is not defined, as the
// correlation with values that are all the same.
type Stat float64

// MarshalJSON implements [json.Marshaler].
func (s Stat) MarshalJSON() ([]byte, error) {
	if !finite(float64(s)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(s))
}

// Interval is the ends of a 95 % interval.
type Interval [2]Stat

// FidelityMetrics holds what a model says against the expression itself, over
// the words of the sentences of NCells cells.
type FidelityMetrics struct {
	// R2 is 1 − residual / total sum of squares.
	R2   Stat     `json:"r2"`
	R2CI Interval `json:"r2_ci"`
	// Pearson and Spearman are correlations.
	Pearson    Stat     `json:"pearson"`
	PearsonCI  Interval `json:"pearson_ci"`
	Spearman   Stat     `json:"spearman"`
	SpearmanCI Interval `json:"spearman_ci"`
	// MAE is the mean absolute error, in the units of the expression.
	MAE   Stat     `json:"mae"`
	MAECI Interval `json:"mae_ci"`
	// R2All is R2 over all genes of the matrix: those that are not expressed, and
	// are decoded as 0, and those that were cut off, which are as well.
	R2All   Stat     `json:"r2_all_genes"`
	R2AllCI Interval `json:"r2_all_genes_ci"`
	// Slope and Intercept are the least-squares line of expression over
	// log10(1 + rank) through the points of the fit: those at ranks below 999 for
	// the linear model, of which it is the line, all of them for the conditional.
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
	NPoints   int64   `json:"n_points"`
	NCells    int64   `json:"n_cells"`
}

// FidelityTopK measures sentences that were cut to K words.
type FidelityTopK struct {
	K        int   `json:"k"`
	CutCells int64 `json:"cut_cells"` // cells with more expressed genes than K
	// Share is the part of the sum of expression that is in the words.
	Share       Stat            `json:"share_of_expression"`
	ShareCI     Interval        `json:"share_of_expression_ci"`
	Linear      FidelityMetrics `json:"linear"`
	Conditional FidelityMetrics `json:"conditional"`
	// Auto is the conditional model that is not told the number of expressed
	// genes ([NGenesAuto]).
	Auto FidelityMetrics `json:"conditional_auto"`
}

// FidelityGroup measures the cells of one group. The models are those of all
// cells.
type FidelityGroup struct {
	Name        string          `json:"name"`
	Linear      FidelityMetrics `json:"linear"`
	Conditional FidelityMetrics `json:"conditional"`
}

// FidelityResidual is expression − model over genes at log10(1 + rank) from From
// up to To.
type FidelityResidual struct {
	From       float64 `json:"from"`
	To         float64 `json:"to"`
	NPoints    int64   `json:"n_points"`
	Expression float64 `json:"expression"` // mean
	// Mean and root mean square of the residuals.
	Linear         float64 `json:"linear"`
	LinearRMS      float64 `json:"linear_rms"`
	Conditional    float64 `json:"conditional"`
	ConditionalRMS float64 `json:"conditional_rms"`
}

// FidelityReport is the measurements of [MeasureFidelity], on cells that took no
// part in the fit.
type FidelityReport struct {
	// Verdict says the result in one sentence.
	Verdict     string             `json:"verdict"`
	Linear      FidelityMetrics    `json:"linear"`
	Conditional FidelityMetrics    `json:"conditional"`
	TopK        []FidelityTopK     `json:"top_k"`
	Groups      []FidelityGroup    `json:"groups,omitempty"`
	Residuals   []FidelityResidual `json:"residuals"`
	Fit         int64              `json:"n_cells_fit"`
	Held        int64              `json:"n_cells_held_out"`
	Empty       int64              `json:"n_cells_empty"` // left out
	Units       string             `json:"units,omitempty"`
	Seed        uint64             `json:"seed"`
	Resamples   int                `json:"resamples"`
}

func (m *measurement) report(fit *rankFit) *FidelityReport {
	r := &FidelityReport{Units: m.cfg.Units, Seed: m.cfg.Seed, Resamples: m.cfg.Resamples}
	slope, intercept := fit.whole.fit()
	metrics := func(v *view, model int) FidelityMetrics {
		out := v.metrics(m.genes)
		out.Slope, out.Intercept = m.model.Slope, m.model.Intercept
		if model != viewLinear {
			out.Slope, out.Intercept = slope, intercept
		}
		return out
	}
	pair := func(s *scope) (line, known FidelityMetrics) {
		return metrics(s.views[viewLinear], viewLinear), metrics(s.views[viewConditional], viewConditional)
	}
	r.Linear, r.Conditional = pair(m.scopes[0])
	for _, s := range m.scopes[1:] {
		t := FidelityTopK{K: s.k, CutCells: s.cut}
		t.Linear, t.Conditional = pair(s)
		t.Auto = metrics(s.views[viewAuto], viewAuto)
		t.Share, t.ShareCI = s.views[viewLinear].value.estimate((*moments).share)
		r.TopK = append(r.TopK, t)
	}
	for _, name := range slices.Sorted(maps.Keys(m.groups)) {
		g := FidelityGroup{Name: name}
		g.Linear, g.Conditional = pair(m.groups[name])
		r.Groups = append(r.Groups, g)
	}
	for bin, s := range m.residuals {
		if s.n > 0 {
			r.Residuals = append(r.Residuals, FidelityResidual{
				From: float64(bin) / residualsPerDecade, To: float64(bin+1) / residualsPerDecade,
				NPoints: int64(s.n), Expression: s.y / s.n,
				Linear: s.line / s.n, LinearRMS: math.Sqrt(s.lineSq / s.n),
				Conditional: s.known / s.n, ConditionalRMS: math.Sqrt(s.knownSq / s.n),
			})
		}
	}
	return r
}

func (v *view) metrics(genes int) FidelityMetrics {
	var m FidelityMetrics
	m.R2, m.R2CI = v.value.estimate((*moments).r2)
	m.Pearson, m.PearsonCI = v.value.estimate((*moments).pearson)
	m.Spearman, m.SpearmanCI = v.rank.estimate((*moments).pearson)
	m.MAE, m.MAECI = v.value.estimate((*moments).mae)
	m.R2All, m.R2AllCI = v.value.estimate(func(s *moments) float64 { return s.r2All(genes) })
	m.NPoints, m.NCells = int64(v.value.all[mN]), int64(v.value.all[mCells])
	return m
}

// verdict says in one sentence how much of the expression a sentence keeps.
func (r *FidelityReport) verdict() string {
	var b strings.Builder
	with := func(v Stat, ci Interval) string {
		return fmt.Sprintf("%s (95 %% interval %s to %s)", percent(v), percent(ci[0]), percent(ci[1]))
	}
	fmt.Fprintf(&b, "A whole sentence keeps %s of the variance of the expressed genes' values, or %s by the line of Cell2Sentence",
		with(r.Conditional.R2, r.Conditional.R2CI), with(r.Linear.R2, r.Linear.R2CI))
	if len(r.TopK) > 0 {
		var ks, known, auto []string
		for _, t := range r.TopK {
			ks = append(ks, fmt.Sprint(t.K))
			known = append(known, percent(t.Conditional.R2All))
			auto = append(auto, percent(t.Auto.R2All))
		}
		fmt.Fprintf(&b, "; of the variance over all genes its first %s words keep %s, and %s if the number of expressed genes is not known",
			and(ks), and(known), and(auto))
	}
	fmt.Fprintf(&b, " (fitted on %d cells, measured on %d others).", r.Fit, r.Held)
	return b.String()
}

func percent(s Stat) string {
	if math.IsNaN(float64(s)) {
		return "an undefined part"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(s))
}

// and joins as in "1, 2 and 3".
func and(s []string) string {
	last := len(s) - 1
	if last == 0 {
		return s[0]
	}
	return strings.Join(s[:last], ", ") + " and " + s[last]
}
