package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/screenreport"
)

func newScreenReport(g *globals) *cobra.Command {
	var config string
	var cards int
	cmd := &cobra.Command{
		Use: "report -c screen.yaml|RUN [-o PAGE.html]", Short: "Make the page of a screen that was analysed", Args: need(0, 1),
		Long: `report makes one page of a screen, for the biologist who decides what is tested: the
effects of all compounds in both contexts, a ranked table to search, sort and filter, a
card for each of the best compounds, the controls that say whether any of it can be
trusted, what to run in the lab, and the numbers of a methods section. It carries its
files for download, and needs no network.

It reads RUN/analysis, as screen analyse leaves it, with plan.json and examples.tsv.gz
beside it where they are. PAGE.html is RUN/analysis/index.html if it is not named, with
the quadrant plot as PNG and SVG beside it.`,
		Example: `  c2s screen simulate --compounds 400 --true 8 -o simulated
  c2s screen analyse simulated
  c2s screen report simulated`,
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := screenFolder(cmd, config, args)
			if err != nil {
				return err
			}
			if cards < 1 {
				return &usageError{fmt.Errorf("--cards %d: give a number from 1 on", cards), cmd.CommandPath()}
			}
			return runScreenReport(cmd.Context(), g, run, cards)
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "", "the screen, a `screen.yaml`")
	cmd.Flags().IntVar(&cards, "cards", 60, "number `N` of compounds that get a card, best first")
	return cmd
}

func runScreenReport(ctx context.Context, g *globals, run string, cards int) error {
	in := screenreport.Input{Title: filepath.Base(run), Cards: cards}
	folder := filepath.Join(run, "analysis")
	result := filepath.Join(folder, "result.json")
	text, err := os.ReadFile(result)
	if errors.Is(err, os.ErrNotExist) {
		return &inputError{err, "make it with c2s screen analyse " + run}
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &in.Result); err != nil {
		return &inputError{fmt.Errorf("%s: %w", result, err), "make it anew with c2s screen analyse --force"}
	}
	if in.Result == nil || len(in.Result.Hits) == 0 {
		return &inputError{fmt.Errorf("%s has no compound", result), "make it anew with c2s screen analyse --force"}
	}
	in.Notice = in.Result.Notice
	inputs := []string{result}
	for _, f := range []struct{ name, kind string }{
		{"hits.tsv", "text/tab-separated-values"},
		{"validation.tsv", "text/tab-separated-values"},
		{"result.json", "application/json"},
	} {
		data, err := os.ReadFile(filepath.Join(folder, f.name))
		if err != nil {
			return err
		}
		if f.name == "validation.tsv" {
			for line := range strings.Lines(string(data)) {
				in.Validation = append(in.Validation, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
			}
		}
		in.Files = append(in.Files, report.Download{Name: f.name, Type: f.kind, Data: data})
	}
	plan, err := screen.ReadPlan(filepath.Join(run, screen.PlanName))
	switch {
	case err == nil && plan.Digest != in.Result.Plan:
		return &inputError{fmt.Errorf("%s is of another plan than %s", filepath.Join(run, screen.PlanName), result), "run and analyse the screen again, or take the folder that belongs to the plan"}
	case err == nil:
		in.Checks = plan.Checks
		inputs = append(inputs, filepath.Join(run, screen.PlanName))
		if plan.Title != "" {
			in.Title = plan.Title
		}
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	if in.Examples, err = readExamples(filepath.Join(run, "examples.tsv.gz")); err != nil {
		return err
	}
	hashes, err := manifest.Inputs(ctx, inputs, g.workers())
	if err != nil {
		return err
	}
	for _, i := range hashes {
		in.Made = append(in.Made, report.Fact{Name: "Input " + i.Path, Value: "SHA-256 " + i.SHA256})
	}
	in.Made = append(in.Made, report.Fact{Name: "Made by", Value: "c2s " + version})
	page, err := screenreport.Page(in)
	if err != nil {
		return fmt.Errorf("%s: %w", result, err)
	}
	out := g.out
	if out == "" {
		out = filepath.Join(folder, "index.html")
		g.force = true // this command made what is there
		quadrant, err := screenreport.Quadrant(in.Result)
		if err != nil {
			return fmt.Errorf("%s: %w", result, err)
		}
		for name, draw := range map[string]func(io.Writer) error{"quadrant.svg": quadrant.SVG, "quadrant.png": quadrant.PNG} {
			if err := writeWhole(filepath.Join(folder, name), g.force, inputs, draw); err != nil {
				return err
			}
		}
	}
	if err := writeWhole(out, g.force, inputs, page.Write); err != nil {
		return err
	}
	if g.json {
		return printJSON(g.stdout, map[string]any{"out": out, "compounds": len(in.Result.Hits), "hits": in.Result.Calls[analysis.ContextSelective]})
	}
	_, err = fmt.Fprintf(g.stdout, "%s\nThe page is %s.\n", printable(page.Lead), printable(out))
	return err
}

// readExamples reads what screen run keeps of a few cells; a file that is not there has
// none.
func readExamples(path string) (map[string][]screenreport.Example, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	bad := func(err error) error {
		return &inputError{fmt.Errorf("%s: %w", path, err), "make it anew with c2s screen run, which asks for no answer twice"}
	}
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, bad(err)
	}
	const most = 1 << 30 // a few cells of each compound are far less
	text, err := io.ReadAll(io.LimitReader(z, most))
	if err != nil {
		return nil, bad(err)
	}
	out := map[string][]screenreport.Example{}
	for n, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		c := strings.Split(string(line), "\t")
		if len(c) != 8 {
			return nil, bad(fmt.Errorf("line %d has %d columns instead of 8", n+1, len(c)))
		}
		if n > 0 {
			out[c[0]] = append(out[c[0]], screenreport.Example{Context: c[2], Donor: c[3], CellType: c[4], Before: c[6], After: c[7]})
		}
	}
	return out, nil
}
