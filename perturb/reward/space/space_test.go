package space_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/perturb/reward"
	"github.com/cellsentence/c2s/perturb/reward/space"
	"github.com/cellsentence/c2s/scfid/pca"
)

// components are of two dimensions: the genes A and b themselves, less 1 and 0.5.
func components(target float64) *pca.Model {
	return &pca.Model{
		Genes: []string{"A", "b", "C"}, Mean: []float64{1, 0.5, 0}, Components: [][]float64{{1, 0, 0}, {0, 1, 0}},
		Variance: []float64{1, 1}, TotalVariance: 2, Target: target, Cells: 10,
	}
}

// line is expression that falls by 1 from 2 on with each tenfold of the rank.
func line(units string) *cellsentence.RankModel {
	return &cellsentence.RankModel{Kind: cellsentence.RankLinear, Units: units, Slope: -1, Intercept: 2}
}

func TestPCA(t *testing.T) {
	for _, c := range []struct {
		target float64
		units  string
		factor float64
	}{
		{10000, "ln(1 + x), x scaled to 10000 a cell", 1},
		{10000, "log10(1 + x), x scaled to 10000 a cell", math.Ln10},
		{0, "values as they are", 1},
	} {
		embed, err := space.PCA(components(c.target), line(c.units))
		if err != nil {
			t.Fatal(err)
		}
		// The second sentence has A behind nine words that are no genes of it, and again.
		got, err := embed(context.Background(), [][]string{{"B", "A", "X"}, strings.Fields("C X X X X X X X X A A"), {}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][2]float64{{c.factor*(2-math.Log10(2)) - 1, 2*c.factor - 0.5}, {c.factor*1 - 1, -0.5}, {-1, -0.5}} {
			for k := range want {
				// Expression is float32.
				if math.Abs(got[i][k]-want[k]) > 1e-6 {
					t.Errorf("%s, sentence %d: %v, want %v", c.units, i, got[i], want)
				}
			}
		}
	}
	twice := components(10000)
	twice.Genes[2] = "a"
	for _, c := range []struct {
		m    *pca.Model
		rank string
		want string
	}{
		{components(10000), "log10(1 + x), x scaled to 2048 a cell", "--normalize 10000"},
		{components(10000), "log2(1 + x), x scaled to 10000 a cell", "--normalize 10000"},
		{components(0), "ln(1 + x), x scaled to 10000 a cell", "logarithms as they were"},
		{twice, "ln(1 + x), x scaled to 10000 a cell", `"A" twice`},
	} {
		_, err := space.PCA(c.m, line(c.rank))
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) || !bad.BadInput() {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
	embed, err := space.PCA(components(0), line("values as they are"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := embed(ctx, [][]string{{"A"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
}

// The reward in such a space: an answer like the real cell has 0, one without a place the
// opposite of the real one, −4·(3² + 4²)/2.
func TestScored(t *testing.T) {
	panel, err := reward.NewPanel([]string{"A", "B"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := reward.NewScorer(reward.Config{
		Kind: reward.KindMSE, Panel: panel,
		Embed: func(_ context.Context, sentences [][]string) ([][]float64, error) {
			out := make([][]float64, len(sentences))
			for i, words := range sentences {
				if len(words) > 0 {
					out[i] = []float64{3, 4}
				}
			}
			return out, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	truth := reward.Truth{Real: reward.Sentences{"A B", "B A"}}
	got, err := s.Score(context.Background(), []reward.Item{{Prompt: "p", Answer: "A", Truth: truth}, {Prompt: "p", Answer: "</s>", Truth: truth}})
	if err != nil || got[0].Reward != 0 || got[1].Reward != -50 {
		t.Errorf("%v, %v", got, err)
	}
	empty := reward.Truth{Real: reward.Sentences{" "}}
	if _, err := s.Score(context.Background(), []reward.Item{{Prompt: "p", Answer: "A", Truth: empty}}); err == nil {
		t.Error("a real cell without a place was taken")
	}
}
