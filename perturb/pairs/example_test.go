package pairs_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/pairs"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// Two drugs in cells of two donors; one drug is kept for testing.
func Example() {
	c := &pairs.Cells{
		Perturbations: []perturb.Perturbation{{}, predictor.Parse("drugA", "", "DMSO", "", ""), predictor.Parse("drugB", "", "DMSO", "", "")},
		Of:            []int{0, 0, 1, 2, 0, 0, 1, 2},
		Groups:        []string{"D1", "D1", "D1", "D1", "D2", "D2", "D2", "D2"},
	}
	held, err := pairs.Hold(c, pairs.DesignPerturbation, pairs.HoldConfig{Names: []string{"drugB"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	list, report, err := pairs.Match(context.Background(), c, held, pairs.MatchConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range list {
		fmt.Println(p.Perturbed, c.Groups[p.Perturbed] == c.Groups[p.Control], p.Test)
	}
	fmt.Println(report.Train, report.Test, report.SharedControls)
	// Output:
	// 2 true false
	// 3 true true
	// 6 true false
	// 7 true true
	// 2 2 0
}
