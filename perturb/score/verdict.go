package score

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Verdict is what the scores say in a few sentences: in how many metrics the prediction
// is surely better than its baseline, or worse, and what was noticed about it.
func (r *Result) Verdict() string {
	var normal []float64
	better, worse, unsure, scored := 0, 0, 0, 0
	for _, m := range r.Metrics {
		if m.Diagnostic {
			continue
		}
		scored++
		if math.IsNaN(m.Normalised) {
			continue
		}
		normal = append(normal, m.Normalised)
		switch {
		case m.Low > 0:
			better++
		case m.High < 0:
			worse++
		default:
			unsure++
		}
	}
	var b strings.Builder
	if len(normal) == 0 {
		fmt.Fprintf(&b, "None of the %d metrics can be put between a baseline and a replicate: these cells do not tell predictions apart.", scored)
	} else {
		slices.Sort(normal)
		fmt.Fprintf(&b, "Of %d metrics %d can be put between a baseline (0) and a replicate (1); the median there is %.2f.", scored, len(normal), quantile(normal, 0.5))
		if len(r.Perturbations) > 1 {
			fmt.Fprintf(&b, " The prediction is surely better than the baseline in %d, surely worse in %d, and in %d neither is certain.", better, worse, unsure)
		} else {
			b.WriteString(" With one perturbation no interval says how sure that is.")
		}
	}
	if c := r.Challenge; c != nil && !math.IsNaN(c.Score) {
		fmt.Fprintf(&b, " The score of the 2026 challenge is %.3f.", c.Score)
	}
	switch len(r.Flags) {
	case 0:
	case 1:
		b.WriteString(" One sign of a known trick was noticed.")
	default:
		fmt.Fprintf(&b, " %d signs of known tricks were noticed.", len(r.Flags))
	}
	return b.String()
}

// Methods is the sentence that the methods section of a paper needs.
func (r *Result) Methods() string {
	var b strings.Builder
	cells := 0
	for _, n := range r.PredCells {
		cells += n
	}
	fmt.Fprintf(&b, "%d predicted cells of %d perturbations were scored against real ones on %d genes with the preset %s, %s. ", cells, len(r.Perturbations), r.Genes, r.Preset, r.Preset.describe())
	b.WriteString("Each metric was set between its value for control cells drawn with replacement")
	if len(r.Perturbations) > 1 {
		b.WriteString(", that of the leave-one-out mean response of the other perturbations,")
	}
	unit := "the cells of each perturbation"
	if r.Donors > 0 {
		unit = fmt.Sprintf("the %d donors", r.Donors)
	}
	fmt.Fprintf(&b, " and the replicate ceiling, the mean over %d random halvings of %s, for correlations with the Spearman–Brown correction", r.Splits, unit)
	b.WriteString("; the normalised score is the ratio of means (score − baseline) / (ceiling − baseline) with the better of the former two as the baseline")
	if len(r.Perturbations) > 1 {
		fmt.Fprintf(&b, "; intervals are 95 %% percentiles of %d bootstrap draws of perturbations", r.Bootstraps)
	}
	if r.Donors > 0 {
		b.WriteString("; differential expression between donors is a moderated t-test (Smyth 2004) on log2 counts per million of pseudobulks, paired where donors have both conditions")
	}
	fmt.Fprintf(&b, " (c2s perturb score, seed %d).", r.Seed)
	return b.String()
}

// describe is where the metrics of a preset come from.
func (p Preset) describe() string {
	switch p {
	case CellEval:
		return "the metrics of Arc's cell-eval 0.8: log(1 + x) at the median total, each side with its own control, Mann–Whitney tests with the Benjamini–Hochberg adjustment"
	case CellEval2, VCC2026:
		return "metrics of Arc's cell-eval2: counts, the real control for both sides, Mann–Whitney tests on genes above 5 counts per million in the control with the Benjamini–Hochberg adjustment"
	case Systema:
		return "effects from the mean of the perturbations (Systema)"
	case PerturBench:
		return "errors of averages and their ranks (PerturBench)"
	case Distances:
		return "distances between the distributions of cells"
	}
	return "the metrics of cell-eval 0.8, Systema, PerturBench and distances between distributions"
}
