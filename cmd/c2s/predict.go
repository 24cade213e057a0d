package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/progress"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// predictFlags are the flags of predict.
type predictFlags struct {
	matrix    matrixFlags
	labels    pertFlags
	backend   backendFlags
	sample    sampleFlags
	reference referenceFlags
	compress  compressionFlags

	predictor     string
	names         []string
	list          string
	dose, time    string
	organism      string
	topK          int
	rankModel     string
	obs           []string
	where         string
	cells         string
	each          int
	leaveControls bool
	part          partFlags
}

var predictorNames = []string{"llm", "additive", "mean-response", "nearest", "control"}

func newPredict(g *globals) *cobra.Command {
	o := new(predictFlags)
	cmd := &cobra.Command{
		Use: "predict FILE --control NAME --predictor P -o OUT.h5ad", Short: "Predict cells under perturbations", GroupID: groupModel, Args: need(1, 1),
		Long: `predict gives each control cell of FILE each perturbation: those of --perturbation
and --perturbations, or all that the perturbation column has. Combinations are
written A+B. OUT.h5ad has a row for each cell and perturbation, with X, the sentence
and the flags of the answer, and before them a copy of the control cell, as scores
need one (--leave-controls: none).

  llm            asks a model (--backend); X is what --rank-model, or a model fitted to
                 the cells of FILE, says of the sentence; control cells alike
  additive       mean shift of the perturbation in --reference: an .h5ad with the same
                 columns, or a .tsv[.gz] of signatures, perturbations × genes;
                 combinations it lacks are the sum of their parts
  mean-response  mean shift of all other perturbations of --reference
  nearest        shift of the perturbation of --reference that shares most --targets
                 (a gene is its own target), or is most alike in --signatures
  control        a copy of the control cell

X is ln(1 + counts per 10,000); counts in FILE and --reference are brought to it. Shifts
are those of the cell's context and cell type where --reference has enough cells of
them, else of more: the result says which.

--shard I/N (or auto) predicts for one part in N of the control cells; c2s merge joins
the parts.`,
		Example: `  c2s predict testdata/drugs.h5ad --control vehicle --predictor llm --backend demo -o predicted.h5ad
  c2s predict testdata/perturb.h5ad --control control --predictor mean-response --reference testdata/perturb.h5ad -o mean.h5ad`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(o.check(g), o.part.resolve(g, nil)); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runPredict(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.labels.add(f)
	f.StringVar(&o.predictor, "predictor", "", "what predicts: `llm|additive|mean-response|nearest|control`")
	f.StringArrayVar(&o.names, "perturbation", nil, "predict the perturbation `NAME`; repeat it for several")
	f.StringVar(&o.list, "perturbations", "", "predict those in `FILE`: a name a line, and behind tabs its dose and time, if any")
	f.StringVar(&o.dose, "dose", "", "`DOSE` with its unit of perturbations that have none of their own")
	f.StringVar(&o.time, "time", "", "`TIME` with its unit of perturbations that have none of their own")
	f.StringVar(&o.where, "where", "", "take control cells for which an `EXPRESSION` over the columns of obs holds")
	f.StringVar(&o.cells, "cells", "", "take control cells named in `FILE`, one a line")
	f.IntVar(&o.each, "sample", 0, "take `N` random control cells of each context and cell type; 0 takes all")
	f.StringSliceVar(&o.obs, "obs", nil, "copy columns `a,b,c` of obs from the control cell")
	f.BoolVar(&o.leaveControls, "leave-controls", false, "write no control cells")
	f.StringVar(&o.organism, "organism", "Homo sapiens", "`SPECIES` in the prompt")
	f.IntVar(&o.topK, "top-k", 0, "show, ask for and write `K` genes of a cell (default: 200, as C2S models were trained; 32 with the demo model)")
	f.StringVar(&o.rankModel, "rank-model", "", "expression of sentences by a `RANK.json` of c2s fidelity (default: fitted to FILE)")
	o.reference.add(f)
	o.matrix.add(f)
	o.backend.add(f)
	o.sample.add(f, 1)
	o.compress.add(f)
	o.part.add(f)
	return cmd
}

func (o *predictFlags) check(g *globals) error {
	switch {
	case !strings.HasSuffix(g.out, ".h5ad"):
		return errors.New("-o OUT.h5ad is missing")
	case o.predictor == "":
		return errors.New("--predictor is missing: one of " + strings.Join(predictorNames, ", "))
	case !slices.Contains(predictorNames, o.predictor):
		return fmt.Errorf("--predictor %q is none of %s", o.predictor, strings.Join(predictorNames, ", "))
	case o.topK < 0 || o.each < 0:
		return errors.New("--top-k and --sample cannot be negative")
	case o.predictor != "llm" && (len(o.backend.names) > 0 || o.backend.journal != "" || o.backend.prompts != "" || o.rankModel != ""):
		return errors.New("--backend, --journal, --prompts and --rank-model go with --predictor llm")
	}
	return errors.Join(o.labels.check(), o.matrix.check(), o.compress.check(), o.reference.check(o.predictor))
}

// predictResult is what predict reports, and prints with --json.
type predictResult struct {
	Out           string          `json:"out"`
	Predictor     string          `json:"predictor"`
	Model         string          `json:"model"`
	Digest        string          `json:"digest"`
	Notice        string          `json:"notice"` // must stand beside everything made with the model
	NObs          int             `json:"n_obs"`  // rows written, controls among them
	NVars         int             `json:"n_vars"`
	Controls      int             `json:"controls"`  // control cells
	Predicted     int             `json:"predicted"` // predicted cells
	Perturbations []predictedPert `json:"perturbations"`
	Valid         int             `json:"valid"`       // answers that are cells, see the flags
	Copies        int             `json:"copies"`      // answers with the genes of the control cell in its order
	Empty         int             `json:"empty_cells"` // control cells without a gene, which were not asked about
	Words         int             `json:"words"`
	Unknown       int             `json:"unknown"` // words that are no gene
	Repeats       int             `json:"repeats"` // genes that were there before
	Limit         int             `json:"limit"`   // answers that ended at the limit of tokens
	PromptTokens  int             `json:"prompt_tokens"`
	CachedTokens  int             `json:"cached_tokens"`
	AnswerTokens  int             `json:"answer_tokens"`
	SharedGenes   *int            `json:"shared_genes"` // of FILE and the reference, null without one
	Units         string          `json:"units"`
	Warnings      []string        `json:"warnings"`
}

// predictedPert is what is known of the prediction of a perturbation.
type predictedPert struct {
	Name string `json:"name"`
	// Levels says how many cells had their shift from which cells of the reference, Cells
	// the fewest that one rests on (0: not known), From whose shifts were taken, and Norm
	// the length of the longest.
	Levels     map[string]int `json:"levels,omitempty"`
	Cells      int            `json:"cells,omitempty"`
	From       []string       `json:"from,omitempty"`
	Similarity *float64       `json:"similarity,omitempty"`
	Norm       float64        `json:"norm,omitempty"`
	OtherDoses bool           `json:"other_doses,omitempty"`
}

func (r *predictResult) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// predictJob is a run of predict.
type predictJob struct {
	g      *globals
	o      *predictFlags
	in     *input
	x      *expression
	labels *pertLabels
	perts  []asked
	cells  []int // rows of the controls
	words  []string
	model  *model // nil where none is asked
	p      perturb.Predictor
	topK   int
	result *predictResult
	bar    *progress.Counter
}

// asked is a perturbation with the label that it has in the output.
type asked struct {
	label, dose, time string
	perturb.Perturbation
}

func runPredict(ctx context.Context, g *globals, o *predictFlags, path string) (err error) {
	j := &predictJob{g: g, o: o, result: &predictResult{Out: g.out, Predictor: o.predictor, Perturbations: []predictedPert{}, Units: unitsOfExpression}}
	if j.in, err = o.matrix.open(ctx, g, path); err != nil {
		return err
	}
	defer j.in.file.Close()
	if err := j.look(ctx); err != nil {
		return err
	}
	close, err := j.prepare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, close()) }()
	if fresh, err := j.begin(ctx); fresh || err != nil {
		return err
	}
	if err := j.explain(); err != nil {
		return err
	}
	for _, text := range j.labels.said {
		g.logger().Info(text)
	}
	beside := ""
	if o.predictor == "llm" {
		beside = "tokens"
	}
	j.bar = g.startBeside("predicting "+path, "cells", int64(len(j.cells)*len(j.perts)), beside)
	defer j.bar.Stop()
	ctx = tallied(ctx, j.bar)
	if err := j.write(ctx); err != nil {
		return err
	}
	if err := j.report(); err != nil {
		return err
	}
	return o.part.finish(ctx, g, map[string]int64{"controls": int64(j.result.Controls), "predicted": int64(j.result.Predicted)}, j.result.Warnings)
}

// look reads what there is to predict, and from what.
func (j *predictJob) look(ctx context.Context) (err error) {
	if j.labels, err = j.o.labels.read(ctx, j.in.file); err != nil {
		return err
	}
	if j.x, err = j.in.expression(ctx); err != nil {
		return err
	}
	if j.perts, err = j.o.asked(j.labels); err != nil {
		return err
	}
	if j.cells, err = j.o.controls(ctx, j.g, j.in, j.labels); err != nil {
		return err
	}
	j.result.Warnings = append([]string{}, j.in.warnings...)
	for _, text := range []string{j.x.said(), j.labels.guideWarning(j.in.genes)} {
		if text != "" {
			j.result.warn("%s", text)
		}
	}
	j.result.Controls, j.result.Predicted, j.result.NVars = len(j.cells), len(j.cells)*len(j.perts), len(j.in.genes)
	return nil
}

// explain asks a predictor of shifts where they are from, before anything is written:
// a perturbation that it does not know is an error.
func (j *predictJob) explain() error {
	s, ok := j.p.(*predictor.Shift)
	for _, p := range j.perts {
		about := predictedPert{Name: p.label}
		if ok {
			about.Levels = map[string]int{}
			for group, n := range j.groups() {
				e, err := s.Explain(p.Perturbation, group[0], group[1])
				if err != nil {
					return err
				}
				about.Levels[string(e.Level)] += n
				if about.Cells == 0 || e.Cells < about.Cells {
					about.Cells = e.Cells
				}
				if about.From = e.From; j.o.predictor == "mean-response" {
					about.From = nil // all others
				}
				if j.o.predictor == "nearest" {
					about.Similarity = &e.Similarity
				}
				about.OtherDoses, about.Norm = e.OtherDoses, max(about.Norm, e.Norm)
			}
		}
		j.result.Perturbations = append(j.result.Perturbations, about)
	}
	if ok {
		n := s.Shared()
		j.result.SharedGenes = &n
		if n < len(j.in.genes) {
			j.result.warn("%d of %d genes have no shift in %s: they do not move", len(j.in.genes)-n, len(j.in.genes), s.Info().Model)
		}
	}
	return nil
}

// groups counts the control cells by context and cell type.
func (j *predictJob) groups() map[[2]string]int {
	out := map[[2]string]int{}
	for _, row := range j.cells {
		out[[2]string{at(j.labels.contexts, row), at(j.labels.cellTypes, row)}]++
	}
	return out
}

// report tells the counts.
func (j *predictJob) report() error {
	r, log := j.result, j.g.logger()
	other, none, few := 0, 0, 0
	for _, p := range r.Perturbations {
		if p.Cells > 0 && p.Cells < j.o.reference.minCells {
			few++
		}
		if p.OtherDoses {
			other++
		}
		if p.Similarity != nil && *p.Similarity == 0 {
			none++
		}
	}
	if other > 0 {
		r.warn("the reference lacks the dose or time of %d perturbations: their shift is that of all doses and times", other)
	}
	if few > 0 {
		r.warn("the shifts of %d perturbations rest on fewer than %d cells", few, j.o.reference.minCells)
	}
	if none > 0 {
		r.warn("nothing is like %d perturbations: the mean response stands in for them", none)
	}
	if r.Empty > 0 {
		r.warn("%d empty control cells were not asked about: their predictions are empty", r.Empty)
	}
	for _, text := range r.Warnings {
		log.Warn(text)
	}
	if j.g.json {
		return printJSON(j.g.stdout, r)
	}
	text := fmt.Sprintf("%d control cells × %d perturbations in %s: %d of %d are valid cells, %d copy the control", r.Controls, len(r.Perturbations), r.Out, r.Valid, r.Predicted, r.Copies)
	if j.model != nil {
		text += fmt.Sprintf("; %d of %d words are no gene, %d repeats, %d answers cut by the limit (%s)", r.Unknown, r.Words, r.Repeats, r.Limit, j.model.asked())
	}
	log.Info(text)
	return nil
}
