package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/dial"
	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/journal"
)

// backendFlags name the model that is asked, and how.
type backendFlags struct {
	names   []string
	model   string
	slots   int
	threads int
	timeout time.Duration
	context int
	journal string
	prompts string
	owner   string // of the journal, "" for any
}

func (b *backendFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&b.names, "backend", nil, "ask `demo|FILE.gguf|ollama://HOST:PORT|llamacpp://…|openai://…/v1` (+https each server); repeat it for a pool, or name a list: llamacpp://NODE[01-08], slurm://llamacpp:PORT, @FILE")
	f.StringVar(&b.model, "model", "", "`NAME` of the model on the server")
	f.IntVar(&b.slots, "slots", 0, "requests at a time `N` for each backend (default: what it tells)")
	f.IntVar(&b.threads, "threads", 0, "let Ollama, or a model in this process, compute with `N` threads (default: its choice); fewer are faster where processors are shared")
	f.DurationVar(&b.timeout, "timeout", 10*time.Minute, "time `D` for one request")
	f.IntVar(&b.context, "num-ctx", 0, "tokens `N` of prompt and answer (default: the model's)")
	f.StringVar(&b.journal, "journal", "", "keep answers in `FILE`, and never ask for one again")
	f.StringVar(&b.prompts, "prompts", "", "words of the prompts: `FILE|DIR|cell2sentence` (default: the model's own, or the project's)")
}

// model is an open backend with what is known of it.
type model struct {
	llm.Backend
	info   *llm.Info
	closer []func() error
	known  func() (known, asked int64) // of the journal
	flight int                         // requests to have in flight, 0 for one a slot
}

// close closes everything, the last opened first.
func (m *model) close() error {
	var err error
	for _, c := range slices.Backward(m.closer) {
		err = errors.Join(err, c())
	}
	return err
}

// open opens the backends, as a pool if there are several, behind the journal.
func (b *backendFlags) open(ctx context.Context, g *globals) (m *model, err error) {
	if b.model == "" {
		b.model = g.getenv("C2S_MODEL")
	}
	cfg := dial.Config{
		Model: b.model, APIKey: g.getenv("C2S_API_KEY"), Timeout: b.timeout, Context: b.context, Slots: b.slots, Threads: b.threads,
		Demo: demoModel, File: func(path string) (dial.Backend, error) {
			return embedded.Open(path, embedded.Config{Slots: b.slots, Context: b.context, Threads: b.threads})
		},
		LookFor: dial.Usual(g.getenv("OLLAMA_HOST")),
	}
	m = &model{}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	list := &serverList{names: b.named(g), nodes: g.getenv("SLURM_JOB_NODELIST")}
	names, err := list.read()
	if err != nil {
		return m, err
	}
	if len(names) == 1 && !list.changes() {
		one, err := dial.Open(ctx, names[0], cfg)
		if _, ok := errors.AsType[*dial.SpecError](err); ok {
			return m, &usageError{err, ""}
		}
		if err != nil {
			return m, err
		}
		m.closer = append(m.closer, one.Close)
		m.Backend = one
	} else if err := b.openPool(ctx, g, m, list, names, cfg); err != nil {
		return m, err
	}
	g.resume = "the answers so far are gone; with --journal FILE the next run takes up from them"
	if b.journal != "" {
		g.resume = fmt.Sprintf("the answers so far are in %s: the same command goes on from them", b.journal)
		j, err := journal.Open(ctx, b.journal)
		if err != nil {
			return m, err
		}
		m.closer = append(m.closer, j.Close)
		if b.owner != "" {
			if err := j.Claim(b.owner); err != nil {
				return m, err
			}
		}
		known, err := j.Wrap(ctx, m.Backend)
		if err != nil {
			return m, err
		}
		m.Backend, m.known = known, known.Counts
	}
	if m.info, err = m.Info(ctx); err != nil {
		return m, err
	}
	if m.info.Notice != "" {
		g.logger().Warn("every result is of a " + m.info.Notice)
	}
	if m.info.Advice != "" {
		g.logger().Warn(m.info.Advice)
	}
	return m, nil
}

// workers is how many requests are had at a time.
func (m *model) workers() int { return max(1, m.info.Slots, m.flight) }

// named is the backends that were named, by flags or else by the environment.
func (b *backendFlags) named(g *globals) []string {
	if len(b.names) > 0 {
		return b.names
	}
	if name := g.getenv("C2S_BACKEND"); name != "" {
		return []string{name}
	}
	return []string{dial.FromOllamaHost(g.getenv("OLLAMA_HOST"))}
}

// templates loads --prompts for a task, nil without it.
func (b *backendFlags) templates(ctx context.Context, g *globals, task string) (*prompt.Templates, error) {
	path := b.prompts
	switch path {
	case "":
		return nil, nil
	case "cell2sentence":
		python := g.getenv("C2S_PYTHON")
		if python == "" {
			python = "python3"
		}
		var err error
		if path, err = prompt.FindPackage(ctx, python); err != nil {
			return nil, &inputError{fmt.Errorf("--prompts cell2sentence: %w", err), "name a copy of its prompts folder, or a Python that has the package with C2S_PYTHON"}
		}
	}
	t, err := prompt.Load(path, task)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &inputError{err, "see c2s help annotate"}
	}
	return t, err
}
