package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/task"
)

// annotateFlags are the flags of annotate.
type annotateFlags struct {
	matrix   matrixFlags
	backend  backendFlags
	labels   string
	cluster  string
	truth    string
	organism string
	topK     int
	batch    int
	abstain  float64
	part     partFlags
}

func newAnnotate(g *globals) *cobra.Command {
	o := new(annotateFlags)
	cmd := &cobra.Command{
		Use: "annotate FILE -o OUT", Short: "Let a model tell the cell types", GroupID: groupModel, Args: need(1, 1),
		Long: `annotate asks a model for the type of each cell. OUT is an .h5ad, to which
obs/c2s_cell_type and obs/c2s_confidence are added, or a .tsv or .parquet.

--labels FILE names the types, one a line: each is scored as the whole answer, and
confidence is its share of their probability. Without it the model answers freely.
--cluster COLUMN lets the cells of a cluster vote; --batch N gives the cells of a
batch a label of their own each; --abstain P leaves out labels below a confidence.
--truth COLUMN measures the labels: accuracy, macro-F1 and the confusion matrix.
--shard I/N (or auto) writes one part of N, for c2s merge to join.`,
		Example: "  c2s annotate testdata/demo.h5ad --backend demo --truth cell_type -o types.tsv",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(o.check(g), o.part.resolve(g, nil)); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runAnnotate(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.matrix.add(f)
	o.backend.add(f)
	f.StringVar(&o.labels, "labels", "", "score the cell types in `FILE`, one a line")
	f.StringVar(&o.cluster, "cluster", "", "one label for all cells of a cluster, the `COLUMN` of obs")
	f.StringVar(&o.truth, "truth", "", "compare with the cell types in a `COLUMN` of obs")
	f.StringVar(&o.organism, "organism", "Homo sapiens", "`SPECIES` in the prompt")
	f.IntVar(&o.topK, "top-k", 0, "show the first `K` genes of a cell (default: 200, as C2S models were trained)")
	f.IntVar(&o.batch, "batch", 0, "label `N` cells at a time, each label once; 0 labels each cell by itself")
	f.Float64Var(&o.abstain, "abstain", 0, "no label for cells whose confidence is below `P`")
	o.part.add(f)
	return cmd
}

func (o *annotateFlags) check(g *globals) error {
	switch {
	case g.out == "" || g.out == "-":
		return errors.New("-o OUT is missing: name an .h5ad, .tsv or .parquet")
	case !slices.ContainsFunc([]string{".h5ad", ".tsv", ".parquet"}, func(s string) bool { return strings.HasSuffix(g.out, s) }):
		return fmt.Errorf("%s: expected a name that ends in .h5ad, .tsv or .parquet", g.out)
	case o.batch < 0 || o.topK < 0:
		return errors.New("--batch and --top-k cannot be negative")
	case o.batch > 0 && o.labels == "":
		return errors.New("--batch needs --labels FILE")
	case o.batch > 0 && o.cluster != "":
		return errors.New("--batch and --cluster exclude each other")
	case o.part.text != "" && (o.cluster != "" || o.truth != ""):
		return errors.New("--cluster and --truth need all cells, and --shard sees a part")
	case o.part.text != "" && o.batch > 0 && shard.BlockRows%o.batch != 0:
		return fmt.Errorf("--batch %d does not divide %d, the rows at which shards are cut: take a power of two", o.batch, shard.BlockRows)
	case !(o.abstain >= 0 && o.abstain <= 1):
		return errors.New("--abstain goes from 0 to 1")
	}
	return o.matrix.check()
}

// annotateResult is what annotate reports, and prints with --json.
type annotateResult struct {
	Out       string         `json:"out"`
	Model     string         `json:"model"`
	Digest    string         `json:"digest"`
	Notice    string         `json:"notice"` // must stand beside everything made with the model
	Cells     int            `json:"cells"`
	Empty     int            `json:"empty_cells"`
	Unmatched int            `json:"unmatched"` // answers that are none of the labels
	Abstained int            `json:"abstained"`
	Labels    map[string]int `json:"labels"`
	Mass      *float64       `json:"mean_mass"` // probability of the closed list, null if it was not scored
	Truth     *truth         `json:"truth"`
	Warnings  []string       `json:"warnings"`
}

func runAnnotate(ctx context.Context, g *globals, o *annotateFlags, path string) (err error) {
	var labels []string
	if o.labels != "" {
		if labels, err = lines(o.labels); err != nil {
			return err
		}
	}
	in, err := o.matrix.open(ctx, g, path)
	if err != nil {
		return err
	}
	defer in.file.Close()
	given, err := o.backend.templates(ctx, g, task.CellType)
	if err != nil {
		return err
	}
	m, err := o.backend.open(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	words, warning, err := task.Wording(task.CellType, m.info, given)
	if err != nil {
		return err
	}
	result := &annotateResult{
		Out: g.out, Model: m.info.Model, Digest: m.info.Digest, Notice: m.info.Notice, Labels: map[string]int{},
		Warnings: append([]string{}, in.warnings...),
	}
	if warning != "" {
		result.Warnings = append(result.Warnings, warning)
	}
	topK := topGenes(o.topK, m)
	a, err := task.NewAnnotator(ctx, m, task.AnnotateConfig{Templates: words, TopK: topK, Organism: o.organism, Labels: labels, Seed: g.seed})
	if err != nil {
		return err
	}
	if labels != nil && !a.Scores() {
		result.Warnings = append(result.Warnings, "this backend cannot score labels: the model answered freely, and its answers were looked up in the list")
		if o.batch > 0 {
			return &inputError{errors.New("--batch needs a backend that scores labels"), "llama-server does (llamacpp://…)"}
		}
	}
	if fresh, err := o.begin(ctx, g, path, m.options(g, words, topK, o.organism)); fresh || err != nil {
		return err
	}
	result.Out = g.out
	list, err := o.annotate(ctx, g, in, a, m, topK, path)
	if err != nil {
		return err
	}
	if o.batch > 0 {
		if err := inBatches(list, o.batch, labels); err != nil {
			return &usageError{err, "c2s annotate"}
		}
	}
	if o.cluster != "" {
		if err := o.vote(ctx, in, list, labels); err != nil {
			return err
		}
	}
	o.count(list, result)
	if o.truth != "" {
		c, err := in.file.Obs().Column(ctx, o.truth)
		if err != nil {
			return err
		}
		result.Truth = measure(list, c)
	}
	if err := o.write(ctx, g, in, m, list, path, topK); err != nil {
		return err
	}
	if err := o.part.finish(ctx, g, map[string]int64{"cells": int64(result.Cells), "empty_cells": int64(result.Empty)}, result.Warnings); err != nil {
		return err
	}
	for _, w := range result.Warnings {
		g.logger().Warn(w)
	}
	g.logger().Info(fmt.Sprintf("%d cells in %s (%s)", result.Cells, g.out, m.asked()))
	if g.json {
		return printJSON(g.stdout, result)
	}
	if result.Truth != nil {
		_, err = fmt.Fprint(g.stdout, result.Truth.text(result.Notice))
	}
	return err
}

// annotate asks about all cells, in order.
func (o *annotateFlags) annotate(ctx context.Context, g *globals, in *input, a *task.Annotator, m *model, topK int, path string) ([]task.Annotation, error) {
	part := o.part.rows(in.matrix.NObs)
	cells, failed, err := in.cells(ctx, g, topK, part)
	if err != nil {
		return nil, err
	}
	bar := g.start("annotating "+path, "cells", int64(part.To-part.From))
	defer bar.Stop()
	var list []task.Annotation
	for one, err := range batch.Map(ctx, m.workers(), cells, a.Annotate) {
		if err != nil {
			return nil, err
		}
		list = append(list, one)
		bar.Add(1)
	}
	return list, failed()
}

// inBatches labels runs of n cells jointly; cells that were not scored stay out.
func inBatches(list []task.Annotation, n int, labels []string) error {
	if n > len(labels) {
		return fmt.Errorf("--batch %d: there are only %d labels, and each is used once", n, len(labels))
	}
	for lo := 0; lo < len(list); lo += n {
		var at []int
		var part []task.Annotation
		for i := lo; i < min(lo+n, len(list)); i++ {
			if list[i].Probabilities != nil {
				at, part = append(at, i), append(part, list[i])
			}
		}
		if err := task.Assign(part, labels); err != nil {
			return err
		}
		for k, i := range at {
			list[i] = part[k]
		}
	}
	return nil
}

// vote gives all cells of a cluster the label with the highest mean probability, or,
// where labels were not scored, the one that most cells have. Confidence becomes
// that share.
func (o *annotateFlags) vote(ctx context.Context, in *input, list []task.Annotation, labels []string) error {
	c, err := in.file.Obs().Column(ctx, o.cluster)
	if err != nil {
		return err
	}
	shares := map[string]map[string]float64{} // cluster → label
	cells := map[string]float64{}
	for i, a := range list {
		cluster, ok := c.Text(i)
		if !ok || a.Label == "" {
			continue
		}
		if shares[cluster] == nil {
			shares[cluster] = map[string]float64{}
		}
		cells[cluster]++
		if a.Probabilities == nil {
			shares[cluster][a.Label]++
			continue
		}
		for k, p := range a.Probabilities {
			shares[cluster][labels[k]] += p
		}
	}
	for i := range list {
		cluster, ok := c.Text(i)
		if !ok || cells[cluster] == 0 {
			continue
		}
		best := ""
		for label, s := range shares[cluster] {
			if most := shares[cluster][best]; s > most || s == most && label < best {
				best = label
			}
		}
		list[i].Label, list[i].Confidence = best, shares[cluster][best]/cells[cluster]
	}
	return nil
}

// count fills the result and takes away labels without enough confidence.
func (o *annotateFlags) count(list []task.Annotation, result *annotateResult) {
	mass, scored := 0.0, 0
	for i := range list {
		a := &list[i]
		result.Cells++
		if !math.IsNaN(a.Mass) {
			mass, scored = mass+a.Mass, scored+1
		}
		switch {
		case a.Label == "" && a.Answer == "":
			result.Empty++
		case a.Label == "":
			result.Unmatched++
		case a.Confidence < o.abstain:
			result.Abstained++
			a.Label = ""
		default:
			result.Labels[a.Label]++
		}
	}
	if scored > 0 {
		mass /= float64(scored)
		result.Mass = &mass
	}
	if result.Unmatched > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%d answers are none of the labels: those cells have none", result.Unmatched))
	}
	if result.Empty > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%d empty cells were not asked about", result.Empty))
	}
}

// write writes the annotations as the name of the output says.
func (o *annotateFlags) write(ctx context.Context, g *globals, in *input, m *model, list []task.Annotation, path string, topK int) (err error) {
	if strings.HasSuffix(g.out, ".h5ad") {
		return o.writeH5AD(ctx, g, in, m, list, path, topK)
	}
	names, err := in.file.Obs().Index(ctx)
	if err != nil {
		return err
	}
	names = names[o.part.rows(len(names)).From:]
	if strings.HasSuffix(g.out, ".tsv") {
		out, err := g.create(path, o.labels)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Abort()) }()
		if _, err := fmt.Fprintf(out, "cell_name\tc2s_cell_type\tc2s_confidence\tc2s_answer\n"); err != nil {
			return err
		}
		for i, a := range list {
			confidence := ""
			if !math.IsNaN(a.Confidence) {
				confidence = strconv.FormatFloat(a.Confidence, 'g', 6, 64)
			}
			if _, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", tsvCell(names[i]), tsvCell(a.Label), confidence, tsvCell(a.Answer)); err != nil {
				return err
			}
		}
		return out.Commit()
	}
	schema := dataset.Schema{
		{Name: dataset.ColumnCell, Kind: dataset.Text},
		{Name: "c2s_cell_type", Kind: dataset.Category},
		{Name: "c2s_confidence", Kind: dataset.Float},
		{Name: "c2s_answer", Kind: dataset.Text},
	}
	w, err := dataset.Create(g.out, schema, dataset.Options{Force: g.force, Inputs: []string{path}, Jobs: g.workers()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	b := dataset.NewBatch(schema)
	for i, a := range list {
		b.Columns[0].AppendString(names[i])
		if a.Label == "" {
			b.Columns[1].AppendMissing()
		} else {
			b.Columns[1].AppendString(a.Label)
		}
		if math.IsNaN(a.Confidence) {
			b.Columns[2].AppendMissing()
		} else {
			b.Columns[2].AppendFloat(a.Confidence)
		}
		b.Columns[3].AppendString(a.Answer)
		if b.Rows() == dataset.BlockRows || i == len(list)-1 {
			if err := w.Append(b, nil); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return w.Commit()
}

// tsvCell is a text as a cell of a table: on one line, and text to a spreadsheet.
func tsvCell(s string) string {
	s = printable(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// writeH5AD copies the file with the annotations in obs and what made them in uns.
func (o *annotateFlags) writeH5AD(ctx context.Context, g *globals, in *input, m *model, list []task.Annotation, path string, topK int) (err error) {
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{Workers: g.workers(), Force: g.force, Inputs: inputsOf(path)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	field := dataset.Field{Name: "c2s_cell_type", Kind: dataset.Category}
	column := dataset.Column{Kind: dataset.Category}
	confidence := make([]float64, len(list))
	for i, a := range list {
		if confidence[i] = a.Confidence; a.Label == "" {
			column.AppendMissing()
		} else {
			column.AppendString(a.Label)
		}
	}
	text := func(s string) *h5ad.Array { return &h5ad.Array{Values: []string{s}} }
	opts := h5ad.CopyOptions{Changes: []h5ad.Change{
		{Key: "obs/c2s_cell_type", Element: obsColumn(field, &column, len(list))},
		{Key: "obs/c2s_confidence", Element: &h5ad.Array{Dims: []int{len(list)}, Values: confidence}},
		{Key: "uns/c2s_annotate", Element: h5ad.Dict{
			"version": text(version), "model": text(m.info.Model), "digest": text(m.info.Digest), "notice": text(m.info.Notice),
			"top_k": &h5ad.Array{Values: []int64{int64(topK)}}, "labels": text(o.labels), "cluster": text(o.cluster),
		}},
	}}
	if err := o.part.cut(path, in.file.NObs(), lay{Modality: o.matrix.modality}, &opts); err != nil {
		return err
	}
	if _, err := w.CopyFrom(ctx, in.file, opts); err != nil {
		return err
	}
	return w.Close()
}
