package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/report"
)

// flagAbout is what a flag means, in the words of the page.
type flagAbout struct{ name, means, do string }

// flagTexts explains the flags, those that spoil an evaluation first.
func flagTexts() []flagAbout {
	return []flagAbout{
		{"leak", "the sentence, or nearly, is in a dataset named before", "remove: its score tests memory alone"},
		{"conflict", "the same cell has another label elsewhere", "decide on a label, or remove"},
		{"duplicate", "the sentence of an earlier row", "keep one of each"},
		{"near-duplicate", "nearly the words of an earlier row", "look; keep one if they are copies"},
		{"junk-content", "its genes fit another label far better", "look: a wrong label, or two cells"},
		{"two-lineages", "markers of two lineages, as in a doublet", "remove, unless they are your subject"},
		{"junk-cheap", "short, of low complexity, or genes of all cells", "remove"},
		{"empty", "no gene", "remove"},
		{"short", "far fewer genes than others of the label", "remove, or encode with --min-genes"},
		{"mitochondrial", "led by mitochondrial genes, as in dying cells", "remove, or encode with --max-mito"},
		{"ribosomal", "led by ribosomal genes more than others of the label", "look"},
		{"stress", "led by genes of stress and dissociation", "look"},
		{"repeat", "a gene stands twice", "encode again with c2s"},
		{"unknown", "words that are not in the vocabulary", "check --vocab and the gene names"},
	}
}

// percent prints a share so that only nothing is 0 and only all is 100.
func percent(n, of int64) string {
	if of == 0 {
		return "–"
	}
	p := 100 * float64(n) / float64(of)
	switch {
	case n > 0 && p < 0.1:
		return "< 0.1 %"
	case n < of && p > 99.9:
		return "> 99.9 %"
	case n == 0 || n == of:
		return fmt.Sprintf("%.0f %%", p)
	}
	return fmt.Sprintf("%.1f %%", p)
}

// grouped prints a number with commas between thousands.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// plural is "1 row" or "2 rows".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// smallShare is the share of rows with flags up to which data is fit to train on, if
// nothing spoils its evaluation.
const smallShare = 0.01

// auditVerdict answers whether to train on the data, and says what is against it,
// the worst first.
func auditVerdict(r *dataset.Report) string {
	var spoiled, small []string
	for _, l := range r.Leakage {
		if n := l.Exact + l.Near; n > 0 {
			spoiled = append(spoiled, counted(n, "row", fmt.Sprintf("of %s repeats %s", l.To, l.From), fmt.Sprintf("of %s repeat %s", l.To, l.From)))
		}
	}
	if n := r.Flags["conflict"]; n > 0 {
		spoiled = append(spoiled, counted(n, "row", "has another label elsewhere", "have another label elsewhere"))
	}
	for _, c := range r.Confounding {
		if c.Confounded {
			spoiled = append(spoiled, fmt.Sprintf("%s goes with %s (Cramér's V %.2f)", c.Column, c.Label, *c.V))
		}
	}
	if n := r.Duplicates.Exact + r.Duplicates.Near; n > 0 {
		small = append(small, counted(n, "row", "repeats an earlier one", "repeat an earlier one"))
	}
	if n := r.Junk.Cheap + r.Junk.Content - r.Junk.Both; n > 0 {
		small = append(small, counted(n, "row", "looks like junk", "look like junk"))
	}
	flagged := r.Rows - r.Clean
	share := fmt.Sprintf("%s of %s", percent(flagged, r.Rows), counted(r.Rows, "row", "has a flag", "have a flag"))
	found := append(spoiled, small...)
	if flagged > 0 && len(found) == 0 {
		found = []string{"most often " + mostFlag(r)}
	}
	switch {
	case len(found) == 0:
		return fmt.Sprintf("Yes: no flag on %s.", plural(r.Rows, "row"))
	case flagged == 0:
		return fmt.Sprintf("Not as it is. There is no flag on %s, but %s.", plural(r.Rows, "row"), strings.Join(found, "; "))
	case len(spoiled) == 0 && float64(flagged) <= smallShare*float64(r.Rows):
		return fmt.Sprintf("Yes, but for small things. %s: %s.", share, strings.Join(found, "; "))
	}
	return fmt.Sprintf("Not as it is. %s: %s.", share, strings.Join(found, "; "))
}

// mostFlag is the flag of most rows.
func mostFlag(r *dataset.Report) string {
	most := ""
	for _, f := range flagTexts() {
		if most == "" || r.Flags[f.name] > r.Flags[most] {
			most = f.name
		}
	}
	return most
}

// counted is "1 row has" or "2 rows have".
func counted(n int64, noun, one, many string) string {
	if n == 1 {
		many = one
	}
	return plural(n, noun) + " " + many
}

// auditPage is the page that a busy person reads: what it comes to, then the flags,
// then where they lie, and rows to look at.
func auditPage(r *auditReport, figure []byte) *report.Page {
	p := &report.Page{Title: "Is this fit to train on?", Lead: r.Verdict, Warnings: r.Warnings, Data: r}
	p.Sections = append(p.Sections, flagsSection(r))
	if len(r.Inputs) > 1 {
		p.Sections = append(p.Sections, leakageSection(r))
	}
	p.Sections = append(p.Sections, labelsSection(r), confoundingSection(r), junkSection(r, figure), leadsSection(r))
	if len(r.Lineages) > 0 {
		p.Sections = append(p.Sections, lineagesSection(r))
	}
	if len(r.Unknown.Most) > 0 {
		p.Sections = append(p.Sections, unknownSection(r))
	}
	if len(r.Examples) > 0 {
		p.Sections = append(p.Sections, examplesSection(r))
	}
	p.Sections = slices.DeleteFunc(p.Sections, func(s report.Section) bool { return s.Title == "" })
	s := r.Settings
	p.Made = []report.Fact{
		{Name: "Sentences", Value: s.Text},
		{Name: "Label", Value: cmp.Or(s.Label, "none")},
		{Name: "Groups", Value: cmp.Or(strings.Join(s.Groups, ", "), "none")},
		{Name: "Thresholds", Value: fmt.Sprintf("%g MADs, near-duplicates from %g, odds of %g", s.MADs, s.Near, s.Odds)},
	}
	return p
}

// flagsSection counts the flags that were found, and names those that were not.
func flagsSection(r *auditReport) report.Section {
	s := report.Section{Title: "What was found"}
	for _, in := range r.Inputs {
		about := plural(in.Rows, "row")
		if w := in.Words; len(w) == 5 {
			about += fmt.Sprintf(", %d to %d genes each, half of them %d to %d", w[0], w[4], w[1], w[3])
		}
		s.Facts = append(s.Facts, report.Fact{Name: in.Name, Value: about})
	}
	t := report.Table{Columns: []report.Column{{Name: "flag"}, {Name: "rows", Number: true}, {Name: "share", Number: true}}}
	if len(r.Inputs) > 1 {
		for _, in := range r.Inputs {
			t.Columns = append(t.Columns, report.Column{Name: in.Name, Number: true, Help: "rows of " + in.Path})
		}
	}
	t.Columns = append(t.Columns, report.Column{Name: "what it means"}, report.Column{Name: "what to do"})
	var none []string
	for _, f := range flagTexts() {
		n := r.Flags[f.name]
		if n == 0 {
			none = append(none, f.name)
			continue
		}
		row := []string{f.name, fmt.Sprint(n), percent(n, r.Rows)}
		if len(r.Inputs) > 1 {
			for _, in := range r.Inputs {
				row = append(row, fmt.Sprint(in.Flags[f.name]))
			}
		}
		t.Rows = append(t.Rows, append(row, f.means, f.do))
	}
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
		s.Text = append(s.Text, "A row may have several flags. They are in the column c2s_flags of the datasets beside this page.")
	}
	if len(none) > 0 {
		s.Text = append(s.Text, "Looked for and not found: "+strings.Join(none, ", ")+".")
	}
	return s
}

// leakageSection shows which datasets share rows.
func leakageSection(r *auditReport) report.Section {
	s := report.Section{Title: "Leakage between datasets"}
	t := report.Table{Columns: []report.Column{
		{Name: "rows of"},
		{Name: "are in"},
		{Name: "the same sentence", Number: true},
		{Name: "nearly the same words", Number: true},
	}}
	for _, l := range r.Leakage {
		t.Rows = append(t.Rows, []string{l.To, l.From, fmt.Sprint(l.Exact), fmt.Sprint(l.Near)})
	}
	if len(t.Rows) == 0 {
		s.Text = []string{"No sentence of one dataset is in another one, nor nearly."}
	} else {
		s.Tables = []report.Table{t}
	}
	return s
}

// mostLabels is how many labels a table shows.
const mostLabels = 200

// labelsSection counts flags by label.
func labelsSection(r *auditReport) report.Section {
	totals := map[string]int64{}
	for _, in := range r.Inputs {
		for label, n := range in.Labels {
			totals[label] += n
		}
	}
	var found []string
	for _, f := range flagTexts() {
		if r.Flags[f.name] > 0 {
			found = append(found, f.name)
		}
	}
	if len(totals) == 0 || len(found) == 0 {
		return report.Section{}
	}
	s := report.Section{Title: "Where the flags lie"}
	t := report.Table{Filter: len(totals) > 20, Columns: []report.Column{{Name: r.Settings.Label}, {Name: "rows", Number: true}}}
	for _, f := range found {
		t.Columns = append(t.Columns, report.Column{Name: f, Number: true})
	}
	labels := slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b))
	})
	if len(labels) > mostLabels {
		s.Text = []string{fmt.Sprintf("The %d most frequent of %d labels; audit.json has all.", mostLabels, len(labels))}
		labels = labels[:mostLabels]
	}
	for _, label := range labels {
		row := []string{label, fmt.Sprint(totals[label])}
		for _, f := range found {
			if n := r.LabelFlags[label][f]; n > 0 {
				row = append(row, fmt.Sprint(n))
			} else {
				row = append(row, "–")
			}
		}
		t.Rows = append(t.Rows, row)
	}
	s.Tables = []report.Table{t}
	return s
}

// confoundingSection shows what goes with the label.
func confoundingSection(r *auditReport) report.Section {
	if len(r.Confounding) == 0 {
		return report.Section{}
	}
	s := report.Section{Title: "What goes with the label", Text: []string{
		"Where a donor or batch tells the label, a model may learn the donor instead. Cramér's V is 0 if they are independent and 1 if one tells the other; above 0.5 it is called confounded.",
	}}
	t := report.Table{Columns: []report.Column{
		{Name: "column"},
		{Name: "values", Number: true},
		{Name: "rows", Number: true},
		{Name: "Cramér's V", Number: true, Help: "corrected for bias"},
		{Name: "verdict"},
	}}
	alone := report.Table{Caption: "Labels that nearly all come from one value", Columns: []report.Column{
		{Name: "label"}, {Name: "column"}, {Name: "value"}, {Name: "rows", Number: true}, {Name: "share", Number: true},
	}}
	for _, c := range r.Confounding {
		v, verdict := "–", "a single value"
		if c.V != nil {
			v, verdict = fmt.Sprintf("%.2f", *c.V), "fine"
			if c.Confounded {
				verdict = "confounded"
			}
		}
		t.Rows = append(t.Rows, []string{c.Column, fmt.Sprint(c.Values), fmt.Sprint(c.Rows), v, verdict})
		for _, a := range c.Alone {
			alone.Rows = append(alone.Rows, []string{a.Label, c.Column, a.Value, fmt.Sprint(a.Rows), fmt.Sprintf("%.1f %%", 100*a.Share)})
		}
	}
	s.Tables = []report.Table{t}
	if len(alone.Rows) > 0 {
		s.Tables = append(s.Tables, alone)
	}
	return s
}
