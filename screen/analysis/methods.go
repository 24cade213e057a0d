package analysis

import (
	"fmt"
	"math"
	"strings"
)

// Methods tells how the result was had, in the sentences and numbers that a paper
// needs.
func (r *Result) Methods() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+" ", args...) }
	say("%d compounds were screened with %s in two contexts (%d cells of %d donors or cell lines; %d cells of %d), %d of the donors in both; design: %s.",
		len(r.Hits), r.Predictor, r.Cells[0], r.Clusters[0], r.Cells[1], r.Clusters[1], r.Shared, r.Design)
	if r.Order != "" {
		say("The order of cell and compound in prompts was: %s.", r.Order)
	}
	score := "UCell's U statistic of the program in the predicted sentence"
	if r.Config.Score == Expr {
		score = "the mean z of the program in decoded expression"
	}
	say("The score of a cell was %s; effects are its difference from the mean of %.3g vehicle draws of the same cell, averaged over cells, then over %d cell types at common weights, for each donor.",
		score, float64(r.VehicleDraws), len(r.CellTypes))
	prior := "infinite"
	if !r.Model.PriorDF.Missing() {
		prior = fmt.Sprintf("%.3g", float64(r.Model.PriorDF))
	}
	say("Donor means were tested by moderated t-statistics (Smyth 2004) with one residual variance a compound, a prior of %s degrees of freedom at a standard deviation of %.3g, relative variances of %.3g and %.3g in the two contexts and a correlation of %.2g between a donor's effects in both.",
		prior, math.Sqrt(float64(r.Model.PriorS2)), float64(r.Model.Variances[0]), float64(r.Model.Variances[1]), float64(r.Model.Correlation))
	say("Context-selective is a rise in the positive context with an estimate beyond the margin, equivalence to no change in the neutral context by two one-sided tests at a margin of %.4g (%s), and a positive split both of the score and in units of the effect of %s; the p-value is the largest of these (intersection–union), adjusted after Benjamini and Hochberg, with calls at a false discovery rate of %g.",
		float64(r.Margin), r.MarginSource, r.Assay.Control, r.Config.FDR)
	say("Intervals are of level %g.", r.Config.Level)
	say("Assay sensitivity: %s.", r.Assay.Reason)
	if r.Decoys.Estimable {
		say("By decoys the false discovery rate of the hits is %.2g (family %s).", float64(r.Decoys.FDR), r.Decoys.Family)
	} else {
		say("The false discovery rate by decoys is %s.", r.Decoys.Reason)
	}
	if r.Panel.Banner == "" {
		say("Known inducers (%d) were told from known inert compounds (%d) with an AUROC of %.3f [%.3f, %.3f].",
			r.Panel.Inducers, r.Panel.Inert, float64(r.Panel.AUROC.Value), float64(r.Panel.AUROC.Lo), float64(r.Panel.AUROC.Hi))
	} else {
		say("The screen is %s.", r.Panel.Banner)
	}
	say("Synergy is the Williams–Beer decomposition of compound and context on terciles of the centred score, less its mean under %d or fewer permutations of the contexts over whole donors.", r.Config.Permutations)
	return strings.TrimSpace(b.String())
}
