package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm/task"
)

// generated is how cells are generated, as far as an output tells it.
type generated struct {
	m       *model
	topK    int
	genes   []string // words of the columns of an .h5ad
	index   []string // names of these genes
	rank    *cellsentence.RankModel
	wording string
}

// label is the model with what must stand beside everything made with it.
func (g *generated) label() string {
	if strings.Contains(g.m.info.Model, g.m.info.Notice) {
		return g.m.info.Model
	}
	return g.m.info.Model + ", " + g.m.info.Notice
}

// generatedSchema is the columns of a generated cell.
var generatedSchema = dataset.Schema{
	{Name: dataset.ColumnCell, Kind: dataset.Text},
	{Name: dataset.ColumnSentence, Kind: dataset.Text},
	{Name: "cell_type", Kind: dataset.Category},
	{Name: dataset.ColumnGenes, Kind: dataset.Int},
	{Name: "c2s_unknown", Kind: dataset.Int},
	{Name: "c2s_repeats", Kind: dataset.Int},
	{Name: "c2s_stop", Kind: dataset.Category},
	{Name: "c2s_model", Kind: dataset.Category},
	{Name: "c2s_answer", Kind: dataset.Text},
}

// appendCell adds a cell to a batch of the schema.
func appendCell(b *dataset.Batch, row int, cellType, label string, c *task.Generated) {
	col := b.Columns
	col[0].AppendString(fmt.Sprintf("generated-%d", row))
	col[1].AppendString(strings.Join(c.Genes, " "))
	col[2].AppendString(cellType)
	col[3].AppendInt(int64(len(c.Genes)))
	col[4].AppendInt(int64(c.Unknown))
	col[5].AppendInt(int64(c.Repeats))
	col[6].AppendString(string(c.Stop))
	col[7].AppendString(label)
	col[8].AppendString(c.Answer)
}

// generatedWriter writes generated cells as they come.
type generatedWriter interface {
	add(ctx context.Context, row int, cellType string, c *task.Generated) error
	// commit makes the output appear; what is remarkable but no error is a warning.
	commit(ctx context.Context) (warnings []string, err error)
	// abort leaves nothing behind of an output that was not committed.
	abort() error
}

// create begins the output that the name asks for.
func (o *generateFlags) create(ctx context.Context, g *globals, how *generated) (generatedWriter, error) {
	b := dataset.NewBatch(generatedSchema)
	if how.rank == nil {
		w, err := dataset.Create(g.out, generatedSchema, dataset.Options{Force: g.force, Inputs: []string{o.vocab}, Stdout: g.stdout, Jobs: g.workers()})
		if err != nil {
			return nil, err
		}
		return &generatedRows{w, b, how.label()}, nil
	}
	dec, err := cellsentence.NewDecoder(how.genes, cellsentence.DecoderConfig{Model: how.rank, TopK: how.topK, Workers: g.workers()})
	if err != nil {
		return nil, err
	}
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{Workers: g.workers(), Force: g.force, Inputs: []string{o.vocab, o.rankModel}})
	if err != nil {
		return nil, err
	}
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: -1, NVars: len(how.genes)})
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	s := o.sample
	return &generatedH5AD{w: w, x: x, dec: dec, b: b, how: how, about: h5ad.Dict{
		"temperature": &h5ad.Array{Values: []float64{s.temperature}}, "top_p": &h5ad.Array{Values: []float64{s.topP}},
		"top_k_tokens": numberOf(int64(s.topK)), "max_tokens": numberOf(int64(s.maxTokens)), "seed": numberOf(int64(g.seed)),
	}}, nil
}

// generatedRows writes blocks of rows.
type generatedRows struct {
	w     *dataset.Writer
	b     *dataset.Batch
	label string
}

func (t *generatedRows) add(_ context.Context, row int, cellType string, c *task.Generated) error {
	appendCell(t.b, row, cellType, t.label, c)
	if t.b.Rows() < dataset.BlockRows {
		return nil
	}
	defer t.b.Reset()
	return t.w.Append(t.b, nil)
}

func (t *generatedRows) commit(context.Context) ([]string, error) {
	if t.b.Rows() > 0 {
		if err := t.w.Append(t.b, nil); err != nil {
			return nil, err
		}
	}
	return nil, t.w.Commit()
}

func (t *generatedRows) abort() error { return t.w.Abort() }

// generatedH5AD writes expression as it comes. The rows of obs are kept until the end:
// sentence and answer, about 2 kB of a cell of 200 genes.
type generatedH5AD struct {
	w     *h5ad.Writer
	x     *h5ad.MatrixWriter
	dec   *cellsentence.Decoder
	b     *dataset.Batch
	how   *generated
	about h5ad.Dict

	decoded int // rows
	s       cellsentence.Sentences
}

func (t *generatedH5AD) add(ctx context.Context, row int, cellType string, c *task.Generated) error {
	appendCell(t.b, row, cellType, t.how.label(), c)
	t.s.Text = append(t.s.Text, strings.Join(c.Genes, " ")...)
	t.s.Ends = append(t.s.Ends, len(t.s.Text))
	t.s.NGenes, t.s.Total = append(t.s.NGenes, int32(len(c.Genes))), append(t.s.Total, 0)
	if len(t.s.Ends) < dataset.BlockRows {
		return nil
	}
	return t.decode(ctx)
}

// decode writes the expression of the sentences that have come.
func (t *generatedH5AD) decode(ctx context.Context) error {
	t.s.Start = t.decoded
	var one iter.Seq2[*cellsentence.Sentences, error] = func(yield func(*cellsentence.Sentences, error) bool) { yield(&t.s, nil) }
	for b, err := range t.dec.Decode(ctx, one) {
		if err != nil {
			return err
		}
		if err := t.x.Append(ctx, b); err != nil {
			return err
		}
	}
	t.decoded += len(t.s.Ends)
	t.s.Text, t.s.Ends, t.s.NGenes, t.s.Total = t.s.Text[:0], t.s.Ends[:0], t.s.NGenes[:0], t.s.Total[:0]
	return nil
}

func (t *generatedH5AD) commit(ctx context.Context) ([]string, error) {
	if err := t.decode(ctx); err != nil {
		return nil, err
	}
	if err := t.x.Close(ctx); err != nil {
		return nil, err
	}
	var index []string
	var columns []*h5ad.Column
	for k, f := range generatedSchema {
		c := &t.b.Columns[k]
		if f.Kind != dataset.Text {
			columns = append(columns, obsColumn(f, c, t.decoded))
			continue
		}
		// Text is hardly ever the same twice, which a categorical is for.
		list := make([]string, t.decoded)
		for i := range list {
			list[i] = string(c.TextAt(i))
		}
		if f.Name == dataset.ColumnCell {
			index = list
			continue
		}
		columns = append(columns, &h5ad.Column{Name: f.Name, Array: &h5ad.Array{Dims: []int{t.decoded}, Values: list}})
	}
	obs, err := h5ad.NewDataFrame(index, columns...)
	if err != nil {
		return nil, err
	}
	vr, err := h5ad.NewDataFrame(t.how.index)
	if err != nil {
		return nil, err
	}
	info := t.how.m.info
	for k, v := range map[string]string{
		"version": version, "command": "generate", "model": info.Model, "digest": info.Digest, "notice": info.Notice, "wording": t.how.wording,
		"rank_model": string(t.how.rank.Kind), "units": t.how.rank.Units, "n_genes": "auto", "delimiter": " ",
	} {
		t.about[k] = textOf(v)
	}
	t.about["top_k"] = numberOf(int64(t.how.topK))
	err = errors.Join(t.w.Set(ctx, "obs", obs), t.w.Set(ctx, "var", vr), t.w.Set(ctx, "uns", h5ad.Dict{"c2s": t.about}))
	if err != nil {
		return nil, err
	}
	return t.dec.Warnings(), t.w.Close()
}

func (t *generatedH5AD) abort() error { return t.w.Abort() }
