package pairs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// Build writes the pairs of a source as a dataset to out. A configuration that does
// not go with the task is a [*ConfigError], a column that is missing a [*FieldError],
// and other faults of the data are of the type [*dataset.Error].
func Build(ctx context.Context, src *Source, out string, cfg Config, opts dataset.Options) (report *Report, err error) {
	if cfg.Delimiter == "" {
		cfg.Delimiter = " "
	}
	if cfg.Budget <= 0 {
		cfg.Budget = 1 << 30
	}
	f, err := prompt.NewFormatter(cfg.Templates, cfg.Prompt)
	if err != nil {
		return nil, &ConfigError{err}
	}
	p, err := newPlan(src.name, src.Schema(), &cfg)
	if err != nil {
		return nil, err
	}
	schema, err := dataset.PairSchema(p.labels(src.Schema()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	if src.name != "-" {
		opts.Inputs = append([]string{src.name}, opts.Inputs...)
	}
	w, err := dataset.Create(out, schema, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	t := cfg.Templates
	b := &builder{
		cfg: cfg, plan: p, file: src.name, formatter: f, w: w, out: dataset.NewBatch(schema), groups: map[string]*group{},
		values: map[string]string{},
		report: &Report{
			Task: t.Task().Name, Prompts: t.File(), Fingerprint: t.Fingerprint(), C2S: t.C2S(), Cells: p.size,
			LeftOut: LeftOut{Missing: map[string]int64{}}, Warnings: append([]string{}, src.notes...),
		},
	}
	for rows, err := range src.all(ctx) {
		if err != nil {
			return nil, err
		}
		if err := b.add(ctx, rows); err != nil {
			return nil, err
		}
		if cfg.Progress != nil {
			cfg.Progress(int64(rows.Rows()))
		}
	}
	if err := b.finish(); err != nil {
		return nil, err
	}
	return b.report, w.Commit()
}

// builder makes pairs row by row.
type builder struct {
	cfg       Config
	plan      *plan
	file      string
	formatter *prompt.Formatter
	w         *dataset.Writer
	out       *dataset.Batch // pairs that are not written yet
	groups    map[string]*group
	pending   int64 // bytes of the groups
	key       []byte
	values    map[string]string
	shown     int64 // sentences
	report    *Report
}

// flushRows is how many pairs are written at a time.
const flushRows = 64

// add makes the pairs that a batch completes.
func (b *builder) add(ctx context.Context, rows *dataset.Batch) error {
	for i := range rows.Rows() {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b.report.Rows++
		row := rows.Start + int64(i)
		ok, err := b.usable(rows, i, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if b.plan.gathers() {
			err = b.gather(rows, i, row)
		} else {
			err = b.pair(rows, i, i+1, row, int(row))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// usable tells whether a row has all values, and counts why not.
func (b *builder) usable(rows *dataset.Batch, i int, row int64) (bool, error) {
	missing := func(column int) bool {
		c := &rows.Columns[column]
		return c.Missing[i] || c.Kind.IsText() && len(bytes.TrimSpace(c.TextAt(i))) == 0
	}
	wanted := func(column int, sentence bool) (bool, error) {
		switch {
		case !missing(column):
			if sentence {
				return true, b.delimited(rows.Columns[column].TextAt(i), row)
			}
			return true, nil
		case sentence:
			b.report.LeftOut.Empty++
		default:
			b.report.LeftOut.Missing[rows.Schema[column].Name]++
		}
		return false, nil
	}
	for _, s := range b.plan.slots {
		if ok, err := wanted(s.column, s.sentence); !ok || err != nil {
			return false, err
		}
	}
	for _, column := range b.plan.group {
		if ok, err := wanted(column, false); !ok || err != nil {
			return false, err
		}
	}
	if b.plan.cellType >= 0 {
		if ok, err := wanted(b.plan.cellType, false); !ok || err != nil {
			return false, err
		}
	}
	if b.plan.sentence >= 0 {
		return wanted(b.plan.sentence, true)
	}
	return true, nil
}

// delimited refuses a sentence whose words are separated by something else.
func (b *builder) delimited(text []byte, row int64) error {
	if bytes.Contains(text, []byte(b.cfg.Delimiter)) {
		return nil
	}
	if at := bytes.IndexAny(text, " ,;|\t"); at >= 0 {
		return badRow(b.file, row, "name the text between the genes",
			"the sentence has no %q between its genes but %q: %.40q", b.cfg.Delimiter, text[at:at+1], text)
	}
	return nil
}

// words is a sentence with one blank between its genes.
func (b *builder) words(text []byte) string {
	if b.cfg.Delimiter != " " {
		text = bytes.ReplaceAll(text, []byte(b.cfg.Delimiter), []byte(" "))
	}
	if bytes.Contains(text, []byte("  ")) || len(text) > 0 && (text[0] == ' ' || text[len(text)-1] == ' ') {
		text = bytes.Join(bytes.Fields(text), []byte(" "))
	}
	b.shown++
	if bytes.Count(text, []byte(" "))+1 < b.cfg.Prompt.TopK {
		b.report.Short++
	}
	return string(text)
}

// pair makes a pair of the rows from, to (exclusive) of a batch, the last of which is
// the given row of the source; number is that of the pair for the choice of a
// template.
func (b *builder) pair(rows *dataset.Batch, from, to int, row int64, number int) error {
	p := b.plan
	clear(b.values)
	maps.Copy(b.values, p.constants)
	for _, s := range p.slots {
		c := &rows.Columns[s.column]
		switch {
		case s.sentence && s.field == columnGenes:
			b.values[s.field] = string(c.TextAt(from))
		case s.sentence:
			b.values[s.field] = b.words(c.TextAt(from))
		default:
			b.values[s.field] = string(c.Print(nil, from))
		}
	}
	s := prompt.Sample{Row: number, Values: b.values}
	b.gathered(&s, rows, from, to)
	pair, err := b.formatter.Pair(s)
	if bad, ok := errors.AsType[*prompt.RowError](err); ok {
		return badRow(b.file, row, "", "field %q: %s", bad.Field, bad.Problem)
	}
	if err != nil {
		return err
	}
	dataset.AppendPair(b.out, pair.SampleType, pair.Input, pair.Response)
	for k, column := range p.carry {
		carry(&b.out.Columns[3+k], &rows.Columns[column], from, to, column == p.names)
	}
	if b.out.Rows() == flushRows {
		return b.flush()
	}
	return nil
}

// gathered puts several cells into a sample.
func (b *builder) gathered(s *prompt.Sample, rows *dataset.Batch, from, to int) {
	p := b.plan
	if !p.gathers() {
		return
	}
	var cells, types []string
	for i := from; i < to; i++ {
		cells = append(cells, string(rows.Columns[p.sentence].TextAt(i)))
		if p.types {
			types = append(types, string(rows.Columns[p.cellType].Print(nil, i)))
		}
	}
	if p.neighbour {
		s.Values[fieldNeighbour] = cells[len(cells)-1]
		cells = cells[:len(cells)-1]
	}
	if p.pool {
		s.Values[fieldPool] = prompt.Pool(cells)
	}
	if p.count {
		s.Values[fieldCellCount] = strconv.Itoa(len(cells))
	}
	if p.cells {
		s.Cells, s.CellTypes = cells, types
	}
}

// carry adds the value that all rows have, missing if they differ, or the list of
// values.
func carry(dst, src *dataset.Column, from, to int, list bool) {
	if list {
		var all []byte
		for i := from; i < to; i++ {
			if i > from {
				all = append(all, ", "...)
			}
			all = src.Print(all, i)
		}
		dst.AppendText(all)
		return
	}
	first := src.Print(nil, from)
	for i := from + 1; i < to; i++ {
		if src.Missing[i] != src.Missing[from] || !bytes.Equal(src.Print(nil, i), first) {
			dst.AppendMissing()
			return
		}
	}
	dst.Append(src, from)
}

// flush writes the pairs that wait.
func (b *builder) flush() error {
	b.report.count(b.out)
	err := b.w.Append(b.out, nil)
	b.out.Reset()
	return err
}

// finish writes the last pairs and counts the rows that are left.
func (b *builder) finish() error {
	if err := b.flush(); err != nil {
		return err
	}
	for _, g := range b.groups {
		b.report.LeftOut.Leftover += int64(g.rows.Rows())
	}
	r := b.report
	if r.Pairs == 0 {
		return &dataset.Error{File: b.file, Err: fmt.Errorf("no pair can be made of %d rows: %s", r.Rows, r.LeftOut.String())}
	}
	if r.Short*2 > b.shown {
		r.warn("%d of %d sentences have fewer than the %d genes that prompts speak of", r.Short, b.shown, b.cfg.Prompt.TopK)
	}
	return nil
}
