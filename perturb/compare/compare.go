package compare

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Run is a prediction that was scored, with what else is known of it.
type Run struct {
	Name   string
	Real   string  // tells real files apart, such as a hash
	Scores *Scores // must be set
	// The others may be nil: not known.
	Record    *Record
	Behaviour *Behaviour
	Sampling  *Sampling
	Dose      *int // percent of junk in what the model was trained on
}

// Config says how runs are compared. The zero value is good.
type Config struct {
	// Common compares what runs share where they differ in preset, real file,
	// perturbations or metrics, which is an error otherwise.
	Common bool
	// Metrics make the overall score; nil takes all that can.
	Metrics []string
	// Prices turn tokens and time into money; nil does without.
	Prices *Prices
}

// Result is a comparison. Its JSON is compare.json.
type Result struct {
	Presets       []string `json:"presets"`
	Perturbations []string `json:"perturbations"`
	// By is what the ranking is by: "overall", or a metric where there is no overall score.
	By string `json:"by"`
	// OverallOf is the metrics of the overall score, empty if there is none.
	OverallOf []string   `json:"overall_of"`
	Ranking   []Ranked   `json:"ranking"` // best first
	Pairs     []Pair     `json:"pairs"`
	Frontiers []Frontier `json:"frontiers"`
	Trends    []Trend    `json:"trends"`
	Prices    *Prices    `json:"prices"`
	Warnings  []string   `json:"warnings"`
}

// Ranked is a run.
type Ranked struct {
	Name string `json:"name"`
	// Overall is the mean over metrics and perturbations of the values between the
	// anchors, with its 95 % interval over perturbations.
	Overall   Number     `json:"overall"`
	Low       Number     `json:"low"`
	High      Number     `json:"high"`
	Scores    []Score    `json:"scores"`
	Record    *Record    `json:"record"`
	Money     Number     `json:"money"` // of all cells, by the prices
	Behaviour *Behaviour `json:"behaviour"`
	Sampling  *Sampling  `json:"sampling"`
	Dose      *int       `json:"dose"`
	Flags     []Flag     `json:"flags"`
}

// Score is a run by one metric.
type Score struct {
	Metric     string `json:"metric"`
	Lower      bool   `json:"lower_is_better"`
	Diagnostic bool   `json:"diagnostic"` // neither more nor less is better
	Score      Number `json:"score"`
	Normalised Number `json:"normalised"`
	Low        Number `json:"low"`
	High       Number `json:"high"`
}

// Frontier is scores and costs in one unit.
type Frontier struct {
	Unit   string   `json:"unit"` // of Cost
	Points []Point  `json:"points"`
	Left   []string `json:"left_out"` // runs whose cost is not known
}

// Point is a run on the plane of cost and score.
type Point struct {
	Name  string  `json:"name"`
	Cost  float64 `json:"cost"`
	Score float64 `json:"score"`
	On    bool    `json:"on_frontier"`
}

// fewPerturbations is the number below which signed ranks cannot reach p = 0.05.
const fewPerturbations = 6

// Compare compares runs, of which there must be one at least, each with its own name.
func Compare(ctx context.Context, runs []Run, cfg Config) (*Result, error) {
	if len(runs) == 0 {
		return nil, badInput("", "there is no run to compare")
	}
	var names []string
	for i := range runs {
		names = append(names, runs[i].Name)
	}
	if twice := repeated(names); twice != "" {
		return nil, badInput("", "two runs are called %q", twice)
	}
	t, err := align(runs, cfg.Common)
	if err != nil {
		return nil, err
	}
	columns := t.columns
	all, err := t.overall(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	if all != nil {
		columns = append([]column{*all}, columns...)
	}
	r := &Result{Perturbations: t.perturbations, OverallOf: t.parts, Prices: cfg.Prices, Pairs: []Pair{}, Frontiers: []Frontier{}, Trends: []Trend{}}
	for i := range runs {
		if p := runs[i].Scores.Preset; !slices.Contains(r.Presets, p) {
			r.Presets = append(r.Presets, p)
		}
	}
	lead := slices.IndexFunc(columns, func(c column) bool { return !c.diagnostic })
	if lead < 0 {
		return nil, badInput("", "no metric of the runs says which of them is better")
	}
	r.By = columns[lead].name
	order := columns[lead].order(runs)
	for i := range columns {
		if columns[i].diagnostic {
			continue
		}
		pairs, err := columns[i].pairs(ctx, runs, order)
		if err != nil {
			return nil, err
		}
		r.Pairs = append(r.Pairs, pairs...)
		if trend := columns[i].trend(runs); trend != nil {
			r.Trends = append(r.Trends, *trend)
		}
	}
	for _, i := range order {
		ranked, err := t.ranked(&runs[i], i, all, cfg.Prices)
		if err != nil {
			return nil, err
		}
		r.Ranking = append(r.Ranking, *ranked)
	}
	if all == nil {
		t.warnings = append(t.warnings, fmt.Sprintf("there is no overall score: runs are in the order of %s", columns[lead].name))
	} else {
		r.frontiers()
	}
	if n := len(t.perturbations); len(runs) > 1 && n < fewPerturbations {
		t.warnings = append(t.warnings, fmt.Sprintf("with %d perturbations no test over perturbations can tell runs apart", n))
	}
	r.Warnings = append([]string{}, t.warnings...)
	return r, nil
}

// order is the runs by falling score, those without one last.
func (c *column) order(runs []Run) []int {
	order := make([]int, len(runs))
	for i := range order {
		order[i] = i
	}
	key := func(i int) float64 {
		if math.IsNaN(c.score[i]) {
			return math.Inf(1)
		}
		return -c.toward * c.score[i]
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(runs[a].Name, runs[b].Name))
	})
	return order
}

// ranked gathers what is known of run i.
func (t *table) ranked(run *Run, i int, all *column, prices *Prices) (*Ranked, error) {
	out := &Ranked{
		Name: run.Name, Overall: missing(), Low: missing(), High: missing(), Money: missing(),
		Record: run.Record, Behaviour: run.Behaviour, Sampling: run.Sampling, Dose: run.Dose, Flags: append([]Flag{}, run.Scores.Flags...),
	}
	if all != nil {
		out.Overall, out.Low, out.High = Number(all.score[i]), Number(all.low[i]), Number(all.high[i])
	}
	for _, c := range t.columns {
		out.Scores = append(out.Scores, Score{c.name, c.toward < 0, c.diagnostic, Number(c.score[i]), Number(c.normalised[i]), Number(c.low[i]), Number(c.high[i])})
	}
	if prices != nil && run.Record.known() {
		money, err := prices.Of(run.Record)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", run.Name, err)
		}
		out.Money = Number(money)
	}
	return out, nil
}

// frontiers sets the overall score against tokens and against money.
func (r *Result) frontiers() {
	units := []struct {
		name string
		cost func(*Ranked) float64 // of a cell
	}{
		{"tokens a cell", func(run *Ranked) float64 { return run.Record.each(float64(run.Record.Tokens())) }},
		{"", func(run *Ranked) float64 { return 1000 * run.Record.each(float64(run.Money)) }},
	}
	if r.Prices != nil {
		units[1].name = fmt.Sprintf("%s for 1,000 cells, prices of %s", r.Prices.Currency, r.Prices.Date)
	}
	for _, u := range units {
		if u.name == "" {
			continue
		}
		f := Frontier{Unit: u.name, Points: []Point{}, Left: []string{}}
		var cost, score []float64
		spent := false
		for i := range r.Ranking {
			run := &r.Ranking[i]
			if !run.Record.known() || run.Overall.Missing() {
				f.Left = append(f.Left, run.Name)
				continue
			}
			c := u.cost(run)
			spent = spent || c > 0
			cost, score = append(cost, c), append(score, float64(run.Overall))
			f.Points = append(f.Points, Point{run.Name, c, float64(run.Overall), false})
		}
		if !spent {
			continue
		}
		for _, i := range Hull(cost, score) {
			f.Points[i].On = true
		}
		r.Frontiers = append(r.Frontiers, f)
	}
}
