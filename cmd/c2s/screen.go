package main

import (
	"github.com/spf13/cobra"
)

// newScreen is the group of commands about dual-context screens.
func newScreen(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "screen", Short: "Screen compounds in two contexts", GroupID: groupEvaluate,
		Long: `screen finds compounds that raise a gene program in one context and leave it where it
is in another, by the answers of a model and with controls for the model.`,
		Example: "  c2s screen simulate --compounds 400 --true 8 -o simulated",
		Args:    cobra.ArbitraryArgs,
		RunE:    parentOnly,
	}
	return withCommands(
		cmd,
		newScreenPlan(g),
		newScreenRun(g),
		newScreenAnalyse(g),
		newScreenReport(g),
		newScreenSimulate(g),
	)
}
