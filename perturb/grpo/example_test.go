package grpo_test

import (
	"fmt"

	"github.com/cellsentence/c2s/perturb/grpo"
)

func ExampleRule_Advantages() {
	rule, err := grpo.TrainerRule("trl", grpo.ScaleGroup)
	if err != nil {
		panic(err)
	}
	advantages, err := rule.Advantages([]float64{1, 0, 0, 1}, []int{0, 0, 0, 0})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.4f\n", advantages)
	// Output: [0.8659 -0.8659 -0.8659 0.8659]
}
