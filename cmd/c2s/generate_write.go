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

// generatedName is the name of a cell.
func generatedName(row int) string { return fmt.Sprintf("generated-%d", row) }

// appendCell adds a cell to a batch of the schema.
func appendCell(b *dataset.Batch, row int, cellType, label string, c *task.Generated) {
	col := b.Columns
	col[0].AppendString(generatedName(row))
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
	if how.rank != nil {
		return o.createH5AD(ctx, g, how)
	}
	w, err := dataset.Create(g.out, generatedSchema, dataset.Options{Force: g.force, Inputs: []string{o.vocab}, Stdout: g.stdout, Jobs: g.workers()})
	if err != nil {
		return nil, err
	}
	return &generatedRows{w, dataset.NewBatch(generatedSchema), how.label()}, nil
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

// generatedH5AD writes expression and texts as they come. Of a cell some 60 bytes are kept
// until the end: its name and its flags.
type generatedH5AD struct {
	w               *h5ad.Writer
	x               *h5ad.MatrixWriter
	sentence, reply *h5ad.TextWriter
	dec             *cellsentence.Decoder
	how             *generated

	genes, unknown, repeats []int64
	stops                   codes
	s                       cellsentence.Sentences // that were not decoded yet
}

func (o *generateFlags) createH5AD(ctx context.Context, g *globals, how *generated) (_ generatedWriter, err error) {
	t := &generatedH5AD{how: how}
	t.dec, err = cellsentence.NewDecoder(how.genes, cellsentence.DecoderConfig{Model: how.rank, TopK: how.topK, Workers: g.workers()})
	if err != nil {
		return nil, err
	}
	t.w, err = h5ad.Create(g.out, h5ad.WriteOptions{Workers: g.workers(), Force: g.force, Inputs: []string{o.vocab, o.rankModel}})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.w.Abort())
		}
	}()
	var index []string
	var types, models codes
	for i := range o.n * len(o.cellTypes) {
		index = append(index, generatedName(i))
		types.add(o.cellTypes[i/o.n])
		models.add(how.label())
	}
	obs, err := h5ad.NewDataFrame(index, &h5ad.Column{Name: "cell_type", Categorical: types.column()}, &h5ad.Column{Name: "c2s_model", Categorical: models.column()})
	if err != nil {
		return nil, err
	}
	if err := obs.Await(dataset.ColumnSentence, dataset.ColumnGenes, "c2s_unknown", "c2s_repeats", "c2s_stop", "c2s_answer"); err != nil {
		return nil, err
	}
	vr, err := h5ad.NewDataFrame(how.index)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(t.w.Set(ctx, "obs", obs), t.w.Set(ctx, "var", vr), t.w.Set(ctx, "uns", h5ad.Dict{"c2s": o.about(g, how)})); err != nil {
		return nil, err
	}
	if t.x, err = t.w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: len(index), NVars: len(how.genes)}); err != nil {
		return nil, err
	}
	if t.sentence, err = t.w.Texts(ctx, "obs/"+dataset.ColumnSentence); err != nil {
		return nil, err
	}
	if t.reply, err = t.w.Texts(ctx, "obs/c2s_answer"); err != nil {
		return nil, err
	}
	return t, nil
}

// about is how the cells are made, for uns.
func (o *generateFlags) about(g *globals, how *generated) h5ad.Dict {
	info, s := how.m.info, o.sample
	out := h5ad.Dict{
		"temperature": &h5ad.Array{Values: []float64{s.temperature}}, "top_p": &h5ad.Array{Values: []float64{s.topP}},
		"top_k_tokens": numberOf(int64(s.topK)), "max_tokens": numberOf(int64(s.maxTokens)), "seed": numberOf(int64(g.seed)), "top_k": numberOf(int64(how.topK)),
	}
	for k, v := range map[string]string{
		"version": version, "command": "generate", "model": info.Model, "digest": info.Digest, "notice": info.Notice, "wording": how.wording,
		"rank_model": string(how.rank.Kind), "units": how.rank.Units, "n_genes": "auto", "delimiter": " ",
	} {
		out[k] = textOf(v)
	}
	return out
}

func (t *generatedH5AD) add(ctx context.Context, _ int, _ string, c *task.Generated) error {
	sentence := strings.Join(c.Genes, " ")
	if err := t.sentence.Append(ctx, sentence); err != nil {
		return err
	}
	if err := t.reply.Append(ctx, withoutNUL(c.Answer)); err != nil {
		return err
	}
	t.genes, t.unknown, t.repeats = append(t.genes, int64(len(c.Genes))), append(t.unknown, int64(c.Unknown)), append(t.repeats, int64(c.Repeats))
	t.stops.add(string(c.Stop))
	t.s.Text = append(t.s.Text, sentence...)
	t.s.Ends = append(t.s.Ends, len(t.s.Text))
	t.s.NGenes, t.s.Total = append(t.s.NGenes, int32(len(c.Genes))), append(t.s.Total, 0)
	if len(t.s.Ends) < dataset.BlockRows {
		return nil
	}
	return t.decode(ctx)
}

// decode writes the expression of the sentences that have come.
func (t *generatedH5AD) decode(ctx context.Context) error {
	var one iter.Seq2[*cellsentence.Sentences, error] = func(yield func(*cellsentence.Sentences, error) bool) { yield(&t.s, nil) }
	for b, err := range t.dec.Decode(ctx, one) {
		if err != nil {
			return err
		}
		if err := t.x.Append(ctx, b); err != nil {
			return err
		}
	}
	t.s.Start += len(t.s.Ends)
	t.s.Text, t.s.Ends, t.s.NGenes, t.s.Total = t.s.Text[:0], t.s.Ends[:0], t.s.NGenes[:0], t.s.Total[:0]
	return nil
}

func (t *generatedH5AD) commit(ctx context.Context) ([]string, error) {
	if err := t.decode(ctx); err != nil {
		return nil, err
	}
	n := []int{len(t.genes)}
	err := errors.Join(
		t.x.Close(ctx), t.sentence.Close(ctx), t.reply.Close(ctx),
		t.w.Set(ctx, "obs/"+dataset.ColumnGenes, &h5ad.Array{Dims: n, Values: t.genes}),
		t.w.Set(ctx, "obs/c2s_unknown", &h5ad.Array{Dims: n, Values: t.unknown}),
		t.w.Set(ctx, "obs/c2s_repeats", &h5ad.Array{Dims: n, Values: t.repeats}),
		t.w.Set(ctx, "obs/c2s_stop", t.stops.column()),
	)
	if err != nil {
		return nil, err
	}
	return t.dec.Warnings(), t.w.Close()
}

func (t *generatedH5AD) abort() error { return t.w.Abort() }

// withoutNUL is a text that HDF5 takes: models may write any byte.
func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "\uFFFD") }
