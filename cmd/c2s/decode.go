package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
)

// decodeFlags are the flags of decode.
type decodeFlags struct {
	rankModel string
	linear    bool
	vocab     string
	column    string
	nGenes    string
	topK      int
	delimiter string
	compress  compressionFlags

	known int // --n-genes as the decoder has it
}

func newDecode(g *globals) *cobra.Command {
	o := new(decodeFlags)
	cmd := &cobra.Command{
		Use: "decode SENTENCES -o OUT.h5ad", Short: "Turn cell sentences back into expression", GroupID: groupData, Args: need(1, 1),
		Long: `decode reads sentences (.parquet, .arrow, NAME.hf, .jsonl, .txt, or - for text or
JSON lines on stdin) and writes an .h5ad: X is what the rank model says of each
gene's place, float32 in CSR; obs has the other columns, uns/c2s how it was made.

The rank model comes from c2s fidelity on data like these, and its units are those
of X. The conditional model needs the number of expressed genes of each cell:
--n-genes column takes it from c2s_n_genes, auto from the length of the sentence.
A word that is no gene keeps its place; unknown and repeated words are counted.`,
		Example: `  c2s fidelity testdata/demo.h5ad -o fidelity
  c2s encode testdata/demo.h5ad -o cells.jsonl
  c2s decode cells.jsonl --rank-model fidelity/rank.json --vocab testdata/demo.h5ad -o decoded.h5ad`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runDecode(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.rankModel, "rank-model", "", "rank model, a `RANK.json` of c2s fidelity")
	f.BoolVar(&o.linear, "linear", false, "use the line of the rank model, as the Python package does")
	f.StringVar(&o.vocab, "vocab", "", "genes of the output: a `FILE` of c2s vocab, or an .h5ad")
	f.StringVar(&o.column, "sentences", "cell_sentence", "`COLUMN` that holds the sentences")
	f.StringVar(&o.nGenes, "n-genes", "auto", "expressed genes of a cell: `column|N|auto`")
	f.IntVar(&o.topK, "top-k", 0, "the sentences were cut at `K` genes; 0 is not known")
	f.StringVar(&o.delimiter, "delimiter", " ", "text between the genes")
	o.compress.add(f)
	return cmd
}

func (o *decodeFlags) check(g *globals) error {
	switch {
	case g.out == "" || !strings.HasSuffix(g.out, ".h5ad"):
		return errors.New("-o OUT.h5ad is missing")
	case o.rankModel == "":
		return errors.New("--rank-model is missing: make one of data like these with c2s fidelity FILE -o DIR, and name DIR/rank.json")
	case o.vocab == "":
		return errors.New("--vocab is missing: name a file of c2s vocab, or an .h5ad with the genes of the output")
	case o.topK < 0:
		return errors.New("--top-k cannot be negative")
	case o.delimiter == "":
		return errors.New("--delimiter cannot be empty")
	}
	switch o.nGenes {
	case "auto":
		o.known = cellsentence.NGenesAuto
	case "column":
		o.known = cellsentence.NGenesColumn
	default:
		n, err := strconv.Atoi(o.nGenes)
		if err != nil || n < 1 {
			return fmt.Errorf("--n-genes %q is none of column, auto, and a number above 0", o.nGenes)
		}
		o.known = n
	}
	return o.compress.check()
}

// decodeResult is what decode reports, and prints with --json.
type decodeResult struct {
	Out      string                   `json:"out"`
	NObs     int                      `json:"n_obs"`
	NVars    int                      `json:"n_vars"`
	Model    cellsentence.RankKind    `json:"model"`
	NGenes   string                   `json:"n_genes"`
	Stats    cellsentence.DecodeStats `json:"stats"`
	Unknown  []cellsentence.WordCount `json:"unknown"` // the words that are no gene, most frequent first
	Warnings []string                 `json:"warnings"`
}

func runDecode(ctx context.Context, g *globals, o *decodeFlags, path string) (err error) {
	model, err := o.model()
	if err != nil {
		return err
	}
	words, index, err := o.genes(ctx, g)
	if err != nil {
		return err
	}
	dec, err := cellsentence.NewDecoder(words, cellsentence.DecoderConfig{
		Model: model, NGenes: o.known, TopK: o.topK, Delimiter: o.delimiter, Workers: g.workers(),
	})
	if err != nil {
		return err
	}
	in, err := dataset.Open(ctx, path, dataset.ReadOptions{Stdin: g.stdin})
	if err != nil {
		return err
	}
	defer in.Close()
	rows, err := newSentenceRows(in, path, o.column, o.known == cellsentence.NGenesColumn)
	if err != nil {
		return err
	}
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{
		Compression: h5ad.Compression{Method: o.compress.method, Level: o.compress.level},
		Workers:     g.workers(), Force: g.force, Inputs: []string{path, o.vocab, o.rankModel},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: -1, NVars: len(words)})
	if err != nil {
		return err
	}
	bar := g.start("decoding "+path, "cells", 0)
	defer bar.Stop()
	for b, err := range dec.Decode(ctx, rows.all(ctx)) {
		if err != nil {
			return err
		}
		if err := x.Append(ctx, b); err != nil {
			return err
		}
		bar.Add(int64(b.NObs()))
	}
	if err := x.Close(ctx); err != nil {
		return err
	}
	result := &decodeResult{Out: g.out, NObs: rows.n, NVars: len(words), Model: model.Kind, NGenes: o.nGenes, Stats: dec.Stats()}
	var rest int64
	if result.Unknown, rest = dec.UnknownWords(); result.Unknown == nil {
		result.Unknown = []cellsentence.WordCount{}
	}
	if s := result.Stats; s.Words > 0 && s.Unknown == s.Words {
		return &inputError{
			fmt.Errorf("%s: none of %d words is a gene of %s, such as %q", path, s.Words, o.vocab, result.Unknown[0].Word),
			"name the vocabulary of these sentences with --vocab, or what stands between their words with --delimiter",
		}
	}
	result.Warnings = append([]string{}, dec.Warnings()...)
	if rest > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%d further unknown words are not listed", rest))
	}
	if err := o.tables(ctx, w, rows, index, model, result); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	log := g.logger()
	for _, text := range result.Warnings {
		log.Warn(text)
	}
	if g.json {
		return printJSON(g.stdout, result)
	}
	log.Info(fmt.Sprintf("%d cells × %d genes in %s", result.NObs, result.NVars, g.out))
	return nil
}

// model reads the rank model.
func (o *decodeFlags) model() (*cellsentence.RankModel, error) {
	f, err := os.Open(o.rankModel)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := cellsentence.ReadRankModel(f)
	if err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", o.rankModel, err), "make one with c2s fidelity FILE -o DIR: it is DIR/rank.json"}
	}
	if o.linear {
		m = m.Linear()
	}
	return m, nil
}

// genes is the words of the columns, and the names of the genes.
func (o *decodeFlags) genes(ctx context.Context, g *globals) (words, index []string, err error) {
	if strings.HasSuffix(o.vocab, ".h5ad") || strings.HasSuffix(o.vocab, ".h5") {
		var m matrixFlags
		in, err := m.open(ctx, g, o.vocab)
		if err != nil {
			return nil, nil, err
		}
		defer in.file.Close()
		enc, err := cellsentence.NewEncoder(in.genes, cellsentence.Config{})
		if err != nil {
			return nil, nil, badCells(o.vocab, err)
		}
		return enc.Words(), in.genes, nil
	}
	f, err := os.Open(o.vocab)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	v, err := cellsentence.ReadVocabulary(f)
	if err != nil {
		return nil, nil, &inputError{fmt.Errorf("%s: %w", o.vocab, err), "expected a gene and a number a line, as c2s vocab writes them"}
	}
	for word := range v.All() {
		words = append(words, word)
	}
	return words, words, nil
}

// tables writes obs, var and uns/c2s.
func (o *decodeFlags) tables(ctx context.Context, w *h5ad.Writer, rows *sentenceRows, index []string, model *cellsentence.RankModel, result *decodeResult) error {
	obs, err := rows.obs()
	if err != nil {
		return err
	}
	vr, err := h5ad.NewDataFrame(index)
	if err != nil {
		return err
	}
	text := func(s string) *h5ad.Array { return &h5ad.Array{Values: []string{s}} }
	number := func(n int64) *h5ad.Array { return &h5ad.Array{Values: []int64{n}} }
	about := h5ad.Dict{
		"version": text(version), "command": text("decode"), "rank_model": text(string(model.Kind)), "units": text(model.Units),
		"n_genes": text(o.nGenes), "top_k": number(int64(o.topK)), "delimiter": text(o.delimiter),
		"words": number(result.Stats.Words), "unknown_words": number(result.Stats.Unknown), "repeated_words": number(result.Stats.Repeats),
	}
	return errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr), w.Set(ctx, "uns", h5ad.Dict{"c2s": about}))
}

// sentenceRows reads a dataset as sentences and keeps its other columns.
type sentenceRows struct {
	in      *dataset.Reader
	path    string
	text    int // position of the sentences
	genes   int // of c2s_n_genes, −1 if it is not asked for
	columns []dataset.Column
	n       int
}

func newSentenceRows(in *dataset.Reader, path, column string, nGenes bool) (*sentenceRows, error) {
	schema := in.Schema()
	r := &sentenceRows{in: in, path: path, text: schema.Index(column), genes: -1, columns: make([]dataset.Column, len(schema))}
	if r.text < 0 || !schema[r.text].Kind.IsText() {
		return nil, &inputError{fmt.Errorf("%s: no column %q of sentences", path, column), "the columns are: " + strings.Join(schema.Names(), ", ") + "; choose with --sentences"}
	}
	if nGenes {
		if r.genes = schema.Index("c2s_n_genes"); r.genes < 0 || schema[r.genes].Kind != dataset.Int {
			return nil, &inputError{fmt.Errorf("%s: no column c2s_n_genes of numbers", path), "use --n-genes auto, or the number itself"}
		}
	}
	for i := range r.columns {
		r.columns[i].Kind = schema[i].Kind
	}
	return r, nil
}

// all yields the sentences in batches.
func (r *sentenceRows) all(ctx context.Context) iter.Seq2[*cellsentence.Sentences, error] {
	return func(yield func(*cellsentence.Sentences, error) bool) {
		b := dataset.NewBatch(r.in.Schema())
		s := new(cellsentence.Sentences)
		for {
			err := r.in.Next(ctx, b)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			text := &b.Columns[r.text]
			s.Start, s.Text, s.Ends = r.n, text.Text, text.Ends
			s.NGenes, s.Total = s.NGenes[:0], s.Total[:0]
			for i := range b.Rows() {
				n := int64(0)
				if r.genes >= 0 {
					if n = b.Columns[r.genes].Ints[i]; n < 0 || n > 1<<31-1 {
						yield(nil, &inputError{fmt.Errorf("%s: row %d: c2s_n_genes is %d", r.path, r.n+i, n), ""})
						return
					}
				}
				s.NGenes, s.Total = append(s.NGenes, int32(n)), append(s.Total, 0)
				for k := range r.columns {
					if k != r.text {
						r.columns[k].Append(&b.Columns[k], i)
					}
				}
			}
			r.n += b.Rows()
			if !yield(s, nil) {
				return
			}
		}
	}
}

// obs is the other columns: the names of the cells as the index, and the labels.
func (r *sentenceRows) obs() (*h5ad.DataFrame, error) {
	index := make([]string, r.n)
	for i := range index {
		index[i] = strconv.Itoa(i)
	}
	var columns []*h5ad.Column
	for k, f := range r.in.Schema() {
		c := &r.columns[k]
		switch {
		case k == r.text:
		case f.Name == dataset.ColumnCell && f.Kind.IsText():
			for i := range index {
				index[i] = string(c.TextAt(i))
			}
		default:
			columns = append(columns, obsColumn(f, c, r.n))
		}
	}
	return h5ad.NewDataFrame(index, columns...)
}

// obsColumn is a column of a dataset as one of obs; missing numbers are nullable,
// or NaN where they are floats.
func obsColumn(f dataset.Field, c *dataset.Column, n int) *h5ad.Column {
	dims := []int{n}
	var missing []bool
	for _, m := range c.Missing {
		if m {
			missing = c.Missing
		}
	}
	switch f.Kind {
	case dataset.Bool:
		return &h5ad.Column{Name: f.Name, Array: &h5ad.Array{Dims: dims, Values: c.Bools, Missing: missing}}
	case dataset.Int:
		return &h5ad.Column{Name: f.Name, Array: &h5ad.Array{Dims: dims, Values: c.Ints, Missing: missing}}
	case dataset.Float:
		for i, m := range missing {
			if m {
				c.Floats[i] = math.NaN()
			}
		}
		return &h5ad.Column{Name: f.Name, Array: &h5ad.Array{Dims: dims, Values: c.Floats}}
	}
	// Strings become categorical, in the order in which they are first met.
	k := &h5ad.Categorical{Codes: make([]int64, n)}
	known := map[string]int64{}
	var list []string
	for i := range n {
		if len(c.Missing) > 0 && c.Missing[i] {
			k.Codes[i] = -1
			continue
		}
		s := c.TextAt(i)
		code, ok := known[string(s)]
		if !ok {
			code = int64(len(list))
			list = append(list, string(s))
			known[string(s)] = code
		}
		k.Codes[i] = code
	}
	k.Categories = &h5ad.Array{Dims: []int{len(list)}, Values: list}
	return &h5ad.Column{Name: f.Name, Categorical: k}
}
