package compareplot_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/perturb/compare"
	"github.com/cellsentence/c2s/perturb/compare/compareplot"
)

// The names and labels are in the pictures, and what there is none of is an error.
func TestFigures(t *testing.T) {
	nan := compare.Number(math.NaN())
	r := &compare.Result{Ranking: []compare.Ranked{
		{Name: "a run with a name that is far too long to stand there", Overall: .6, Low: .5, High: .7},
		{Name: "no interval", Overall: .2, Low: nan, High: nan},
		{Name: "no score", Overall: nan, Low: nan, High: nan},
	}}
	f := &compare.Frontier{Unit: "tokens a cell", Points: []compare.Point{{Name: "dear", Cost: 3, Score: .5}, {Name: "good", Cost: 2, Score: .5, On: true}}}
	d := &compare.Trend{Metric: "overall", Doses: []compare.DoseScore{{Dose: 0, Score: .5, Low: .4, High: .6}, {Dose: 50, Score: nan}, {Dose: 100, Score: .1, Low: nan, High: nan}}}
	for _, c := range []struct {
		name string
		draw func() (*figure.Figure, error)
		want []string
	}{
		{"ranking", func() (*figure.Figure, error) { return compareplot.Ranking(r) }, []string{"too long to stand there", "no interval", "no score"}},
		{"frontier", func() (*figure.Figure, error) { return compareplot.Frontier(f) }, []string{"dear", "good", "tokens a cell"}},
		{"doses", func() (*figure.Figure, error) { return compareplot.Doses(d) }, []string{"overall", "junk among"}},
	} {
		fig, err := c.draw()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var b bytes.Buffer
		if err := fig.SVG(&b); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, text := range c.want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("%s: there is no %q in it", c.name, text)
			}
		}
	}
	for name, draw := range map[string]func() (*figure.Figure, error){
		"ranking":  func() (*figure.Figure, error) { return compareplot.Ranking(&compare.Result{}) },
		"frontier": func() (*figure.Figure, error) { return compareplot.Frontier(&compare.Frontier{}) },
		"doses":    func() (*figure.Figure, error) { return compareplot.Doses(&compare.Trend{}) },
	} {
		if _, err := draw(); err == nil {
			t.Errorf("%s of nothing was drawn", name)
		}
	}
}
