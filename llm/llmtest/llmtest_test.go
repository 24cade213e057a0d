package llmtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/llmtest"
)

// faulty is a good backend but for one fault. Nil functions change nothing.
type faulty struct {
	llm.Backend
	prompt   func(string) string
	options  func(llm.Options) llm.Options
	answer   func(*llm.Answer) *llm.Answer
	failed   func(error) (*llm.Answer, error)
	score    func([]llm.Score)
	embed    func([][]float32)
	deaf     bool // to ctx
	noStream bool
}

func (f *faulty) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if f.prompt != nil {
		prompt = f.prompt(prompt)
	}
	if f.options != nil {
		opt = f.options(opt)
	}
	if f.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if f.noStream {
		onToken = nil
	}
	a, err := f.Backend.Generate(ctx, prompt, opt, onToken)
	if err != nil && f.failed != nil {
		return f.failed(err)
	}
	if err == nil && f.answer != nil {
		a = f.answer(a)
	}
	return a, err
}

func (f *faulty) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	s, err := f.Backend.Score(ctx, prompt, continuations)
	if f.score != nil {
		f.score(s)
	}
	return s, err
}

func (f *faulty) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	v, err := f.Backend.Embed(ctx, texts, pooling)
	if f.embed != nil {
		f.embed(v)
	}
	return v, err
}

// faults are traps that real servers have, with the tests that must fail.
var faults = map[string]struct {
	change func(*faulty)
	caught []string
}{
	"a chat template": {
		func(f *faulty) { f.prompt = func(p string) string { return "<start_of_turn>user\n" + p } },
		[]string{"greedy"},
	},
	"half of a long prompt is dropped": {
		func(f *faulty) {
			f.prompt = func(p string) string {
				if len(p) > 2000 {
					return p[len(p)-300:]
				}
				return p
			}
		},
		[]string{"full_context"},
	},
	"a default temperature": {
		func(f *faulty) {
			f.options = func(o llm.Options) llm.Options {
				if o.Temperature == 0 {
					o.Temperature = 0.8
				}
				return o
			}
		},
		[]string{"greedy", "concurrent"},
	},
	"the seed is ignored": {
		func(f *faulty) {
			seed := uint64(0)
			f.options = func(o llm.Options) llm.Options { seed++; o.Seed = seed; return o }
		},
		[]string{"sampling"},
	},
	"no limit": {
		func(f *faulty) { f.options = func(o llm.Options) llm.Options { o.MaxTokens = 0; return o } },
		[]string{"limits"},
	},
	"stop strings stay": {
		func(f *faulty) { f.options = func(o llm.Options) llm.Options { o.Stop = nil; return o } },
		[]string{"stop_strings"},
	},
	"log-probabilities of the tempered model": {
		func(f *faulty) {
			f.answer = func(a *llm.Answer) *llm.Answer {
				for i := range a.Tokens {
					a.Tokens[i].Logprob *= 0.9
				}
				return a
			}
		},
		[]string{"greedy"},
	},
	"errors become empty answers": {
		func(f *faulty) { f.failed = func(error) (*llm.Answer, error) { return &llm.Answer{}, nil } },
		[]string{"full_context", "cancel", "callback", "grammar"},
	},
	"cancelling is not heard": {
		func(f *faulty) { f.deaf = true },
		[]string{"cancel"},
	},
	"no stream": {
		func(f *faulty) { f.noStream = true },
		[]string{"stream"},
	},
	"scores without the end": {
		func(f *faulty) {
			f.score = func(s []llm.Score) {
				for i := range s {
					s[i].Logprob = 0
				}
			}
		},
		[]string{"score"},
	},
	"raw embeddings": {
		func(f *faulty) {
			f.embed = func(v [][]float32) {
				for _, x := range v {
					for i := range x {
						x[i] *= 14
					}
				}
			}
		},
		[]string{"embed"},
	},
}

// TestFaults runs tests of the suite, in a process of its own, on a backend with a
// fault that they are there to find.
func TestFaults(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run", "^TestSuite$/^("+strings.Join(fault.caught, "|")+")$", "-test.v")
			cmd.Env = append(os.Environ(), "LLMTEST_FAULT="+name)
			out, err := cmd.CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); !failed {
				t.Fatalf("the suite passed (%v):\n%s", err, out)
			}
			for _, want := range fault.caught {
				if !strings.Contains(string(out), "--- FAIL: TestSuite/"+want+" ") {
					t.Errorf("the test %q did not fail:\n%s", want, out)
				}
			}
		})
	}
}

// TestSuite runs the suite on the demo model, with the fault that the environment
// names.
func TestSuite(t *testing.T) {
	b, err := embedded.Demo(embedded.Config{Context: 512, Slots: 2})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := llmtest.Load("../embedded/testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{Backend: b}
	if name := os.Getenv("LLMTEST_FAULT"); name != "" {
		faults[name].change(f)
	}
	llmtest.Run(t, llmtest.Target{Backend: f, Reference: ref})
}

func TestLoad(t *testing.T) {
	if _, err := llmtest.Load("doc.go"); err == nil {
		t.Error("a Go file was taken for a reference")
	}
	if _, err := llmtest.Load("none.json"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
