package simulate

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/racing"
	"github.com/cellsentence/c2s/screen/record"
)

// Race gives the rows that are asked for when the screen of [Table] is run as a race
// with the default rule. The positive control is not raced.
func Race(ctx context.Context, cfg Config, t *record.Table) (*record.Table, error) {
	perItem := 2 * cfg.Donors * cfg.Cells
	vehicle := perItem * cfg.Draws
	rule := racing.Default(cfg.Cells, 0)
	out := &record.Table{Header: t.Header}
	out.Header.Design = "racing"
	out.Header.Items = append([]record.Item(nil), t.Header.Items...)
	// The plan's constant is from the cells of the first stage.
	pilot := &record.Table{Header: t.Header}
	for i := range vehicle {
		row := t.Row(i)
		out.Append(row)
		if int(row.Cell)%cfg.Cells < rule.Stages[0][0] {
			pilot.Append(row)
		}
	}
	m, err := analysis.NewMeter(pilot, analysis.U)
	if err != nil {
		return nil, err
	}
	if rule.S2 = m.Pilot().Prior.S2; rule.S2 == 0 {
		rule.DF = 0 // a single draw tells nothing
	}
	if err := rule.Check(); err != nil {
		return nil, err
	}
	vehicleRows := *out
	vehicleRows.Header = t.Header
	kept := make([][]record.Row, len(out.Header.Items))
	stopped := make([]int, len(kept))
	errs := make([]error, len(kept))
	var at atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			m, err := analysis.NewMeter(&vehicleRows, analysis.U)
			for ctx.Err() == nil {
				i := int(at.Add(1)) - 1
				if i >= len(kept) {
					return
				}
				if errs[i] = err; err != nil {
					return
				}
				rows := make([]record.Row, perItem)
				for k := range rows {
					rows[k] = t.Row(vehicle + i*perItem + k)
				}
				if t.Header.Items[i].Kind == record.Control {
					kept[i] = rows
					continue
				}
				kept[i], stopped[i], errs[i] = race(m, rule, cfg, rows)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(append(errs, context.Cause(ctx))...); err != nil {
		return nil, err
	}
	for i, rows := range kept {
		out.Header.Items[i].StoppedAt = stopped[i]
		for _, row := range rows {
			out.Append(row)
		}
	}
	return out, nil
}

// race takes one compound through the stages: its rows, and the stage that it was
// given up after, 0 if it was not.
func race(m *analysis.Meter, rule racing.Rule, cfg Config, rows []record.Row) ([]record.Row, int, error) {
	for k, stage := range rule.Stages[:len(rule.Stages)-1] {
		var asked []record.Row
		for _, r := range rows {
			if int(r.Cell)%cfg.Cells < stage[r.Context] {
				asked = append(asked, r)
			}
		}
		e, err := m.Effects(asked)
		if err != nil {
			return nil, 0, err
		}
		if rule.Futile(e) {
			return asked, k + 1, nil
		}
	}
	return rows, 0, nil
}
