package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
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
obs/c2s_cell_type and obs/c2s_confidence are added, or a .tsv or .parquet. Beside
them stand what the model answered (c2s_answer), whether that is a type (c2s_valid),
why the answer ended (c2s_stop) and whether --abstain took the label (c2s_abstained).

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

	mass   float64 // sum over the cells that were scored
	scored int
}

func runAnnotate(ctx context.Context, g *globals, o *annotateFlags, path string) (err error) {
	var labels []string
	if o.labels != "" {
		if labels, err = lines(o.labels); err != nil {
			return err
		}
		if o.batch > len(labels) {
			return &usageError{fmt.Errorf("--batch %d: there are only %d labels, and each is used once", o.batch, len(labels)), "c2s annotate"}
		}
	}
	in, err := o.matrix.open(ctx, g, path)
	if err != nil {
		return err
	}
	defer in.file.Close()
	clusters, err := obsNamed(ctx, in, o.cluster)
	if err != nil {
		return err
	}
	truths, err := obsNamed(ctx, in, o.truth)
	if err != nil {
		return err
	}
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
	// Before anything is asked: an output that cannot be had is known at once.
	out, err := o.create(ctx, g, in, m, path, topK)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.abort()) }()
	part := o.part.rows(in.matrix.NObs)
	sentences, failed, err := in.cells(ctx, g, topK, part)
	if err != nil {
		return err
	}
	bar := g.startModel("annotating "+path, part.To-part.From)
	defer bar.Stop()
	cells := ask(tallied(ctx, bar), m.workers(), sentences, a, bar)
	if o.batch > 0 {
		cells = inBatches(cells, o.batch, labels)
	}
	if clusters != nil {
		cells = vote(cells, clusters, labels)
	}
	var right *tally
	if truths != nil {
		right = newTally(truths)
	}
	row := part.From
	for c, err := range cells {
		if err != nil {
			return err
		}
		result.add(&c, o.abstain)
		if right != nil {
			right.add(row, c.Label, c.Confidence)
		}
		if err := out.add(row, &c); err != nil {
			return err
		}
		row++
	}
	if err := failed(); err != nil {
		return err
	}
	warnings, err := out.commit(ctx)
	if err != nil {
		return err
	}
	bar.Stop()
	result.finish()
	result.Warnings = append(result.Warnings, warnings...)
	if right != nil {
		result.Truth = right.truth()
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

// obsNamed is a column of obs, nil without a name.
func obsNamed(ctx context.Context, in *input, name string) (*h5ad.Column, error) {
	if name == "" {
		return nil, nil
	}
	return in.file.Obs().Column(ctx, name)
}

// add counts a cell and takes away a label without enough confidence.
func (r *annotateResult) add(c *typed, least float64) {
	r.Cells++
	if !math.IsNaN(c.Mass) {
		r.mass += c.Mass
		r.scored++
	}
	if !c.Asked {
		r.Empty++
	} else if !c.valid {
		r.Unmatched++
	}
	switch {
	case c.Label == "":
	case c.Confidence < least:
		r.Abstained++
		c.abstained, c.Label = true, ""
	default:
		r.Labels[c.Label]++
	}
}

// finish is for when all cells are counted.
func (r *annotateResult) finish() {
	if r.scored > 0 {
		mass := r.mass / float64(r.scored)
		r.Mass = &mass
	}
	if r.Unmatched > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d answers are none of the labels: those cells have none of their own", r.Unmatched))
	}
	if r.Empty > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d empty cells were not asked about", r.Empty))
	}
}
