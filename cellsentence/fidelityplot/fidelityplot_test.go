package fidelityplot

import (
	"bytes"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
)

func sample(n int) *cellsentence.FidelityPlots {
	r := rand.New(rand.NewPCG(1, 2))
	p := &cellsentence.FidelityPlots{
		Curves:    []cellsentence.Curve{{Label: "linear", Points: []cellsentence.Point{{X: 0, Y: 3}, {X: 3, Y: 0}}}, {Label: "none"}},
		Residuals: []cellsentence.Curve{{Label: "linear", Points: []cellsentence.Point{{X: 0, Y: 0.1}, {X: 3, Y: -0.1}}}},
	}
	for range n {
		x := 3 * r.Float64()
		y := math.Max(0, 3-x+0.2*r.NormFloat64())
		p.Rank = append(p.Rank, cellsentence.Point{X: x, Y: y})
		p.Linear = append(p.Linear, cellsentence.Point{X: y, Y: 3 - x})
	}
	return p
}

func TestWrite(t *testing.T) {
	for _, kind := range Kinds() {
		var few, many, again bytes.Buffer
		for _, c := range []struct {
			n   int
			out *bytes.Buffer
		}{{1000, &few}, {100_000, &many}, {100_000, &again}} {
			if err := Write(c.out, kind, sample(c.n), "svg"); err != nil {
				t.Fatal(kind, err)
			}
		}
		if !bytes.Equal(many.Bytes(), again.Bytes()) {
			t.Errorf("%s: two drawings differ", kind)
		}
		picture := strings.Contains(many.String(), "data:image/")
		if picture != (kind != Residuals) || strings.Contains(few.String(), "data:image") || many.Len() > 400_000 {
			t.Errorf("%s: %d and %d bytes, a picture: %v", kind, few.Len(), many.Len(), picture)
		}
		var img bytes.Buffer
		if err := Write(&img, kind, sample(20_000), "png"); err != nil {
			t.Fatal(kind, err)
		}
		pic, err := png.Decode(&img)
		if err != nil {
			t.Fatal(kind, err)
		}
		colours := map[[3]uint32]bool{}
		for y := range pic.Bounds().Dy() {
			for x := range pic.Bounds().Dx() {
				r, g, b, _ := pic.At(x, y).RGBA()
				colours[[3]uint32{r, g, b}] = true
			}
		}
		if len(colours) < 10 {
			t.Errorf("%s: %d colours", kind, len(colours))
		}
	}
	for _, c := range []struct {
		kind         Kind
		format, want string
	}{{Rank, "gif", "choose png or svg"}, {"x", "png", `unknown plot "x"`}} {
		if err := Write(&bytes.Buffer{}, c.kind, sample(5), c.format); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v", err)
		}
	}
	// Nothing to draw but the axes.
	if err := Write(&bytes.Buffer{}, Rank, &cellsentence.FidelityPlots{}, "png"); err != nil {
		t.Error(err)
	}
}
