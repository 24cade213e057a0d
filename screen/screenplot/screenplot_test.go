package screenplot_test

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/screen/screenplot"
)

// compounds are many that do nothing, decoys, hits and a control.
func compounds(n int) []screenplot.Compound {
	r := rand.New(rand.NewPCG(1, 2))
	none := screenplot.Effect{Value: 0, Low: math.NaN(), High: math.NaN()}
	at := func(v float64) screenplot.Effect {
		v += 0.02 * r.NormFloat64()
		return screenplot.Effect{Value: v, Low: v - 0.04, High: v + 0.04}
	}
	list := []screenplot.Compound{{Name: "IFN-γ", Control: true, Positive: at(0.25), Neutral: at(0.3)}}
	for i := range 8 {
		list = append(list, screenplot.Compound{Name: fmt.Sprintf("amplifier %d", i), Hit: true, Positive: at(0.2), Neutral: at(0)})
	}
	for i := range n {
		c := screenplot.Compound{Name: "x", Positive: at(0), Neutral: at(0), Decoy: i%3 == 0}
		if i == 5 {
			c.Positive = none
			c.Neutral.Value = math.NaN()
		}
		list = append(list, c)
	}
	return list
}

func svg(t *testing.T, f *figure.Figure) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("C2S_FIGURES"); dir != "" {
		var p bytes.Buffer
		if err := f.PNG(&p); err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(p.Bytes())); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_")+".png"), p.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestQuadrantNamesTheHits(t *testing.T) {
	f, err := screenplot.Quadrant(compounds(300), 0.05)
	if err != nil {
		t.Fatal(err)
	}
	s := svg(t, f)
	for _, want := range []string{"amplifier 0", "IFN-γ", "decoys", "context-selective"} {
		if !strings.Contains(s, want) {
			t.Errorf("the figure does not say %q", want)
		}
	}
	if strings.Contains(s, ">x<") || strings.Contains(s, "NaN") {
		t.Error("the figure names what is no hit, or draws what is no number")
	}
}

// A screen of thousands makes a page that still opens.
func TestQuadrantOfManyIsSmall(t *testing.T) {
	f, err := screenplot.Quadrant(compounds(8000), 0.05)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(svg(t, f)); n > 600_000 {
		t.Errorf("%d bytes for 8,000 compounds", n)
	}
}

func TestDonors(t *testing.T) {
	f, err := screenplot.Donors("DRUG-001", []screenplot.Donor{{"P1", 0.2, 0.01}, {"P2", 0.25, math.NaN()}, {"P3", 0.15, -0.02}})
	if err != nil {
		t.Fatal(err)
	}
	if s := svg(t, f); !strings.Contains(s, "positive") || strings.Contains(s, "NaN") {
		t.Error("the figure lacks its context, or draws what is no number")
	}
}

func TestNothingToDraw(t *testing.T) {
	if _, err := screenplot.Quadrant(nil, 1); err == nil {
		t.Error("a quadrant of nothing was drawn")
	}
	if _, err := screenplot.Donors("x", []screenplot.Donor{{"a", math.NaN(), math.NaN()}}); err == nil {
		t.Error("donors without effects were drawn")
	}
}
