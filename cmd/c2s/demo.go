package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/testdata"
)

func newDemo(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Show what c2s can do, on data of its own", GroupID: groupOther, Args: need(0, 0),
		Long: `demo takes a small simulated data set through what c2s can do: it inspects and
checks it, cuts a part out, encodes it, measures what the sentences keep and decodes
them. It prints each command that it runs, so that it can be repeated on other data. The
results stay in the folder of --out (default: c2s-demo, which is replaced when the
demo made it).`,
		Example: "  c2s demo -o c2s-demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), g)
		},
	}
}

// demoStep is a command that the demo runs; a % stands for its folder.
type demoStep struct {
	what string
	args []string
}

func demoSteps() []demoStep {
	step := func(what string, args ...string) demoStep { return demoStep{what, args} }
	return []demoStep{
		step("What is in the file?", "inspect", "%/demo.h5ad"),
		step("Is it sound?", "validate", "%/demo.h5ad"),
		step("One donor's B cells, as a file of their own.",
			"convert", "%/demo.h5ad", "%/b_cells.h5ad", "--where", `cell_type == "B cell" && donor == "D1"`),
		step("Which genes are expressed, and in how many cells?", "vocab", "%/demo.h5ad", "-o", "%/vocab.txt"),
		step("Each cell becomes a sentence: its genes, by falling expression.",
			"encode", "%/demo.h5ad", "--top-k", "50", "-o", "%/demo.jsonl"),
		step("What does a sentence keep of the expression?", "fidelity", "%/demo.h5ad", "-o", "%/fidelity"),
		step("And back to expression, by the rank model.",
			"decode", "%/demo.jsonl", "--rank-model", "%/fidelity/rank.json", "--vocab", "%/demo.h5ad", "--n-genes", "column", "-o", "%/decoded.h5ad"),
	}
}

// shown is the command as a shell reads it.
func (s demoStep) shown(folder string) string {
	words := []string{"c2s"}
	for _, a := range s.args {
		a = strings.ReplaceAll(a, "%", folder)
		if strings.ContainsAny(a, " \"&|$\\") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

func runDemo(ctx context.Context, g *globals) (err error) {
	target, force := g.out, g.force
	if target == "" {
		target, force = "c2s-demo", true
	}
	dir, err := atomicfile.CreateDir(target, atomicfile.Options{Force: force, Marker: manifest.Name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	if err := os.WriteFile(filepath.Join(dir.Path(), "demo.h5ad"), testdata.Demo, 0o644); err != nil {
		return err
	}
	ran := []string{}
	for _, step := range demoSteps() {
		shown := step.shown(target)
		if _, err := fmt.Fprintf(g.stdout, "\n# %s\n$ %s\n", step.what, printable(shown)); err != nil {
			return err
		}
		// The folder gets its name at the end; until then the work is beside it.
		var args []string
		for _, a := range step.args {
			args = append(args, strings.ReplaceAll(a, "%", dir.Path()))
		}
		args = append(args, fmt.Sprintf("--jobs=%d", g.jobs), "--memory="+g.memory, "--progress=never", "--quiet")
		root := newRoot(&globals{env: g.env})
		root.SetArgs(args)
		root.SetOut(g.stdout)
		root.SetErr(g.stderr)
		if err := root.ExecuteContext(ctx); err != nil {
			return err
		}
		ran = append(ran, shown)
	}
	first, err := firstLine(filepath.Join(dir.Path(), "demo.jsonl"))
	if err != nil {
		return err
	}
	m := manifest.Manifest{
		Version: version, Command: "demo", Options: map[string]any{"commands": ran}, Seed: g.seed,
		Counts: map[string]int64{"commands": int64(len(ran))},
	}
	if err := m.Write(dir.Path()); err != nil {
		return err
	}
	if err := dir.Commit(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(g.stdout, "\n# The first cell, as a model reads it:\n%s\n\nThe results are in %s; open %s in a browser.\n",
		printable(first), printable(target), printable(filepath.Join(target, "fidelity", "index.html")))
	return err
}

// firstLine is the first line of a text file.
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}
