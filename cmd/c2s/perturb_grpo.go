package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/perturb/grpo"
)

// openInput opens a file, or stdin for -.
func (g *globals) openInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(g.stdin), nil
	}
	return os.Open(path)
}

// advantageFlags are the flags of perturb advantages.
type advantageFlags struct {
	keys                       grpo.Keys
	trainer, scale, filter     string
	overlong                   string
	objective, aggregate       string
	low, high, dual, beta, tol float64
	maxTokens                  int
}

func newAdvantages(g *globals) *cobra.Command {
	o := new(advantageFlags)
	cmd := &cobra.Command{
		Use: "advantages ROLLOUTS.jsonl", Short: "Compute advantages again and compare them with a trainer's log", Args: need(1, 1),
		Long: `advantages reads a trainer's log, a JSON object a line with a group (the prompt), a
reward and, if it was logged, an advantage, and computes the advantages as --trainer
does. Lines of one step are a batch. It prints a line for each rollout and fails where
a logged advantage is off by more than --tolerance.

With --objective it computes the policy loss of each step, too, from the fields
logprobs, old_logprobs and ref_logprobs, lists with a number for each token.`,
		Example: "  c2s perturb advantages examples/rewards/rollouts.jsonl --trainer verl",
		RunE: func(cmd *cobra.Command, args []string) error {
			audit, err := o.audit()
			if err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runAdvantages(g, o, audit, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.trainer, "trainer", "trl", "compute as `trl|verl|openrlhf|scalerl` does")
	f.StringVar(&o.scale, "scale", "", "divide by the deviation of `group|batch|none` (default: the trainer's)")
	f.StringVar(&o.filter, "filter", "none", "drop prompts that teach nothing: `none|equal|bounds`")
	f.StringVar(&o.overlong, "overlong", "", "punish long answers as DAPO does: `MAX,CACHE` tokens")
	f.Float64Var(&o.tol, "tolerance", 1e-4, "largest `DIFFERENCE` from a logged advantage; trainers compute in float32")
	f.StringVar(&o.keys.Step, "step-key", "step", "`FIELD` of the step")
	f.StringVar(&o.keys.Group, "group-key", "group", "`FIELD` that tells prompts apart")
	f.StringVar(&o.keys.Reward, "reward-key", "reward", "`FIELD` of the reward")
	f.StringVar(&o.keys.Advantage, "advantage-key", "advantage", "`FIELD` of the logged advantage")
	f.StringVar(&o.keys.Tokens, "tokens-key", "tokens", "`FIELD` of the number of tokens")
	f.StringVar(&o.objective, "objective", "", "compute the loss: `clip|gspo|cispo`")
	f.StringVar(&o.aggregate, "aggregate", "token", "average the loss by `token|sequence|sequence-sum|constant|sum-constant|prompt`")
	f.Float64Var(&o.low, "clip-low", 0.2, "clip the ratio below 1 − `E`")
	f.Float64Var(&o.high, "clip-high", 0.2, "clip the ratio above 1 + `E`; for cispo, the cap itself")
	f.Float64Var(&o.dual, "dual-clip", 0, "bound the loss of negative advantages by `C` times them; 0 does not")
	f.Float64Var(&o.beta, "kl", 0, "weight `BETA` of the KL divergence")
	f.IntVar(&o.maxTokens, "max-tokens", 0, "`N` tokens that the constant aggregations divide by")
	return cmd
}

// audit is what the flags ask for.
func (o *advantageFlags) audit() (a grpo.Audit, err error) {
	if a.Rule, err = grpo.TrainerRule(o.trainer, grpo.Scale(o.scale)); err != nil {
		return a, err
	}
	a.Filter = grpo.Filter(o.filter)
	if _, err := a.Filter.Keep([]float64{0}, []int{0}); err != nil {
		return a, err
	}
	if !(o.tol >= 0) {
		return a, fmt.Errorf("--tolerance %g is negative", o.tol)
	}
	if o.overlong != "" {
		most, cache, _ := strings.Cut(o.overlong, ",")
		m, err1 := strconv.Atoi(most)
		c, err2 := strconv.Atoi(cache)
		if err := errors.Join(err1, err2); err != nil {
			return a, fmt.Errorf("--overlong %q is not MAX,CACHE", o.overlong)
		}
		a.Overlong = &grpo.Overlong{Max: m, Cache: c}
		if _, err := a.Overlong.Penalty(0); err != nil {
			return a, err
		}
	}
	if o.objective != "" {
		a.Loss = &grpo.Loss{
			Objective: grpo.Objective(o.objective), Aggregation: grpo.Aggregation(o.aggregate),
			Low: o.low, High: o.high, Dual: o.dual, Beta: o.beta, MaxTokens: o.maxTokens,
		}
		// An answer without tokens checks the settings alone.
		if _, err := a.Loss.Of([]grpo.Sequence{{}}); err != nil {
			return a, err
		}
	}
	return a, nil
}

func runAdvantages(g *globals, o *advantageFlags, audit grpo.Audit, path string) (err error) {
	in, err := g.openInput(path)
	if err != nil {
		return err
	}
	defer in.Close()
	rollouts, err := grpo.ReadRollouts(in, o.keys)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	checked, steps, err := audit.Check(rollouts)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	out, err := g.create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	if g.json {
		err = printJSON(out, map[string]any{"steps": steps, "rollouts": advantageRows(checked)})
	} else {
		err = advantageTable(out, checked)
	}
	if err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	compared, worst := 0, grpo.Step{}
	for _, s := range steps {
		compared += s.Compared
		if s.MaxDiff > worst.MaxDiff {
			worst = s
		}
		line := fmt.Sprintf("step %s: %d answers to %d prompts, mean reward %.4g, %d prompts with equal rewards, %d dropped",
			orDash(s.Name), s.Answers, s.Prompts, s.Reward, s.Equal, s.Dropped)
		if m := s.Metrics; m != nil {
			line += fmt.Sprintf("; loss %.6g, clipped %.4g below and %.4g above, KL %.4g", m.Loss, m.ClipLow, m.ClipHigh, m.KL)
		}
		g.logger().Info(line)
	}
	switch {
	case worst.MaxDiff > o.tol:
		return fmt.Errorf("%s: line %d: the logged advantage is off by %.3g", path, worst.DiffLine, worst.MaxDiff)
	case compared > 0:
		g.logger().Info(fmt.Sprintf("%d logged advantages agree within %g", compared, o.tol))
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// advantageRow is a rollout in JSON; null is what was not given.
type advantageRow struct {
	Line      int      `json:"line"`
	Step      string   `json:"step"`
	Group     string   `json:"group"`
	Reward    *float64 `json:"reward"`
	Kept      bool     `json:"kept"`
	Advantage float64  `json:"advantage"`
	Logged    *float64 `json:"logged"`
}

func advantageRows(checked []grpo.Checked) []advantageRow {
	given := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	rows := make([]advantageRow, len(checked))
	for i, c := range checked {
		rows[i] = advantageRow{c.Line, c.Step, c.Group, given(c.Shaped), c.Kept, c.Want, given(c.Advantage)}
	}
	return rows
}

// advantageTable prints rollouts as TSV. Step and group are JSON, which begins with none
// of = + - @ but for negative numbers.
func advantageTable(w io.Writer, checked []grpo.Checked) error {
	var b bytes.Buffer
	number := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	b.WriteString("line\tstep\tgroup\treward\tkept\tadvantage\tlogged\n")
	for _, c := range checked {
		fmt.Fprintf(&b, "%d\t%s\t%s\t%s\t%t\t%s\t%s\n", c.Line, printable(c.Step), printable(c.Group), number(c.Shaped), c.Kept, number(c.Want), number(c.Advantage))
	}
	_, err := w.Write(b.Bytes())
	return err
}
