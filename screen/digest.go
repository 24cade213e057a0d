package screen

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/shard"
)

// digest hashes the inputs and what the configuration says of answers.
func (p *Plan) digest(ctx context.Context, opt Options) (err error) {
	cfg := p.cfg
	var paths []string
	for _, name := range slices.Concat(
		[]string{cfg.Contexts.Positive.File, cfg.Contexts.Neutral.File, cfg.Compounds, cfg.Program},
		cfg.Interferon, cfg.Side, cfg.Predictor.files(), cfg.Baseline.files(),
	) {
		name, _, _ = strings.Cut(name, "#")
		path := cfg.File(name)
		if st, err := os.Stat(path); name == "" || err != nil || st.IsDir() || slices.Contains(paths, path) {
			continue // a built-in program, or a file that a predictor will miss
		}
		paths = append(paths, path)
	}
	if p.Inputs, err = manifest.Inputs(ctx, paths, max(opt.Workers, 1)); err != nil {
		return err
	}
	asked := *cfg
	// What stands in files is known by its hash, whatever they are called.
	asked.Contexts.Positive.File, asked.Contexts.Neutral.File, asked.Compounds = "", "", ""
	asked.Title, asked.Budget, asked.Price, asked.Controls.Accept = "", Budget{}, Price{}, false
	var hashes []string
	for _, in := range p.Inputs {
		hashes = append(hashes, in.SHA256)
	}
	p.Digest, err = shard.Hash(map[string]any{"config": plain(reflect.ValueOf(asked)), "inputs": hashes, "cells": p.Cells, "items": p.Items})
	return err
}

func (p *PredictorConfig) files() []string {
	return []string{p.Reference, p.Signatures, p.GeneNames, p.Names}
}

// plain is a configuration by its keys, for hashing: the names of fields may change.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for f := range fields(v.Type()) {
			if one := v.FieldByIndex(f.Index); !one.IsZero() {
				out[f.key] = plain(one)
			}
		}
		return out
	case reflect.Pointer:
		return plain(v.Elem())
	}
	return v.Interface()
}

// Encode is the JSON of the plan, with a newline at its end.
func (p *Plan) Encode() ([]byte, error) {
	text, err := json.Marshal(p)
	return append(text, '\n'), err
}

// maxPlan is the most that a plan may have, in bytes.
const maxPlan = 1 << 30

// ReadPlan reads the file of a plan. It tells what was planned; only [NewPlan] gives one
// that can be run.
func ReadPlan(path string) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := new(Plan)
	if err := json.NewDecoder(io.LimitReader(f, maxPlan)).Decode(p); err != nil {
		return nil, &Error{path, fmt.Errorf("no plan of a screen: %w", err), "c2s screen plan writes one"}
	}
	if p.Digest == "" {
		return nil, wrong(path, "c2s screen plan writes one", "no plan of a screen: it has no digest")
	}
	return p, nil
}

// Margin says in words how far the program may move and still count as unmoved.
func (p *Plan) Margin() string {
	if v := p.cfg.Margin.Value; v > 0 {
		return fmt.Sprintf("%g of the U score", v)
	}
	return fmt.Sprintf("%g of what %s does in the neutral context, measured before any compound is asked about", p.cfg.Margin.Share, p.cfg.Controls.Positive[0])
}
