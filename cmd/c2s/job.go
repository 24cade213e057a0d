package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/shard"
)

// jobValues is what the template of a job may ask for.
type jobValues struct {
	Plan     string   // its path
	Files    []string // to encode
	Shards   int
	Last     int // number of the last shard
	Cores    int // of each
	MemoryMB int64
	Budget   string // for --memory
	Minutes  int
	Set      map[string]string // of --set
}

func newJob(g *globals) *cobra.Command {
	var cores int
	var set []string
	cmd := &cobra.Command{
		Use: "job PLAN TEMPLATE", Short: "Fill the template of a batch job from a plan", GroupID: groupData, Args: need(2, 2),
		Long: `job fills a template (of Go's text/template) for Slurm, Kubernetes or whatever runs
the shards of a plan: {{.Shards}} and {{.Last}} number them, {{.Cores}}, {{.MemoryMB}}
and {{.Minutes}} are what each asks for, {{.Budget}} is for --memory, {{shell .Plan}}
and {{shell .Files}} are arguments of encode, {{parts NAME}} are the parts of an output,
and {{.Set.NAME}} is what --set gives. Templates are in examples/. The time is four times that of --dry-run, and five minutes.`,
		Example: `  c2s plan testdata/demo.h5ad --shards 4 -o plan.json
  c2s job plan.json examples/slurm/encode.sbatch --set out=cells.parquet -o job.sbatch`,
		RunE: func(cmd *cobra.Command, args []string) error {
			given := map[string]string{}
			for _, one := range set {
				name, value, ok := strings.Cut(one, "=")
				if !ok || name == "" {
					return &usageError{fmt.Errorf("--set %q: give NAME=VALUE", one), cmd.CommandPath()}
				}
				given[name] = value
			}
			if cores < 1 {
				return &usageError{errors.New("--cores must be above 0"), cmd.CommandPath()}
			}
			return runJob(g, cores, given, args[0], args[1])
		},
	}
	cmd.Flags().IntVar(&cores, "cores", 2, "`N` cores for each shard")
	cmd.Flags().StringArrayVar(&set, "set", nil, "give the template a `NAME=VALUE`")
	return cmd
}

func runJob(g *globals, cores int, set map[string]string, planPath, templatePath string) (err error) {
	plan, err := readPlan(planPath)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(templatePath)
	if err != nil {
		return err
	}
	bad := func(err error) error {
		return &inputError{fmt.Errorf("%s: %w", templatePath, err), "c2s help job lists what a template may ask for; --set NAME=VALUE adds to it"}
	}
	t, err := template.New(filepath.Base(templatePath)).Option("missingkey=error").Funcs(jobFuncs(len(plan.Parts))).Parse(string(text))
	if err != nil {
		return bad(err)
	}
	e := newForecast(plan.Plan, plan.global.Values, g.budget())
	v := jobValues{
		Plan: planPath, Shards: e.Shards, Last: e.Shards - 1, Cores: cores, MemoryMB: (e.Memory + 1<<20 - 1) >> 20,
		Budget: fmt.Sprint(g.budget()), Minutes: e.minutes(cores), Set: set,
	}
	for _, f := range plan.Files {
		v.Files = append(v.Files, f.Path)
	}
	out, err := g.create(planPath, templatePath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	if err := t.Execute(out, v); err != nil {
		return bad(err)
	}
	return out.Commit()
}

// jobFuncs are the functions of a template: shell and json write words and lists of
// them, args joins words, numbers and lists to one list, parts lists the parts of an
// output of n shards, mul multiplies.
func jobFuncs(n int) template.FuncMap {
	return template.FuncMap{
		"shell": shellWords,
		"json": func(v any) (string, error) {
			b, err := json.Marshal(v)
			return string(b), err
		},
		"args": func(list ...any) (out []string) {
			for _, v := range list {
				if words, ok := v.([]string); ok {
					out = append(out, words...)
				} else {
					out = append(out, fmt.Sprint(v))
				}
			}
			return out
		},
		"parts": func(out string) (paths []string) {
			for i := range n {
				paths = append(paths, shard.Shard{Index: i, Count: n}.PartPath(out))
			}
			return paths
		},
		"mul": func(a, b int) int { return a * b },
	}
}

// shellWords quotes a word, or some, for a POSIX shell.
func shellWords(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if v != "" && strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%") == "" {
			return v, nil
		}
		return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'", nil
	case []string:
		var out []string
		for _, s := range v {
			word, err := shellWords(s)
			if err != nil {
				return "", err
			}
			out = append(out, word)
		}
		return strings.Join(out, " "), nil
	}
	return "", fmt.Errorf("a %T is no word", v)
}
