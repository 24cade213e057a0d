package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/scfid"
	"github.com/cellsentence/c2s/scfid/scfidplot"
)

// page builds the report, and writes its figures.
func (f *scfidFolder) page(r *scfidResult) (*report.Page, error) {
	whole, groups := r.warnings()
	p := &report.Page{Title: "Generated cells against real ones", Lead: r.Sets[0].Verdict, Warnings: whole, Data: r.json()}
	if r.Comparison != nil {
		p.Lead = r.Verdict
		s, err := f.ranking(r.Comparison)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, s)
	}
	methods := report.Section{Title: "For the methods section"}
	for i, s := range r.Sets {
		prefix, name := "", "The distance"
		if len(r.Sets) > 1 {
			prefix, name = fmt.Sprintf("set%d_", i+1), s.Name
		}
		section, err := f.section(s, name, prefix)
		if err != nil {
			return nil, err
		}
		if len(r.Sets) > 1 {
			section.Text = append([]string{s.Verdict}, section.Text...)
		}
		p.Sections = append(p.Sections, section)
		methods.Text = append(methods.Text, s.Methods)
	}
	p.Sections = append(p.Sections, methods)
	if len(groups) > 0 {
		p.Sections = append(p.Sections, report.Section{Title: "Warnings about groups", Text: groups})
	}
	help, err := scfidHelp()
	p.Sections = append(p.Sections, help)
	return p, err
}

// section is all about one set.
func (f *scfidFolder) section(s *scfidSet, name, prefix string) (report.Section, error) {
	section := report.Section{Title: name, Facts: scoreFacts(&s.Scores), Tables: []report.Table{scoresTable(s.Result)}}
	if !s.MeanOverGroups.Missing() {
		section.Text = append(section.Text, fmt.Sprintf("The unweighted mean of the groups, scFID, is %s; weighted by the real cells it is %s. Effect is how much a group changes the unweighted mean.",
			figures(s.MeanOverGroups), figures(s.WeightedMeanOverGroups)))
	}
	for _, only := range []struct {
		side string
		keys []string
	}{{"real", s.OnlyReal}, {"generated", s.OnlyGen}} {
		if len(only.keys) > 0 {
			section.Text = append(section.Text, fmt.Sprintf("Groups among the %s cells only, which are not in the mean: %s.", only.side, strings.Join(only.keys, ", ")))
		}
	}
	var err error
	section.Figures, err = f.figures(s, prefix)
	return section, err
}

// scoresTable is all cells and each group, a line each.
func scoresTable(r *scfid.Result) report.Table {
	t := report.Table{
		Columns: []report.Column{
			{Name: "group"},
			{Name: "real", Number: true, Help: "real cells"},
			{Name: "generated", Number: true, Help: "generated cells"},
			{Name: "FD", Number: true, Help: "Fréchet distance, with its bias"},
			{Name: "without bias, 95 %", Number: true, Help: "interval by the influence of each cell; none with fewer than four cells a dimension, or where the permutation test does not tell the sets apart"},
			{Name: "bias floor", Number: true, Help: "what equal distributions of these sizes reach"},
			{Name: "donor floor", Number: true, Help: "what halves of the donors differ by"},
			{Name: "FD∞", Number: true, Help: "extrapolated to infinitely many cells, ± standard error"},
			{Name: "means", Number: true, Help: "squared distance of the means"},
			{Name: "covariances", Number: true, Help: "the rest of the distance"},
			{Name: "KID", Number: true, Help: "kernel distance without bias, ± standard deviation of the subsets"},
			{Name: "p", Number: true, Help: "permutation test"},
			{Name: "precision", Number: true, Help: "generated cells that lie among the real ones"},
			{Name: "recall", Number: true, Help: "real cells that lie among the generated ones"},
			{Name: "density", Number: true, Help: "how densely real cells lie about generated ones; 1 is as among real ones"},
			{Name: "coverage", Number: true, Help: "real cells with a generated one nearby"},
			{Name: "effect", Number: true, Help: "how much the group changes the unweighted mean"},
		},
		Filter: len(r.Groups) > 10,
	}
	row := func(key string, s *scfid.Scores, effect scfid.Value) {
		t.Rows = append(t.Rows, []string{
			key, fmt.Sprint(s.NReal), fmt.Sprint(s.NGen), figures(s.FD), span(s.CI), figures(s.BiasFloor), figures(s.DonorFloor),
			give(s.FDInfinity, s.FDInfinitySE), figures(s.MeanTerm), figures(s.CovTerm), give(s.KID.Mean, s.KID.Std), figures(s.PermutationP),
			figures(s.Precision), figures(s.Recall), figures(s.Density), figures(s.Coverage), figures(effect),
		})
	}
	row("all cells", &r.Scores, scfid.Value(math.NaN()))
	for i := range r.Groups {
		row(r.Groups[i].Key, &r.Groups[i].Scores, r.Groups[i].Effect)
	}
	return withoutEmpty(t)
}

// withoutEmpty leaves out columns in which nothing stands.
func withoutEmpty(t report.Table) report.Table {
	out := report.Table{Caption: t.Caption, Filter: t.Filter, Rows: make([][]string, len(t.Rows))}
	for k, c := range t.Columns {
		if !slices.ContainsFunc(t.Rows, func(row []string) bool { return row[k] != "–" }) {
			continue
		}
		out.Columns = append(out.Columns, c)
		for i, row := range t.Rows {
			out.Rows[i] = append(out.Rows[i], row[k])
		}
	}
	return out
}

// ranking is the section of a comparison.
func (f *scfidFolder) ranking(c *scfid.Comparison) (report.Section, error) {
	s := report.Section{
		Title: "Ranking",
		Text: []string{fmt.Sprintf("All sets were cut to %d cells, so that bias favours none, and held against the same %d real cells. Intervals of the differences hold for all pairs together (95 %%, Bonferroni); the error of the real cells, which all sets share, largely cancels in them.",
			c.N, c.NReal)},
	}
	fig, err := scfidplot.Ranking(c)
	if err != nil {
		return s, err
	}
	p, err := f.figure("ranking", "Distance to the real cells at equal numbers of cells (bar), and its 95 % interval without bias (line).", fig)
	if err != nil {
		return s, err
	}
	s.Figures = []report.Figure{p}
	sets := report.Table{Caption: "Sets, nearest first", Columns: []report.Column{
		{Name: "set"},
		{Name: "FD", Number: true},
		{Name: "without bias, 95 %", Number: true},
		{Name: "means", Number: true},
		{Name: "covariances", Number: true},
	}}
	for _, m := range c.Ranking {
		sets.Rows = append(sets.Rows, []string{m.Name, figures(m.FD), span(m.CI), figures(m.MeanTerm), figures(m.CovTerm)})
	}
	pairs := report.Table{
		Caption: "Pairs", Filter: len(c.Pairs) > 10,
		Columns: []report.Column{
			{Name: "nearer"},
			{Name: "farther"},
			{Name: "difference", Number: true, Help: "of the distances without bias"},
			{Name: "95 %", Number: true, Help: "for all pairs together"},
			{Name: "told apart"},
		},
	}
	for _, p := range c.Pairs {
		apart := "no"
		if p.Apart {
			apart = "yes"
		}
		pairs.Rows = append(pairs.Rows, []string{p.Nearer, p.Farther, figures(p.Difference), span(p.CI), apart})
	}
	s.Tables = []report.Table{sets, pairs}
	return s, nil
}

// scfidHelp explains the numbers.
func scfidHelp() (report.Section, error) {
	s := report.Section{
		Title: "How to read these numbers",
		Text: []string{
			"The Fréchet distance (FD) compares the means and the covariances of two sets of embeddings. Covariances of few cells differ by chance, so that FD is not 0 for equal distributions: this bias falls with the number of cells, and a set with fewer cells looks worse than it is. Compare distances only at equal numbers of cells and in the same embedding; their size has no meaning of its own.",
			"The bias floor is the distance that two samples of the real cells of these sizes have. A distance near its floor is as good as it can be seen to be. The donor floor is what cells of different donors differ by: no generated cells need to be nearer.",
			"FD∞ extrapolates the distance to infinitely many cells. It works from about four cells a dimension on and is still mostly bias below two, as the simulation here shows; KID has no such bias at any number of cells and is what to read there.",
			"Precision and density tell whether generated cells look like real ones, recall and coverage whether all kinds of real cells are generated. Density may exceed 1.",
		},
	}
	points, dim := scfidplot.Simulated()
	fig, err := scfidplot.Bias(points, dim)
	if err != nil {
		return s, err
	}
	p, err := picture(fmt.Sprintf("A simulation, not these data: two sets of one normal distribution in %d dimensions, whose true distance is 0. Its total variance is 6.82.", dim), fig)
	if err != nil {
		return s, err
	}
	s.Figures = []report.Figure{p}
	t := report.Table{Caption: "The same simulation in numbers", Columns: []report.Column{
		{Name: "cells a side", Number: true},
		{Name: "FD", Number: true},
		{Name: "FD∞", Number: true},
		{Name: "KID × 1000", Number: true},
	}}
	for _, p := range points {
		t.Rows = append(t.Rows, []string{fmt.Sprint(p.N), fmt.Sprintf("%.3f", p.FD), fmt.Sprintf("%.3f", p.FDInfinity), fmt.Sprintf("%.3f", 1000*p.KID)})
	}
	s.Tables = []report.Table{t}
	return s, nil
}
