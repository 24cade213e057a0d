package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
)

// typesWriter writes typed cells as they come.
type typesWriter interface {
	add(row int, c *typed) error
	// commit makes the output appear; what is remarkable but no error is a warning.
	commit(ctx context.Context) (warnings []string, err error)
	// abort leaves nothing behind of an output that was not committed.
	abort() error
}

// create begins the output that the name asks for.
func (o *annotateFlags) create(ctx context.Context, g *globals, in *input, m *model, path string, topK int) (typesWriter, error) {
	if strings.HasSuffix(g.out, ".h5ad") {
		return o.createH5AD(ctx, g, in, m, path, topK)
	}
	names, err := in.file.Obs().Index(ctx)
	if err != nil {
		return nil, err
	}
	inputs := inputsOf(path)
	if o.labels != "" {
		inputs = append(inputs, o.labels)
	}
	if strings.HasSuffix(g.out, ".tsv") {
		out, err := g.create(inputs...)
		if err != nil {
			return nil, err
		}
		t := &tsvTypes{out, bufio.NewWriterSize(out, 1<<16), names}
		_, err = t.text.WriteString("cell_name\tc2s_cell_type\tc2s_confidence\tc2s_answer\tc2s_valid\tc2s_stop\tc2s_abstained\n")
		return t, err
	}
	schema := dataset.Schema{
		{Name: dataset.ColumnCell, Kind: dataset.Text},
		{Name: "c2s_cell_type", Kind: dataset.Category},
		{Name: "c2s_confidence", Kind: dataset.Float},
		{Name: "c2s_answer", Kind: dataset.Text},
		{Name: "c2s_valid", Kind: dataset.Bool},
		{Name: "c2s_stop", Kind: dataset.Category},
		{Name: "c2s_abstained", Kind: dataset.Bool},
	}
	w, err := dataset.Create(g.out, schema, dataset.Options{Force: g.force, Inputs: inputs, Jobs: g.workers()})
	if err != nil {
		return nil, err
	}
	return &parquetTypes{w, dataset.NewBatch(schema), names}, nil
}

// tsvTypes writes lines.
type tsvTypes struct {
	out   *output
	text  *bufio.Writer
	names []string
}

func (t *tsvTypes) add(row int, c *typed) error {
	confidence := ""
	if !math.IsNaN(c.Confidence) {
		confidence = strconv.FormatFloat(c.Confidence, 'g', 6, 64)
	}
	_, err := fmt.Fprintf(t.text, "%s\t%s\t%s\t%s\t%t\t%s\t%t\n",
		tsvCell(t.names[row]), tsvCell(c.Label), confidence, tsvCell(c.Answer), c.valid, c.Stop, c.abstained)
	return err
}

func (t *tsvTypes) commit(context.Context) ([]string, error) {
	if err := t.text.Flush(); err != nil {
		return nil, err
	}
	return nil, t.out.Commit()
}

func (t *tsvTypes) abort() error { return t.out.Abort() }

// tsvCell is a text as a cell of a table: on one line, and text to a spreadsheet.
func tsvCell(s string) string {
	s = printable(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// parquetTypes writes blocks of rows.
type parquetTypes struct {
	w     *dataset.Writer
	b     *dataset.Batch
	names []string
}

func (t *parquetTypes) add(row int, c *typed) error {
	col := t.b.Columns
	col[0].AppendString(t.names[row])
	appendText(&col[1], c.Label)
	if math.IsNaN(c.Confidence) {
		col[2].AppendMissing()
	} else {
		col[2].AppendFloat(c.Confidence)
	}
	col[3].AppendString(c.Answer)
	col[4].AppendBool(c.valid)
	appendText(&col[5], string(c.Stop))
	col[6].AppendBool(c.abstained)
	if t.b.Rows() == dataset.BlockRows {
		return t.flush()
	}
	return nil
}

// appendText adds a text, missing if there is none.
func appendText(c *dataset.Column, s string) {
	if s == "" {
		c.AppendMissing()
		return
	}
	c.AppendString(s)
}

func (t *parquetTypes) flush() error {
	defer t.b.Reset()
	return t.w.Append(t.b, nil)
}

func (t *parquetTypes) commit(context.Context) ([]string, error) {
	if t.b.Rows() > 0 {
		if err := t.flush(); err != nil {
			return nil, err
		}
	}
	return nil, t.w.Commit()
}

func (t *parquetTypes) abort() error { return t.w.Abort() }

// h5adTypes writes a copy of the file, and behind it the annotations in obs and what made
// them in uns. Some 30 bytes of a cell are kept until then, and different answers once.
type h5adTypes struct {
	w        *h5ad.Writer
	about    h5ad.Dict
	warnings []string

	types, answers, stops codes
	confidence            []float64
	valid, abstained      []bool
}

func (o *annotateFlags) createH5AD(ctx context.Context, g *globals, in *input, m *model, path string, topK int) (typesWriter, error) {
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{Workers: g.workers(), Memory: g.budget() / 4, Force: g.force, Inputs: inputsOf(path)})
	if err != nil {
		return nil, err
	}
	t := &h5adTypes{w: w, about: h5ad.Dict{
		"version": textOf(version), "model": textOf(m.info.Model), "digest": textOf(m.info.Digest), "notice": textOf(m.info.Notice),
		"top_k": numberOf(int64(topK)), "labels": textOf(o.labels), "cluster": textOf(o.cluster), "seed": numberOf(int64(g.seed)),
	}}
	if t.warnings, err = copyBefore(ctx, w, in, &o.part, lay{Source: path, Modality: o.matrix.modality}, "obs/c2s_cell_type", "obs/c2s_confidence", "obs/c2s_answer", "obs/c2s_valid", "obs/c2s_stop", "obs/c2s_abstained", aboutTypes); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return t, nil
}

const aboutTypes = "uns/c2s_annotate"

// copyBefore copies a file whose keys come later: flaws of the file, and a full disk, are
// found before a model is asked. Of a part, l tells how it is laid.
func copyBefore(ctx context.Context, w *h5ad.Writer, in *input, part *partFlags, l lay, keys ...string) (warnings []string, err error) {
	var changes []h5ad.Change
	for _, k := range keys {
		changes = append(changes, h5ad.Change{Key: k, Element: h5ad.Later{}})
	}
	opts := h5ad.CopyOptions{Changes: changes}
	if err := part.cut(in.file.NObs(), l, &opts); err != nil {
		return nil, err
	}
	report, err := w.CopyFrom(ctx, in.file, opts)
	if err != nil {
		return nil, err
	}
	for _, d := range report.Dropped {
		warnings = append(warnings, "dropped "+d)
	}
	return append(warnings, report.Warnings...), nil
}

func (t *h5adTypes) add(_ int, c *typed) error {
	t.types.add(withoutNUL(c.Label))
	t.answers.add(withoutNUL(c.Answer))
	t.stops.add(string(c.Stop))
	t.confidence = append(t.confidence, c.Confidence)
	t.valid, t.abstained = append(t.valid, c.valid), append(t.abstained, c.abstained)
	return nil
}

func (t *h5adTypes) commit(ctx context.Context) ([]string, error) {
	n := []int{len(t.valid)}
	for _, c := range []h5ad.Change{
		{Key: "obs/c2s_cell_type", Element: t.types.column()},
		{Key: "obs/c2s_confidence", Element: &h5ad.Array{Dims: n, Values: t.confidence}},
		{Key: "obs/c2s_answer", Element: t.answers.column()},
		{Key: "obs/c2s_valid", Element: &h5ad.Array{Dims: n, Values: t.valid}},
		{Key: "obs/c2s_stop", Element: t.stops.column()},
		{Key: "obs/c2s_abstained", Element: &h5ad.Array{Dims: n, Values: t.abstained}},
		{Key: aboutTypes, Element: t.about},
	} {
		if err := t.w.Set(ctx, c.Key, c.Element); err != nil {
			return nil, err
		}
	}
	return t.warnings, t.w.Close()
}

func (t *h5adTypes) abort() error { return t.w.Abort() }

// codes is a column of few different texts; the empty one is missing.
type codes struct {
	words category
	list  []int32
}

func (c *codes) add(s string) {
	n := int32(-1)
	if s != "" {
		n = c.words.code(s)
	}
	c.list = append(c.list, n)
}

func (c *codes) column() *h5ad.Categorical {
	k := &h5ad.Categorical{Codes: make([]int64, len(c.list)), Categories: &h5ad.Array{Dims: []int{len(c.words.list)}, Values: append([]string{}, c.words.list...)}}
	for i, n := range c.list {
		k.Codes[i] = int64(n)
	}
	return k
}
