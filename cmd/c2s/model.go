package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm/dial"
	"github.com/cellsentence/c2s/llm/doctor"
	"github.com/cellsentence/c2s/llm/task"
)

func newModel(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "model", Short: "Import, list and check models", GroupID: groupModel, Args: need(0, 0),
		Long:    "model brings checkpoints to servers, lists the models there and checks what one can do.",
		Example: "  c2s model check --backend demo",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelImport(g), newModelList(g), newModelCheck(g))
	return cmd
}

func newModelList(g *globals) *cobra.Command {
	var names []string
	cmd := &cobra.Command{
		Use: "list", Short: "List the models of servers", Args: need(0, 0),
		Long:    "list asks the servers on this machine, or those of --backend, for their models.",
		Example: "  c2s model list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(names) == 0 {
				names = dial.Usual(g.getenv("OLLAMA_HOST"))
			}
			return runModelList(cmd.Context(), g, names)
		},
	}
	cmd.Flags().StringArrayVar(&names, "backend", nil, "ask `ollama://HOST:PORT|llamacpp://…|openai://…/v1`; repeat it for several")
	return cmd
}

// modelEntry is a model, as model list prints it with --json.
type modelEntry struct {
	Backend string `json:"backend"`
	Version string `json:"version"`
	Model   string `json:"model"`
}

func runModelList(ctx context.Context, g *globals, names []string) error {
	list := []modelEntry{{"demo", version, "the model inside c2s, on simulated cells"}}
	found := dial.Look(ctx, names)
	for _, f := range found {
		for _, m := range f.Models {
			list = append(list, modelEntry{f.Name, f.Version, m})
		}
	}
	if g.json {
		return printJSON(g.stdout, list)
	}
	t := tabwriter.NewWriter(g.stdout, 2, 0, 2, ' ', 0)
	for _, e := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\n", printable(e.Backend), printable(e.Version), printable(e.Model))
	}
	for _, n := range names {
		if !slices.ContainsFunc(found, func(f dial.Found) bool { return f.Name == n }) {
			g.logger().Info("nobody answers at " + n)
		}
	}
	return t.Flush()
}

func newModelCheck(g *globals) *cobra.Command {
	var b backendFlags
	cmd := &cobra.Command{
		Use: "check --backend NAME", Short: "Try what a live backend can do", Args: need(0, 0),
		Long: `check asks a model in the words of its task for a cell type and tries what the
backend promises: repeated answers, log-probabilities, stop strings, limits, scores,
embeddings, and that a prompt beyond the context is refused. Exit 1 says that
something is not as promised.`,
		Example: "  c2s model check --backend demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runModelCheck(cmd.Context(), g, &b)
		},
	}
	b.add(cmd.Flags())
	return cmd
}

// checkSentence is a cell for the check: genes that every model has met.
const checkSentence = "MALAT1 B2M TMSB4X EEF1A1 CD74 HLA-A ACTB CD79A MS4A1 CD37 HLA-DRA CD19"

func runModelCheck(ctx context.Context, g *globals, o *backendFlags) (err error) {
	given, err := o.templates(ctx, g, task.CellType)
	if err != nil {
		return err
	}
	m, err := o.open(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	words, _, err := task.Wording(task.CellType, m.info, given)
	if err != nil {
		return err
	}
	f, err := prompt.NewFormatter(words, prompt.Config{TopK: 12})
	if err != nil {
		return err
	}
	p, err := f.Prompt(prompt.Sample{Values: map[string]string{"organism": "Homo sapiens", "cell_sentence": checkSentence}})
	if err != nil {
		return err
	}
	probes, err := doctor.Check(ctx, m, p.Input)
	if err != nil {
		return err
	}
	if g.json {
		err = printJSON(g.stdout, map[string]any{"info": m.info, "probes": probes})
	} else {
		t := tabwriter.NewWriter(g.stdout, 2, 0, 2, ' ', 0)
		fmt.Fprintf(t, "model\t%s\t%s %s, context %d\n", printable(m.info.Model), m.info.Backend, printable(m.info.Version), m.info.Context)
		for _, p := range probes {
			fmt.Fprintf(t, "%s\t%s\t%s\n", p.Name, p.State, printable(p.Detail))
		}
		err = t.Flush()
	}
	if err == nil && !doctor.Good(probes) {
		err = errors.New("the backend does not do what it promises")
	}
	return err
}
