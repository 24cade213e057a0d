package simulate

import (
	"context"

	"github.com/cellsentence/c2s/screen/analysis"
)

// Outcome is how an analysis fared against the truth.
type Outcome struct {
	// Recall is the share of context-selective compounds that were called so, FDR the
	// share of calls that were wrong, 0 without calls.
	Recall float64 `json:"recall"`
	FDR    float64 `json:"fdr"`
	// Called counts context-selective calls, Right those that are.
	Called int `json:"called"`
	Right  int `json:"right"`
	// Calls counts compounds by what they are and what they are called.
	Calls map[Class]map[analysis.Call]int `json:"calls"`
	// Predictions is what was asked of the model for the compounds.
	Predictions int `json:"predictions"`
}

// Judge holds a result against the truth of its items.
func Judge(r *analysis.Result, truth []Class) Outcome {
	o := Outcome{Calls: make(map[Class]map[analysis.Call]int), Predictions: r.Predictions}
	selective := 0
	for _, c := range r.Hits {
		class := truth[c.Item]
		if o.Calls[class] == nil {
			o.Calls[class] = make(map[analysis.Call]int)
		}
		o.Calls[class][c.Call]++
		selective += one(class == Selective)
		if c.Call == analysis.ContextSelective {
			o.Called++
			o.Right += one(class == Selective)
		}
	}
	if selective > 0 {
		o.Recall = float64(o.Right) / float64(selective)
	}
	if o.Called > 0 {
		o.FDR = float64(o.Called-o.Right) / float64(o.Called)
	}
	return o
}

func one(v bool) int {
	if v {
		return 1
	}
	return 0
}

// Evaluate simulates a screen, analyses it and judges the calls.
func Evaluate(ctx context.Context, cfg Config, how analysis.Config) (Outcome, *analysis.Result, error) {
	t, truth, err := Table(ctx, cfg)
	if err != nil {
		return Outcome{}, nil, err
	}
	r, err := analysis.Analyse(ctx, t, how)
	if err != nil {
		return Outcome{}, nil, err
	}
	return Judge(r, truth), r, nil
}
