package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/perturb/compare"
)

// writeBoard writes leaderboard.tsv: a line a run, the best first, with an empty cell
// for what is not known. Behind what all tables have stand two columns for each metric:
// the score and the normalised one.
func writeBoard(w io.Writer, r *compare.Result) error {
	out := bufio.NewWriter(w)
	head := []string{
		"rank", "run", "overall", "overall_lo", "overall_hi", "model", "dose", "cells", "prompt_tokens", "cached_tokens", "answer_tokens", "seconds", "money",
		"answers", "invalid", "unknown_answers", "repeated_answers", "copies", "length_stops", "unknown_words", "repeated_words", "words", "average_at_k", "flags",
	}
	for _, s := range r.Ranking[0].Scores {
		head = append(head, tsvCell(s.Metric), tsvCell(s.Metric)+"_normalised")
	}
	line := func(cells []string) {
		_, _ = out.WriteString(strings.Join(cells, "\t") + "\n") // Flush tells
	}
	line(head)
	for i := range r.Ranking {
		line(boardLine(i+1, &r.Ranking[i]))
	}
	return out.Flush()
}

// boardLine is the cells of a run.
func boardLine(rank int, run *compare.Ranked) []string {
	number := func(n compare.Number) string {
		if n.Missing() {
			return ""
		}
		return strconv.FormatFloat(float64(n), 'g', -1, 64)
	}
	whole := func(n ...int64) (out []string) {
		for _, v := range n {
			out = append(out, strconv.FormatInt(v, 10))
		}
		return out
	}
	record := make([]string, 8)
	if c := run.Record; c != nil && c.Cells > 0 {
		record[0] = tsvCell(c.Model)
		copy(record[2:], whole(c.Cells, c.PromptTokens, c.CachedTokens, c.AnswerTokens))
		if c.Seconds > 0 {
			record[6] = number(compare.Number(c.Seconds))
		}
		record[7] = number(run.Money)
	}
	if run.Dose != nil {
		record[1] = strconv.Itoa(*run.Dose)
	}
	counts := make([]string, 9)
	if b := run.Behaviour; b != nil {
		counts = whole(b.Answers, b.Invalid, b.UnknownAnswers, b.RepeatedAnswers, b.Copies, b.LengthStops, b.UnknownWords, b.RepeatedWords, b.Words)
	}
	average := ""
	if run.Sampling != nil {
		average = number(compare.Number(run.Sampling.Average))
	}
	cells := []string{strconv.Itoa(rank), tsvCell(run.Name), number(run.Overall), number(run.Low), number(run.High)}
	cells = append(append(append(cells, record...), counts...), average, tsvCell(flagNames(run)))
	for _, s := range run.Scores {
		cells = append(cells, number(s.Score), number(s.Normalised))
	}
	return cells
}

func flagNames(run *compare.Ranked) string {
	var names []string
	for _, f := range run.Flags {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// boardTable is the leaderboard of the page and of the terminal.
func boardTable(r *compare.Result) report.Table {
	t := report.Table{Columns: []report.Column{
		{Name: "run"},
		{Name: "overall", Number: true, Help: "mean over metrics of the values between the baseline (0) and a replicate (1)"},
		{Name: "95 %", Number: true, Help: "over perturbations, by Student's t"},
	}}
	by := slices.IndexFunc(r.Ranking[0].Scores, func(s compare.Score) bool { return s.Metric == r.By }) // −1: overall
	if by >= 0 {
		t.Columns = append(t.Columns, report.Column{Name: r.By, Number: true})
	}
	t.Columns = append(
		t.Columns,
		report.Column{Name: "junk", Number: true, Help: "share of junk among the tokens that the model was trained on"},
		report.Column{Name: "tokens a cell", Number: true, Help: "read, cached and written"},
		report.Column{Name: money(r) + " for 1,000 cells", Number: true, Help: "by the table of prices"},
		report.Column{Name: "seconds a cell", Number: true},
		report.Column{Name: "invalid", Number: true, Help: "answers that are no cell sentence"},
		report.Column{Name: "copies", Number: true, Help: "answers that repeat the control"},
		report.Column{Name: "flags", Help: "signs that scores were raised by something other than predicting"},
	)
	for i := range r.Ranking {
		run := &r.Ranking[i]
		row := []string{run.Name, four(run.Overall), ends(run.Low, run.High)}
		if by >= 0 {
			row = append(row, four(run.Scores[by].Score))
		}
		cost := []string{"–", "–", "–", "–"}
		if run.Dose != nil {
			cost[0] = fmt.Sprintf("%d %%", *run.Dose)
		}
		if c := run.Record; c != nil && c.Cells > 0 {
			each := func(v float64) string { return four(compare.Number(v / float64(c.Cells))) }
			cost[1] = each(float64(c.Tokens()))
			if c.Seconds > 0 {
				cost[3] = each(c.Seconds)
			}
			if !run.Money.Missing() {
				cost[2] = each(1000 * float64(run.Money))
			}
		}
		seen := []string{"–", "–"}
		if b := run.Behaviour; b != nil {
			seen = []string{percent(b.Invalid, b.Answers), percent(b.Copies, b.Answers)}
		}
		flags := flagNames(run)
		if flags == "" {
			flags = "–"
		}
		t.Rows = append(t.Rows, append(append(append(row, cost...), seen...), flags))
	}
	return withoutEmpty(t)
}

// money is the currency, if there is one.
func money(r *compare.Result) string {
	if r.Prices == nil {
		return "money"
	}
	return r.Prices.Currency
}
