package screen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/screen/program"
	"github.com/cellsentence/c2s/screen/record"
)

// RunConfig says how a plan is run. Only Predictor must be set.
type RunConfig struct {
	// Predictor is asked. It must show and ask for as many genes as the plan has.
	Predictor perturb.Predictor
	// CompoundFirst says that its prompts name the compound before the cell, so that
	// those of one compound share their beginning; else those of one cell do.
	CompoundFirst bool
	// CellFirst asks the same with the cell before the compound, for a pilot; nil: there
	// is no pilot.
	CellFirst perturb.Predictor
	// Baseline stands beside it; nil: nothing does.
	Baseline perturb.Predictor
	// Shard is the part of the compounds that is asked about. Every shard asks the
	// vehicle and the positive controls, by which it judges; the first one records them.
	Shard shard.Shard
	// Jobs is the number of predictions at a time (0: one).
	Jobs int
	// Progress, if not nil, is called after every prediction, from one goroutine.
	Progress func(Progress)
	// Log, if not nil, is told what is decided on the way.
	Log *slog.Logger
	// Now is the clock (nil: time.Now).
	Now func() time.Time
}

// Progress is how far a run has come.
type Progress struct {
	// Stage is what is being asked; Total is the most predictions that the run still may
	// come to.
	Stage       string
	Done, Total int
	// Prompt, Cached and Answer count tokens; Invalid answers that are no cell.
	Prompt, Cached, Answer int
	Invalid                int
}

// Result is what a run, or a shard of it, leaves.
type Result struct {
	Header record.Header
	Rows   []record.Row // in the order of [Sort]
	// Examples are sentences of a few cells, for report cards.
	Examples []Example
	Progress Progress
	// Order says in which order prompts name cell and compound, and why.
	Order string
	// Pilot is the concordance correlation that decided it, NaN without a pilot.
	Pilot float64
	// Tokens is how many tokens prompts have on average about compounds and about decoys,
	// by family: names of decoys should be as long. It is empty where none are counted.
	Tokens   map[string]float64
	Warnings []string
}

// BudgetError means that the budget was spent before the run was done.
type BudgetError struct {
	What  string // such as "tokens"
	Limit float64
	Done  int // predictions
}

// Error says what was spent.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("the budget of %g %s is spent after %d predictions", e.Limit, e.What, e.Done)
}

// Hint says how to go on.
func (e *BudgetError) Hint() string {
	return "raise the budget in the screen.yaml and run again with the same journal: what was answered is not asked again"
}

// Run asks what a plan says. It ends with the first error that is not the fault of a
// single answer, with that of ctx, or with a [*BudgetError]; what was asked until then
// is in the journal of the predictor's backend, if it has one, and the next run goes on
// from there.
func Run(ctx context.Context, p *Plan, cfg RunConfig) (*Result, error) {
	r, err := newRun(p, cfg)
	if err != nil {
		return nil, err
	}
	if err := r.references(ctx); err != nil {
		return nil, err
	}
	if err := r.stages(ctx); err != nil {
		return nil, err
	}
	if err := r.baseline(ctx); err != nil {
		return nil, err
	}
	return r.result()
}

// run is a plan that is being run.
type run struct {
	*Plan
	RunConfig
	scorer *program.Scorer
	tally  *tally
	start  time.Time
	res    *Result
	rows   []record.Row
	own    []bool // items of this shard
	judge  *judge
	notes  []string
	tokens map[string][2]int // of prompts, and prompts, by family
}

func newRun(p *Plan, cfg RunConfig) (*run, error) {
	if p.cfg == nil {
		return nil, errors.New("a plan that was read from a file cannot be run")
	}
	if cfg.Predictor == nil {
		return nil, errors.New("there is no predictor")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	scorer, err := program.NewScorer(p.Program, p.Genes, p.Scale)
	if err != nil {
		return nil, err
	}
	r := &run{Plan: p, RunConfig: cfg, scorer: scorer, start: cfg.Now(), res: &Result{Pilot: nan, Warnings: []string{}}, tokens: map[string][2]int{}}
	mine := *p
	mine.Items = slices.Clone(p.Items) // a run says when it gave an item up
	r.Plan, r.own = &mine, owned(p.Items, cfg.Shard)
	r.res.Progress.Total = r.planned()
	r.tally = newTally(p)
	return r, nil
}

// planned is the most predictions of this shard, without the doses of leading compounds.
func (r *run) planned() int {
	cells := len(r.Cells[0]) + len(r.Cells[1])
	n := cells * r.Draws
	if r.cfg.Controls.Interferon.Name != "" {
		n += len(r.Cells[record.Neutral]) * r.Draws
	}
	for i, item := range r.Items {
		if r.own[i] && item.Kind != record.Baseline {
			n += cells
		}
	}
	return n
}

// first reports whether this shard records what belongs to no compound.
func (r *run) first() bool { return r.Shard.Index == 0 }

// job is a prediction.
type job struct {
	context record.Context
	arm     record.Arm
	item    int // −1 without a compound
	dose    int16
	cell    int // place in Cells
	draw    int
}

// answer is what came of a job.
type answer struct {
	job
	row    record.Row
	genes  []string
	tokens [3]int // prompt, cached, answer
}

// ask has a prediction made and scores it.
func (r *run) ask(ctx context.Context, by perturb.Predictor, j job) (answer, error) {
	resp, err := by.Predict(ctx, r.request(by, j))
	if err != nil {
		return answer{}, err
	}
	if len(resp.Cells) != 1 {
		return answer{}, fmt.Errorf("the predictor %s gave %d cells for one", by.Info().Name, len(resp.Cells))
	}
	got := &resp.Cells[0]
	cell := r.Cells[j.context][j.cell]
	a := answer{job: j, genes: got.Genes[:min(len(got.Genes), r.Genes)], tokens: [3]int{resp.PromptTokens, resp.CachedTokens, resp.AnswerTokens}}
	a.row = record.Row{
		Context: j.context, Arm: j.arm, Item: int32(j.item), Dose: j.dose, Cluster: int32(cell.Cluster), CellType: int32(cell.CellType),
		Cell: int32(cell.Row), Draw: int16(j.draw), Valid: got.Flags.Valid, Copy: got.Flags.Copy, U: float32(nan), Expr: float32(nan),
	}
	if a.row.Valid {
		u, e := r.scorer.Score(a.genes)
		a.row.U, a.row.Expr = float32(u), float32(e)
	}
	return a, nil
}

// request is a job as predictors take it. Its seed is that of what is done and of the
// draw: cells differ by their rows, and compounds are drawn apart from each other and
// from the vehicle, since what they share would make all of them look alike.
func (r *run) request(by perturb.Predictor, j job) perturb.Request {
	cell := r.Cells[j.context][j.cell]
	c := perturb.Cell{Row: cell.Row}
	one := &r.profiles[j.context][j.cell]
	info := by.Info()
	if info.Sentences {
		c.Genes = r.shown(one)
	}
	if info.Values {
		c.Values = r.values(j.context, one)
	}
	var parts []perturb.Part
	name, dose := "", ""
	if j.item >= 0 && r.Items[j.item].Name != "" {
		name, dose = r.Items[j.item].Name, r.Doses[j.dose]
		parts = append(parts, perturb.Part{Name: name, Dose: dose})
	}
	if j.arm == record.Interferon || j.arm == record.CompoundAndIFN {
		ifn := r.cfg.Controls.Interferon
		parts = append(parts, perturb.Part{Name: ifn.Name, Dose: ifn.Dose})
	}
	return perturb.Request{
		Cells: []perturb.Cell{c}, Perturbation: perturb.Perturbation{Parts: parts},
		Context: r.cfg.context(j.context).Word, CellType: r.CellTypes[cell.CellType], Donor: r.Clusters[cell.Cluster].Name, Organism: r.cfg.Organism,
		Seed: key(r.cfg.Seed, "draw", contextName(j.context), fmt.Sprint(j.arm), name, dose, fmt.Sprint(j.draw)),
	}
}

// values is the expression of a cell on the genes of both files.
func (r *run) values(which record.Context, one *profile) []float32 {
	out := make([]float32, len(r.axis))
	for i, column := range one.columns {
		if at := r.columns[which][column]; at >= 0 {
			out[at] = one.values[i]
		}
	}
	return out
}

// all has jobs answered in their order and hands the answers to each.
func (r *run) all(ctx context.Context, by perturb.Predictor, stage string, jobs iter.Seq[job], each func(*answer) error) error {
	r.res.Progress.Stage = stage
	ask := func(ctx context.Context, j job) (answer, error) { return r.ask(ctx, by, j) }
	for a, err := range batch.Map(ctx, r.Jobs, jobs, ask) {
		if err != nil {
			return err
		}
		if err := each(&a); err != nil {
			return err
		}
		if err := r.count(&a); err != nil {
			return err
		}
	}
	return nil
}

// count adds an answer to the progress and looks at the budget.
func (r *run) count(a *answer) error {
	p := &r.res.Progress
	p.Done++
	p.Prompt += a.tokens[0]
	p.Cached += a.tokens[1]
	p.Answer += a.tokens[2]
	if a.arm == record.Compound {
		family := cmp.Or(r.Items[a.item].Family, string(r.Items[a.item].Kind))
		sum := r.tokens[family]
		r.tokens[family] = [2]int{sum[0] + a.tokens[0], sum[1] + 1}
	}
	if !a.row.Valid {
		p.Invalid++
	}
	if r.Progress != nil {
		r.Progress(*p)
	}
	hours := r.Now().Sub(r.start).Hours()
	b := r.cfg.Budget
	for _, l := range []struct {
		what         string
		limit, spent float64
	}{
		{"predictions", float64(b.Predictions), float64(p.Done)},
		{"tokens", float64(b.Tokens), float64(p.Prompt + p.Answer)},
		{"hours", b.Hours, hours},
		{"money", b.Money, r.cfg.Price.money(p.Prompt, p.Answer, hours)},
	} {
		if l.limit > 0 && l.spent > l.limit {
			return &BudgetError{l.what, l.limit, p.Done}
		}
	}
	return nil
}

// Note is the progress beside its count, for people.
func (p Progress) Note() string {
	s := p.Stage
	if p.Prompt > 0 {
		s += fmt.Sprintf("; %.0f %% of %d prompt tokens shared", 100*float64(p.Cached)/float64(p.Prompt), p.Prompt)
	}
	if p.Done > 0 {
		s += fmt.Sprintf("; %.1f %% invalid", 100*float64(p.Invalid)/float64(p.Done))
	}
	return s
}
