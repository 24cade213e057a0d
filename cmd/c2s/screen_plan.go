package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/record"
)

// screenFlags are those of all commands that work on a screen.yaml.
type screenFlags struct {
	config string
	accept bool
}

func newScreenPlan(g *globals) *cobra.Command {
	o := new(screenFlags)
	var start bool
	cmd := &cobra.Command{
		Use: "plan -c screen.yaml", Short: "Choose the cells of a screen, verify its contexts, and tell what it costs", Args: need(0, 2),
		Long: `plan reads a screen.yaml and writes plan.json into the folder of the screen (--out,
default: the name of the file without its end): the same cells for every compound, as
many of each donor, in the same mixture of cell types in both contexts.

It verifies that the positive context shows interferon and the neutral one does not:
U scores of the input cells by donor; the positive one must be higher by half a
standard deviation in 4 of 5 donor pairs (--accept-contexts goes on without). It prints
what the sentences show of the gene program, the least effect that so many donors can
show, and predictions, tokens, hours and money.

--init POS.h5ad NEU.h5ad writes a screen.yaml with a comment on every key, to stdout or
to --out. --schema prints the JSON Schema of it, for editors.`,
		Example: `  c2s screen plan --init testdata/demo.h5ad testdata/demo.h5ad -o screen.yaml
  c2s screen plan -c examples/screen/screen.yaml -o screened`,
	}
	schema := false
	f := cmd.Flags()
	o.add(f)
	f.BoolVar(&start, "init", false, "write a screen.yaml for the two files that are named")
	f.BoolVar(&schema, "schema", false, "print the JSON Schema of a screen.yaml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch err := noSeed(cmd); {
		case err != nil:
			return err
		case schema:
			_, err := g.stdout.Write(screen.Schema())
			return err
		case start && len(args) == 2:
			return runScreenInit(cmd.Context(), g, args)
		case start:
			return &usageError{errors.New("--init needs POS.h5ad and NEU.h5ad"), cmd.CommandPath()}
		case len(args) > 0:
			return &usageError{errors.New("files are named in the screen.yaml; --init makes one"), cmd.CommandPath()}
		}
		return runScreenPlan(cmd.Context(), g, o)
	}
	return cmd
}

func runScreenInit(ctx context.Context, g *globals, args []string) (err error) {
	cfg, err := screen.Guess(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	if g.out != "" && g.out != "-" { // names of files begin where the screen.yaml lies
		for _, x := range []*screen.ContextConfig{&cfg.Contexts.Positive, &cfg.Contexts.Neutral} {
			if filepath.IsAbs(x.File) {
				continue
			}
			if x.File, err = relative(filepath.Dir(g.out), x.File); err != nil {
				return err
			}
		}
	}
	out, err := g.create(args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	if _, err := out.Write(cfg.Template()); err != nil {
		return err
	}
	return out.Commit()
}

// relative is a path as it reads from folder, one of them absolute or not.
func relative(folder, path string) (string, error) {
	from, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	return filepath.Rel(from, path)
}

// noSeed refuses a seed on the command line, which would change nothing.
func noSeed(cmd *cobra.Command) error {
	if cmd.Flags().Changed("seed") {
		return &usageError{errors.New("--seed: the seed of a screen is a key of its screen.yaml, as its plan depends on it"), cmd.CommandPath()}
	}
	return nil
}

// read reads the screen.yaml and makes the plan.
func (o *screenFlags) read(ctx context.Context, g *globals) (*screen.Config, *screen.Plan, error) {
	if o.config == "" {
		return nil, nil, &usageError{errors.New("-c screen.yaml is missing"), "c2s screen"}
	}
	cfg, err := screen.ReadConfig(o.config)
	if err != nil {
		return nil, nil, err
	}
	p, err := screen.NewPlan(ctx, cfg, screen.Options{Version: version, Accept: o.accept, Workers: g.workers()})
	return cfg, p, err
}

// folder is where a screen's results go.
func (g *globals) folder(cfg *screen.Config) string {
	if g.out != "" {
		return g.out
	}
	return cfg.Folder()
}

func runScreenPlan(ctx context.Context, g *globals, o *screenFlags) error {
	cfg, p, err := o.read(ctx, g)
	if _, refused := errors.AsType[*screen.ContextError](err); refused { // show what was found before it is refused
		if g.json {
			return errors.Join(printJSON(g.stdout, p), err)
		}
		_, e := io.WriteString(g.stdout, contextText(p))
		return errors.Join(e, err)
	}
	if err != nil {
		return err
	}
	if err := writePlan(g, cfg, p, g.force); err != nil {
		return err
	}
	for _, w := range p.Warnings {
		g.logger().Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, p)
	}
	_, err = io.WriteString(g.stdout, planText(p))
	return err
}

// writePlan writes the plan into the folder of the screen. The plan that is there
// already may stand for scores that were paid for: it is only replaced on demand.
func writePlan(g *globals, cfg *screen.Config, p *screen.Plan, force bool) (err error) {
	dir := g.folder(cfg)
	path := filepath.Join(dir, screen.PlanName)
	old, err := screen.ReadPlan(path)
	switch {
	case err == nil && old.Digest == p.Digest:
		force = true
	case err == nil && !force:
		return &inputError{
			fmt.Errorf("%s is of another plan: the screen.yaml or its inputs have changed since", path),
			"take another folder with -o DIR, or replace the plan with --force",
		}
	case err != nil && !errors.Is(err, os.ErrNotExist) && !force:
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	text, err := p.Encode()
	if err != nil {
		return err
	}
	return writeWhole(path, force, nil, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// contextText is the verification of the contexts for people.
func contextText(p *screen.Plan) string {
	var b strings.Builder
	for _, c := range p.Checks {
		verdict := "differ"
		if !c.Passed {
			verdict = "do NOT differ"
		}
		fmt.Fprintf(&b, "contexts %s by %s (%d genes): the positive one is higher in %d of %d donor pairs\n", verdict, printable(c.Program), c.Genes, c.Above, c.Pairs)
		for x, list := range c.Donors {
			for _, d := range list {
				fmt.Fprintf(&b, "  %-8s  %-20s  U %.3f ± %.3f  %d cells\n", []string{"positive", "neutral"}[x], printable(d.Name), d.Mean, d.SD, d.Cells)
			}
		}
	}
	return b.String()
}

// planText is the plan for people.
func planText(p *screen.Plan) string {
	counts := map[record.Kind]int{}
	for _, item := range p.Items {
		counts[item.Kind]++
	}
	s := contextText(p)
	s += fmt.Sprintf("cells      %d positive, %d neutral; %d and %d donors, %d of them in both; %d cell types\n",
		len(p.Cells[0]), len(p.Cells[1]), p.Power.Donors[0], p.Power.Donors[1], p.Power.Shared, len(p.CellTypes))
	s += fmt.Sprintf("program    %s: %d of %d genes are seen in sentences of %d genes\n", printable(p.Program.Name), len(p.Seen), len(p.Program.Genes), p.Genes)
	s += fmt.Sprintf("compounds  %d, with %d decoys and %d positive controls\n", counts[record.Test], counts[record.Decoy], counts[record.Control])
	s += "margin     " + p.Margin() + "\n"
	if p.Power.Effect > 0 {
		s += fmt.Sprintf("power      an effect of %.1f standard deviations of a donor's mean is found four times in five; margins below %.1f of them are too narrow\n", p.Power.Effect, p.Power.Margin)
	} else {
		s += "power      none: fewer than two donors in a context\n"
	}
	c := p.Cost
	s += fmt.Sprintf("asks for   %d predictions", c.Predictions)
	if c.Least < c.Predictions {
		s += fmt.Sprintf(" at most, %d at least", c.Least)
	}
	s += fmt.Sprintf("; about %.1f million tokens to read and %.1f to write; ", float64(c.PromptTokens)/1e6, float64(c.AnswerTokens)/1e6)
	if c.Hours != nil {
		s += fmt.Sprintf("%.1f hours; ", *c.Hours)
	} else {
		s += "hours not known (price.rate); "
	}
	if c.Money != nil {
		s += fmt.Sprintf("%.2f of money\n", *c.Money)
	} else {
		s += "money not known (price)\n"
	}
	return s
}
