package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/perturb/score"
	"github.com/cellsentence/c2s/perturb/score/scoreplot"
)

// brief prints a number with four significant digits, – if it does not exist.
func brief(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// interval prints one, – if it does not exist.
func interval(low, high float64) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return "–"
	}
	return fmt.Sprintf("[%s, %s]", brief(low), brief(high))
}

// text prints the headline for people.
func (r *scoreResult) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s against %s\n%s\n\n", flat(r.Pred), flat(r.Real), r.Verdict)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "metric\tscore\tcontrol\tmean response\tceiling\tnormalised\t95 %\tn")
	for i := range r.Metrics {
		m := &r.Metrics[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Name, brief(m.Score), brief(m.Control), brief(m.MeanResponse), brief(m.Ceiling), brief(m.Normalised), interval(m.Low, m.High), scoredOf(m))
	}
	_ = t.Flush() // a strings.Builder takes everything
	for _, f := range r.Flags {
		fmt.Fprintf(&b, "flag %s: %s\n", f.Name, flat(f.Message))
	}
	for line := range strings.Lines(b.String()) { // file names and labels may hold anything
		if _, err := fmt.Fprintln(w, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

// scoredOf is the number of perturbations under a metric.
func scoredOf(m *score.Anchored) string {
	if m.Values == nil {
		return "panel"
	}
	return fmt.Sprint(m.Defined())
}

// write writes the folder, if one was asked for.
func (r *scoreResult) write(ctx context.Context, g *globals, o *scoreFlags, f *resultFolder) error {
	if f.dir == nil {
		return nil
	}
	page, err := r.page(f)
	if err != nil {
		return err
	}
	if err := errors.Join(f.file("results.csv", r.WriteResults), f.file("agg_results.csv", r.WriteAggregate), f.json("scores.json", r)); err != nil {
		return err
	}
	cells := func(list []int) int64 {
		n := int64(0)
		for _, c := range list {
			n += int64(c)
		}
		return n
	}
	return f.finish(ctx, g, page, manifest.Manifest{
		Command: "perturb score", Warnings: r.Warnings,
		Options: map[string]any{
			"pert_col": o.column, "pred_pert_col": o.predColumn, "control": o.control, "preset": o.preset, "donor": o.donor,
			"normalize": o.normalize, "min_overlap": o.minOverlap, "match_cells": o.match, "splits": o.splits, "bootstraps": o.bootstraps, "tricks": o.tricks,
			"raw": o.matrix.raw, "layer": o.matrix.layer, "pred_layer": o.predLayer, "modality": o.matrix.modality,
			"gene_names": o.matrix.geneNames, "gene_map": o.matrix.geneMap,
		},
		Counts: map[string]int64{
			"perturbations": int64(len(r.Perturbations)), "genes": int64(r.Genes), "real": cells(r.RealCells), "predicted": cells(r.PredCells),
			"real_controls": int64(r.RealControls), "predicted_controls": int64(r.PredControls),
		},
	})
}

// page builds the report, and writes its figures.
func (r *scoreResult) page(f *resultFolder) (*report.Page, error) {
	p := &report.Page{Title: "Predicted perturbations against real ones", Lead: r.Verdict, Warnings: r.Warnings, Data: r}
	headline, err := r.headline(f)
	if err != nil {
		return nil, err
	}
	each, err := r.each(f)
	if err != nil {
		return nil, err
	}
	p.Sections = []report.Section{headline}
	if r.Challenge != nil {
		p.Sections = append(p.Sections, r.challenge())
	}
	p.Sections = append(p.Sections, r.flags())
	if len(r.Tricks) > 0 {
		p.Sections = append(p.Sections, r.played())
	}
	p.Sections = append(p.Sections, each, report.Section{Title: "For the methods section", Text: []string{r.Methods}}, scoreHelp())
	return p, nil
}

// headline is every metric between its anchors.
func (r *scoreResult) headline(f *resultFolder) (report.Section, error) {
	donors := "not known"
	if r.Donors > 0 {
		donors = fmt.Sprint(r.Donors)
	}
	s := report.Section{
		Title: "Scores between anchors",
		Facts: []report.Fact{
			{Name: "perturbations", Value: fmt.Sprint(len(r.Perturbations))},
			{Name: "cells", Value: fmt.Sprintf("%d real, %d predicted", total(r.RealCells), total(r.PredCells))},
			{Name: "control cells (" + r.Control + ")", Value: fmt.Sprintf("%d real, %d predicted", r.RealControls, r.PredControls)},
			{Name: "genes", Value: fmt.Sprint(r.Genes)},
			{Name: "donors", Value: donors},
			{Name: "preset", Value: string(r.Preset)},
		},
	}
	if fig, err := scoreplot.Metrics(r.Result); err == nil {
		p, err := f.figure("metrics", fmt.Sprintf("Normalised scores (bars) with their 95 %% intervals over perturbations (lines); 0 is the better of control and mean response, the dashed line a replicate. What lies beyond %g and %g is cut there. Metrics without a normalised score are in the table, with the reason.", scoreplot.Lowest, scoreplot.Highest), fig)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, p)
	}
	t := report.Table{
		Caption: "↑ more is better, ↓ less is better",
		Columns: []report.Column{
			{Name: "metric"},
			{Name: "", Help: "↑ more is better, ↓ less is better"},
			{Name: "normalised", Number: true, Help: "0 is the baseline, 1 the replicate ceiling; a ratio of means"},
			{Name: "95 %", Number: true, Help: "interval of the normalised score, by bootstrap over perturbations"},
			{Name: "score", Number: true},
			{Name: "95 % of score", Number: true},
			{Name: "control", Number: true, Help: "what control cells reach"},
			{Name: "mean response", Number: true, Help: "what the mean response of the other perturbations reaches"},
			{Name: "ceiling", Number: true, Help: "what half of the real cells reaches against the other half"},
			{Name: "baseline", Help: "the better of control and mean response"},
			{Name: "n", Number: true, Help: "perturbations with a value; panel: one number of all"},
			{Name: "remark"},
		},
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		way := "↑"
		if m.Lower {
			way = "↓"
		}
		if m.Diagnostic {
			way = ""
		}
		remark := m.Reason
		if m.Values != nil && m.Scored < m.Defined() && !math.IsNaN(m.Normalised) {
			remark = strings.TrimPrefix(remark+fmt.Sprintf("; normalised over %d perturbations", m.Scored), "; ")
		}
		t.Rows = append(t.Rows, []string{
			m.Name, way, brief(m.Normalised), interval(m.Low, m.High), brief(m.Score), interval(m.ScoreLow, m.ScoreHigh), brief(m.Control), brief(m.MeanResponse),
			brief(m.Ceiling), m.Baseline, scoredOf(m), remark,
		})
	}
	s.Tables = []report.Table{t}
	return s, nil
}

func total(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}

// challenge is the score of the 2026 challenge.
func (r *scoreResult) challenge() report.Section {
	t := report.Table{Columns: []report.Column{
		{Name: "member"},
		{Name: "value", Number: true},
		{Name: "baseline", Number: true, Help: "the mean response, submitted as a prediction"},
		{Name: "replicate", Number: true, Help: "half of the real cells against the other half"},
		{Name: "score", Number: true, Help: "(value − baseline) / (replicate − baseline)"},
	}}
	for _, m := range r.Challenge.Members {
		t.Rows = append(t.Rows, []string{m.Name, brief(m.Value), brief(m.Baseline), brief(m.Replicate), brief(m.Score)})
	}
	return report.Section{
		Title:  "The score of the 2026 challenge: " + brief(r.Challenge.Score),
		Text:   []string{"The mean of six members. 0 is a submission of the mean response and 1 a replicate; here the baseline is always the mean response, made of control cells whose genes are scaled. The error of expression is kept within 0 and 1, that of fold changes above −6."},
		Tables: []report.Table{t},
	}
}

// flags is what was noticed about this prediction.
func (r *scoreResult) flags() report.Section {
	s := report.Section{Title: "Flags on this prediction"}
	if len(r.Flags) == 0 {
		s.Text = []string{"None: no sign of the known ways to raise scores was noticed."}
		return s
	}
	s.Text = []string{"Signs that scores may come from something other than predicting. They accuse nobody: a poor model can show them, too."}
	t := report.Table{Columns: []report.Column{{Name: "flag"}, {Name: "what was seen"}}}
	for _, f := range r.Flags {
		t.Rows = append(t.Rows, []string{f.Name, f.Message})
	}
	s.Tables = []report.Table{t}
	return s
}

// played is the table of the tricks.
func (r *scoreResult) played() report.Section {
	s := report.Section{
		Title: "What known tricks would have moved",
		Text: []string{
			"Each trick was played on this prediction and scored again. ▲ marks a metric that it would have raised by more than a twentieth of the way from baseline to ceiling, ▼ one that it would have lowered by as much. A trick with many ▲ and no flag is one to look out for.",
		},
	}
	means := report.Table{Caption: "The tricks", Columns: []report.Column{{Name: "trick"}, {Name: "what is done"}, {Name: "raises", Number: true}, {Name: "lowers", Number: true}, {Name: "flagged as"}}}
	t := report.Table{Caption: "Scores after each trick", Columns: []report.Column{{Name: "metric"}, {Name: "as predicted", Number: true}}}
	for _, trick := range r.Tricks {
		t.Columns = append(t.Columns, report.Column{Name: trick.Name, Help: trick.What, Number: true})
	}
	raised, lowered := make([]int, len(r.Tricks)), make([]int, len(r.Tricks))
	for i := range r.Metrics {
		m := &r.Metrics[i]
		row := []string{m.Name, brief(m.Score)}
		for k, trick := range r.Tricks {
			text := "refused"
			if trick.Refused == "" {
				text = brief(trick.Scores[i])
				switch moved(m, trick.Scores[i]) {
				case 1:
					raised[k]++
					text = "▲ " + text
				case -1:
					lowered[k]++
					text = "▼ " + text
				}
			}
			row = append(row, text)
		}
		t.Rows = append(t.Rows, row)
	}
	for k, trick := range r.Tricks {
		var said []string
		for _, f := range trick.Flags {
			said = append(said, f.Name)
		}
		flagged := strings.Join(said, ", ")
		if trick.Refused != "" {
			flagged = "refused: " + trick.Refused
		}
		if flagged == "" {
			flagged = "–"
		}
		means.Rows = append(means.Rows, []string{trick.Name, trick.What, fmt.Sprint(raised[k]), fmt.Sprint(lowered[k]), flagged})
	}
	s.Tables = []report.Table{means, t}
	return s
}

// moved says which way a trick moved a metric, 0 for neither: by more than a twentieth
// of the way from baseline to ceiling, or of the score where there is no such way.
func moved(m *score.Anchored, after float64) int {
	base := m.Control
	if m.Baseline == "mean-response" {
		base = m.MeanResponse
	}
	way := math.Abs(m.Ceiling - base)
	if math.IsNaN(way) || math.IsNaN(m.Normalised) {
		way = math.Abs(m.Score)
	}
	by := after - m.Score
	if m.Lower {
		by = -by
	}
	switch {
	case m.Diagnostic:
		return 0
	case by > way/20:
		return 1
	case by < -way/20:
		return -1
	}
	return 0
}

// each is the perturbations one by one.
func (r *scoreResult) each(f *resultFolder) (report.Section, error) {
	s := report.Section{Title: "Perturbations"}
	if m := scoreplot.Shown(r.Result); m != nil {
		fig, err := scoreplot.Perturbations(r.Result, m)
		if err != nil {
			return s, err
		}
		caption := fmt.Sprintf("%s of each perturbation, the best on top, between its baseline (the %s) and its replicate ceiling.", m.Name, m.Baseline)
		if len(r.Perturbations) > scoreplot.Most {
			caption += fmt.Sprintf(" The best and the worst %d of %d are shown.", scoreplot.Most/2, len(r.Perturbations))
		}
		p, err := f.figure("perturbations", caption, fig)
		if err != nil {
			return s, err
		}
		s.Figures = []report.Figure{p}
	}
	t := report.Table{
		Filter:  len(r.Perturbations) > 10,
		Columns: []report.Column{{Name: "perturbation"}, {Name: "real cells", Number: true}, {Name: "predicted cells", Number: true}},
	}
	for _, m := range r.Metrics {
		if m.Values != nil {
			t.Columns = append(t.Columns, report.Column{Name: m.Name, Number: true})
		}
	}
	for k, name := range r.Perturbations {
		row := []string{name, fmt.Sprint(r.RealCells[k]), fmt.Sprint(r.PredCells[k])}
		for _, m := range r.Metrics {
			if m.Values != nil {
				row = append(row, brief(m.Values[k]))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	s.Tables = []report.Table{t}
	return s, nil
}

// scoreHelp explains the numbers.
func scoreHelp() report.Section {
	return report.Section{
		Title: "How to read these numbers",
		Text: []string{
			"A score alone says nothing: a copy of the control is close to a perturbed cell, and the mean response of the other perturbations closer still. The normalised score counts from the better of the two to what a second experiment of half the size would reach. Below 0 the prediction is worse than knowing nothing of the perturbation; above 1 it is nearer to the real cells than half of them are to the other half, which averages over many cells can be.",
			"It is not shown where the ceiling is not surely above the baseline: there the metric cannot tell good predictions from bad ones on these cells. Correlations have their ceiling raised to that of whole samples (Spearman–Brown); no such rule exists for other metrics, whose ceiling is on the careful side.",
			"– is a number that does not exist, and is in no mean. Intervals are over perturbations, so that one perturbation has none. They do not tell what other cells of the same perturbations, or other donors, would have given.",
		},
	}
}
