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

	"github.com/cellsentence/c2s/testdata"
)

func newDemo(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Show what c2s can do, on data of its own", GroupID: groupOther, Args: need(0, 0),
		Long: `demo inspects a small simulated data set, encodes it and shows a sentence. It
prints each command that it runs, so that it can be repeated on other data. The
results stay in the folder of --out (default: c2s-demo).`,
		Example: "  c2s demo -o c2s-demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), g)
		},
	}
}

func runDemo(ctx context.Context, g *globals) error {
	dir := g.out
	if dir == "" {
		dir = "c2s-demo"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	input := filepath.Join(dir, "demo.h5ad")
	if err := os.WriteFile(input, testdata.Demo, 0o644); err != nil {
		return err
	}
	sentences := filepath.Join(dir, "demo.jsonl")
	for _, step := range []struct {
		what string
		args []string
	}{
		{"What is in the file?", []string{"inspect", input}},
		{"Which genes are expressed, and in how many cells?", []string{"vocab", input, "-o", filepath.Join(dir, "vocab.txt"), "--force"}},
		{"Each cell becomes a sentence: its genes, by falling expression.", []string{"encode", input, "--top-k", "50", "-o", sentences, "--force"}},
	} {
		fmt.Fprintf(g.stdout, "\n# %s\n$ c2s %s\n", step.what, strings.Join(step.args, " "))
		inner := g.env
		sub := &globals{env: inner}
		root := newRoot(sub)
		root.SetArgs(step.args)
		if err := root.ExecuteContext(ctx); err != nil {
			return err
		}
	}
	f, err := os.Open(sentences)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	if !s.Scan() {
		return errors.Join(s.Err(), errors.New("the demo wrote no sentence"))
	}
	_, err = fmt.Fprintf(g.stdout, "\n# The first cell, as a model reads it:\n%s\n\nThe results are in %s\n", printable(s.Text()), dir)
	return err
}
