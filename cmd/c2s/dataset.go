package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
)

func newDataset(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "dataset", Short: "Make, split, audit and mix training data", GroupID: groupData,
		Long: `dataset works on what c2s encode writes: build turns sentences into prompts with
their responses, split makes training, validation and test data of them, audit finds
what should not be trained on, and mix writes doses of it for an experiment. tasks
lists what a model can be asked.`,
		Example: `  c2s encode testdata/demo.h5ad -o cells.parquet
  c2s dataset split cells.parquet --by donor -o split
  c2s dataset audit split/train.parquet split/validation.parquet split/test.parquet -o audit
  c2s dataset build split/train.parquet --task cell_type_prediction --set organism='Homo sapiens' -o train.parquet`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddGroup(&cobra.Group{ID: groupData, Title: "Commands:"})
	cmd.AddCommand(newDatasetBuild(g), newDatasetTasks(g), newDatasetSplit(g), newDatasetAudit(g), newDatasetMix(g))
	return cmd
}

func newDatasetTasks(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "tasks [TASK]", Short: "List the tasks and their fields", GroupID: groupData, Args: need(0, 1),
		Long: `tasks lists what a model can be asked, and for one task the fields that its prompts
and its response may use. c2s dataset build takes them from the columns of the data.`,
		Example: "  c2s dataset tasks tissue_prediction",
		RunE: func(cmd *cobra.Command, args []string) error {
			tasks := prompt.Tasks()
			if len(args) == 1 {
				t, err := prompt.TaskByName(args[0])
				if err != nil {
					return &usageError{err, cmd.CommandPath()}
				}
				tasks = []prompt.Task{t}
			}
			return runDatasetTasks(g, tasks, len(args) == 1)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return taskNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func taskNames() []string {
	var names []string
	for _, t := range prompt.Tasks() {
		names = append(names, t.Name)
	}
	return names
}

// taskEntry is a task as --json prints it.
type taskEntry struct {
	Name     string       `json:"name"`
	About    string       `json:"about"`
	Input    []fieldEntry `json:"input"`
	Response []fieldEntry `json:"response"`
}

type fieldEntry struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func runDatasetTasks(g *globals, tasks []prompt.Task, explain bool) (err error) {
	out, err := g.create()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	entries := func(fields []prompt.Field) []fieldEntry {
		var list []fieldEntry
		for _, f := range fields {
			list = append(list, fieldEntry{f.Name, f.About})
		}
		return list
	}
	var list []taskEntry
	for _, t := range tasks {
		list = append(list, taskEntry{t.Name, t.About, entries(t.Input), entries(t.Response)})
	}
	switch {
	case g.json:
		err = printJSON(out, list)
	case explain:
		err = explainTask(out, list[0])
	default:
		err = listTasks(out, list)
	}
	if err != nil {
		return err
	}
	return out.Commit()
}

func listTasks(out io.Writer, list []taskEntry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range list {
		var asked []string
		for _, f := range t.Response {
			asked = append(asked, f.Name)
		}
		fmt.Fprintf(w, "%s\t%s\t→ %s\n", t.Name, t.About, strings.Join(asked, ", "))
	}
	return w.Flush()
}

func explainTask(out io.Writer, t taskEntry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s\n\nPrompts may use\n", t.Name, t.About)
	for _, f := range t.Input {
		fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.About)
	}
	fmt.Fprintf(w, "\nThe response is\n")
	for _, f := range t.Response {
		fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.About)
	}
	return w.Flush()
}

// datasetFolder is the output folder of a dataset command in the making.
type datasetFolder struct {
	*atomicfile.Dir
	g      *globals
	inputs []string
}

func (g *globals) createFolder(inputs ...string) (*datasetFolder, error) {
	dir, err := atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: inputs})
	if err != nil {
		return nil, err
	}
	return &datasetFolder{dir, g, inputs}, nil
}

// file is the path of a file while the folder is in the making.
func (d *datasetFolder) file(name string) string { return filepath.Join(d.Path(), name) }

// finish writes the manifest and a report, and gives the folder its name.
func (d *datasetFolder) finish(ctx context.Context, about manifest.Manifest, name string, report any) error {
	if about.Inputs == nil {
		var err error
		if about.Inputs, err = d.hashes(ctx); err != nil {
			return err
		}
	}
	about.Version, about.Seed = version, d.g.seed
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.file(name), append(text, '\n'), 0o666); err != nil {
		return err
	}
	if err := about.Write(d.Path()); err != nil {
		return err
	}
	return d.Commit()
}

// hashes is the inputs with their hashes.
func (d *datasetFolder) hashes(ctx context.Context) ([]manifest.Input, error) {
	var files []string
	for _, path := range d.inputs {
		files = append(files, inputsOf(path)...)
	}
	return manifest.Inputs(ctx, files, d.g.workers())
}

// needFolder checks -o and that the inputs can be read twice.
func needFolder(g *globals, inputs []string) error {
	if g.out == "" || g.out == "-" {
		return errors.New("-o DIR is missing")
	}
	if slices.Contains(inputs, "-") {
		return errors.New("the data is read more than once: name a file instead of -")
	}
	return nil
}

// ending is the ending of files in the format that --format names or, if that is "",
// in that of a dataset. Without its columns a .txt is of no use beyond sentences.
func ending(format, like string, columns bool) (string, error) {
	f, err := dataset.FormatOf("x." + strings.TrimPrefix(format, "."))
	switch {
	case format != "" && err != nil:
		return "", fmt.Errorf("--format %q is none of parquet, arrow, hf, jsonl, jsonl.gz, jsonl.zst, txt, txt.gz, txt.zst", format)
	case format != "" && columns && f.Kind == "txt":
		return "", errors.New("--format txt has no room for the columns that are added")
	case format == "":
		if f, err = dataset.FormatOf(like); err != nil || columns && f.Kind == "txt" {
			f = dataset.Format{Kind: "parquet"}
		}
	}
	return "." + f.Kind + map[string]string{"gzip": ".gz", "zstd": ".zst"}[f.Compression], nil
}

// withoutEnding is the name of a dataset without folder and format.
func withoutEnding(path string) string {
	name := filepath.Base(filepath.Clean(path))
	if f, err := dataset.FormatOf(name); err == nil {
		compression := map[string]string{"gzip": ".gz", "zstd": ".zst"}[f.Compression]
		name = name[:len(name)-len("."+f.Kind+compression)]
	}
	return name
}

// pairsOf reads NAME=VALUE flags. The name ends at the first =, or with last at the
// last one.
func pairsOf(flag string, list []string, last bool) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range list {
		at := strings.IndexByte(text, '=')
		if last {
			at = strings.LastIndexByte(text, '=')
		}
		if at < 1 || at == len(text)-1 {
			return nil, fmt.Errorf("--%s %q is not of the form NAME=VALUE", flag, text)
		}
		if _, ok := out[text[:at]]; ok {
			return nil, fmt.Errorf("--%s gives %q two values", flag, text[:at])
		}
		out[text[:at]] = text[at+1:]
	}
	return out, nil
}
