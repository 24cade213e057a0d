package reward_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/reward"
)

func panel(t testing.TB, genes string) *reward.Panel {
	t.Helper()
	p, err := reward.NewPanel(strings.Fields(genes))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"A b C":                         "A B C",
		" A B.":                         "A B",
		"A B</s><|im_end|>":             "A B",
		"<ctrl100> A RP11-34P13.7\nB .": "A RP11-34P13.7 B",
		"A < B > C":                     "A < B > C",
		"A <" + strings.Repeat("x", 40): "A <" + strings.Repeat("X", 40),
		"":                              "",
	} {
		if got := strings.Join(reward.Words(in), " "); got != want {
			t.Errorf("%q: %q, expected %q", in, got, want)
		}
	}
}

func TestPanel(t *testing.T) {
	p := panel(t, "A B C D")
	if got := p.Order(strings.Fields("X C A C")); !slices.Equal(got, []float64{3, 0, 4, 0}) {
		t.Errorf("order %v", got)
	}
	// 1 − ln(1+r)/ln 5 for r = 0 and 1.
	if got := p.Vector(strings.Fields("X C A C")); !slices.EqualFunc(got, []float64{1 - math.Log(2)/math.Log(5), 0, 1, 0}, near) {
		t.Errorf("vector %v", got)
	}
	for _, c := range []struct {
		pred, real string
		k          int
		want       float64
	}{
		{"A B", "B A", 0, 1},
		{"A C", "A B", 0, .5},
		{"A C B", "A B", 2, .5},
		{"C A", "A B", 1, 0},
		{"", "A", 5, 0},
		{"A", "X", 0, math.NaN()},
	} {
		if got := p.Overlap(strings.Fields(c.pred), strings.Fields(c.real), c.k); !near(got, c.want) {
			t.Errorf("overlap %+v: %v", c, got)
		}
	}
	program := panel(t, "A B")
	for _, c := range []struct {
		s    string
		want float64
	}{
		{"A B C D", 1},
		{"C D A B", 0},
		{"A C B D", .75},
		{"", .5},
		// A is above all; B ties with D and is below C.
		{"A C", (2 + .5) / 4},
	} {
		if got := p.AUC(strings.Fields(c.s), program); got != c.want {
			t.Errorf("AUC %q: %v, expected %v", c.s, got, c.want)
		}
	}
	for _, c := range []struct {
		pred, real, control string
		want                float64
	}{
		{"A B C D", "A C B D", "C D A B", 1},
		{"C D A B", "A C B D", "C A D B", 0},
		{"C A D B", "A C B D", "C A D B", .5},
		{"A", "C A D B", "C A D B", math.NaN()},
	} {
		if got := p.Direction(strings.Fields(c.pred), strings.Fields(c.real), strings.Fields(c.control), program); !near(got, c.want) {
			t.Errorf("direction %+v: %v", c, got)
		}
	}
	for _, genes := range [][]string{nil, {"A", "a"}, {""}, {"A B"}} {
		if _, err := reward.NewPanel(genes); !bad(err) {
			t.Errorf("%q: %v", genes, err)
		}
	}
	read, err := reward.ReadPanel(strings.NewReader("# genes\nb2m\t12\n\nTAP1\n"))
	if err != nil || read.Len() != 2 {
		t.Errorf("%v, %v", read, err)
	}
}

func bad(err error) bool {
	var b interface{ BadInput() bool }
	return errors.As(err, &b) && b.BadInput()
}

func TestValidity(t *testing.T) {
	v := reward.Validity{Known: panel(t, "A B C D E"), Least: 2, Most: 4, MinKnown: .75}
	for in, want := range map[string]reward.Check{
		"A B C</s>":  {Words: 3, Format: true, Length: true, Score: 1, Valid: true},
		"A B C X":    {Words: 4, Unknown: 1, Format: true, Length: true, Score: .75, Valid: true},
		"A B A A":    {Words: 4, Repeats: 2, Format: true, Length: true, Score: .5},
		"A":          {Words: 1, Format: true, Score: .5},
		"A B C D E":  {Words: 5, Format: true, Score: .8},
		"A\nB":       {Words: 2, Length: true},
		"A  B":       {Words: 2, Length: true},
		"A B\x00":    {Words: 2, Unknown: 1, Length: true},
		"":           {},
		"I think, A": {Words: 3, Unknown: 2, Format: true, Length: true, Score: 1. / 3},
	} {
		if got := v.Check(in); got != want {
			t.Errorf("%q: %+v, expected %+v", in, got, want)
		}
	}
}

func TestPair(t *testing.T) {
	real := []string{"b", "a", "a", "b", "a"}
	got, err := reward.Pair([]string{"a", "a", "b", "a", "a"}, real, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range []string{"a", "a", "b", "a", "a"} {
		if real[got[i]] != l {
			t.Errorf("cell %d of %s is paired with one of %s", i, l, real[got[i]])
		}
	}
	first := []int{got[0], got[1], got[3]}
	slices.Sort(first)
	if !slices.Equal(first, []int{1, 2, 4}) || got[4] != got[0] {
		t.Errorf("real cells are not used in turn: %v", got)
	}
	// A label's order depends on nothing but the seed and the label.
	alone, _ := reward.Pair([]string{"a", "a", "a"}, []string{"a", "a", "a"}, 1)
	for i, k := range []int{got[0], got[1], got[3]} {
		if slices.Index([]int{1, 2, 4}, k) != alone[i] {
			t.Errorf("the pairing of a depends on b: %v, %v", got, alone)
		}
	}
	// Every order of three comes up about equally often: 6,000 seeds, 1,000 each with a
	// standard deviation of 29; 5 of them.
	counts := map[[3]int]int{}
	for seed := range uint64(6000) {
		p, _ := reward.Pair([]string{"a", "a", "a"}, []string{"a", "a", "a"}, seed)
		counts[[3]int(p)]++
	}
	for p, n := range counts {
		if len(counts) != 6 || math.Abs(float64(n)-1000) > 145 {
			t.Errorf("order %v came up %d times", p, n)
		}
	}
	if _, err := reward.Pair([]string{"c"}, real, 1); !bad(err) {
		t.Errorf("%v", err)
	}
}

// TestHero has the paper's formulas by hand: rule 1, 1, 0, 0; scores 2, 1, 0, −1;
// α = β = .05; σ = 1.118034, σ̄ = 1: w = 2.142011. ε = 1e-6 moves the sixth digit.
func TestHero(t *testing.T) {
	h := reward.NewHero(true)
	// A first batch that sets σ̄ to 1: its own deviation, then .9·1 + .1·1.
	h.Rewards([][]reward.Answer{{{Score: 1}, {Score: -1}}})
	group := []reward.Answer{{Right: true, Score: 2}, {Right: true, Score: 1}, {Score: 0}, {Score: -1}}
	got := h.Rewards([][]reward.Answer{group})[0]
	for i, want := range []float64{2.249111, 2.034910, .107101, -.107101} {
		if math.Abs(got[i]-want) > 1e-6 {
			t.Errorf("reward %d: %v, expected %v", i, got[i], want)
		}
	}
	// A lone right answer is at the lower edge; one without a score, too.
	lone := reward.NewHero(false).Rewards([][]reward.Answer{{{Right: true, Score: 3}, {Score: 3}, {Score: math.NaN()}}})[0]
	// σ = σ̄ = 0: w = .4 + 2.6/2 = 1.7.
	for i, want := range []float64{1.7 * .9, -1.7 * .1, -1.7 * .1} {
		if math.Abs(lone[i]-want) > 1e-12 {
			t.Errorf("lone %d: %v, expected %v", i, lone[i], want)
		}
	}
	// The worst right answer ever beats the best wrong one: .4·.95 over 3·.05.
	if !(.4*.95 > 3*.05) {
		t.Error("the constants let a wrong answer win")
	}
}

func TestParseTruth(t *testing.T) {
	ceiling := .5
	for in, want := range map[string]reward.Truth{
		`"A B"`:        {Real: reward.Sentences{"A B"}},
		`""`:           {},
		`null`:         {},
		``:             {},
		`{"real":"A"}`: {Real: reward.Sentences{"A"}},
		`{"real":["A","B"],"control":"C","ceiling":0.5,"label":"x"}`: {Real: reward.Sentences{"A", "B"}, Control: "C", Ceiling: &ceiling, Label: "x"},
		`"{\"real\":\"A\",\"replicate\":\"B\"}"`:                     {Real: reward.Sentences{"A"}, Replicate: "B"},
	} {
		got, err := reward.ParseTruth(json.RawMessage(in))
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if err != nil || string(a) != string(b) {
			t.Errorf("%s: %s, %v, expected %s", in, a, err, b)
		}
	}
	for _, in := range []string{`{"reel":"A"}`, `[1]`, `3`, `{"real":3}`, `"{"`} {
		if _, err := reward.ParseTruth(json.RawMessage(in)); !bad(err) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestScorer(t *testing.T) {
	ctx := context.Background()
	truth := reward.Truth{Real: reward.Sentences{"A B C D E F"}, Control: "F E D C B A", Replicate: "A B C D F E"}
	half := []reward.Item{
		{Prompt: "p", Answer: "A B C D E F", Truth: truth},
		{Prompt: "p", Answer: "F E D C B A", Truth: truth},
		{Prompt: "p", Answer: "X Y", Truth: truth},
		{Prompt: "p", Answer: "A B C D F E</s>", Truth: truth},
	}
	// tau of the replicate: 15 pairs, one out of order: 13/15; of the control −1.
	ceiling := 13. / 15
	for kind, want := range map[reward.Kind][]float64{
		"":                   {2 / (ceiling + 1), 0, 1 / (ceiling + 1), 1},
		reward.KindTau:       {1, -1, 0, ceiling},
		reward.KindOverlap:   {1, 1, 0, 1},
		reward.KindDirection: {1, .5, 1, 1},
		reward.KindValidity:  {1, 1, 0, 1},
	} {
		s, err := reward.NewScorer(reward.Config{Kind: kind, Panel: panel(t, "A B C D E F"), Program: panel(t, "A B")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Score(ctx, half)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if math.Abs(got[i].Reward-w) > 1e-12 || got[i].Score < 0 || got[i].Score > 1 {
				t.Errorf("%s, answer %d: %+v, expected %v", kind, i, got[i], w)
			}
		}
	}

	// The embedding: −MSE is 0 for the real cell itself.
	s, _ := reward.NewScorer(reward.Config{Kind: reward.KindMSE, Panel: panel(t, "A B C D E F")})
	got, err := s.Score(ctx, half)
	if err != nil || got[0].Reward != 0 || got[0].Score != 1 || !(got[1].Reward < got[3].Reward && got[3].Reward < 0) {
		t.Errorf("mse: %+v, %v", got, err)
	}
	s, _ = reward.NewScorer(reward.Config{
		Kind: reward.KindMSE, Panel: panel(t, "A"),
		Embed: func(_ context.Context, sentences [][]string) ([][]float64, error) {
			points := make([][]float64, len(sentences))
			for i, w := range sentences {
				points[i] = []float64{float64(len(w)), 0}
			}
			return points, nil
		},
	})
	if got, err = s.Score(ctx, half); err != nil || got[2].Reward != -8 { // (6−2)²/2
		t.Errorf("embed: %+v, %v", got, err)
	}

	// HERO: the two unknown words are wrong, the others right.
	s, err = reward.NewScorer(reward.Config{Kind: reward.KindHero, Panel: panel(t, "A B C D E F"), GroupSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	got, err = s.Score(ctx, half)
	if err != nil || !(got[0].Reward > got[3].Reward && got[3].Reward > got[1].Reward && got[1].Reward > got[2].Reward) || got[2].Valid {
		t.Errorf("hero: %+v, %v", got, err)
	}
	if _, err := s.Score(ctx, half[:3]); !bad(err) {
		t.Errorf("hero with 3 of 4 answers: %v", err)
	}
}

func TestScorerUndefined(t *testing.T) {
	ctx := context.Background()
	s, _ := reward.NewScorer(reward.Config{Panel: panel(t, "A B C")})
	same := reward.Truth{Real: reward.Sentences{"A B C"}, Control: "A B C", Replicate: "A B C"}
	got, err := s.Score(ctx, []reward.Item{{Answer: "C B A", Truth: same}})
	if err != nil || !math.IsNaN(got[0].Reward) || got[0].Score != 0 {
		t.Errorf("no room above the control: %+v, %v", got, err)
	}
	for name, truth := range map[string]reward.Truth{
		"no real cell": {},
		"no control":   {Real: reward.Sentences{"A B"}},
		"no ceiling":   {Real: reward.Sentences{"A B"}, Control: "B A"},
	} {
		if _, err := s.Score(ctx, []reward.Item{{Answer: "A", Truth: truth}}); !bad(err) || !strings.Contains(err.Error(), "answer 0") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Score(ctx, []reward.Item{{Truth: same}, {Truth: reward.Truth{Real: reward.Sentences{"B"}}}}); !bad(err) {
		t.Errorf("one prompt, two truths: %v", err)
	}
	// Several real cells are each other's ceiling.
	many := reward.Truth{Real: reward.Sentences{"A B C", "A B C"}, Control: "C B A"}
	if got, err = s.Score(ctx, []reward.Item{{Answer: "A B C", Truth: many}}); err != nil || got[0].Reward != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Score(done, []reward.Item{{Truth: same}}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, cfg := range []reward.Config{
		{},
		{Kind: "best", Panel: panel(t, "A")},
		{Kind: reward.KindDirection, Panel: panel(t, "A")},
		{Kind: reward.KindDirection, Panel: panel(t, "A B"), Program: panel(t, "C")},
		{Kind: reward.KindHero, Panel: panel(t, "A")},
		{Panel: panel(t, "A"), Validity: reward.Validity{Least: 5, Most: 4}},
	} {
		if _, err := reward.NewScorer(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
