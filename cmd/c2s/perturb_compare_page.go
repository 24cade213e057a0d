package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/perturb/compare"
	"github.com/cellsentence/c2s/perturb/compare/compareplot"
)

// comparison builds the page of a comparison, and writes its figures.
type comparison struct {
	*compare.Result
	*resultFolder
}

// page is the page of a comparison.
func (c comparison) page() (*report.Page, error) {
	r := c.Result
	p := &report.Page{Title: "Runs beside each other", Lead: r.Verdict(), Warnings: r.Warnings, Data: r}
	for _, build := range []func() (report.Section, error){c.board, c.scores, c.pairs, c.costs, c.behaviour, c.sampling, c.doses} {
		s, err := build()
		if err != nil {
			return nil, err
		}
		if s.Title != "" {
			p.Sections = append(p.Sections, s)
		}
	}
	p.Sections = append(p.Sections, report.Section{Title: "How to read these numbers", Text: []string{
		"A normalised score is 0 at the baseline, the better of a copy of the control and of the mean response of the other perturbations, and 1 at a replicate of the real cells. It may be negative, for a prediction worse than the baseline, and above 1. It is not shown where the replicate is no better than the baseline.",
		"The overall score is the mean over metrics of the values between those anchors, perturbation by perturbation; its interval is Student's over perturbations. Metrics that measure nearly the same count twice: name those that matter before looking, with --metric.",
		"p is of Wilcoxon's signed ranks of the differences over perturbations, two-sided and exact up to 200 of them, adjusted after Holm over the pairs of a metric. Hedges' g is the difference in pooled standard deviations over perturbations, with the exact correction for few. Over many metrics some p is small by chance.",
		"The frontier is the upper convex hull of cost and score with the origin: a random mix of two runs reaches every point between them, and using none costs nothing and scores 0. A run below it is dearer than a mix of others that scores as well.",
	}})
	return p, nil
}

// board is the leaderboard.
func (c comparison) board() (report.Section, error) {
	s := report.Section{Title: "Leaderboard", Tables: []report.Table{boardTable(c.Result)}}
	s.Facts = []report.Fact{
		{Name: "Preset", Value: strings.Join(c.Presets, ", ")},
		{Name: "Perturbations", Value: fmt.Sprint(len(c.Perturbations))},
	}
	if len(c.OverallOf) == 0 {
		return s, nil
	}
	s.Text = []string{fmt.Sprintf("The overall score is the mean of %d metrics: %s.", len(c.OverallOf), strings.Join(c.OverallOf, ", "))}
	fig, err := compareplot.Ranking(c.Result)
	if err != nil {
		return s, err
	}
	f, err := c.figure("ranking", "The overall score of each run with its 95 % interval over perturbations. The dashed lines are the baseline (0) and a replicate of the real cells (1).", fig)
	s.Figures = []report.Figure{f}
	return s, err
}

// scores is two tables of all metrics, a line each.
func (c comparison) scores() (report.Section, error) {
	s := report.Section{Title: "Scores", Text: []string{"Normalised: 0 is the baseline, 1 a replicate. As scored: in the unit of the metric; an arrow says which way is better, if any."}}
	columns := []report.Column{{Name: "metric"}}
	for i := range c.Ranking {
		columns = append(columns, report.Column{Name: c.Ranking[i].Name, Number: true})
	}
	normalised := report.Table{Caption: "Normalised", Columns: columns, Filter: len(c.Ranking[0].Scores) > 10}
	raw := report.Table{Caption: "As scored", Columns: columns, Filter: normalised.Filter}
	for k, m := range c.Ranking[0].Scores {
		arrow := " ↑"
		switch {
		case m.Diagnostic:
			arrow = ""
		case m.Lower:
			arrow = " ↓"
		}
		one, two := []string{m.Metric}, []string{m.Metric + arrow}
		for i := range c.Ranking {
			v := c.Ranking[i].Scores[k]
			text := four(v.Normalised)
			if !v.Low.Missing() && !v.Normalised.Missing() {
				text += " " + ends(v.Low, v.High)
			}
			one, two = append(one, text), append(two, four(v.Score))
		}
		if slices.ContainsFunc(one[1:], func(v string) bool { return v != "–" }) {
			normalised.Rows = append(normalised.Rows, one)
		}
		raw.Rows = append(raw.Rows, two)
	}
	if len(normalised.Rows) > 0 {
		s.Tables = append(s.Tables, normalised)
	}
	s.Tables = append(s.Tables, raw)
	return s, nil
}

// pairs is all tests.
func (c comparison) pairs() (report.Section, error) {
	if len(c.Pairs) == 0 {
		return report.Section{}, nil
	}
	t := report.Table{FilterBy: "metric", Columns: []report.Column{
		{Name: "metric"},
		{Name: "first"},
		{Name: "second"},
		{Name: "perturbations", Number: true},
		{Name: "difference", Number: true, Help: "above 0: the first is better, whichever way is better in the metric"},
		{Name: "95 %", Number: true, Help: "Student's, over perturbations"},
		{Name: "Hedges' g", Number: true},
		{Name: "p", Number: true, Help: "Wilcoxon's signed ranks, two-sided"},
		{Name: "p, Holm", Number: true, Help: "adjusted over the pairs of the metric"},
		{Name: "told apart"},
	}}
	for _, p := range c.Pairs {
		apart := "no"
		if p.Apart {
			apart = "yes"
		}
		t.Rows = append(t.Rows, []string{p.Metric, p.First, p.Second, fmt.Sprint(p.N), four(p.Difference), ends(p.Low, p.High), four(p.G), four(p.P), four(p.Holm), apart})
	}
	return report.Section{Title: "Pairs", Text: []string{"The run of the higher rank stands first; by a single metric it may be the worse one, and the difference is then below 0."}, Tables: []report.Table{t}}, nil
}

// costs is the frontiers.
func (c comparison) costs() (report.Section, error) {
	if len(c.Frontiers) == 0 {
		return report.Section{}, nil
	}
	s := report.Section{Title: "Score and cost"}
	if p := c.Prices; p != nil {
		s.Text = append(s.Text, fmt.Sprintf("Money is tokens, and time where a price is by the hour, times the prices of %s, in %s.", p.Date, p.Currency))
	}
	for i := range c.Frontiers {
		f := &c.Frontiers[i]
		fig, err := compareplot.Frontier(f)
		if err != nil {
			return s, err
		}
		drawn, err := c.figure([]string{"frontier_tokens", "frontier_money"}[i], "Score over "+f.Unit+": the frontier (line), the runs on it (blue) and the others (grey).", fig)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, drawn)
		t := report.Table{Caption: "Score over " + f.Unit, Columns: []report.Column{{Name: "run"}, {Name: "cost", Number: true, Help: f.Unit}, {Name: "overall", Number: true}, {Name: "on the frontier"}}}
		for _, p := range f.Points {
			on := "no"
			if p.On {
				on = "yes"
			}
			t.Rows = append(t.Rows, []string{p.Name, four(compare.Number(p.Cost)), four(compare.Number(p.Score)), on})
		}
		s.Tables = append(s.Tables, t)
		if i == 0 && len(f.Left) > 0 {
			s.Text = append(s.Text, "Without a record of their cost: "+strings.Join(f.Left, ", ")+".")
		}
	}
	return s, nil
}

// behaviour is what answers are like.
func (c comparison) behaviour() (report.Section, error) {
	t := report.Table{Columns: []report.Column{
		{Name: "run"},
		{Name: "answers", Number: true},
		{Name: "invalid", Number: true, Help: "answers that are no cell sentence"},
		{Name: "with invalid genes", Number: true, Help: "answers with a word that is no gene"},
		{Name: "with repeats", Number: true, Help: "answers that name a gene twice"},
		{Name: "copies of the control", Number: true},
		{Name: "length stops", Number: true, Help: "answers that the limit of tokens ended"},
		{Name: "invalid genes", Number: true, Help: "among all words"},
		{Name: "repeats", Number: true, Help: "among all words"},
	}}
	for i := range c.Ranking {
		if b := c.Ranking[i].Behaviour; b != nil {
			row := []string{c.Ranking[i].Name, grouped(b.Answers)}
			for _, n := range []int64{b.Invalid, b.UnknownAnswers, b.RepeatedAnswers, b.Copies, b.LengthStops} {
				row = append(row, percent(n, b.Answers))
			}
			t.Rows = append(t.Rows, append(row, percent(b.UnknownWords, b.Words), percent(b.RepeatedWords, b.Words)))
		}
	}
	if len(t.Rows) == 0 {
		return report.Section{}, nil
	}
	return report.Section{Title: "Behaviour", Text: []string{"Counted from the answers themselves. A run that copies the control can score well where little changes; one that runs into the limit of tokens was cut off."}, Tables: []report.Table{t}}, nil
}

// sampling is what several answers to a question reach.
func (c comparison) sampling() (report.Section, error) {
	t := report.Table{Columns: []report.Column{
		{Name: "run"},
		{Name: "items", Number: true},
		{Name: "k", Number: true},
		{Name: "pass@k", Number: true, Help: "at least one of k answers is right"},
		{Name: "average@k", Number: true, Help: "share of right answers"},
		{Name: "maj@k", Number: true, Help: "the most frequent of k answers is right"},
	}}
	for i := range c.Ranking {
		if s := c.Ranking[i].Sampling; s != nil {
			for _, at := range s.At {
				t.Rows = append(t.Rows, []string{c.Ranking[i].Name, fmt.Sprint(s.Items), fmt.Sprint(at.K), four(compare.Number(at.Pass)), four(compare.Number(s.Average)), four(at.Majority)})
			}
		}
	}
	if len(t.Rows) == 0 {
		return report.Section{}, nil
	}
	return report.Section{Title: "Sampled answers", Text: []string{"All draws of k among the answers to an item are counted, none simulated: pass@k is 1 − C(n−c, k)/C(n, k), and answers that tie for the most frequent share the vote."}, Tables: []report.Table{withoutEmpty(t)}}, nil
}

// doses is how scores change with junk.
func (c comparison) doses() (report.Section, error) {
	if len(c.Trends) == 0 {
		return report.Section{}, nil
	}
	fig, err := compareplot.Doses(&c.Trends[0])
	if err != nil {
		return report.Section{}, err
	}
	f, err := c.figure("doses", "The score over the junk in the training data, with 95 % intervals over perturbations.", fig)
	if err != nil {
		return report.Section{}, err
	}
	t := report.Table{Caption: "From no junk to junk alone", Columns: []report.Column{
		{Name: "metric"},
		{Name: "slope", Number: true, Help: "change of the score, counted so that below 0 is worse"},
		{Name: "95 %", Number: true, Help: "Student's, over perturbations"},
		{Name: "p", Number: true, Help: "signed ranks of the perturbations' slopes"},
	}}
	for _, d := range c.Trends[0].Doses {
		if d.Dose != 0 {
			t.Columns = append(t.Columns, report.Column{Name: fmt.Sprintf("g at %d %%", d.Dose), Number: true, Help: "Hedges' g against dose 0"})
		}
	}
	for _, tr := range c.Trends {
		row := []string{tr.Metric, four(tr.Slope), ends(tr.Low, tr.High), four(tr.P)}
		for _, d := range tr.Doses {
			if d.Dose != 0 {
				row = append(row, four(d.G))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return report.Section{
		Title:   "Dose and response",
		Text:    []string{"Each perturbation has its own straight line through the doses; the slope is their mean. Runs of one dose are averaged first."},
		Figures: []report.Figure{f}, Tables: []report.Table{withoutEmpty(t)},
	}, nil
}
