package simulate

import (
	"context"

	"github.com/cellsentence/c2s/screen/analysis"
)

// Power is a point of a power curve.
type Power struct {
	Vary        string  `json:"vary"` // "donors", "cells" or "effect"
	Value       float64 `json:"value"`
	Design      Design  `json:"design"`
	Recall      float64 `json:"recall"`
	FDR         float64 `json:"fdr"`
	Predictions float64 `json:"predictions"`
}

// point is a configuration of a curve.
type point struct {
	vary  string
	value float64
	cfg   Config
}

func points(cfg Config) []point {
	var list []point
	add := func(vary string, value float64, change func(*Config)) {
		c := cfg
		change(&c)
		list = append(list, point{vary, value, c})
	}
	for _, n := range []int{2, 3, 4, 6, 8, 12} {
		add("donors", float64(n), func(c *Config) { c.Donors = n })
	}
	for _, n := range []int{12, 25, 50, 100} {
		add("cells", float64(n), func(c *Config) { c.Cells = n })
	}
	for _, e := range []float64{2, 3, 4, 5, 6} {
		add("effect", e, func(c *Config) { c.Effect = e })
	}
	return list
}

// PowerSteps is the number of screens that Curves simulates for each of screens.
func PowerSteps() int { return 2 * len(points(Config{})) }

// Curves tells recall and false discovery rate by the number of donors, that of cells
// and the size of the effect, one varied at a time from cfg, for both designs. each,
// unless nil, is called after each screen.
func Curves(ctx context.Context, cfg Config, how analysis.Config, screens int, each func()) ([]Power, error) {
	var out []Power
	for _, p := range points(cfg) {
		for _, design := range []Design{Fixed, Racing} {
			o, err := Evaluate(ctx, p.cfg, how, design, screens, each)
			if err != nil {
				return nil, err
			}
			out = append(out, Power{p.vary, p.value, design, o.Recall, o.FDR, o.Predictions})
		}
	}
	return out, nil
}
