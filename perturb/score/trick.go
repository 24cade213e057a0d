package score

import (
	"context"
	"errors"
	"math"
	"slices"
)

// Trick is a known way to raise scores, and what every metric would have become if
// it had been played on this prediction.
type Trick struct {
	Name string // short and fixed
	What string // what was done to the predicted cells
	// Refused says why such cells would not have been scored at all, "" if they would.
	Refused string
	// Scores is beside the metrics of the result; nil if refused.
	Scores []float64
	// Flags is what would have been said of it.
	Flags []Flag
}

// tricks are played on cells as they were read, before any preparation.
var tricks = []struct {
	name, what string
	play       func(c *Cells) *Cells
}{
	{"inflated-effects", "the fold change of every gene from the control is squared, at most doubling a value", inflate},
	{"scaled-values", "the values of perturbed cells are doubled", func(c *Cells) *Cells {
		return c.perturbed(func(_ int, _ []int32, in, out []float64) {
			for i, v := range in {
				out[i] = 2 * v
			}
		})
	}},
	{"logarithm-twice", "log(1 + x) is taken once more, rounded where values were whole", func(c *Cells) *Cells {
		return c.asWhole(c.transform(func(_ int, in, out []float64) {
			for i, v := range in {
				out[i] = math.Log1p(v)
			}
		}))
	}},
	{"target-spike", "the perturbed gene itself gets the largest value of its cell", spike},
	{"repeated-cells", "every perturbed cell is given four times", func(c *Cells) *Cells {
		rows := c.whole()
		for g := 1; g < len(rows); g++ {
			rows[g] = slices.Repeat(rows[g], 4)
		}
		return c.pick(rows)
	}},
	{"control-paste", "perturbed cells are replaced by control cells", func(c *Cells) *Cells { return c.pick(pasted(c, 0)) }},
	{"constant", "all cells of a perturbation are its first one", func(c *Cells) *Cells {
		rows := c.whole()
		for g := 1; g < len(rows); g++ {
			for i := range rows[g] {
				rows[g][i] = c.start[g]
			}
		}
		return c.pick(rows)
	}},
}

// playTricks scores what each trick makes of the prediction.
func playTricks(ctx context.Context, recipe recipe, truth *side, pred *Cells, cfg Config) ([]Trick, error) {
	var out []Trick
	every := make([]int, len(pred.groups)-1)
	for k := range every {
		every[k] = k
	}
	for _, t := range tricks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		metrics, said, err := recipe.score(ctx, truth, t.play(pred), cfg.Workers)
		cfg.step()
		played := Trick{Name: t.name, What: t.what, Flags: said}
		if refused, ok := errors.AsType[inputError](err); ok {
			played.Refused = refused.Error()
		} else if err != nil {
			return nil, err
		}
		for i := range metrics {
			played.Scores = append(played.Scores, metrics[i].Total(every))
		}
		out = append(out, played)
	}
	return out, nil
}

// perturbed is the cells with the values of all but the control replaced.
func (c *Cells) perturbed(do func(g int, index []int32, in, out []float64)) *Cells {
	t := c.derive()
	t.value = slices.Clone(c.value)
	for g := 1; g < len(c.groups); g++ {
		for r := c.start[g]; r < c.start[g+1]; r++ {
			index, in := c.row(r)
			do(g, index, in, t.value[c.ptr[r]:c.ptr[r+1]])
		}
	}
	return t
}

// asWhole rounds the values of t if those of c were counts.
func (c *Cells) asWhole(t *Cells) *Cells {
	if !c.isCounts() {
		return t
	}
	return t.transform(func(_ int, in, out []float64) {
		for i, v := range in {
			out[i] = math.Round(v)
		}
	})
}

// inflate multiplies each value by its gene's fold change from the control, which
// at most doubles it.
func inflate(c *Cells) *Cells {
	means := c.means()
	return c.asWhole(c.perturbed(func(g int, index []int32, in, out []float64) {
		for i, v := range in {
			if base := means[0][index[i]]; base > 0 {
				v *= min(2, means[g][index[i]]/base)
			}
			out[i] = v
		}
	}))
}

// spike gives each perturbation's own genes the largest value of the cell.
func spike(c *Cells) *Cells {
	at := make(map[string]int, len(c.genes))
	for j, name := range c.genes {
		at[name] = j
	}
	t := c.derive()
	t.ptr, t.index, t.value = []int64{0}, nil, nil
	for g, name := range c.groups {
		var own []int
		if g > 0 {
			own = targets(name, at)
		}
		for r := c.start[g]; r < c.start[g+1]; r++ {
			index, value := c.row(r)
			top := 0.0
			for i, j := range index {
				top = max(top, value[i])
				if !slices.Contains(own, int(j)) {
					t.index, t.value = append(t.index, j), append(t.value, value[i])
				}
			}
			for _, j := range own {
				t.index, t.value = append(t.index, int32(j)), append(t.value, top)
			}
			t.ptr = append(t.ptr, int64(len(t.index)))
		}
	}
	return t
}
