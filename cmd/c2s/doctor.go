package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/dial"
	"github.com/cellsentence/c2s/llm/doctor"
	"github.com/cellsentence/c2s/llm/embedded"
)

// demoModel opens the model inside the program.
func demoModel() (llm.Backend, error) { return embedded.Demo(embedded.Config{}) }

func newDoctor(g *globals) *cobra.Command {
	var names []string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what models this machine can run", GroupID: groupModel, Args: need(0, 0),
		Long: `doctor looks for model servers on this machine (and at OLLAMA_HOST), or at the places
of --backend, says what they serve and what is wrong with them, and which C2S-Scale model fits the graphics cards
and the memory in which quantisation. Each advice is a line.`,
		Example: "  c2s doctor",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(names) == 0 {
				names = dial.Usual(g.getenv("OLLAMA_HOST"))
			}
			return runDoctor(cmd.Context(), g, names)
		},
	}
	cmd.Flags().StringArrayVar(&names, "backend", nil, "look at `ollama://HOST:PORT|llamacpp://…|openai://…/v1`; repeat it for several")
	return cmd
}

func runDoctor(ctx context.Context, g *globals, names []string) error {
	r, err := doctor.Examine(ctx, doctor.Config{Servers: names})
	if err != nil {
		return err
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	t := tabwriter.NewWriter(g.stdout, 2, 0, 2, ' ', 0)
	const gib = 1 << 30
	fmt.Fprintf(t, "processors\t%d\n", r.Machine.Processors)
	fmt.Fprintf(t, "memory\t%.1f GiB, %.1f free\n", float64(r.Machine.Total)/gib, float64(r.Machine.Available)/gib)
	for _, c := range r.Machine.GPUs {
		fmt.Fprintf(t, "GPU\t%s, %.1f GiB, %.1f free\n", printable(c.Name), float64(c.Total)/gib, float64(c.Free)/gib)
	}
	for _, s := range r.Servers {
		fmt.Fprintf(t, "server\t%s, %s, %d models\n", printable(s.Name), printable(s.Version), len(s.Models))
	}
	fmt.Fprintf(t, "\nmodel\tquantisation\tneeds GiB\ton the GPU\tin memory\n")
	for _, f := range r.Fits {
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%s\t%s\n", f.Model, f.Quantization, float64(f.Total())/gib, yes(f.GPU), yes(f.Memory))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(g.stdout)
	for _, a := range r.Advice {
		_, err = fmt.Fprintf(g.stdout, "%s: %s\n", a.Topic, printable(a.Text))
	}
	return err
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
