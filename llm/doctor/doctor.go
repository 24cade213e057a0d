// Package doctor says what a machine can run: the model servers there are and what
// is wrong with them, graphics cards, memory, and which model fits in which
// quantisation.
//
// Start with [Examine]. The arithmetic of what fits is that of [Fit].
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/dial"
)

// Config says where to look.
type Config struct {
	// Servers are the names of those to look for, as dial.Open takes them.
	Servers []string
	// NvidiaSMI is the program ("": nvidia-smi on the PATH).
	NvidiaSMI string
	// Root is the root of the file system, for /proc and /sys (nil: the machine's).
	Root fs.FS
}

// Report is what was found, and what to make of it.
type Report struct {
	Machine Machine  `json:"machine"`
	Servers []Server `json:"servers"`
	Fits    []Fit    `json:"fits"`
	Advice  []Advice `json:"advice"`
}

// Server is one that answers.
type Server struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Models  []string `json:"models"`
	// Info is what it can do, nil if that could not be found out or it has several
	// models.
	Info *llm.Info `json:"info,omitempty"`
	// Problem is why c2s cannot use it, "" if it can.
	Problem string `json:"problem,omitempty"`
}

// Advice is one line.
type Advice struct {
	Topic string `json:"topic"` // "server", "gpu", "memory" or "fit"
	Text  string `json:"text"`
}

// checkTime is what it may take to find out what a server can do.
const checkTime = 20 * time.Second

// Examine looks at the machine and its servers. It takes some seconds; the error is
// that of ctx.
func Examine(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.NvidiaSMI == "" {
		cfg.NvidiaSMI = "nvidia-smi"
	}
	if cfg.Root == nil {
		cfg.Root = os.DirFS("/")
	}
	r := &Report{}
	r.Machine.Processors = runtime.NumCPU()
	r.Machine.Total, r.Machine.Available = memory(cfg.Root)
	var err error
	if r.Machine.GPUs, err = gpus(ctx, cfg.NvidiaSMI); err != nil {
		r.Machine.NoGPUs = err.Error()
	}
	for _, found := range dial.Look(ctx, cfg.Servers) {
		r.Servers = append(r.Servers, check(ctx, found))
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r.Fits = fits(&r.Machine)
	r.advise(cfg.Servers)
	return r, nil
}

// check opens a server that has one model. What is asked of servers of OpenAI's kind
// might make them load one.
func check(ctx context.Context, f dial.Found) Server {
	s := Server{Name: f.Name, Version: f.Version, Models: f.Models}
	if len(f.Models) != 1 || strings.HasPrefix(f.Name, "openai") {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	b, err := dial.Open(ctx, f.Name, dial.Config{})
	if err == nil {
		defer b.Close()
		s.Info, err = b.Info(ctx)
	}
	if err != nil {
		s.Problem = err.Error()
		var tip interface{ Hint() string }
		if errors.As(err, &tip) && tip.Hint() != "" {
			s.Problem += ": " + tip.Hint()
		}
	}
	return s
}

func (r *Report) advise(looked []string) {
	say := func(topic, format string, args ...any) {
		r.Advice = append(r.Advice, Advice{topic, fmt.Sprintf(format, args...)})
	}
	for i := range r.Servers {
		s := &r.Servers[i]
		switch {
		case s.Problem != "":
			say("server", "%s cannot be used: %s", s.Name, s.Problem)
		case len(s.Models) == 0:
			say("server", "%s (%s) has no model: c2s model import brings one", s.Name, s.Version)
		default:
			say("server", "%s (%s) has %s: use --backend %s", s.Name, s.Version, strings.Join(s.Models, ", "), s.Name)
		}
		if s.Info != nil && s.Info.Advice != "" {
			say("server", "%s: %s", s.Name, s.Info.Advice)
		}
	}
	if len(r.Servers) == 0 {
		say("server", "no server answers at %s; --backend demo needs none", strings.Join(looked, ", "))
	}
	m := &r.Machine
	for _, g := range m.GPUs {
		say("gpu", "%s, driver %s: %s of %s free", g.Name, g.Driver, bytes(g.Free), bytes(g.Total))
	}
	if len(m.GPUs) == 0 {
		say("gpu", "no NVIDIA card: %s", m.NoGPUs)
	}
	if m.Total > 0 {
		say("memory", "%s of %s available, %d processors", bytes(m.Available), bytes(m.Total), m.Processors)
	} else {
		say("memory", "how much there is cannot be told on this system, %d processors", m.Processors)
	}
	r.Advice = append(r.Advice, advise(m, r.Fits)...)
}
