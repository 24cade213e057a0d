package main

import (
	"fmt"
	"math"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/internal/report"
)

// metricsRow is a line of a table of metrics.
type metricsRow struct {
	name string
	m    cellsentence.FidelityMetrics
}

// metricsTable shows each estimate with its interval.
func metricsTable(caption string, rows []metricsRow) report.Table {
	t := report.Table{
		Caption: caption,
		Columns: []report.Column{
			{Name: ""},
			{Name: "R²", Number: true, Help: "1 − residual / total sum of squares, with the 95 % interval"},
			{Name: "Pearson", Number: true},
			{Name: "Spearman", Number: true},
			{Name: "MAE", Number: true, Help: "mean absolute error, in the units of the expression"},
			{Name: "R² over all genes", Number: true, Help: "genes that are not in the sentence are decoded as 0"},
			{Name: "cells", Number: true},
			{Name: "points", Number: true, Help: "genes of cells"},
		},
	}
	for _, r := range rows {
		m := r.m
		t.Rows = append(t.Rows, []string{
			r.name, estimate(m.R2, m.R2CI), estimate(m.Pearson, m.PearsonCI), estimate(m.Spearman, m.SpearmanCI),
			estimate(m.MAE, m.MAECI), estimate(m.R2All, m.R2AllCI), fmt.Sprint(m.NCells), fmt.Sprint(m.NPoints),
		})
	}
	return t
}

// estimate prints a number with its interval.
func estimate(v cellsentence.Stat, ci cellsentence.Interval) string {
	switch {
	case math.IsNaN(float64(v)):
		return "–"
	case math.IsNaN(float64(ci[0])):
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.4f [%.4f, %.4f]", v, ci[0], ci[1])
}

// fidelityPage is the report on both models.
func fidelityPage(r *cellsentence.FidelityReport) *report.Page {
	p := &report.Page{
		Title: "What cell sentences keep of the expression",
		Lead:  r.Verdict,
		Sections: []report.Section{
			{Title: "Models"},
			{
				Title: "Whole sentences",
				Text: []string{fmt.Sprintf("Fitted on %d cells, measured on %d others; %d empty cells were left out. Intervals are 95 %%, by a bootstrap over cells (%d resamples).",
					r.Fit, r.Held, r.Empty, r.Resamples)},
				Tables: []report.Table{metricsTable("", []metricsRow{{"linear", r.Linear}, {"conditional", r.Conditional}})},
			},
		},
	}
	cut := report.Section{
		Title: "Sentences that are cut",
		Text:  []string{"How well the words that are left are decoded, knowing the number of expressed genes of the cell or (auto) not; R² over all genes counts what was cut off as 0."},
	}
	for _, k := range r.TopK {
		cut.Tables = append(cut.Tables, metricsTable(
			fmt.Sprintf("The first %d genes: they hold %s of the expression; %d cells have more", k.K, estimate(k.Share, k.ShareCI), k.CutCells),
			[]metricsRow{{"linear", k.Linear}, {"conditional", k.Conditional}, {"conditional, auto", k.Auto}},
		))
	}
	p.Sections = append(p.Sections, cut)
	if len(r.Groups) > 0 {
		t := []metricsRow{}
		for _, g := range r.Groups {
			t = append(t, metricsRow{g.Name + ", linear", g.Linear}, metricsRow{g.Name + ", conditional", g.Conditional})
		}
		p.Sections = append(p.Sections, report.Section{
			Title: "Groups", Text: []string{"The models are those of all cells."}, Tables: []report.Table{metricsTable("", t)},
		})
	}
	t := report.Table{Columns: []report.Column{
		{Name: "log10(1 + rank)"},
		{Name: "points", Number: true},
		{Name: "mean expression", Number: true},
		{Name: "linear, mean", Number: true},
		{Name: "linear, RMS", Number: true},
		{Name: "conditional, mean", Number: true},
		{Name: "conditional, RMS", Number: true},
	}}
	for _, v := range r.Residuals {
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%.2f to %.2f", v.From, v.To), fmt.Sprint(v.NPoints), fmt.Sprintf("%.3f", v.Expression),
			fmt.Sprintf("%.3f", v.Linear), fmt.Sprintf("%.3f", v.LinearRMS), fmt.Sprintf("%.3f", v.Conditional), fmt.Sprintf("%.3f", v.ConditionalRMS),
		})
	}
	p.Sections = append(p.Sections, report.Section{Title: "Residuals by rank", Text: []string{"Expression − model."}, Tables: []report.Table{t}})
	return p
}
