package main

import (
	"github.com/spf13/cobra"
)

// newPerturb is the group of commands about perturbations.
func newPerturb(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "perturb", Short: "Train, reward, score and compare models of perturbed cells", GroupID: groupEvaluate,
		Long: `perturb makes training pairs for models that predict perturbed cells, rewards the
models while they learn, checks how they learn, scores their predictions and compares
the scores. c2s predict makes the predictions.`,
		Example: "  c2s perturb advantages examples/rewards/rollouts.jsonl --trainer verl",
		Args:    cobra.ArbitraryArgs,
		RunE:    parentOnly,
	}
	return withCommands(
		cmd,
		newPairs(g),
		newPerturbScore(g),
		newCompare(g),
		newServeReward(g),
		newAdvantages(g),
		newScaling(g),
	)
}

// withCommands puts commands below parent, under one heading of its help.
func withCommands(parent *cobra.Command, below ...*cobra.Command) *cobra.Command {
	parent.AddGroup(&cobra.Group{ID: parent.Name(), Title: "Commands:"})
	for _, c := range below {
		c.GroupID = parent.Name()
		parent.AddCommand(c)
	}
	return parent
}

// parentOnly is what a command does that only has others below it.
func parentOnly(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}
