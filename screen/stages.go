package screen

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/screen/record"
)

// arm is something that is done to cells, at most once a draw.
type arm struct {
	arm   record.Arm
	item  int
	dose  int16
	draws int
}

// jobs lists what is done to which cells, so that prompts with a common beginning are
// neighbours: all arms of a cell after each other, or, where prompts name the compound
// first, all cells of an arm.
func (r *run) jobs(arms []arm, which []record.Context, wanted func(Cell) bool) iter.Seq[job] {
	return func(yield func(job) bool) {
		draw := func(a arm, x record.Context, cell int) bool {
			if x == record.Positive && a.arm > record.Compound || !wanted(r.Cells[x][cell]) {
				return true
			}
			for d := range a.draws {
				if !yield(job{x, a.arm, a.item, a.dose, cell, d}) {
					return false
				}
			}
			return true
		}
		if r.CompoundFirst {
			for _, a := range arms {
				for _, x := range which {
					for cell := range r.Cells[x] {
						if !draw(a, x, cell) {
							return
						}
					}
				}
			}
			return
		}
		for _, x := range which {
			for cell := range r.Cells[x] {
				for _, a := range arms {
					if !draw(a, x, cell) {
						return
					}
				}
			}
		}
	}
}

func anyCell(Cell) bool { return true }

func both() []record.Context { return []record.Context{record.Positive, record.Neutral} }

// references asks what all else is held against: the vehicle, the positive controls and
// interferon alone, after the pilot that decides on the order.
func (r *run) references(ctx context.Context) error {
	if err := r.pilot(ctx); err != nil {
		return err
	}
	arms := []arm{{record.Vehicle, -1, 0, r.Draws}}
	if r.cfg.Controls.Interferon.Name != "" {
		arms = append(arms, arm{record.Interferon, -1, 0, r.Draws})
	}
	for i, item := range r.Items {
		if item.Kind == record.Control && r.own[i] {
			arms = append(arms, arm{record.Compound, i, item.MainDose, 1})
		}
	}
	var vehicle []record.Row
	controls := map[int][]record.Row{}
	err := r.all(ctx, r.Predictor, "vehicle and controls", r.jobs(arms, both(), anyCell), func(a *answer) error {
		switch {
		case a.arm == record.Vehicle:
			vehicle = append(vehicle, a.row)
			r.tally.vehicle(a)
		case a.item >= 0:
			controls[a.item] = append(controls[a.item], a.row)
			r.tally.compound(a)
		}
		if r.first() {
			r.rows = append(r.rows, a.row)
			r.example(a)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.saturation(vehicle, controls)
	if err := r.tally.draw(r.cfg.Seed); err != nil {
		r.note(fmt.Sprintf("whether a compound moves the program more than other genes is not told: %v", err))
	}
	r.judge, err = newJudge(r.Plan, r.header(), vehicle)
	return err
}

// saturated is the part of a positive control's score at which a context cannot rise
// much more.
const saturated = 0.7

// saturation warns where the program of the positive context is up already.
func (r *run) saturation(vehicle []record.Row, controls map[int][]record.Row) {
	before := r.meanScore(record.Positive, vehicle)
	for i, item := range r.Items {
		if after := r.meanScore(record.Positive, controls[i]); before > saturated*after {
			r.note(fmt.Sprintf("the positive context is saturated: without treatment it has %.0f %% of the score that %s gives it, so that little can rise", 100*before/after, item.Name))
		}
	}
}

// note is a warning that goes with the scores.
func (r *run) note(text string) {
	r.notes = append(r.notes, text)
	r.warning(text)
}

func (r *run) warning(text string) {
	r.res.Warnings = append(r.res.Warnings, text)
	r.Log.Warn(text)
}

// stages asks about the compounds and decoys of this shard, and about the leading ones
// at several doses.
func (r *run) stages(ctx context.Context) error {
	var left []arm
	for i, item := range r.Items {
		if r.own[i] && (item.Kind == record.Test || item.Kind == record.Decoy) {
			left = append(left, arm{record.Compound, i, item.MainDose, 1})
		}
	}
	ask := func(stage string, which []record.Context, wanted func(Cell) bool) error {
		return r.all(ctx, r.Predictor, stage, r.jobs(left, which, wanted), func(a *answer) error {
			r.rows = append(r.rows, a.row)
			r.judge.rows[a.item] = append(r.judge.rows[a.item], a.row)
			r.tally.compound(a)
			r.example(a)
			return nil
		})
	}
	if r.cfg.Design == designFixed {
		if err := ask("compounds", both(), anyCell); err != nil {
			return err
		}
		return r.leading(ctx, left)
	}
	early := func(c Cell) bool { return c.Rank < r.cfg.Racing.First }
	late := func(c Cell) bool { return !early(c) }
	for n, stage := range []struct {
		name  string
		which record.Context
	}{{"stage 1: positive context", record.Positive}, {"stage 2: neutral context", record.Neutral}} {
		if err := ask(stage.name, []record.Context{stage.which}, early); err != nil {
			return err
		}
		before := len(left)
		next := left[:0:0]
		for _, a := range left {
			out, err := r.judge.futile(a.item)
			if err != nil {
				return err
			}
			if !out {
				next = append(next, a)
				continue
			}
			r.Items[a.item].StoppedAt = n + 1
			r.res.Progress.Total -= r.unasked(n)
		}
		left = next
		r.Log.Info(fmt.Sprintf("%s: %d of %d compounds and decoys go on", stage.name, len(left), before))
	}
	if err := ask("stage 3: all other cells", both(), late); err != nil {
		return err
	}
	return r.leading(ctx, left)
}

// unasked is how many cells a compound that is dropped after a stage is spared.
func (r *run) unasked(stage int) int {
	asked := 0
	for x := range r.Cells {
		for _, c := range r.Cells[x] {
			if c.Rank < r.cfg.Racing.First && x <= stage { // the positive context is the first
				asked++
			}
		}
	}
	return len(r.Cells[0]) + len(r.Cells[1]) - asked
}

// leading asks about promising compounds at all doses, and with interferon.
func (r *run) leading(ctx context.Context, left []arm) error {
	var arms []arm
	for _, a := range left {
		item := r.Items[a.item]
		leads, err := r.judge.leads(a.item, r.cfg.Leading.T)
		if err != nil {
			return err
		}
		if item.Kind != record.Test || !leads && !slices.Contains(r.cfg.Leading.Names, item.Name) {
			continue
		}
		for _, text := range r.cfg.Leading.Doses {
			if d := int16(slices.Index(r.Doses, text)); d != a.dose {
				arms = append(arms, arm{record.Compound, a.item, d, 1})
			}
		}
		if r.cfg.Controls.Interferon.Name != "" {
			arms = append(arms, arm{record.CompoundAndIFN, a.item, a.dose, 1})
		}
	}
	if len(arms) == 0 {
		return nil
	}
	for range r.jobs(arms, both(), anyCell) {
		r.res.Progress.Total++
	}
	return r.all(ctx, r.Predictor, "leading compounds", r.jobs(arms, both(), anyCell), func(a *answer) error {
		r.rows = append(r.rows, a.row)
		return nil
	})
}

// baseline asks the predictor beside the model about the same cells. What it does not
// know has no row.
func (r *run) baseline(ctx context.Context) error {
	if r.Baseline == nil {
		return nil
	}
	unknown := 0
	var arms []arm
	for i, item := range r.Items {
		switch {
		case item.Kind != record.Baseline || !r.own[i]:
		case item.Name == "":
			arms = append(arms, arm{record.Vehicle, i, 0, 1})
		default:
			_, err := r.ask(ctx, r.Baseline, job{record.Positive, record.Compound, i, item.MainDose, 0, 0})
			var bad interface{ BadInput() bool }
			switch {
			case err == nil:
				arms = append(arms, arm{record.Compound, i, item.MainDose, 1})
			case errors.As(err, &bad) && bad.BadInput():
				unknown++
			default:
				return err
			}
		}
	}
	ask := func(ctx context.Context, j job) (answer, error) { return r.ask(ctx, r.Baseline, j) }
	for a, err := range batch.Map(ctx, runtime.GOMAXPROCS(0), r.jobs(arms, both(), anyCell), ask) {
		if err != nil {
			return err
		}
		r.rows = append(r.rows, a.row)
	}
	if unknown > 0 {
		r.warning(fmt.Sprintf("the baseline %s does not know %d compounds: they have no opinion of it", r.Baseline.Info().Name, unknown))
	}
	return nil
}
