package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// junk turns the measurements into the two scores, each 1 at its threshold, and sets
// the flags.
//
// The first takes cheap signals alone, in robust standard deviations within the
// label: fewer words than others, repeats, and a share of ubiquitous genes among the
// first words that is higher or lower than that of others. The second takes the
// content alone: how badly the genes of the label fit the sentence, and the usual
// order of genes its order, and the odds of another label. They share no measurement, so that where both are high the case is strong.
func (a *auditor) junk() {
	length := a.spreads(func(r *auditRow) (float64, bool) { return math.Log(float64(r.words)), r.words > 0 })
	common := a.spreads(func(r *auditRow) (float64, bool) { return float64(r.common), r.words > 0 })
	fit := a.spreads(func(r *auditRow) (float64, bool) { return float64(r.fit), r.hasScore })
	order := a.spreads(func(r *auditRow) (float64, bool) { return float64(r.order), r.hasScore })
	odds := math.Log(a.cfg.Odds)
	for i := range a.rows {
		r := &a.rows[i]
		if r.words == 0 {
			r.cheap = 2 // nothing is worse, and there is no content to judge
			r.flags |= FlagCheapJunk
			continue
		}
		// Depth differs by a fifth at least between cells of any type.
		short := -length(r).z(math.Log(float64(r.words)), 0.2)
		usual := math.Abs(common(r).z(float64(r.common), sampling(common(r).median, topWords)))
		repeat := 0.0
		if r.flags&FlagRepeat != 0 {
			repeat = a.cfg.MADs
		}
		r.cheap = float32(max(short, usual, repeat) / a.cfg.MADs)
		if short > a.cfg.MADs {
			r.flags |= FlagShort
		}
		if r.cheap > 1 {
			r.flags |= FlagCheapJunk
		}
		if r.hasScore {
			// Chance alone moves the transformed correlation of n words by 1/√n, and half of
			// a sentence, the genes with one or two counts, has no order.
			misfit := max(-fit(r).z(float64(r.fit), 0.01), -order(r).z(float64(r.order), 1/math.Sqrt(float64(min(r.words, orderWords))/2)))
			r.content = float32(max(misfit/a.cfg.MADs, float64(r.other)/odds))
			if r.content > 1 {
				r.flags |= FlagContentJunk
			}
		}
	}
}

// groupTable counts rows by label and another column.
type groupTable struct {
	name   string
	values *wordTable
	of     []int32 // of each row, −1: missing
	buf    []byte
}

func newGroupTable(name string) *groupTable { return &groupTable{name: name, values: newWordTable()} }

func (g *groupTable) add(c *Column, i int) {
	v := int32(-1)
	if !c.Missing[i] {
		g.buf = c.Print(g.buf[:0], i)
		v = g.values.number(g.buf)
	}
	g.of = append(g.of, v)
}

// confoundedV is the association from which a column is called confounded with the
// label: Cohen calls 0.5 a large effect (Statistical Power Analysis, 1988).
const confoundedV = 0.5

// nearlyAll is the share of a label's rows in one group that is pointed out.
const nearlyAll = 0.95

// confounding measures how each group column goes with the label: Cramér's V with
// Bergsma's correction of its bias (Journal of the Korean Statistical Society
// 42:323, 2013).
func (a *auditor) confounding() {
	if a.cfg.Label == "" {
		return
	}
	for _, g := range a.groups {
		cells := map[[2]int32]float64{}
		rows, columns := map[int32]float64{}, map[int32]float64{}
		n := 0.0
		for i := range a.rows {
			l, v := a.rows[i].label, g.of[i]
			if l < 0 || v < 0 {
				continue
			}
			cells[[2]int32{l, v}]++
			rows[l]++
			columns[v]++
			n++
		}
		c := Confounding{Column: g.name, Label: a.cfg.Label, Rows: int64(n), Values: len(columns), Alone: []Alone{}}
		c.V = cramersV(cells, rows, columns, n)
		c.Confounded = c.V != nil && *c.V > confoundedV
		if len(columns) > 1 {
			for _, key := range slices.SortedFunc(maps.Keys(cells), func(x, y [2]int32) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) }) {
				k := cells[key]
				if rows[key[0]] >= leastGroup && k >= nearlyAll*rows[key[0]] && columns[key[1]] < nearlyAll*n {
					c.Alone = append(c.Alone, Alone{a.labels.words[key[0]], g.values.words[key[1]], int64(rows[key[0]]), k / rows[key[0]]})
				}
			}
		}
		a.report.Confounding = append(a.report.Confounding, c)
	}
}

// cramersV is nil where it is not defined: for a single label or value.
func cramersV(cells map[[2]int32]float64, rows, columns map[int32]float64, n float64) *float64 {
	r, k := float64(len(rows)), float64(len(columns))
	if r < 2 || k < 2 || n < 2 {
		return nil
	}
	// Of all cells of the table, those that are empty add up to what the others lack.
	chi := 0.0
	keys := slices.SortedFunc(maps.Keys(cells), func(x, y [2]int32) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	for _, key := range keys {
		expected := rows[key[0]] * columns[key[1]] / n
		chi += cells[key] * cells[key] / expected
	}
	phi := (chi - n) / n
	phi = max(0, phi-(r-1)*(k-1)/(n-1))
	rc, kc := r-(r-1)*(r-1)/(n-1), k-(k-1)*(k-1)/(n-1)
	m := min(rc, kc) - 1
	if m <= 0 {
		return nil
	}
	v := math.Sqrt(phi / m)
	return &v
}

// Columns that [AuditResult.Write] adds.
const (
	ColumnFlags   = "c2s_flags"        // their names, joined by commas; missing where there is none
	ColumnCheap   = "c2s_junk_cheap"   // the first junk score
	ColumnContent = "c2s_junk_content" // the second; missing where a row has no label
)

// Flags are those of a row of an input.
func (a *AuditResult) Flags(input, row int) Flags { return a.a.rows[a.a.starts[input]+row].flags }

// Scores are the two junk scores of a row; above 1 they set flags. The second is NaN
// where the row has no label.
func (a *AuditResult) Scores(input, row int) (cheap, content float64) {
	r := &a.a.rows[a.a.starts[input]+row]
	if !r.hasScore {
		return float64(r.cheap), math.NaN()
	}
	return float64(r.cheap), float64(r.content)
}

// Write writes an audited dataset with its flags and scores as columns behind the
// others. One that has such columns already is an error.
func (a *AuditResult) Write(ctx context.Context, input int, out string, opts Options) (err error) {
	path := a.a.inputs[input].Path
	r, err := Open(ctx, path, ReadOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it is only read
	schema := r.Schema()
	if len(r.skipped) > 0 {
		return inputError(path, "", "", "column %q is of a kind that cannot be written", r.skipped[0])
	}
	for _, f := range []Field{{ColumnFlags, Category}, {ColumnCheap, Float}, {ColumnContent, Float}} {
		if schema.Index(f.Name) >= 0 {
			return inputError(path, "", "remove it, or audit the dataset that it was made from", "there is a column %q already", f.Name)
		}
		schema = append(slices.Clip(schema), f)
	}
	opts.Inputs = append(slices.Clone(opts.Inputs), path)
	w, err := Create(out, schema, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	row, rows := 0, int(a.Report.Inputs[input].Rows)
	wide := NewBatch(schema)
	for b, err := range r.All(ctx) {
		if err != nil {
			return err
		}
		if row+b.Rows() > rows {
			return inputError(path, "", "audit it again", "it changed since it was audited: it has more than %d rows", rows)
		}
		n := copy(wide.Columns, b.Columns)
		for k := n; k < len(schema); k++ {
			wide.Columns[k] = Column{Kind: schema[k].Kind}
		}
		flags, cheap, content := &wide.Columns[n], &wide.Columns[n+1], &wide.Columns[n+2]
		for range b.Rows() {
			if f := a.Flags(input, row); f == 0 {
				flags.AppendMissing()
			} else {
				flags.AppendString(f.String())
			}
			x, y := a.Scores(input, row)
			cheap.AppendFloat(x)
			if math.IsNaN(y) {
				content.AppendMissing()
			} else {
				content.AppendFloat(y)
			}
			row++
		}
		if err := w.Append(wide, nil); err != nil {
			return err
		}
	}
	if row != rows {
		return inputError(path, "", "audit it again", "it changed since it was audited: it has %d rows, and had %d", row, rows)
	}
	if err := w.Commit(); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	return nil
}
