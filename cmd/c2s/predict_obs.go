package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// batchRows is the most rows of the output that wait to be written together.
const batchRows = 256

// values gives X as the predictor does.
func (j *predictJob) values(ctx context.Context, obs *predictedObs) iter.Seq2[*h5ad.Batch, error] {
	return func(yield func(*h5ad.Batch, error) bool) {
		b := &h5ad.Batch{Indptr: []int64{0}}
		var values []float32
		for r, err := range j.rows(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			obs.add(&r)
			for g, v := range r.Values {
				if v != 0 {
					b.Indices, values = append(b.Indices, int32(g)), append(values, v)
				}
			}
			b.Indptr = append(b.Indptr, int64(len(values)))
			if b.NObs() == batchRows {
				b.Values = values
				if !yield(b, nil) {
					return
				}
				b.Start += b.NObs()
				b.Indptr, b.Indices, values = b.Indptr[:1], b.Indices[:0], values[:0]
			}
		}
		if b.Values = values; b.NObs() > 0 {
			yield(b, nil)
		}
	}
}

// decoded gives X as a rank model says of the sentences. A perturbed cell is taken to
// express as many genes as its control.
func (j *predictJob) decoded(ctx context.Context, obs *predictedObs) (iter.Seq2[*h5ad.Batch, error], error) {
	model, err := j.rankModel(ctx)
	if err != nil {
		return nil, err
	}
	j.result.Units = model.Units
	dec, err := cellsentence.NewDecoder(j.words, cellsentence.DecoderConfig{
		Model: model, NGenes: cellsentence.NGenesColumn, TopK: j.topK, Workers: j.g.workers(),
	})
	if err != nil {
		return nil, err
	}
	return dec.Decode(ctx, func(yield func(*cellsentence.Sentences, error) bool) {
		s := new(cellsentence.Sentences)
		for r, err := range j.rows(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			obs.add(&r)
			s.Text = append(s.Text, strings.Join(r.Genes, " ")...)
			s.Ends = append(s.Ends, len(s.Text))
			s.NGenes, s.Total = append(s.NGenes, int32(r.nGenes)), append(s.Total, 0)
			if s.Len() == batchRows {
				if !yield(s, nil) {
					return
				}
				s = &cellsentence.Sentences{Start: s.Start + batchRows}
			}
		}
		if s.Len() > 0 {
			yield(s, nil)
		}
	}), nil
}

// rankModel reads --rank-model, or fits one to the cells of the file.
func (j *predictJob) rankModel(ctx context.Context) (*cellsentence.RankModel, error) {
	if j.o.rankModel != "" {
		return (&decodeFlags{rankModel: j.o.rankModel}).model()
	}
	open := func(ctx context.Context) (cellsentence.Source, error) { return j.x.cells(ctx, j.g, nil) }
	f, err := cellsentence.MeasureFidelity(ctx, j.in.genes, open, cellsentence.FidelityConfig{Seed: j.g.seed, Units: unitsOfExpression, Resamples: 1})
	if err != nil {
		return nil, badCells(j.in.file.Path(), fmt.Errorf("no rank model could be fitted: %w", err))
	}
	j.g.logger().Info(fmt.Sprintf("rank model: fitted to %s, R² %.3f on cells kept aside", j.in.file.Path(), f.Report.Conditional.R2))
	return f.Model, nil
}

// predictedObs gathers obs of the output.
type predictedObs struct {
	j      *predictJob
	source []string // names of the cells of the input
	carry  []carriedColumn
	n      int
	index  []string
	text   []string // sentences

	from, pert, context, cellType, dose, time, stop, level dataset.Column
	control, valid, copied                                 dataset.Column
	genes, words, unknown, repeats                         dataset.Column
}

// carriedColumn is a column of --obs.
type carriedColumn struct {
	name   string
	values []string
	out    dataset.Column
}

func newPredictedObs(ctx context.Context, j *predictJob) (*predictedObs, error) {
	o := &predictedObs{j: j}
	for _, c := range []*dataset.Column{&o.from, &o.pert, &o.context, &o.cellType, &o.dose, &o.time, &o.stop, &o.level} {
		c.Kind = dataset.Category
	}
	for _, c := range []*dataset.Column{&o.control, &o.valid, &o.copied} {
		c.Kind = dataset.Bool
	}
	for _, c := range []*dataset.Column{&o.genes, &o.words, &o.unknown, &o.repeats} {
		c.Kind = dataset.Int
	}
	var err error
	if o.source, err = j.in.file.Obs().Index(ctx); err != nil {
		return nil, err
	}
	for _, name := range j.o.obs {
		values, err := texts(ctx, j.in.file, name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(o.names(), name) {
			return nil, &usageError{fmt.Errorf("--obs %s: the output has a column of that name", name), "c2s predict"}
		}
		o.carry = append(o.carry, carriedColumn{name, values, dataset.Column{Kind: dataset.Category}})
	}
	return o, nil
}

// add adds a row, and counts it.
func (o *predictedObs) add(r *row) {
	l, result := o.j.labels, o.j.result
	name := o.source[r.cell.Row]
	label, dose, time := l.flags.control, "", ""
	if r.pert != nil {
		label, dose, time = r.pert.label, r.pert.dose, r.pert.time
		result.count(r)
	}
	o.n++
	index := slices.DeleteFunc([]string{name, label, dose, time}, func(s string) bool { return s == "" })
	o.index, o.text = append(o.index, strings.Join(index, ":")), append(o.text, strings.Join(r.Genes, " "))
	for _, c := range []struct {
		to   *dataset.Column
		text string
	}{
		{&o.from, name},
		{&o.pert, label},
		{&o.context, at(l.contexts, r.cell.Row)},
		{&o.cellType, at(l.cellTypes, r.cell.Row)},
		{&o.dose, dose},
		{&o.time, time},
		{&o.stop, r.Flags.Stop},
		{&o.level, string(r.level)},
	} {
		if c.text == "" {
			c.to.AppendMissing()
		} else {
			c.to.AppendString(c.text)
		}
	}
	for i := range o.carry {
		o.carry[i].out.AppendString(o.carry[i].values[r.cell.Row])
	}
	o.control.AppendBool(r.pert == nil)
	o.valid.AppendBool(r.Flags.Valid)
	o.copied.AppendBool(r.Flags.Copy)
	o.genes.AppendInt(int64(len(r.Genes)))
	o.words.AppendInt(int64(r.Flags.Words))
	o.unknown.AppendInt(int64(r.Flags.Unknown))
	o.repeats.AppendInt(int64(r.Flags.Repeats))
}

// count adds a predicted cell to the counts.
func (r *predictResult) count(c *row) {
	f := c.Flags
	if f.Valid {
		r.Valid++
	}
	if f.Copy {
		r.Copies++
	}
	if f.Stop == string(llm.StopLimit) {
		r.Limit++
	}
	if len(c.cell.Genes) == 0 {
		r.Empty++
	}
	r.Words += f.Words
	r.Unknown += f.Unknown
	r.Repeats += f.Repeats
	r.PromptTokens += c.prompt
	r.CachedTokens += c.cached
	r.AnswerTokens += c.tokens
}

// pertColumn is the name of the column of perturbations: that of the input, so that
// scores find it in both.
func (o *predictedObs) pertColumn() string {
	if o.j.labels.pert == "" {
		return "perturbation"
	}
	return o.j.labels.pert
}

// column is a column of the output with its name.
type column struct {
	name   string
	column *dataset.Column
}

// columns lists those that are written; columns of the input keep their names.
func (o *predictedObs) columns() []column {
	l, f := o.j.labels, o.j.o.labels
	list := []column{{o.pertColumn(), &o.pert}, {"c2s_source", &o.from}, {l.context, &o.context}, {l.cellType, &o.cellType}}
	dose, time := f.dose, f.time
	for _, p := range o.j.perts {
		if p.dose != "" && dose == "" {
			dose = "dose"
		}
		if p.time != "" && time == "" {
			time = "time"
		}
	}
	list = append(list, column{dose, &o.dose}, column{time, &o.time},
		column{"c2s_control", &o.control}, column{"c2s_valid", &o.valid}, column{"c2s_copy", &o.copied}, column{"c2s_n_genes", &o.genes},
		column{"c2s_words", &o.words}, column{"c2s_unknown", &o.unknown}, column{"c2s_repeats", &o.repeats})
	if o.j.model != nil {
		list = append(list, column{"c2s_stop", &o.stop})
	}
	if _, ok := o.j.p.(*predictor.Shift); ok {
		list = append(list, column{"c2s_level", &o.level})
	}
	return slices.DeleteFunc(list, func(c column) bool { return c.name == "" })
}

func (o *predictedObs) names() []string {
	out := []string{dataset.ColumnSentence}
	for _, c := range o.columns() {
		out = append(out, c.name)
	}
	return out
}

// frame is obs.
func (o *predictedObs) frame() (*h5ad.DataFrame, error) {
	var columns []*h5ad.Column
	list := o.columns()
	for i := range o.carry {
		list = append(list, column{o.carry[i].name, &o.carry[i].out})
	}
	for _, c := range list {
		columns = append(columns, obsColumn(dataset.Field{Name: c.name, Kind: c.column.Kind}, c.column, o.n))
	}
	columns = append(columns, &h5ad.Column{Name: dataset.ColumnSentence, Array: &h5ad.Array{Dims: []int{o.n}, Values: o.text}})
	return h5ad.NewDataFrame(o.index, columns...)
}

// tables writes obs, var and uns.
func (j *predictJob) tables(ctx context.Context, w *h5ad.Writer, o *predictedObs) error {
	obs, err := o.frame()
	if err != nil {
		return err
	}
	vr, err := h5ad.NewDataFrame(j.in.genes)
	if err != nil {
		return err
	}
	text := func(s string) *h5ad.Array { return &h5ad.Array{Values: []string{s}} }
	number := func(n int) *h5ad.Array { return &h5ad.Array{Values: []int64{int64(n)}} }
	r := j.result
	about := h5ad.Dict{
		"version": text(version), "command": text("predict"), "predictor": text(r.Predictor), "model": text(r.Model), "digest": text(r.Digest),
		"notice": text(r.Notice), "units": text(r.Units), "control": text(j.o.labels.control), "top_k": number(j.topK),
		"seed": text(fmt.Sprint(j.g.seed)), "reference": text(j.o.reference.path), "organism": text(j.o.organism),
		"predicted": number(r.Predicted), "valid": number(r.Valid), "copies": number(r.Copies),
	}
	if j.model != nil {
		about["temperature"] = &h5ad.Array{Values: []float64{j.o.sample.temperature}}
	}
	uns := h5ad.Dict{"c2s": about}
	if err := j.o.part.stacked(uns, stack{Compression: j.o.compress.chosen(), Sums: []string{"predicted", "valid", "copies"}}); err != nil {
		return err
	}
	return errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr), w.Set(ctx, "uns", uns))
}
