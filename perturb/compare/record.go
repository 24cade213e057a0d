package compare

import (
	"encoding/json"
	"io"
	"math"
	"time"
)

// Record is what a run tells of itself beside its scores: run.json in its folder. All
// fields may be left out; without Cells the cost is not known.
type Record struct {
	// Model is what predicted; prices are by this name.
	Model string `json:"model"`
	// Mixture is the file of c2s dataset mix that the model was trained on.
	Mixture string `json:"mixture"`
	// Cells is the number of cells that were predicted.
	Cells int64 `json:"cells"`
	// PromptTokens are those of the prompts, CachedTokens those of them that were still
	// known from another prompt, and AnswerTokens those that were written.
	PromptTokens int64 `json:"prompt_tokens"`
	CachedTokens int64 `json:"cached_tokens"`
	AnswerTokens int64 `json:"answer_tokens"`
	// Seconds is how long it took; 0 is not known.
	Seconds float64 `json:"seconds"`
}

const recordTip = `a run.json is such as {"model": "c2s-2b", "cells": 500, "prompt_tokens": 210000, "cached_tokens": 0, "answer_tokens": 98000, "seconds": 61.5}`

// ReadPredicted takes the record from what c2s predict --json printed, saved as
// predict.json in the folder of the run. It does not tell the time.
func ReadPredicted(r io.Reader) (*Record, error) {
	var p struct {
		Predictor string `json:"predictor"`
		Model     string `json:"model"`
		Predicted *int64 `json:"predicted"`
		Prompt    *int64 `json:"prompt_tokens"`
		Cached    *int64 `json:"cached_tokens"`
		Answer    *int64 `json:"answer_tokens"`
	}
	const tip = "save what c2s predict --json prints"
	if err := json.NewDecoder(io.LimitReader(r, 1<<28)).Decode(&p); err != nil {
		return nil, badInput(tip, "no report of c2s predict: %w", err)
	}
	if p.Predictor == "" || p.Predicted == nil || p.Prompt == nil || p.Cached == nil || p.Answer == nil {
		return nil, badInput(tip, "no report of c2s predict: predictor, predicted, prompt_tokens, cached_tokens or answer_tokens is missing")
	}
	out := &Record{Model: p.Model, Cells: *p.Predicted, PromptTokens: *p.Prompt, CachedTokens: *p.Cached, AnswerTokens: *p.Answer}
	if p.Predictor != "llm" { // what it learnt from is no model that has a price
		out.Model = p.Predictor
	}
	return out, out.check()
}

// Add takes what o tells and r does not.
func (r *Record) Add(o *Record) {
	if r.Model == "" {
		r.Model = o.Model
	}
	if r.Mixture == "" {
		r.Mixture = o.Mixture
	}
	if r.Cells == 0 {
		r.Cells, r.PromptTokens, r.CachedTokens, r.AnswerTokens = o.Cells, o.PromptTokens, o.CachedTokens, o.AnswerTokens
	}
	if r.Seconds == 0 {
		r.Seconds = o.Seconds
	}
}

// ReadRecord reads a run.json. A field that is not known is an error, since a misspelt
// one would count as 0.
func ReadRecord(r io.Reader) (*Record, error) {
	d := json.NewDecoder(io.LimitReader(r, 1<<20))
	d.DisallowUnknownFields()
	out := new(Record)
	if err := d.Decode(out); err != nil {
		return nil, badInput(recordTip, "no record of a run: %w", err)
	}
	return out, out.check()
}

func (r *Record) check() error {
	tokens := max(r.PromptTokens, r.CachedTokens, r.AnswerTokens)
	switch {
	case min(r.Cells, r.PromptTokens, r.CachedTokens, r.AnswerTokens) < 0 || !(r.Seconds >= 0) || math.IsInf(r.Seconds, 0):
		return badInput(recordTip, "the record of the run has a negative number")
	case r.CachedTokens > r.PromptTokens:
		return badInput(recordTip, "the record of the run tells of %d cached tokens among %d of prompts", r.CachedTokens, r.PromptTokens)
	case tokens > 0 && r.Cells == 0:
		return badInput(recordTip, "the record of the run tells of tokens, but not of cells")
	}
	return nil
}

// known reports whether the cost of the run is known.
func (r *Record) known() bool { return r != nil && r.Cells > 0 }

// Tokens is those of prompts and answers.
func (r *Record) Tokens() int64 { return r.PromptTokens + r.AnswerTokens }

// each is what one cell takes of the whole.
func (r *Record) each(whole float64) float64 { return whole / float64(r.Cells) }

// Prices is a table of what models cost, as of a date.
type Prices struct {
	Date     string           `json:"date"` // such as "2026-11-01"
	Currency string           `json:"currency"`
	Models   map[string]Price `json:"models"`
}

// Price is that of a model. Nil is unknown, which is not the same as free.
type Price struct {
	// Prompt, Cached and Answer are for a million tokens: of prompts that were not known
	// before, of those that were, and of answers.
	Prompt *float64 `json:"prompt"`
	Cached *float64 `json:"cached"`
	Answer *float64 `json:"answer"`
	// Hour is for an hour of the machine that the model runs on.
	Hour *float64 `json:"hour"`
}

const pricesTip = `a table of prices is such as {"date": "2026-11-01", "currency": "USD", "models": {"c2s-2b": {"prompt": 0.1, "cached": 0.02, "answer": 0.4}, "local": {"hour": 1.2}}}`

// ReadPrices reads a table of prices.
func ReadPrices(r io.Reader) (*Prices, error) {
	d := json.NewDecoder(io.LimitReader(r, 1<<24))
	d.DisallowUnknownFields()
	p := new(Prices)
	if err := d.Decode(p); err != nil {
		return nil, badInput(pricesTip, "no table of prices: %w", err)
	}
	if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
		return nil, badInput(pricesTip, "the table of prices has the date %q: prices change, and it must say when they held", p.Date)
	}
	if p.Currency == "" {
		return nil, badInput(pricesTip, "the table of prices has no currency")
	}
	for name, price := range p.Models {
		for _, v := range []*float64{price.Prompt, price.Cached, price.Answer, price.Hour} {
			if v != nil && !(*v >= 0 && *v < math.MaxFloat64) {
				return nil, badInput(pricesTip, "a price of %q is %g", name, *v)
			}
		}
	}
	return p, nil
}

// Of is what a run cost. A price that is not in the table is an error and never 0:
// cached tokens are not billed as fresh ones, either.
func (p *Prices) Of(r *Record) (float64, error) {
	price, ok := p.Models[r.Model]
	if !ok {
		return 0, badInput("add it, with 0 where it is free; "+pricesTip, "the table of prices of %s has no model %q", p.Date, r.Model)
	}
	total := 0.0
	billed := price.Hour != nil
	if billed {
		if r.Seconds == 0 && *price.Hour > 0 {
			return 0, badInput(recordTip, "%q has a price by the hour, and the record of the run does not tell its seconds", r.Model)
		}
		total = *price.Hour * r.Seconds / 3600
		if price.Prompt == nil && price.Cached == nil && price.Answer == nil {
			return total, nil
		}
	}
	for _, kind := range []struct {
		name   string
		tokens int64
		price  *float64
	}{{"prompt", r.PromptTokens - r.CachedTokens, price.Prompt}, {"cached", r.CachedTokens, price.Cached}, {"answer", r.AnswerTokens, price.Answer}} {
		if kind.price != nil {
			billed = true
			total += *kind.price * float64(kind.tokens) / 1e6
			continue
		}
		if kind.tokens > 0 {
			return 0, badInput("add it, with 0 where it is free", "the table of prices of %s has no price of %q tokens of %q", p.Date, kind.name, r.Model)
		}
	}
	if !billed {
		return 0, badInput("add it, with 0 where it is free", "the table of prices of %s has no price of %q", p.Date, r.Model)
	}
	return total, nil
}
