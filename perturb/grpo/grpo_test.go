package grpo_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/grpo"
)

// closeTo says whether two float64 results of the same few operations agree: they may
// differ by the order of a sum.
func closeTo(a, b float64) bool { return math.Abs(a-b) <= 1e-13*max(1, math.Abs(b)) }

// TestGolden compares with testdata/golden.py.
func TestGolden(t *testing.T) {
	var golden struct {
		Rewards    []float64
		Groups     []int
		Advantages map[string][]float64
		LogProb    [][]float64
		Old, Ref   [][]float64
		Advantage  []float64
		Prompts    []int
		Losses     []struct {
			Objective, Aggregation      string
			Low, High, Dual, Beta, Loss float64
		}
	}
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for name, want := range golden.Advantages {
		trainer, scale, _ := strings.Cut(name, "/")
		rule, err := grpo.TrainerRule(trainer, grpo.Scale(scale))
		if err != nil {
			t.Fatal(err)
		}
		got, err := rule.Advantages(golden.Rewards, golden.Groups)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, want, closeTo) {
			t.Errorf("%s: %v, expected %v", name, got, want)
		}
	}
	var batch []grpo.Sequence
	for i, lp := range golden.LogProb {
		batch = append(batch, grpo.Sequence{Prompt: golden.Prompts[i], Advantage: golden.Advantage[i], LogProb: lp, Old: golden.Old[i], Ref: golden.Ref[i]})
	}
	if len(golden.Losses) != 42 {
		t.Fatalf("%d losses", len(golden.Losses))
	}
	for _, c := range golden.Losses {
		l := grpo.Loss{
			Objective: grpo.Objective(c.Objective), Aggregation: grpo.Aggregation(c.Aggregation),
			Low: c.Low, High: c.High, Dual: c.Dual, Beta: c.Beta, MaxTokens: 8,
		}
		got, err := l.Of(batch)
		if err != nil {
			t.Fatal(err)
		}
		if !closeTo(got.Loss, c.Loss) {
			t.Errorf("%+v: loss %v, expected %v", l, got.Loss, c.Loss)
		}
	}
}

// TestEdges has cases that are plain from the formulas.
func TestEdges(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name, trainer string
		scale         grpo.Scale
		rewards       []float64
		groups        []int
		want          []float64
	}{
		{"verl keeps a lone reward", "verl", "", []float64{3, 1, 0}, []int{7, 2, 2}, []float64{3 / (1 + 1e-6), .5 / (math.Sqrt(.5) + 1e-6), -.5 / (math.Sqrt(.5) + 1e-6)}},
		{"verl keeps it unscaled", "verl", "none", []float64{3}, []int{0}, []float64{3}},
		{"trl does not", "trl", "", []float64{3, 1, 0}, []int{7, 2, 2}, []float64{0, .5 / (math.Sqrt(.5) + 1e-4), -.5 / (math.Sqrt(.5) + 1e-4)}},
		// The mean of three 0.1 in float64 is not 0.1: they must not get noise / 1e-9.
		{"equal rewards", "openrlhf", "", []float64{.1, .1, .1}, []int{0, 0, 0}, []float64{0, 0, 0}},
		{"equal in the batch", "scalerl", "", []float64{.1, .1, .7, .7}, []int{0, 0, 1, 1}, []float64{0, 0, 0, 0}},
		{"a missing reward", "trl", "none", []float64{1, nan, 0}, []int{0, 0, 0}, []float64{.5, 0, -.5}},
		{"only missing rewards", "trl", "", []float64{nan, nan}, []int{0, 0}, []float64{0, 0}},
		{"nothing", "trl", "", nil, nil, nil},
	} {
		rule, err := grpo.TrainerRule(c.trainer, c.scale)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rule.Advantages(c.rewards, c.groups)
		if err != nil || !slices.EqualFunc(got, c.want, closeTo) {
			t.Errorf("%s: %v, %v, expected %v", c.name, got, err, c.want)
		}
	}
}

func TestFilter(t *testing.T) {
	rewards := []float64{1, 1, 0, 0, 1, 0, .4, .4}
	groups := []int{0, 0, 1, 1, 2, 2, 3, 3}
	for f, want := range map[grpo.Filter][]bool{
		grpo.FilterNone:   {true, true, true, true, true, true, true, true},
		grpo.FilterEqual:  {false, false, false, false, true, true, false, false},
		grpo.FilterBounds: {false, false, false, false, true, true, true, true},
	} {
		got, err := f.Keep(rewards, groups)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, expected %v", f, got, err, want)
		}
	}
	if _, err := grpo.FilterBounds.Keep([]float64{-1, 1}, []int{0, 0}); err == nil {
		t.Error("bounds took a reward of -1")
	}
}

// TestOverlong has the values of DAPO with 20,480 and 4,096 tokens (GRPO-TCR, arXiv
// 2510.11701): 16384 → 0, 17408 → −.25, 18432 → −.5, 20480 → −1.
func TestOverlong(t *testing.T) {
	o := grpo.Overlong{Max: 20480, Cache: 4096}
	loose := grpo.Overlong{Max: 20480, Cache: 4096, NoFloor: true}
	for _, c := range []struct {
		tokens      int
		want, loose float64
	}{{0, 0, 0}, {16384, 0, 0}, {17408, -.25, -.25}, {18432, -.5, -.5}, {20480, -1, -1}, {24576, -1, -2}} {
		got, err := o.Penalty(c.tokens)
		without, err2 := loose.Penalty(c.tokens)
		if err != nil || err2 != nil || got != c.want || without != c.loose {
			t.Errorf("%d tokens: %v and %v, expected %v and %v", c.tokens, got, without, c.want, c.loose)
		}
	}
	if _, err := (grpo.Overlong{Max: 10, Cache: 20}).Penalty(1); err == nil {
		t.Error("a cache above the maximum was taken")
	}
}

func TestBadInput(t *testing.T) {
	rule, _ := grpo.TrainerRule("trl", "")
	_, groups := rule.Advantages([]float64{1}, nil)
	_, infinite := rule.Advantages([]float64{math.Inf(1)}, []int{0})
	loss := grpo.Loss{Objective: grpo.ObjectiveClip, Aggregation: grpo.TokenMean, Low: .2, High: .2}
	_, none := loss.Of(nil)
	_, short := loss.Of([]grpo.Sequence{{LogProb: []float64{-1}, Old: nil}})
	_, nan := loss.Of([]grpo.Sequence{{LogProb: []float64{math.NaN()}, Old: []float64{-1}, Advantage: 1}})
	loss.Beta = 1
	_, ref := loss.Of([]grpo.Sequence{{LogProb: []float64{-1}, Old: []float64{-1}}})
	for i, err := range []error{groups, infinite, none, short, nan, ref} {
		if bad, ok := err.(interface{ BadInput() bool }); !ok || !bad.BadInput() {
			t.Errorf("case %d: %v is not bad input", i, err)
		}
	}
	if _, err := grpo.TrainerRule("ppo", ""); err == nil {
		t.Error("an unknown trainer was taken")
	}
}

func TestMetrics(t *testing.T) {
	// Ratios 2 and 1/2 with range .2: clipped above for Â > 0, below for Â < 0.
	two := []float64{math.Log(2), -math.Log(2)}
	l := grpo.Loss{Objective: grpo.ObjectiveClip, Aggregation: grpo.TokenMean, Low: .2, High: .2}
	m, err := l.Of([]grpo.Sequence{{LogProb: two, Old: []float64{0, 0}, Advantage: 1}, {LogProb: two, Old: []float64{0, 0}, Advantage: -1}})
	if err != nil {
		t.Fatal(err)
	}
	// −1.2, −.5 and 2, .8.
	if m.ClipHigh != .25 || m.ClipLow != .25 || !closeTo(m.Ratio, 1.25) || !closeTo(m.Loss, (-1.2-.5+2+.8)/4) || m.Tokens != 4 {
		t.Errorf("%+v", m)
	}
}
