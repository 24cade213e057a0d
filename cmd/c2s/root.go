package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/progress"
)

// env is what a command may touch outside its arguments and files.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	terminal       func() bool // whether stderr is a terminal
	columns        func() int  // its width; 0 if unknown
	limitMemory    func(int64) // tells the garbage collector what may be used
	useKernels     func(int)   // puts the kernels under gonum, on so many goroutines
}

// globals are the flags of every command.
type globals struct {
	env
	out       string
	force     bool
	jobs      int
	memory    string
	seed      uint64
	json      bool
	quiet     bool
	verbose   bool
	logFormat string
	progress  string

	resume string // how the command goes on when it was interrupted, if there is more to say
}

// run is the whole command; its result is the exit code.
func run(ctx context.Context, args []string, e env) int {
	// What is logged while a progress line shows goes above it.
	e.stderr = &progress.Screen{Out: e.stderr}
	g := &globals{env: e}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitGood
	}
	return g.tell(taught(cmd, err))
}

const (
	groupData     = "data"
	groupModel    = "model"
	groupEvaluate = "evaluate"
	groupOther    = "other"
)

// newRoot builds the tree of commands around g.
func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:   "c2s",
		Short: "Cell sentences: single-cell data for language models, and back",
		Long: `c2s turns the cells of AnnData files into cell sentences: the names of the
expressed genes, by falling expression, as Cell2Sentence models read them.`,
		Example:       "  c2s demo",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := g.check(); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			g.limitMemory(g.budget())
			g.useKernels(g.workers())
			return nil
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(badFlag)
	root.SetUsageTemplate(usageTemplate)
	f := root.PersistentFlags()
	f.StringVarP(&g.out, "out", "o", "", "write to `PATH`; - is stdout")
	f.BoolVar(&g.force, "force", false, "replace an output that exists")
	f.IntVarP(&g.jobs, "jobs", "j", 0, "run `N` goroutines; 0 takes all cores")
	f.StringVar(&g.memory, "memory", "2GiB", "memory that may be used, a `SIZE` such as 500MB or 2GiB")
	f.Uint64Var(&g.seed, "seed", 42, "seed of everything that is random")
	f.BoolVar(&g.json, "json", false, "print the result as JSON")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "print errors only")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "print more")
	f.StringVar(&g.logFormat, "log-format", "text", "log as `text|json`")
	f.StringVar(&g.progress, "progress", "auto", "show progress: `auto|always|never|json`")
	root.AddGroup(&cobra.Group{ID: groupData, Title: "Data:"}, &cobra.Group{ID: groupModel, Title: "Model:"}, &cobra.Group{ID: groupEvaluate, Title: "Evaluate:"}, &cobra.Group{ID: groupOther, Title: "Other:"})
	root.SetHelpCommand(newHelp())
	root.AddCommand(
		newInspect(g), newValidate(g), newConvert(g), newConcat(g), newEncode(g), newVocab(g), newDecode(g), newFidelity(g), newDataset(g),
		newPlan(g), newMerge(g), newJob(g),
		newAnnotate(g), newGenerate(g), newPredict(g), newEmbed(g), newModel(g), newDoctor(g),
		newScfid(g), newPerturb(g), newScreen(g),
		newDemo(g), newVersion(g), newCompletion(g), newReference(g),
	)
	return root
}

// need checks the number of arguments and teaches where they are missing.
func need(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return &usageError{fmt.Errorf("%s needs %s; for example: %s", cmd.CommandPath(), strings.TrimPrefix(cmd.Use, cmd.Name()+" "), example(cmd)), cmd.CommandPath()}
		case most >= 0 && len(args) > most:
			return &usageError{fmt.Errorf("%d arguments, expected at most %d", len(args), most), cmd.CommandPath()}
		}
		return nil
	}
}

// taught adds an example to the complaint about a command that was called bare.
func taught(cmd *cobra.Command, err error) error {
	var usage *usageError
	bare := cmd.Flags().NFlag() == 0 && cmd.Flags().NArg() == 0 && cmd.HasParent()
	if !bare || !errors.As(err, &usage) || strings.Contains(err.Error(), "for example") {
		return err
	}
	return &usageError{fmt.Errorf("%w; for example: %s", usage.err, example(cmd)), cmd.CommandPath()}
}

// example is the first line of a command's example that runs that very command: what
// makes its input may come before.
func example(cmd *cobra.Command) string {
	for line := range strings.Lines(cmd.Example) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, cmd.CommandPath()+" ") {
			return line
		}
	}
	return strings.TrimSpace(cmd.Example)
}

// check validates the flags that are texts.
func (g *globals) check() error {
	if _, err := parseSize(g.memory); err != nil {
		return fmt.Errorf("--memory: %w", err)
	}
	if g.jobs < 0 {
		return fmt.Errorf("--jobs %d is negative", g.jobs)
	}
	switch g.logFormat {
	case "text", "json":
	default:
		return fmt.Errorf("--log-format %q is neither text nor json", g.logFormat)
	}
	switch g.progress {
	case "auto", "always", "never", "json":
	default:
		return fmt.Errorf("--progress %q is none of auto, always, never, json", g.progress)
	}
	if g.quiet && g.verbose {
		return errors.New("--quiet and --verbose exclude each other")
	}
	return nil
}

// workers is the number of goroutines to run.
func (g *globals) workers() int {
	if g.jobs > 0 {
		return g.jobs
	}
	return runtime.GOMAXPROCS(0)
}

// budget is the memory budget in bytes.
func (g *globals) budget() int64 {
	n, err := parseSize(g.memory)
	if err != nil {
		return 2 << 30 // check has refused it already
	}
	return n
}

// parseSize reads 500MB, 2GiB, 1.5G or a number of bytes.
func parseSize(s string) (int64, error) {
	t := strings.ToLower(strings.TrimSpace(s))
	unit := 1.0
	for _, u := range []struct {
		suffix string
		n      float64
	}{
		{"kib", 1 << 10},
		{"mib", 1 << 20},
		{"gib", 1 << 30},
		{"tib", 1 << 40},
		{"kb", 1e3},
		{"mb", 1e6},
		{"gb", 1e9},
		{"tb", 1e12},
		{"k", 1 << 10},
		{"m", 1 << 20},
		{"g", 1 << 30},
		{"t", 1 << 40},
		{"b", 1},
	} {
		if rest, ok := strings.CutSuffix(t, u.suffix); ok {
			t, unit = strings.TrimSpace(rest), u.n
			break
		}
	}
	v, err := strconv.ParseFloat(t, 64)
	if err != nil || !(v*unit >= 1 && v*unit <= 1<<60) { // NaN is none of both
		return 0, fmt.Errorf("%q is no size; write 500MB or 2GiB", s)
	}
	return int64(v * unit), nil
}

// logger writes warnings and, with --verbose, more to stderr.
func (g *globals) logger() *slog.Logger {
	level := slog.LevelInfo
	switch {
	case g.quiet:
		level = slog.LevelError
	case g.verbose:
		level = slog.LevelDebug
	}
	if g.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(g.stderr, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(&lineHandler{out: g.stderr, level: level})
}

// start shows the progress of a task as --progress and the terminal ask for.
func (g *globals) start(label, unit string, total int64) *progress.Counter {
	return g.startBeside(label, unit, total, "")
}

// startBeside is start with a second quantity to count, such as tokens.
func (g *globals) startBeside(label, unit string, total int64, beside string) *progress.Counter {
	cfg := progress.Config{Out: g.stderr, Log: g.logger(), Columns: g.columns(), Beside: beside}
	switch {
	case g.progress == "never" || g.quiet:
	case g.progress == "json":
		cfg.Mode = progress.JSON
	case g.progress == "always", g.terminal() && g.getenv("TERM") != "dumb":
		cfg.Mode = progress.Line
	default:
		cfg.Mode = progress.Heartbeat
	}
	return progress.Start(cfg, printable(label), unit, total) // labels hold file names
}
