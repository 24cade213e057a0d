package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/pairs"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// buildFlags are the flags of dataset build.
type buildFlags struct {
	task               string
	topK               int
	cells              int
	groupBy            []string
	fields, set        []string
	prompts            string
	interactions       string
	interactionColumns []string
	maxInteractions    int
	choice             string
	delimiter          string

	columns, texts map[string]string
	rule           prompt.Choice
}

func newDatasetBuild(g *globals) *cobra.Command {
	o := new(buildFlags)
	cmd := &cobra.Command{
		Use: "build IN --task T -o OUT", Short: "Make prompts with their responses", GroupID: groupData, Args: need(1, 1),
		Long: `build makes a dataset of prompts and responses (sample_type, model_input, response)
from sentences: a .parquet, .arrow, NAME.hf, .jsonl, or - for stdin. Other columns go
along, and estimates of the tokens. OUT is a format with columns; - is JSON lines.

A field of the prompts has the value of the column of its name, of another one
(--field), or one text for all rows (--set). Tasks about several cells gather --cells
of them in the order in which they come, with equal values in the columns of --group-by
and in those of the fields; cell_name then lists the cells. Tasks about gene sets read
a .gmt. What is left out is counted.

The wording is c2s's own unless --prompts names a file or folder of prompts in the JSON
form of the Python package cell2sentence, or is the word cell2sentence, for those of
the package as $C2S_PYTHON or python3 has it. C2S models were trained on the latter.`,
		Example: `  c2s encode testdata/demo.h5ad -o cells.parquet
  c2s dataset build cells.parquet --task cell_type_prediction --set organism='Homo sapiens' -o pairs.parquet`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			err := runDatasetBuild(cmd.Context(), g, o, args[0])
			if use, ok := errors.AsType[*pairs.ConfigError](err); ok {
				return &usageError{use, cmd.CommandPath()}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.task, "task", "", "what the model is asked, a `TASK` of c2s dataset tasks")
	f.IntVar(&o.topK, "top-k", 200, "genes asked for and shown of a cell, the first `K`")
	f.IntVar(&o.cells, "cells", 0, "show `N` cells a prompt, in tasks about several")
	f.StringSliceVar(&o.groupBy, "group-by", nil, "make prompts of cells with equal values in columns `a,b`")
	f.StringArrayVar(&o.fields, "field", nil, "take a field from another column, `FIELD=COLUMN`; may be repeated")
	f.StringArrayVar(&o.set, "set", nil, "give a field one text for all rows, `FIELD=TEXT`; may be repeated")
	f.StringVar(&o.prompts, "prompts", "", "take the wording from a `FILE|DIR|cell2sentence`")
	f.StringVar(&o.interactions, "interactions", "", "show pairs of a table `FILE` among the genes shown")
	f.StringSliceVar(&o.interactionColumns, "interaction-columns", []string{"ligand", "receptor"}, "the two columns of the pairs, `a,b`")
	f.IntVar(&o.maxInteractions, "max-interactions", 0, "show `N` of them at most; 0 is all")
	f.StringVar(&o.choice, "choice", "seeded", "how a row gets its prompt: `seeded|python`; python repeats the Python package")
	f.StringVar(&o.delimiter, "delimiter", " ", "text between the genes of the input")
	return cmd
}

func (o *buildFlags) check(g *globals) (err error) {
	switch {
	case o.task == "":
		return errors.New("--task is missing: c2s dataset tasks lists them")
	case g.out == "":
		return errors.New("-o OUT is missing: name a .parquet, .arrow, .hf or .jsonl, or - for JSON lines on stdout")
	case g.json && g.out == "-":
		return errors.New("--json and -o - both want stdout")
	case o.delimiter == "":
		return errors.New("--delimiter cannot be empty")
	case o.cells < 0:
		return errors.New("--cells cannot be negative")
	case len(o.interactionColumns) != 2:
		return errors.New("--interaction-columns takes two columns, a,b")
	}
	if _, err := prompt.TaskByName(o.task); err != nil {
		return err
	}
	switch o.choice {
	case prompt.ChoiceSeeded.String():
		o.rule = prompt.ChoiceSeeded
	case prompt.ChoicePython.String():
		o.rule = prompt.ChoicePython
	default:
		return fmt.Errorf("--choice %q is neither seeded nor python", o.choice)
	}
	if o.columns, err = pairsOf("field", o.fields, false); err != nil {
		return err
	}
	if o.texts, err = pairsOf("set", o.set, false); err != nil {
		return err
	}
	format, err := dataset.FormatOf(g.out)
	if err == nil && format.Kind == "txt" && g.out != "-" {
		err = errors.New("a .txt holds one text a line, and a pair is two: write .jsonl")
	}
	return err
}

// buildResult is what dataset build reports, and prints with --json.
type buildResult struct {
	Out string `json:"out"`
	*pairs.Report
}

func runDatasetBuild(ctx context.Context, g *globals, o *buildFlags, path string) (err error) {
	src, err := pairs.Open(ctx, path, dataset.ReadOptions{Stdin: g.stdin, Budget: g.budget() / 4})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	templates, err := o.templates(ctx, g, src.Schema().Names())
	if err != nil {
		return err
	}
	cfg := pairs.Config{
		Templates: templates,
		Prompt:    prompt.Config{TopK: o.topK, Seed: g.seed, Choice: o.rule, MaxInteractions: o.maxInteractions},
		Fields:    o.columns, Constants: o.texts, Cells: o.cells, GroupBy: o.groupBy,
		Delimiter: o.delimiter, Budget: g.budget() / 2,
	}
	opts := dataset.Options{Force: g.force, Stdout: g.stdout, Jobs: g.workers()}
	if o.interactions != "" {
		cfg.Prompt.Interactions, err = prompt.LoadInteractions(o.interactions, o.interactionColumns[0], o.interactionColumns[1])
		if err != nil {
			return err
		}
		opts.Inputs = append(opts.Inputs, o.interactions)
	}
	if g.out == "-" {
		opts.Format = dataset.Format{Kind: "jsonl"}
	}
	bar := g.start("making pairs of "+path, "rows", 0)
	defer bar.Stop()
	cfg.Progress = bar.Add
	report, err := pairs.Build(ctx, src, g.out, cfg, opts)
	if missing, ok := errors.AsType[*pairs.FieldError](err); ok && missing.Field != "" {
		return &inputError{err, missingHint(missing)}
	}
	if err != nil {
		return err
	}
	log := g.logger()
	if !report.C2S {
		wording := "the wording of " + report.Prompts
		if o.prompts == "" {
			wording = "c2s's own wording"
		}
		report.Warnings = append(report.Warnings, wording+" is not what C2S models were trained on: for one of these, take --prompts cell2sentence")
	}
	for _, text := range report.Warnings {
		log.Warn(text)
	}
	if n := report.LeftOut.Total(); n > 0 {
		log.Warn(fmt.Sprintf("%d of %d rows left out: %s", n, report.Rows, report.LeftOut.String()))
	}
	if g.json {
		return printJSON(g.stdout, buildResult{g.out, report})
	}
	log.Info(fmt.Sprintf("%d pairs of about %d tokens in %s; the longest has %d", report.Pairs, report.InputTokens+report.ResponseTokens, g.out, report.LongestTokens))
	return nil
}

// missingHint says how a field gets its value.
func missingHint(e *pairs.FieldError) string {
	hint := fmt.Sprintf("name another column with --field %s=COLUMN, or give all rows a text with --set %s='TEXT'", e.Field, e.Field)
	if more := e.Hint(); more != "" {
		hint += "; " + more
	}
	return hint
}

// templates loads the wording that --prompts asks for.
func (o *buildFlags) templates(ctx context.Context, g *globals, columns []string) (*prompt.Templates, error) {
	path := o.prompts
	switch path {
	case "":
		return prompt.Default(o.task)
	case "cell2sentence":
		python := g.getenv("C2S_PYTHON")
		if python == "" {
			python = "python3"
		}
		var err error
		if path, err = prompt.FindPackage(ctx, python); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			return nil, &inputError{err, "set C2S_PYTHON to a Python that has the package, or name a copy of its folder of prompts"}
		}
	}
	return prompt.Load(path, o.task, columns...)
}
