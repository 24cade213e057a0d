package screen

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/screen/record"
)

// Example is what became of one cell, for a report card.
type Example struct {
	Item     int // of Header.Items
	Context  record.Context
	Cell     int    // row in its file
	Donor    string //
	CellType string
	Before   string // the cell
	After    string // the answer
}

// example keeps the sentences of the first cell of the first donor in each context.
func (r *run) example(a *answer) {
	if a.cell != 0 || a.draw != 0 || a.arm > record.Compound {
		return
	}
	cell := r.Cells[a.context][0]
	r.res.Examples = append(r.res.Examples, Example{
		Item: a.item, Context: a.context, Cell: cell.Row, Donor: r.Clusters[cell.Cluster].Name, CellType: r.CellTypes[cell.CellType],
		Before: strings.Join(r.shown(&r.profiles[a.context][0]), " "), After: strings.Join(a.genes, " "),
	})
}

// WriteExamples writes examples as a TSV, a line each. Sentences hold no tab.
func WriteExamples(w io.Writer, h *record.Header, list []Example) error {
	if _, err := fmt.Fprintln(w, "compound\tkind\tcontext\tdonor\tcell_type\tcell\tbefore\tafter"); err != nil {
		return err
	}
	for _, e := range list {
		name, kind := "vehicle", "vehicle"
		if e.Item >= 0 {
			name, kind = h.Items[e.Item].Name, string(h.Items[e.Item].Kind)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", text(name), kind, contextName(e.Context), text(e.Donor), text(e.CellType), e.Cell, e.Before, e.After); err != nil {
			return err
		}
	}
	return nil
}

// text is a name as a cell of a table: on one line, and text to a spreadsheet.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// result puts together what a run leaves.
func (r *run) result() (*Result, error) {
	r.res.Header = r.header()
	for i := range r.res.Header.Items {
		if r.own[i] {
			r.tally.card(i, &r.res.Header.Items[i])
		}
	}
	r.res.Tokens = map[string]float64{}
	for family, sum := range r.tokens {
		if sum[0] > 0 {
			r.res.Tokens[family] = float64(sum[0]) / float64(sum[1])
		}
	}
	r.res.Rows = r.rows
	Sort(r.res.Rows)
	slices.SortStableFunc(r.res.Examples, func(a, b Example) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Context, b.Context))
	})
	return r.res, nil
}

// header is the lists that the rows point into.
func (r *run) header() record.Header {
	info := r.Predictor.Info()
	name := info.Name
	if info.Model != "" {
		name += " (" + info.Model + ")"
	}
	h := record.Header{
		Plan: r.Digest, Items: slices.Clone(r.Items), Clusters: r.Clusters, CellTypes: r.CellTypes, Doses: r.Doses,
		Program: r.Program.Words(), Predictor: name, Notice: info.Notice, ProgramSeen: len(r.Seen), SentenceLength: r.Genes,
		Weights: r.Weights, Margin: r.cfg.Margin.Value, MarginShare: r.cfg.Margin.Share, Rising: len(r.cfg.Leading.Doses), Control: strings.TrimSpace(r.cfg.Controls.Positive[0]), Design: r.cfg.Design, Order: r.res.Order, Notes: r.notes,
	}
	for i := range h.Items {
		if len(h.Items[i].Targets) > 0 {
			h.Items[i].TargetShare = r.expressed(h.Items[i].Targets)
		}
	}
	return h
}

// expressed is the share of the cells of each context that express one of some genes.
func (p *Plan) expressed(genes []string) *record.Pair {
	var out record.Pair
	for x := range p.profiles {
		n := 0
		for i := range p.profiles[x] {
			if slices.ContainsFunc(genes, func(g string) bool { return slices.Contains(p.profiles[x][i].sentence, g) }) {
				n++
			}
		}
		out[x] = round(float64(n) / float64(len(p.profiles[x])))
	}
	return &out
}

// Sort brings rows into the order of a table, which does not depend on the order in
// which they were asked for: by arm, item, dose, context, donor, cell and draw.
func Sort(rows []record.Row) {
	slices.SortFunc(rows, func(a, b record.Row) int {
		return cmp.Or(
			cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Dose, b.Dose), cmp.Compare(a.Context, b.Context),
			cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Draw, b.Draw),
		)
	})
}

// Join makes one result of those of all shards, given in order.
func Join(parts []*record.Table) (*record.Table, error) {
	out := &record.Table{Header: parts[0].Header}
	out.Header.Items = slices.Clone(out.Header.Items)
	var rows []record.Row
	for k, t := range parts {
		h := t.Header
		if h.Plan != out.Header.Plan || h.Predictor != out.Header.Predictor || len(h.Items) != len(out.Header.Items) {
			return nil, wrong("shard "+shard.Shard{Index: k, Count: len(parts)}.String(), "run it again with the same plan and model", "its scores are of another plan or predictor")
		}
		own := owned(h.Items, shard.Shard{Index: k, Count: len(parts)})
		for i := range h.Items {
			if own[i] {
				out.Header.Items[i] = h.Items[i]
			}
		}
		for i := range t.Len() {
			row := t.Row(i)
			if row.Item >= 0 && !own[row.Item] || row.Item < 0 && k > 0 {
				return nil, wrong("shard "+shard.Shard{Index: k, Count: len(parts)}.String(), "", "it has scores of a compound that belongs to another shard")
			}
			rows = append(rows, row)
		}
	}
	Sort(rows)
	for _, row := range rows {
		out.Append(row)
	}
	return out, nil
}

// owned says which items are a shard's: compounds, decoys and baselines go round;
// positive controls, the first one takes.
func owned(items []record.Item, s shard.Shard) []bool {
	own := make([]bool, len(items))
	asked := 0
	for i, item := range items {
		if item.Kind == record.Control || item.Name == "" {
			own[i] = s.Index == 0
			continue
		}
		own[i] = s.Whole() || asked%s.Count == s.Index
		asked++
	}
	return own
}
