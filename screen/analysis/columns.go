package analysis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/screen/record"
)

// Column is a column of a table of compounds, with what it means.
type Column struct {
	Name, Help string
	Number     bool

	of func(r *Result, c *Compound) string
}

// Table is a table as text; missing values are empty.
type Table struct {
	Columns []Column
	Rows    [][]string
}

func table(r *Result, columns []Column, list []*Compound) Table {
	t := Table{Columns: columns, Rows: make([][]string, 0, len(list))}
	for _, c := range list {
		row := make([]string, len(columns))
		for i, col := range columns {
			row[i] = col.of(r, c)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// HitsTable is all compounds by rank, in the columns of hits.tsv.
func (r *Result) HitsTable() Table { return table(r, hitColumns(), r.Hits) }

func number(name, help string, of func(c *Compound) Number) Column {
	return Column{name, help, true, func(_ *Result, c *Compound) string { return of(c).String() }}
}

func whole(name, help string, of func(c *Compound) int) Column {
	return Column{name, help, true, func(_ *Result, c *Compound) string { return strconv.Itoa(of(c)) }}
}

func text(name, help string, of func(c *Compound) string) Column {
	return Column{name, help, false, func(_ *Result, c *Compound) string { return of(c) }}
}

// interval is three columns: an estimate and its bounds.
func interval(name, bound, help string, of func(c *Compound) Estimate) []Column {
	return []Column{
		number(name, help, func(c *Compound) Number { return of(c).Value }),
		number(bound+"_lo", "Lower bound.", func(c *Compound) Number { return of(c).Lo }),
		number(bound+"_hi", "Upper bound.", func(c *Compound) Number { return of(c).Hi }),
	}
}

func hitColumns() []Column {
	return slices.Concat(
		[]Column{
			whole("rank", "By the p-value of the context-selective call.", func(c *Compound) int { return c.Rank }),
			text("compound", "Its name.", func(c *Compound) string { return c.Name }),
			text("call", "What is shown of it.", func(c *Compound) string { return string(c.Call) }),
		},
		interval("delta_pos", "delta_pos", "Change of the score in the positive context.", func(c *Compound) Estimate { return c.Pos }),
		interval("delta_neu", "delta_neu", "Change of the score in the neutral context.", func(c *Compound) Estimate { return c.Neu }),
		interval("split", "split", "The first less the second.", func(c *Compound) Estimate { return c.Split }),
		[]Column{
			number("p_pos", "Against no rise in the positive context, one-sided.", func(c *Compound) Number { return c.PPos }),
			number("p_equiv", "Against a change in the neutral context as large as the margin.", func(c *Compound) Number { return c.PEquiv }),
			number("p_split", "Against no split, one-sided.", func(c *Compound) Number { return c.PSplit }),
			number("p", "Of the context-selective call: the largest of its parts.", func(c *Compound) Number { return c.P }),
			number("q", "Its false discovery rate: how consistent the model's answers are over donors, not the probability that the drug works.", func(c *Compound) Number { return c.Q }),
			number("decoy_p", "Share of decoys that do as well, in the worst family.", func(c *Compound) Number { return c.DecoyP }),
			text("decoy_family", "That family.", func(c *Compound) string { return c.DecoyFamily }),
			number("synergy_bits", "What compound and context tell only together, less its null; descriptive.", func(c *Compound) Number { return c.Synergy }),
			number("synergy_p", "By permuting contexts over donors.", func(c *Compound) Number { return c.SynergyP }),
		},
		interval("excess_ifn", "excess", "What it adds to low interferon beyond its own effect, in the neutral context.", func(c *Compound) Estimate { return c.Excess }),
		[]Column{
			number("excess_q", "False discovery rate of a positive excess among leading compounds; too small where their effects, which chose them, are weak.", func(c *Compound) Number { return c.ExcessQ }),
			number("dose_trend_p", "Against no rise with the dose, from three doses on.", func(c *Compound) Number { return c.DoseTrend }),
			number("baseline_split", "The split of the predictor without a language model.", func(c *Compound) Number { return c.BaselineSplit }),
			number("rel_pos", "Effect in units of the positive control's, positive context.", func(c *Compound) Number { return c.RelPos }),
			number("rel_neu", "Effect in units of the positive control's, neutral context.", func(c *Compound) Number { return c.RelNeu }),
			{"program_genes_seen", "Genes of the program that sentences can show.", true, func(r *Result, _ *Compound) string {
				if r.ProgramSeen == 0 {
					return "" // not told
				}
				return strconv.Itoa(r.ProgramSeen)
			}},
			number("program_specificity_p", "Against random gene sets of the same ranks.", func(c *Compound) Number { return c.Specificity }),
			whole("n_pos", "Cells in the positive context.", func(c *Compound) int { return c.CellsPos }),
			whole("n_neu", "Cells in the neutral context.", func(c *Compound) int { return c.CellsNeu }),
			whole("n_donors_pos", "Donors or cell lines in the positive context.", func(c *Compound) int { return c.DonorsPos }),
			whole("n_donors_neu", "Donors or cell lines in the neutral context.", func(c *Compound) int { return c.DonorsNeu }),
			number("valid_rate", "Share of answers that are cells, in the worse context.", func(c *Compound) Number { return c.ValidRate }),
			number("copy_rate", "Share of answers that copy the input, in the worse context.", func(c *Compound) Number { return c.CopyRate }),
			text("known", "What is published about it.", func(c *Compound) string { return c.Known }),
		},
	)
}

// ValidationTable is what a laboratory should run, a row for each context-selective
// compound: arms, doses, readout and controls, and what speaks against it.
func (r *Result) ValidationTable() Table {
	var hits []*Compound
	var sides []string
	for _, c := range r.Hits {
		if c.Call != ContextSelective {
			continue
		}
		hits = append(hits, c)
		for name := range c.Side {
			if !slices.Contains(sides, name) {
				sides = append(sides, name)
			}
		}
	}
	slices.Sort(sides)
	columns := []Column{
		whole("rank", "As in hits.tsv.", func(c *Compound) int { return c.Rank }),
		text("compound", "Its name.", func(c *Compound) string { return c.Name }),
		text("mechanism", "As the list of compounds has it.", func(c *Compound) string { return c.Mechanism }),
		number("split", "As in hits.tsv.", func(c *Compound) Number { return c.Split.Value }),
		number("q", "As in hits.tsv.", func(c *Compound) Number { return c.Q }),
		number("decoy_fdr", "False discovery rate by decoys of a list that ends here.", func(c *Compound) Number { return c.DecoyFDR }),
		text("targets", "Genes.", func(c *Compound) string { return strings.Join(c.Targets, " ") }),
	}
	for i, name := range []string{"target_share_pos", "target_share_neu"} {
		columns = append(columns, number(name, "Share of input cells that express a target.", func(c *Compound) Number {
			if c.TargetShare == nil {
				return missing()
			}
			return Number(c.TargetShare[i])
		}))
	}
	for _, side := range sides {
		for i, ending := range []string{"_pos", "_neu"} {
			columns = append(columns, number(side+ending, "Change of another program.", func(c *Compound) Number {
				if v, ok := c.Side[side]; ok {
					return Number(v[i])
				}
				return missing()
			}))
		}
	}
	columns = append(
		columns,
		text("arms", "In both contexts.", func(*Compound) string {
			return "vehicle; compound; low-dose interferon; compound + low-dose interferon"
		}),
		Column{"doses", "Of the compound.", false, func(_ *Result, c *Compound) string { return doses(c) }},
		Column{"controls", "On every plate.", false, func(r *Result, _ *Compound) string {
			return "vehicle; " + r.Assay.Control + " at a saturating dose; an inert compound of the screen"
		}},
		Column{"readout", "What to measure.", false, func(r *Result, _ *Compound) string { return readout(r.Program) }},
		text("replicates", "At least.", func(*Compound) string { return "3 donors or cell lines a context, 3 wells an arm, blinded" }),
		text("evidence", "What is published.", func(c *Compound) string { return c.Evidence }),
		Column{"caution", "What speaks against it.", false, func(r *Result, c *Compound) string { return strings.Join(cautions(r, c), "; ") }},
	)
	return table(r, columns, hits)
}

func doses(c *Compound) string {
	if len(c.Doses) > 0 {
		names := make([]string, len(c.Doses))
		for i, d := range c.Doses {
			names[i] = d.Dose
		}
		return strings.Join(names, ", ")
	}
	if c.dose == "" {
		return "3 doses, tenfold apart"
	}
	return "a tenth of, equal to and ten times " + c.dose
}

// readout names the assay of a program.
func readout(program []string) string {
	genes := program[:min(4, len(program))]
	if slices.ContainsFunc(program, func(g string) bool { return strings.HasPrefix(g, "HLA-") }) {
		return "surface HLA-A,B,C by flow cytometry with a viability dye; RT-qPCR of " + strings.Join(genes, ", ")
	}
	return "RT-qPCR or RNA sequencing of the program's genes; viability"
}

// cautions are the reasons to doubt a hit that the screen itself knows.
func cautions(r *Result, c *Compound) []string {
	var out []string
	add := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	add(c.BaselineSplit > 0 && c.BaselineSplit >= c.Split.Value/2, "a predictor without a language model sees half of the split or more")
	add(c.DecoyFDR > Number(r.Config.FDR), "decoys reach this rank: false discovery rate %.2g", float64(c.DecoyFDR))
	add(c.Specificity > 0.05, "random gene sets move as much (p %.2g)", float64(c.Specificity))
	add(c.DoseTrend > 0.05, "no rise with the dose is shown (p %.2g)", float64(c.DoseTrend))
	if t := c.TargetShare; t != nil {
		add(t[record.Positive] < 0.05, "a target is expressed by %.1f %% of the cells of the positive context", 100*t[record.Positive])
	}
	for _, name := range []string{"apoptosis", "stress"} {
		if v, ok := c.Side[name]; ok {
			add(Number(v[0]) > c.Pos.Value/2, "%s rises by half as much as the program or more", name)
		}
	}
	return out
}
