package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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
checks it, cuts a part out, encodes it, measures what the sentences keep, decodes
them, lets the demo model type the cells and write new ones, and compares two groups
of cells. It prints each command that it runs, so that it can be repeated on other data. The
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
		step("What type are the cells? Asked of the demo model, which c2s carries.",
			"annotate", "%/demo.h5ad", "--backend", "demo", "--labels", "%/labels.txt", "--truth", "cell_type", "-o", "%/types.tsv"),
		step("New cells of a type, written by it.",
			"generate", "--backend", "demo", "--cell-type", "B cell", "-n", "10", "--vocab", "%/demo.h5ad", "-o", "%/new_cells.jsonl"),
		step("Cells with interferon and without, in one space.",
			"convert", "%/demo.h5ad", "%/low.h5ad", "--where", `context == "interferon-low"`),
		step("", "convert", "%/demo.h5ad", "%/positive.h5ad", "--where", `context == "interferon-positive"`),
		step("", "embed", "%/low.h5ad", "--method", "pca", "--components", "10", "--save", "%/pca.json", "-o", "%/low.npy"),
		step("", "embed", "%/positive.h5ad", "--method", "pca", "--model", "%/pca.json", "-o", "%/positive.npy"),
		step("How far are they apart, and what is that number worth?", "scfid", "%/low.npy", "%/positive.npy", "-o", "%/scfid"),
	}
}

// demoLabels is the cell types of the simulated data.
const demoLabels = "CD4 T cell\nCD8 T cell\nTumour cell\nMonocyte\nNK cell\nB cell\nDendritic cell\nPlatelet\n"

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
	if err := os.WriteFile(filepath.Join(dir.Path(), "labels.txt"), []byte(demoLabels), 0o644); err != nil {
		return err
	}
	ran := []string{}
	for _, step := range demoSteps() {
		shown := step.shown(target)
		what := ""
		if step.what != "" {
			what = "\n# " + step.what + "\n"
		}
		if _, err := fmt.Fprintf(g.stdout, "%s$ %s\n", what, printable(shown)); err != nil {
			return err
		}
		// The folder gets its name at the end; until then the work is beside it.
		var args []string
		for _, a := range step.args {
			args = append(args, strings.ReplaceAll(a, "%", dir.Path()))
		}
		args = append(args, fmt.Sprintf("--jobs=%d", g.jobs), "--memory="+g.memory, "--progress=never", "--quiet")
		var printed bytes.Buffer
		step := g.env
		step.stdout = &printed
		root := newRoot(&globals{env: step})
		root.SetArgs(args)
		root.SetOut(&printed)
		root.SetErr(g.stderr)
		err := root.ExecuteContext(ctx)
		if _, werr := g.stdout.Write(bytes.ReplaceAll(printed.Bytes(), []byte(dir.Path()), []byte(target))); err == nil {
			err = werr
		}
		if err != nil {
			return err
		}
		ran = append(ran, shown)
	}
	if err := rename(dir.Path(), target); err != nil {
		return err
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
	_, err = fmt.Fprintf(g.stdout, "\n# The first cell, as a model reads it:\n%s\n\nThe results are in %s; open %s and %s in a browser.\n",
		printable(first), printable(target), printable(filepath.Join(target, "fidelity", "index.html")), printable(filepath.Join(target, "scfid", "index.html")))
	return err
}

// rename puts the name that a folder will have into the texts in it, which hold the
// one under which they were made.
func rename(folder, name string) error {
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		switch filepath.Ext(path) {
		case ".html", ".json", ".tsv":
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, bytes.ReplaceAll(text, []byte(folder), []byte(name)), 0o666)
	})
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
