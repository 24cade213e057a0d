package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/perturb/pairs"
	"github.com/cellsentence/c2s/perturb/predictor"
	"github.com/cellsentence/c2s/scfid/pca"
)

// pairsFlags are the flags of perturb pairs.
type pairsFlags struct {
	matrix   matrixFlags
	labels   pertFlags
	where    string
	matchBy  []string
	match    string
	design   string
	share    float64
	holdOut  []string
	formats  []string
	prompts  backendFlags // of which --prompts is used
	organism string
	topK     int
	real     int
	eos      string
}

func newPairs(g *globals) *cobra.Command {
	o := new(pairsFlags)
	cmd := &cobra.Command{
		Use: "pairs FILE --control NAME -o DIR", Short: "Make training pairs of control and perturbed cells", Args: need(1, 1),
		Long: `pairs gives each perturbed cell of FILE a control cell with the same labels, and writes
prompts with their responses for trainers, a folder each: trl (SFT and GRPO), verl,
openrlhf, axolotl, llama-factory, and table, Parquet with all columns. Prompts for
rewards carry the truth that c2s perturb serve-reward wants: --real cells of the label
and the control cell.

--match random takes any control of the same labels; nearest the nearest in principal
components of the control cells, none more often than its share; ot draws from the
entropic optimal transport between the two (Sinkhorn).

--design names what is kept for testing: unseen-perturbation, unseen-combination,
unseen-celltype-perturbation and random by --test-share or --hold-out; cytokine (the
conditions of C2S-Scale, exposures in --time-col) and l1000 (half the cell lines, in
--cell-type-col, of 50 perturbations with fewer than 1,000 cells). No control cell is
on both sides.`,
		Example: "  c2s perturb pairs testdata/perturb.h5ad --control control --design unseen-perturbation -o pairs",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runPairs(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.labels.add(f)
	f.StringVar(&o.where, "where", "", "take cells for which an `EXPRESSION` over the columns of obs holds")
	f.StringSliceVar(&o.matchBy, "match-by", nil, "columns `a,b` of obs that a pair shares (default: context, cell type, and batch and donor where they are there)")
	f.StringVar(&o.match, "match", string(pairs.MatchRandom), "how a perturbed cell gets its control: `random|nearest|ot`")
	f.StringVar(&o.design, "design", string(pairs.DesignNone), "what is kept for testing: `"+joinNames(pairs.Designs())+"`")
	f.Float64Var(&o.share, "test-share", 0.1, "keep this `PART`")
	f.StringArrayVar(&o.holdOut, "hold-out", nil, "keep the perturbation or combination `NAME`; repeat it for several")
	f.StringSliceVar(&o.formats, "format", nil, "write for `"+joinNames(pairs.Formats())+"` (default: all)")
	f.StringVar(&o.prompts.prompts, "prompts", "", "words of the prompts: `FILE|DIR` (default: the project's)")
	f.StringVar(&o.organism, "organism", "Homo sapiens", "`SPECIES` in the prompt")
	f.IntVar(&o.topK, "top-k", 200, "show and ask for `K` genes of a cell")
	f.IntVar(&o.real, "real", 8, "real cells `N` in the truth of a prompt; C2S-Scale had 32")
	f.StringVar(&o.eos, "eos", "", "`TEXT` that ends an answer, for axolotl: <|endoftext|> for Pythia, <eos> for Gemma")
	o.matrix.add(f)
	return cmd
}

func joinNames[T ~string](list []T) string {
	var out []string
	for _, x := range list {
		out = append(out, string(x))
	}
	return strings.Join(out, "|")
}

func (o *pairsFlags) check(g *globals) error {
	switch {
	case g.out == "" || g.out == "-":
		return errors.New("-o DIR is missing")
	case !slices.Contains(pairs.Matchings(), pairs.Matching(o.match)):
		return fmt.Errorf("--match %q is none of %s", o.match, joinNames(pairs.Matchings()))
	case !slices.Contains(pairs.Designs(), pairs.Design(o.design)):
		return fmt.Errorf("--design %q is none of %s", o.design, joinNames(pairs.Designs()))
	case !(o.share > 0 && o.share < 1):
		return errors.New("--test-share lies between 0 and 1")
	case len(o.holdOut) > 0 && o.design != string(pairs.DesignPerturbation) && o.design != string(pairs.DesignCombination):
		return errors.New("--hold-out goes with --design unseen-perturbation and unseen-combination")
	case o.topK < 1 || o.real < 1:
		return errors.New("--top-k and --real must be above 0")
	case o.labels.pert == allControls:
		return errors.New("--pert-col - leaves no perturbed cell")
	}
	for _, f := range o.formats {
		if !slices.Contains(pairs.Formats(), pairs.Format(f)) {
			return fmt.Errorf("--format %q is none of %s", f, joinNames(pairs.Formats()))
		}
	}
	return errors.Join(o.labels.check(), o.matrix.check())
}

// pairsResult is what pairs reports, and prints with --json.
type pairsResult struct {
	Out     string   `json:"out"`
	Design  string   `json:"design"`
	HeldOut []string `json:"held_out"` // what is kept for testing
	MatchBy []string `json:"match_by"`
	*pairs.Report
	// Distance is that of the pairs in principal components, RandomDistance that of random
	// controls; null where they were not needed.
	Distance       *float64 `json:"mean_distance"`
	RandomDistance *float64 `json:"mean_distance_random"`
	pairs.Audit
	EmptyCells int      `json:"empty_cells"` // pairs with a cell without a gene, which are left out
	OneReal    int      `json:"one_real"`    // prompts with one real cell, whose reward has no ceiling
	C2S        bool     `json:"c2s"`         // C2S models were trained on these words
	Warnings   []string `json:"warnings"`
}

// pairsJob is a run of perturb pairs.
type pairsJob struct {
	g         *globals
	o         *pairsFlags
	in        *input
	labels    *pertLabels
	cells     *pairs.Cells
	names     []string
	sentences *sentenceStore
	words     *predictor.Wording
	result    *pairsResult
}

func runPairs(ctx context.Context, g *globals, o *pairsFlags, path string) (err error) {
	j := &pairsJob{g: g, o: o, result: &pairsResult{Out: g.out, Design: o.design, HeldOut: []string{}, MatchBy: []string{}}}
	if j.in, err = o.matrix.open(ctx, g, path); err != nil {
		return err
	}
	defer j.in.file.Close()
	j.result.Warnings = append([]string{}, j.in.warnings...)
	if err := j.look(ctx); err != nil {
		return err
	}
	dir, err := atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: inputsOf(path)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	held, err := pairs.Hold(j.cells, pairs.Design(o.design), pairs.HoldConfig{Share: o.share, Names: o.holdOut, Seed: g.seed})
	if err != nil {
		return err
	}
	j.result.HeldOut = append(j.result.HeldOut, held.What...)
	j.result.Warnings = append(j.result.Warnings, held.Warnings...)
	list, report, err := pairs.Match(ctx, j.cells, held, pairs.MatchConfig{Matching: pairs.Matching(o.match), Seed: g.seed, Budget: g.budget() / 2})
	if err != nil {
		return err
	}
	if j.result.Report = report; !math.IsNaN(report.Distance) {
		j.result.Distance, j.result.RandomDistance = &report.Distance, &report.RandomDistance
	}
	if j.sentences, err = j.encode(ctx); err != nil {
		return err
	}
	if err := j.write(ctx, dir.Path(), list); err != nil {
		return err
	}
	if err := j.manifest(ctx, dir.Path(), path); err != nil {
		return err
	}
	if err := dir.Commit(); err != nil {
		return err
	}
	return j.report()
}

// look reads the labels and, where the matching needs them, the places of the cells.
func (j *pairsJob) look(ctx context.Context) (err error) {
	if j.labels, err = j.o.labels.read(ctx, j.in.file); err != nil {
		return err
	}
	if j.names, err = j.in.file.Obs().Index(ctx); err != nil {
		return err
	}
	if text := j.labels.guideWarning(j.in.genes); text != "" {
		j.result.Warnings = append(j.result.Warnings, text)
	}
	given, err := j.o.prompts.perturbationTemplates(ctx, j.g)
	if err != nil {
		return err
	}
	if j.words, err = predictor.NewWording(&llm.Info{}, predictor.WordingConfig{Templates: given, TopK: j.o.topK, Seed: j.g.seed}); err != nil {
		return err
	}
	j.result.C2S = j.words.Warning == ""
	var rows []int // nil: all
	if j.o.where != "" {
		if rows, err = whereRows(ctx, j.g, j.in.file, j.o.where); err != nil {
			return err
		}
	}
	var known predictor.Cells
	j.labels.into(&known, nil)
	j.cells = &pairs.Cells{Perturbations: known.Perturbations, Of: known.Of, CellTypes: j.labels.cellTypes}
	if j.o.where != "" {
		keep := make([]bool, len(j.cells.Of))
		for _, row := range rows {
			keep[row] = true
		}
		for row := range keep {
			if !keep[row] {
				j.cells.Of[row] = -1
			}
		}
	}
	if err := j.group(ctx); err != nil {
		return err
	}
	if j.o.match != string(pairs.MatchRandom) {
		j.cells.Points, err = j.place(ctx)
	}
	return err
}

// usualMatch are columns that pairs share besides context and cell type.
var usualMatch = []string{"batch", "batch_id", "donor", "donor_id", "patient_id"}

// group joins the columns that a pair shares.
func (j *pairsJob) group(ctx context.Context) error {
	by := j.o.matchBy
	if by == nil {
		by = slices.DeleteFunc([]string{j.labels.context, j.labels.cellType}, func(s string) bool { return s == "" })
		for _, name := range usualMatch {
			if j.in.file.Obs().Has(name) {
				by = append(by, name)
			}
		}
	}
	j.cells.Groups = make([]string, len(j.cells.Of))
	for _, name := range by {
		list, err := texts(ctx, j.in.file, name)
		if err != nil {
			return err
		}
		for row, text := range list {
			if j.cells.Groups[row] != "" {
				j.cells.Groups[row] += " | "
			}
			j.cells.Groups[row] += text
		}
	}
	j.result.MatchBy = append(j.result.MatchBy, by...)
	j.labels.said = append(j.labels.said, "pairs share: "+strings.Join(append(slices.Clone(by), "")[:max(1, len(by))], ", "))
	return nil
}

// place gives the cells their places in principal components of the control cells, so
// that nothing of perturbed cells to test with decides them.
func (j *pairsJob) place(ctx context.Context) ([][]float32, error) {
	x, err := j.in.expression(ctx)
	if err != nil {
		return nil, err
	}
	if said := x.said(); said != "" {
		j.result.Warnings = append(j.result.Warnings, said)
	}
	var controls []int
	for row, p := range j.cells.Of {
		if p >= 0 && len(j.cells.Perturbations[p].Parts) == 0 {
			controls = append(controls, row)
		}
	}
	if len(controls) < 3 {
		return nil, &inputError{fmt.Errorf("%s: %d control cells are too few for principal components", j.in.file.Path(), len(controls)), "take --match random"}
	}
	from := func(rows []int) pca.Cells {
		return func(ctx context.Context) iter.Seq2[pca.Batch, error] { return x.batches(ctx, j.g, rows) }
	}
	model, err := pca.Fit(ctx, j.in.genes, from(controls), pca.Config{
		Components: min(50, len(controls)-1, len(j.in.genes)-1), Logged: true, Seed: j.g.seed, Workers: j.g.workers(),
	})
	if err != nil {
		return nil, ofPCA(j.in.file.Path(), err)
	}
	projector, err := model.Projector(j.in.genes)
	if err != nil {
		return nil, ofPCA(j.in.file.Path(), err)
	}
	var out [][]float32
	for b, err := range from(nil)(ctx) {
		if err != nil {
			return nil, err
		}
		dst := make([]float64, b.Len()*projector.Dim())
		projector.Transform(b, dst)
		for i := range b.Len() {
			row := make([]float32, projector.Dim())
			for k := range row {
				row[k] = float32(dst[i*len(row)+k])
			}
			out = append(out, row)
		}
	}
	return out, nil
}

// batches gives cells to package pca.
func (e *expression) batches(ctx context.Context, g *globals, rows []int) iter.Seq2[pca.Batch, error] {
	return func(yield func(pca.Batch, error) bool) {
		src, err := e.cells(ctx, g, rows)
		if err != nil {
			yield(pca.Batch{}, err)
			return
		}
		for b, err := range src.all(ctx) {
			if err != nil {
				yield(pca.Batch{}, err)
				return
			}
			if !yield(pca.Batch{Indptr: b.Indptr, Indices: b.Indices, Values: h5ad.Floats(nil, b.Values)}, nil) {
				return
			}
		}
	}
}
