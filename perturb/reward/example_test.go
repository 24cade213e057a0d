package reward_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/perturb/reward"
)

func ExampleScorer_Score() {
	genes, err := reward.NewPanel([]string{"ISG15", "MX1", "B2M", "ACTB"})
	if err != nil {
		panic(err)
	}
	scorer, err := reward.NewScorer(reward.Config{Panel: genes})
	if err != nil {
		panic(err)
	}
	truth := reward.Truth{
		Real:      reward.Sentences{"ISG15 MX1 B2M ACTB"},
		Control:   "ACTB B2M ISG15 MX1",
		Replicate: "ISG15 MX1 ACTB B2M",
	}
	results, err := scorer.Score(context.Background(), []reward.Item{
		{Prompt: "with interferon", Answer: "ACTB B2M ISG15 MX1", Truth: truth},
		{Prompt: "with interferon", Answer: "ISG15 MX1 ACTB B2M", Truth: truth},
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("a copy of the control %.1f, a replicate %.1f\n", results[0].Reward, results[1].Reward)
	// Output: a copy of the control 0.0, a replicate 1.0
}
