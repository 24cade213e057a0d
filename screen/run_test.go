package screen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
)

// fake moves genes of the program forward: compounds by their names, the controls always,
// with luck by the seed of the request and the row, as every predictor.
type fake struct {
	program []string

	mu    sync.Mutex
	seeds map[string]int // asked, by seed, row and name
	order []string       // context, name and row, as they came
	fail  int            // after so many answers, if above 0
	luck  uint64         // another one for the same seeds
}

func newFake(p *Plan) *fake { return &fake{program: p.Program.Words(), seeds: map[string]int{}} }

func (f *fake) Info() perturb.Info {
	return perturb.Info{Name: "fake", Digest: "1", Sentences: true, Values: true}
}

var errFake = errors.New("the fake fails")

func (f *fake) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	if err := context.Cause(ctx); err != nil {
		return perturb.Response{}, err
	}
	var names []string
	for _, p := range r.Perturbation.Parts {
		names = append(names, strings.TrimSpace(p.Name+" "+p.Dose))
	}
	name := strings.Join(names, "+")
	c := r.Cells[0]
	f.mu.Lock()
	f.seeds[fmt.Sprint(r.Seed, " ", c.Row, " ", name, r.Context)]++
	f.order = append(f.order, fmt.Sprintf("%s %s %d", r.Context, name, c.Row))
	failed := f.fail > 0 && len(f.order) > f.fail
	f.mu.Unlock()
	if failed {
		return perturb.Response{}, errFake
	}
	luck := rand.New(rand.NewPCG(r.Seed^f.luck, uint64(c.Row)))
	genes := slices.Clone(c.Genes)
	luck.Shuffle(5, func(i, j int) { genes[i], genes[j] = genes[j], genes[i] })
	lift := 0
	switch word, _, _ := strings.Cut(name, " "); {
	case word == "control" || word == "both", word == "split" && r.Context == "interferon-positive":
		lift = 6
	case word == "harmful":
		lift = -3
	}
	for range max(lift, -lift) {
		from := luck.IntN(len(genes))
		g := f.program[luck.IntN(len(f.program))]
		if at := slices.Index(genes, g); at >= 0 {
			from = at
		} else if lift < 0 {
			continue
		}
		genes = slices.Delete(genes, from, from+1)
		to := 0
		if lift < 0 {
			to = len(genes)
		}
		genes = slices.Insert(genes, to, g)
	}
	return perturb.Response{
		Cells:        []perturb.Predicted{{Genes: genes, Flags: perturb.Flags{Valid: luck.IntN(150) > 0}}},
		PromptTokens: 100, CachedTokens: 60, AnswerTokens: 50,
	}, nil
}

func runOf(t testing.TB, p *Plan, cfg RunConfig) *Result {
	t.Helper()
	if cfg.Predictor == nil {
		cfg.Predictor = newFake(p)
	}
	got, err := Run(t.Context(), p, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func table(got *Result) *record.Table {
	t := &record.Table{Header: got.Header}
	for _, r := range got.Rows {
		t.Append(r)
	}
	return t
}

func written(t testing.TB, got *record.Table) string {
	t.Helper()
	var b bytes.Buffer
	same := *got
	same.Header.Order = "" // says how it was asked
	if err := record.Write(&b, &same); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRunAsksWhatWasPlanned counts rows, and looks at seeds: no two draws of a cell are
// one, and no draw of a compound is one of the vehicle.
func TestRunAsksWhatWasPlanned(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds))
	f := newFake(p)
	last := Progress{}
	got := runOf(t, p, RunConfig{Predictor: f, Progress: func(now Progress) { last = now }})
	if len(got.Rows) != p.Cost.Predictions || last.Done != p.Cost.Predictions || last.Total != last.Done {
		t.Errorf("%d rows, progress %+v, planned %d", len(got.Rows), last, p.Cost.Predictions)
	}
	if last.Prompt != 100*last.Done || last.Cached != 60*last.Done || last.Invalid == 0 || !strings.Contains(last.Note(), "60 % of") {
		t.Errorf("%+v", last)
	}
	seeds := map[string]bool{}
	for key, n := range f.seeds {
		seed, _, _ := strings.Cut(key, " ")
		seeds[seed] = true
		if n != 1 {
			t.Errorf("%s was asked %d times", key, n)
		}
	}
	if want := 2 * (4 + 2 + 8); len(seeds) != want { // contexts × (draws, controls, compounds and decoys)
		t.Errorf("%d seeds, expected %d", len(seeds), want)
	}
	per := map[string]map[int32]bool{}
	for _, r := range got.Rows {
		key := fmt.Sprint(r.Context, r.Arm, r.Item)
		if per[key] == nil {
			per[key] = map[int32]bool{}
		}
		per[key][r.Cell] = true
	}
	for key, cells := range per {
		if len(cells) != 24 {
			t.Errorf("%s has %d cells", key, len(cells))
		}
	}
	// The cell comes first: all that is done to one follows each other.
	at := map[string]int{}
	for i, o := range f.order {
		w := strings.Fields(o)
		k := w[0] + " " + w[len(w)-1]
		if from, ok := at[k]; ok && from >= 6*48 && i-from > 8 { // behind the references, 8 compounds and decoys a cell
			t.Fatalf("%s at %d, and before at %d", o, i, from)
		}
		at[k] = i
	}
	if h := got.Header; h.Plan != p.Digest || h.ProgramSeen != len(p.Seen) || h.SentenceLength != 32 || h.Control != "control a" || h.Design != "fixed" ||
		h.Items[0].TargetShare == nil || h.Items[0].TargetShare[0] == 0 || h.Items[3].TargetShare == nil || h.Items[3].TargetShare[0] != 0 || len(h.Items[0].Moved) != mostMoved {
		t.Errorf("%+v", h)
	}
	r, err := analysis.Analyse(t.Context(), table(got), analysis.Config{})
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]analysis.Call{}
	for _, hit := range r.Hits {
		calls[hit.Name] = hit.Call
	}
	if calls["split"] != analysis.ContextSelective || calls["both"] != analysis.Both || calls["nothing"] == analysis.ContextSelective {
		t.Errorf("%v", calls)
	}
	if want := map[string]float64{"compound": 100, "positive_control": 100, "invented": 100, "stem": 100, "shuffled": 100}; !reflect.DeepEqual(got.Tokens, want) {
		t.Errorf("%v", got.Tokens)
	}
	if len(got.Examples) != 2*(1+2+8) || got.Examples[0].Before == "" {
		t.Errorf("%d examples", len(got.Examples))
	}
}

// TestRowsDoNotDependOnTheWay: jobs at a time, the order of prompts and shards change no
// byte.
func TestRowsDoNotDependOnTheWay(t *testing.T) {
	for _, design := range []string{"cells: 6", "cells: 6\ndesign: racing\nracing: {first: 3, t: 1}\nleading: {doses: [0.1 uM, 1 uM, 10 uM]}"} {
		dir := folder(t, demoCompounds, "cells: 6", design)
		p := mustPlan(t, dir)
		whole := runOf(t, p, RunConfig{})
		want := written(t, table(whole))
		for name, cfg := range map[string]RunConfig{"8 jobs": {Jobs: 8}, "compound first": {CompoundFirst: true, Jobs: 3}} {
			if got := runOf(t, mustPlan(t, dir), cfg); written(t, table(got)) != want {
				t.Errorf("%s: %s gives other rows", design, name)
			}
		}
		for _, n := range []int{2, 5} {
			var parts []*record.Table
			for i := range n {
				parts = append(parts, table(runOf(t, mustPlan(t, dir), RunConfig{Shard: shard.Shard{Index: i, Count: n}})))
			}
			all, err := Join(parts)
			if err != nil {
				t.Fatal(err)
			}
			if written(t, all) != want {
				t.Errorf("%s: %d shards give other rows (%d, whole %d)", design, n, all.Len(), len(whole.Rows))
			}
			if n == 2 {
				if _, err := Join([]*record.Table{parts[1], parts[0]}); err == nil {
					t.Error("shards in the wrong order are joined")
				}
				other := *parts[1]
				other.Header.Plan = "x"
				if _, err := Join([]*record.Table{parts[0], &other}); err == nil {
					t.Error("shards of two plans are joined")
				}
			}
		}
	}
}

// TestRacing: what does nothing is dropped early, what works is asked to the end, at all
// doses.
func TestRacing(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds, "cells: 6", "cells: 6\ndesign: racing\nracing: {first: 3, t: 1}\nleading: {doses: [0.1 uM, 1 uM, 10 uM]}",
		"positive: [control a", "interferon: {name: IFN-beta, dose: 5 U/ml}\n  positive: [control a"))
	last := Progress{}
	got := runOf(t, p, RunConfig{Progress: func(now Progress) { last = now }})
	if last.Done != last.Total || last.Done >= p.Cost.Predictions {
		t.Errorf("%+v, planned %d at most", last, p.Cost.Predictions)
	}
	rows := map[string]map[string]int{}
	for _, r := range got.Rows {
		name := "-"
		if r.Item >= 0 {
			name = got.Header.Items[r.Item].Name
		}
		if rows[name] == nil {
			rows[name] = map[string]int{}
		}
		rows[name][fmt.Sprintf("%d %s", r.Arm, got.Header.Doses[r.Dose])]++
	}
	stopped := map[string]int{}
	for _, item := range got.Header.Items {
		stopped[item.Name] = item.StoppedAt
	}
	if stopped["split"] != 0 || stopped["harmful"] != 1 || stopped["both"] != 2 || stopped["control a"] != 0 {
		t.Errorf("%v", stopped)
	}
	if want := map[string]int{"1 1 uM": 48, "1 0.1 uM": 48, "1 10 uM": 48, "3 1 uM": 24}; !reflect.DeepEqual(rows["split"], want) {
		t.Errorf("split: %v", rows["split"])
	}
	if want := map[string]int{"1 1 uM": 12}; !reflect.DeepEqual(rows["harmful"], want) {
		t.Errorf("harmful: %v", rows["harmful"])
	}
	if rows["-"]["2 0.1 uM"] != 24*4 { // the dose of an arm without a compound says nothing
		t.Errorf("vehicle and interferon: %v", rows["-"])
	}
	// All shards ask so much, whatever they record.
	if p.Items[3].StoppedAt != 0 {
		t.Error("a run changed its plan")
	}
}

func TestBudgetAndInterrupt(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds, "cells: 6", "cells: 6\nbudget: {predictions: 100}"))
	f := newFake(p)
	_, err := Run(t.Context(), p, RunConfig{Predictor: f})
	var spent *BudgetError
	if !errors.As(err, &spent) || spent.What != "predictions" || spent.Done != 101 || len(f.order) > 120 {
		t.Errorf("%v, %d asked", err, len(f.order))
	}
	p = mustPlan(t, folder(t, demoCompounds, "cells: 6", "cells: 6\nbudget: {money: 0.01}\nprice: {prompt: 1, answer: 2}"))
	_, err = Run(t.Context(), p, RunConfig{Predictor: newFake(p)})
	if !errors.As(err, &spent) || spent.What != "money" || spent.Done != 51 { // 200 millionths each
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Run(ctx, p, RunConfig{Predictor: newFake(p), Jobs: 4, Progress: func(now Progress) {
		if now.Done == 20 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	f = newFake(p)
	f.fail = 30
	if _, err = Run(t.Context(), p, RunConfig{Predictor: f, Jobs: 4}); !errors.Is(err, errFake) {
		t.Errorf("%v", err)
	}
}

// contrary does to cells the opposite of fake.
type contrary struct{ *fake }

func (c contrary) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	out, err := c.fake.Predict(ctx, r)
	if len(r.Perturbation.Parts) > 0 && err == nil {
		slices.Reverse(out.Cells[0].Genes)
	}
	return out, err
}

// TestPilot: the cell comes first if the controls do the same, and only then.
func TestPilot(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds, "cells: 6", "cells: 6\norder: pilot", "vehicle_replicates: 4", "vehicle_replicates: 8"))
	like := newFake(p) // does the same with other luck
	like.luck = 1
	for _, c := range []struct {
		other perturb.Predictor
		want  string
	}{{like, "cell first"}, {contrary{newFake(p)}, "compound first"}} {
		got := runOf(t, p, RunConfig{CompoundFirst: true, CellFirst: c.other})
		if !strings.HasPrefix(got.Order, c.want) || got.Pilot != got.Pilot {
			t.Errorf("%s (r = %v)", got.Order, got.Pilot)
		}
		if p := got.Progress; p.Done != p.Total || len(got.Rows) >= p.Done {
			t.Errorf("%+v, %d rows", p, len(got.Rows))
		}
	}
	if got := runOf(t, p, RunConfig{}); got.Pilot == got.Pilot {
		t.Error("a pilot without need")
	}
}

// TestBaseline has rows of its own; what it does not know has none.
func TestBaseline(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds, "controls:", "baseline: {name: additive, reference: demo.h5ad, control: x}\ncontrols:"))
	got := runOf(t, p, RunConfig{Baseline: &forgetful{newFake(p)}})
	n := map[string]int{}
	for _, r := range got.Rows {
		if r.Item >= 0 && got.Header.Items[r.Item].Kind == record.Baseline {
			n[got.Header.Items[r.Item].Name]++
		}
	}
	if want := map[string]int{"": 48, "split": 48, "both": 48, "harmful": 48, "control a": 48, "control b": 48}; !reflect.DeepEqual(n, want) {
		t.Errorf("%v", n)
	}
	if !strings.Contains(strings.Join(got.Warnings, " "), "does not know 1 compounds") {
		t.Errorf("%q", got.Warnings)
	}
	if _, err := analysis.Analyse(t.Context(), table(got), analysis.Config{}); err != nil {
		t.Error(err)
	}
}

// forgetful does not know the compound nothing.
type forgetful struct{ *fake }

type unknownError struct{ error }

func (unknownError) BadInput() bool { return true }

func (f *forgetful) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	if len(r.Perturbation.Parts) > 0 && r.Perturbation.Parts[0].Name == "nothing" {
		return perturb.Response{}, unknownError{errors.New("never heard of it")}
	}
	return f.fake.Predict(ctx, r)
}

// TestSaturation warns where the positive context is as high as the control brings it.
func TestSaturation(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds, "[control a, control b]", "[placebo, control b]"))
	got := runOf(t, p, RunConfig{})
	if !strings.Contains(strings.Join(got.Warnings, "\n"), "saturated") {
		t.Errorf("%q", got.Warnings)
	}
	r, err := analysis.Analyse(t.Context(), table(got), analysis.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(r.Warnings, "\n"), "saturated") || !strings.Contains(r.Methods(), "cell first, as the model was trained") {
		t.Errorf("%q\n%s", r.Warnings, r.Methods())
	}
}

func TestExamplesFile(t *testing.T) {
	h := &record.Header{Items: []record.Item{{Name: "=cmd\tx", Kind: record.Test}}}
	var b bytes.Buffer
	if err := WriteExamples(&b, h, []Example{{Item: -1, Donor: "D", CellType: "T", Before: "A B", After: "B A"}, {Item: 0, Context: 1, Cell: 3, Before: "A", After: ""}}); err != nil {
		t.Fatal(err)
	}
	want := "compound\tkind\tcontext\tdonor\tcell_type\tcell\tbefore\tafter\n" +
		"vehicle\tvehicle\tpositive\tD\tT\t0\tA B\tB A\n" + "'=cmd x\tcompound\tneutral\t\t\t3\tA\t\n"
	if b.String() != want {
		t.Errorf("%q", b.String())
	}
}

// TestRunOfOneDonor gives estimates, whatever the design.
func TestRunOfOneDonor(t *testing.T) {
	for _, design := range []string{"fixed", "racing"} {
		p := mustPlan(t, folder(t, demoCompounds, `interferon-positive"'`, `interferon-positive" && donor == "D1"'`, `interferon-low"'`, `interferon-low" && donor == "D1"'`,
			"cells: 6", "cells: 6\nmatch: none\ndesign: "+design))
		got := runOf(t, p, RunConfig{})
		if len(got.Rows) != p.Cost.Predictions { // what cannot be judged is not dropped
			t.Errorf("%s: %d rows, %d planned", design, len(got.Rows), p.Cost.Predictions)
		}
		r, err := analysis.Analyse(t.Context(), table(got), analysis.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range r.Hits {
			if hit.Call == analysis.ContextSelective || !hit.Q.Missing() && hit.Q < 1 {
				t.Errorf("%s: %s with q = %v", hit.Name, hit.Call, hit.Q)
			}
		}
	}
}

// TestSpecificity: a compound that moves the program alone is told from one that does
// nothing.
func TestSpecificity(t *testing.T) {
	got := runOf(t, mustPlan(t, folder(t, demoCompounds)), RunConfig{})
	p := map[string]float64{}
	for _, item := range got.Header.Items {
		if item.Specificity != nil {
			p[item.Name] = *item.Specificity
		}
	}
	if !(p["split"] <= 0.01) || !(p["nothing"] > 0.05) {
		t.Errorf("%v", p)
	}
}

// TestConcordance: values by hand from the definition.
func TestConcordance(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{1, 2, 3}, 1},
		{[]float64{1, 2, 3}, []float64{2, 3, 4}, 2 * 2 / (2 + 2 + 3.0)},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		{[]float64{0, 1}, []float64{0, 3}, 2 * 1.5 / (0.5 + 4.5 + 2)},
	} {
		if got := concordance(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v, %v: %v, expected %v", c.a, c.b, got, c.want)
		}
	}
	if got := concordance([]float64{1}, []float64{1}); got == got {
		t.Error("a correlation of one point")
	}
}
