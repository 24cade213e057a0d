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

	screenexample "github.com/cellsentence/c2s/examples/screen"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/testdata"
)

func newDemo(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Show what c2s can do, on data of its own", GroupID: groupOther, Args: need(0, 0),
		Long: `demo takes a small simulated data set through what c2s can do: it inspects and
checks it, cuts a part out, encodes it, measures what the sentences keep, decodes
them, lets the demo model type the cells and write new ones, compares two groups of
cells, predicts and scores perturbations, and screens drugs in two contexts. It prints each command that it runs, so that it can be repeated on other data.
The folder of --out (default: c2s-demo, which is replaced when the demo made it) gets
the results and index.html, which leads through them.`,
		Example: "  c2s demo -o c2s-demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), g)
		},
	}
}

// demoLabels is the cell types of the simulated data.
const demoLabels = "CD4 T cell\nCD8 T cell\nTumour cell\nMonocyte\nNK cell\nB cell\nDendritic cell\nPlatelet\n"

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
	for name, data := range map[string][]byte{
		"demo.h5ad": testdata.Demo, "drugs.h5ad": testdata.Drugs, "labels.txt": []byte(demoLabels), "compounds.tsv": []byte(screenexample.Compounds),
		"screen.yaml": []byte(strings.ReplaceAll(screenexample.Config, "../../testdata/", "")),
	} {
		if err := os.WriteFile(filepath.Join(dir.Path(), name), data, 0o644); err != nil {
			return err
		}
	}
	chapters := demoChapters()
	var ran []string
	for i := range chapters {
		c := &chapters[i]
		if _, err := fmt.Fprintf(g.stdout, "\n# %s\n", c.question); err != nil {
			return err
		}
		for k := range c.steps {
			s := &c.steps[k]
			if _, err := fmt.Fprintf(g.stdout, "$ %s\n", printable(s.shown(target))); err != nil {
				return err
			}
			err := s.run(ctx, g, dir.Path(), target)
			if _, werr := g.stdout.Write(s.printed); err == nil {
				err = werr
			}
			if err != nil {
				return err
			}
			ran = append(ran, s.shown(target))
		}
	}
	if err := rename(dir.Path(), target); err != nil {
		return err
	}
	page, err := demoPage(chapters, dir.Path(), target)
	if err != nil {
		return err
	}
	var html bytes.Buffer
	if err := page.Write(&html); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir.Path(), "index.html"), html.Bytes(), 0o644); err != nil {
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
	_, err = fmt.Fprintf(g.stdout, "\nAll of it, with pictures: open %s in a browser.\n", printable(filepath.Join(target, "index.html")))
	return err
}

// run runs a step and keeps what it prints. The folder gets its name at the end; until
// then the work is beside it.
func (s *demoStep) run(ctx context.Context, g *globals, folder, name string) error {
	var args []string
	for _, a := range s.args {
		args = append(args, strings.ReplaceAll(a, "%", folder))
	}
	args = append(args, fmt.Sprintf("--jobs=%d", g.jobs), "--memory="+g.memory, "--progress=never", "--quiet")
	var printed bytes.Buffer
	env := g.env
	env.stdout = &printed
	root := newRoot(&globals{env: env})
	root.SetArgs(args)
	root.SetOut(&printed)
	root.SetErr(g.stderr)
	err := root.ExecuteContext(ctx)
	s.printed = bytes.ReplaceAll(printed.Bytes(), []byte(folder), []byte(name))
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
