package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
)

// leadsSection shows what the first words are.
func leadsSection(r *auditReport) report.Section {
	t := report.Table{Filter: len(r.Leads) > 20, FilterBy: "kind", Columns: []report.Column{
		{Name: "kind"},
		{Name: "label"},
		{Name: "rows", Number: true, Help: "with words enough"},
		{Name: "median", Number: true, Help: "share of the first 50 words, the first counting most"},
		{Name: "limit", Number: true, Help: "beyond which a row is flagged; – where none can be"},
		{Name: "most", Number: true, Help: "the highest share"},
		{Name: "flagged", Number: true},
	}}
	share := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
	for _, l := range r.Leads {
		if l.Most < 0.001 {
			continue // there is no such gene among the first
		}
		limit := "–"
		if l.Limit < 1 {
			limit = share(l.Limit)
		}
		t.Rows = append(t.Rows, []string{l.Kind, l.Label, fmt.Sprint(l.Rows), share(l.Median), limit, share(l.Most), fmt.Sprint(l.Flagged)})
	}
	if len(t.Rows) == 0 {
		return report.Section{}
	}
	slices.SortStableFunc(t.Rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return report.Section{
		Title:  "What sentences begin with",
		Text:   []string{fmt.Sprintf("Ribosomal genes lead healthy sentences, too, and how much hangs on the cell type: rows are compared with others of their label, and flagged more than %g MADs above the median.", r.Settings.MADs)},
		Tables: []report.Table{t},
	}
}

// lineagesSection counts mixtures.
func lineagesSection(r *auditReport) report.Section {
	t := report.Table{Columns: []report.Column{{Name: "markers of"}, {Name: "in cells of"}, {Name: "rows", Number: true}}}
	for _, l := range r.Lineages {
		of := l.Of
		if of == "" {
			of = "no lineage"
		}
		t.Rows = append(t.Rows, []string{l.Name, of, fmt.Sprint(l.Rows)})
	}
	return report.Section{Title: "Cells with the markers of two lineages", Tables: []report.Table{t}}
}

// unknownSection lists words that are no genes.
func unknownSection(r *auditReport) report.Section {
	t := report.Table{Columns: []report.Column{{Name: "word"}, {Name: "times", Number: true}}}
	for _, w := range r.Unknown.Most {
		t.Rows = append(t.Rows, []string{printable(w.Word), fmt.Sprint(w.Count)})
	}
	return report.Section{
		Title:  "Words outside the vocabulary",
		Text:   []string{fmt.Sprintf("%s in %s; the most frequent:", plural(r.Unknown.Words, "word"), plural(r.Unknown.Rows, "row"))},
		Tables: []report.Table{t},
	}
}

// examplesSection shows rows to look at.
func examplesSection(r *auditReport) report.Section {
	t := report.Table{Filter: true, FilterBy: "flag", Columns: []report.Column{
		{Name: "flag"},
		{Name: "dataset"},
		{Name: "row", Number: true, Help: "counted from 0"},
		{Name: "cell"},
		{Name: "label"},
		{Name: "next label", Help: "the label that fits best beside its own"},
		{Name: "genes", Number: true},
		{Name: "cheap", Number: true, Help: "the first junk score"},
		{Name: "content", Number: true, Help: "the second"},
		{Name: "begins with"},
	}}
	for _, e := range r.Examples {
		content := "–"
		if e.Content != nil {
			content = fmt.Sprintf("%.2f", *e.Content)
		}
		t.Rows = append(t.Rows, []string{
			e.Flag, e.Input, fmt.Sprint(e.Row), printable(e.Name), printable(e.Label), printable(e.Rival),
			fmt.Sprint(e.Words), fmt.Sprintf("%.2f", e.Cheap), content, printable(e.Begins),
		})
	}
	return report.Section{
		Title:  "Rows to look at",
		Text:   []string{fmt.Sprintf("Up to %d of each flag.", r.Settings.Examples)},
		Tables: []report.Table{t},
	}
}
