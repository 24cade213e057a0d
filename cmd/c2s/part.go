package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/shard"
)

// partFlags let a command write one part of its output, as one job of many. A
// command adds them, resolves them with its other flags, calls begin once it knows
// what decides the bytes of its output, and finish when that has its name.
type partFlags struct {
	shard.Shard
	text string
	done *shard.Done // nil for the whole
}

func (p *partFlags) add(f *pflag.FlagSet) {
	f.StringVar(&p.text, "shard", "", "write part `I/N`, or that of the job that runs: auto, auto/N")
}

// resolve finds out which part is meant. The plan, which may be nil, tells auto how
// many there are.
func (p *partFlags) resolve(g *globals, plan *encodePlan) (err error) {
	n := 0
	if plan != nil && strings.HasPrefix(p.text, "auto") {
		n = len(plan.Parts)
	}
	p.Shard, err = shard.Resolve(p.text, n, g.getenv)
	return err
}

// rows is the rows of one file that the part takes, all of them for the whole.
func (p *partFlags) rows(n int) shard.Range {
	for _, r := range p.Ranges([]int{n}) {
		return r
	}
	return shard.Range{}
}

// begin makes the part the output, and reports whether it is there already, of the
// same inputs and options: then there is nothing to do. For the whole it does
// nothing.
func (p *partFlags) begin(ctx context.Context, g *globals, command string, inputs []manifest.Input, options any) (fresh bool, err error) {
	if p.Whole() {
		return false, nil
	}
	g.out = p.PartPath(g.out)
	g.force = true // a part that is there without being current is stale
	p.done = &shard.Done{Version: version, Command: command, Shard: p.Shard}
	if p.done.Inputs, err = shard.Hash(inputs); err != nil {
		return false, err
	}
	if p.done.Options, err = shard.Hash(options); err != nil {
		return false, err
	}
	if fresh, err = shard.Fresh(ctx, g.out, *p.done); fresh {
		g.logger().Info(g.out + " is complete and current: nothing to do")
	}
	return fresh, err
}

// finish writes the record of a part that has its name; for the whole it does
// nothing.
func (p *partFlags) finish(ctx context.Context, g *globals, counts map[string]int64, warnings []string) error {
	if p.done == nil {
		return nil
	}
	p.done.Counts, p.done.Warnings = counts, warnings
	return shard.Finish(ctx, g.out, *p.done)
}

// contents are the sizes and hashes of files and 10x folders. Names are left out:
// jobs may see the same files under different ones.
func contents(ctx context.Context, g *globals, paths ...string) ([]manifest.Input, error) {
	var list []string
	for _, path := range paths {
		list = append(list, inputsOf(path)...)
	}
	inputs, err := manifest.Inputs(ctx, list, g.workers())
	for i := range inputs {
		inputs[i].Path = ""
	}
	return inputs, err
}

// content is that of one file, nil for "".
func content(ctx context.Context, g *globals, path string) (*manifest.Input, error) {
	if path == "" {
		return nil, nil
	}
	list, err := contents(ctx, g, path)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, &inputError{fmt.Errorf("%s is a folder", path), "name a file"}
	}
	return &list[0], nil
}
