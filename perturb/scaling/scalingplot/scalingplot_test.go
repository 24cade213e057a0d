package scalingplot_test

import (
	"bytes"
	"context"
	"image/png"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/scaling"
	"github.com/cellsentence/c2s/perturb/scaling/scalingplot"
)

func TestWrite(t *testing.T) {
	k := scaling.Curve{R0: .2, A: .61, B: 1.92, Mid: 2542}
	points := []scaling.Point{{Compute: 0, Reward: .2}}
	for c := 500.0; c < 10000; c += 500 {
		points = append(points, scaling.Point{Compute: c, Reward: k.At(c)})
	}
	fit, err := scaling.Run(context.Background(), points, scaling.Config{Resamples: 20, At: []float64{20000}})
	if err != nil {
		t.Fatal(err)
	}
	runs := []scalingplot.Run{{"a run", points, fit}}
	var svg, again, picture bytes.Buffer
	for _, w := range []*bytes.Buffer{&svg, &again} {
		if err := scalingplot.Write(w, runs, "svg"); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(svg.String(), "a run") || svg.String() != again.String() {
		t.Error("the SVG has no legend, or differs from time to time")
	}
	if err := scalingplot.Write(&picture, runs, "png"); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&picture); err != nil {
		t.Error(err)
	}
	if err := scalingplot.Write(&picture, runs, "gif"); err == nil {
		t.Error("gif was taken")
	}
}
