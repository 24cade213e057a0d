package screenreport

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/screenplot"
)

// id is the card of a compound.
func id(c *analysis.Compound) string { return fmt.Sprintf("compound-%d", c.Item) }

// cards are the compounds one by one, best first.
func (in *Input) cards() (report.Section, error) {
	r := in.Result
	s := report.Section{Title: "One by one"}
	list := r.Hits[:min(in.Cards, len(r.Hits))]
	if len(list) < len(r.Hits) {
		s.Text = []string{fmt.Sprintf("The first %d of %s; the files hold all.", len(list), count(len(r.Hits), "compound"))}
	}
	for _, c := range list {
		body, err := in.card(c)
		if err != nil {
			return s, fmt.Errorf("%s: %w", c.Name, err)
		}
		s.Cards = append(s.Cards, report.Card{ID: id(c), Title: c.Name, Note: note(c), Section: body})
	}
	return s, nil
}

func note(c *analysis.Compound) string {
	text := fmt.Sprintf("%s, positive %s, neutral %s", c.Call, value(c.Pos.Value), value(c.Neu.Value))
	if !c.Q.Missing() {
		text += ", q " + probability(c.Q)
	}
	return text
}

func (in *Input) card(c *analysis.Compound) (report.Section, error) {
	var s report.Section
	if c.Why != "" {
		s.Text = append(s.Text, "Against a stronger call: "+c.Why+".")
	}
	if c.StoppedAt > 0 {
		s.Text = append(s.Text, fmt.Sprintf("Given up as hopeless after stage %d; its p is 1.", c.StoppedAt))
	}
	fact := func(name, v string) {
		if v != "" && v != "–" {
			s.Facts = append(s.Facts, report.Fact{Name: name, Value: v})
		}
	}
	fact("Mechanism", c.Mechanism)
	fact("Targets", strings.Join(c.Targets, ", "))
	fact("Known", strings.TrimSpace(c.Known+" "+c.Evidence))
	fact("Effect, positive context", estimate(c.Pos))
	fact("Effect, neutral context", estimate(c.Neu))
	fact("Split", estimate(c.Split))
	if !c.RelPos.Missing() {
		fact("In units of the positive control", fmt.Sprintf("%s positive, %s neutral", value(c.RelPos), value(c.RelNeu)))
	}
	fact("p: up, unmoved, split", joined(probability(c.PPos), probability(c.PEquiv), probability(c.PSplit)))
	fact("Decoys that do as well", share(c.DecoyP))
	fact("Worst family of decoys", c.DecoyFamily)
	fact("Split of the baseline", value(c.BaselineSplit))
	fact("Added to low interferon", estimate(c.Excess))
	fact("p of a trend over doses", probability(c.DoseTrend))
	fact("p against random gene sets", probability(c.Specificity))
	if !c.Synergy.Missing() {
		fact("Synergy, descriptive", fmt.Sprintf("%s bits, p %s", value(c.Synergy), probability(c.SynergyP)))
	}
	fact("Cells and donors", fmt.Sprintf("positive %d of %s, neutral %d of %s", c.CellsPos, count(c.DonorsPos, "donor"), c.CellsNeu, count(c.DonorsNeu, "donor")))
	fact("Answers", joined(share(c.ValidRate)+" are cells", share(c.CopyRate)+" copy the input"))

	var donors []screenplot.Donor
	for _, d := range c.Donors {
		donors = append(donors, screenplot.Donor{Name: d.Name, Positive: float64(d.Pos), Neutral: float64(d.Neu)})
	}
	if f, err := screenplot.Donors(c.Name, donors); err == nil {
		fig, err := picture(f, "The effect in each donor; a line joins a donor that is in both contexts.")
		if err != nil {
			return s, err
		}
		s.Figures = []report.Figure{fig}
	}
	if len(c.Doses) > 0 {
		t := report.Table{Caption: "By dose", Columns: []report.Column{{Name: "dose"}, {Name: "effect, positive context", Number: true}}}
		for _, d := range c.Doses {
			t.Rows = append(t.Rows, []string{dash(d.Dose), value(d.Pos)})
		}
		s.Tables = append(s.Tables, t)
	}
	if len(c.Moved) > 0 {
		t := report.Table{Caption: "Genes that moved most, in shares of the sentence", Columns: []report.Column{
			{Name: "gene"}, {Name: "positive", Number: true}, {Name: "neutral", Number: true},
		}}
		for _, m := range c.Moved {
			t.Rows = append(t.Rows, []string{m.Gene, number(m.By[0]), number(m.By[1])})
		}
		s.Tables = append(s.Tables, t)
	}
	for _, e := range in.Examples[c.Name] {
		s.Cards = append(s.Cards, report.Card{
			ID:    fmt.Sprintf("%s-%d", id(c), len(s.Cards)),
			Title: "A cell before and after", Note: joined(e.Context, e.Donor, e.CellType),
			Section: report.Section{Code: "before: " + e.Before + "\nafter:  " + e.After},
		})
	}
	return s, nil
}

// joined leaves out what is empty.
func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" && p != "–" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}
