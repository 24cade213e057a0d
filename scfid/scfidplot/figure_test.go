package scfidplot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/scfid"
	"github.com/cellsentence/c2s/scfid/scfidplot"
)

func result() *scfid.Result {
	r := &scfid.Result{}
	r.FD, r.BiasFloor, r.CI = 3, 0.5, &[2]float64{2, 3.2}
	r.Extrapolation = scfid.Extrapolation{Value: 2.5, SE: 0.1, Slope: 100}
	for n := 200; n <= 400; n += 50 {
		r.Extrapolation.Points = append(r.Extrapolation.Points, scfid.Point{NReal: n, NGen: n, FD: scfid.Value(2.5 + 200/float64(n))})
	}
	for _, key := range []string{"B cell", "CD8+ T & <NK>", "a name that is much too long to stand beside an axis"} {
		g := scfid.Group{Key: key}
		g.FD, g.BiasFloor = 4, scfid.Value(math.NaN())
		r.Groups = append(r.Groups, g)
	}
	r.Groups[1].FD = scfid.Value(math.NaN())
	return r
}

func cloud(n int) *scfid.Projection {
	r := rand.New(rand.NewPCG(1, 1))
	p := &scfid.Projection{Explained: [2]float64{0.3, 0.1}}
	for range n {
		p.Real = append(p.Real, [2]float64{r.NormFloat64(), r.NormFloat64()})
		p.Gen = append(p.Gen, [2]float64{1 + r.NormFloat64(), r.NormFloat64()})
	}
	return p
}

// Every figure is a picture with ink on it and well-formed SVG; a large cloud stays
// small. C2S_FIGURES names a folder to keep them in, to look at.
func TestFigures(t *testing.T) {
	r := result()
	ranking := &scfid.Comparison{Ranking: []scfid.Ranked{{Name: "one", FD: 1, CI: &[2]float64{0.8, 1.1}}, {Name: "two", FD: 2}}}
	bias, dim := scfidplot.Simulated()
	for name, make := range map[string]func() (*figure.Figure, error){
		"groups":        func() (*figure.Figure, error) { return scfidplot.Groups(r) },
		"ranking":       func() (*figure.Figure, error) { return scfidplot.Ranking(ranking) },
		"extrapolation": func() (*figure.Figure, error) { return scfidplot.Extrapolation(&r.Scores) },
		"cloud":         func() (*figure.Figure, error) { return scfidplot.Projection(cloud(500)) },
		"large cloud":   func() (*figure.Figure, error) { return scfidplot.Projection(cloud(50_000)) },
		"one point":     func() (*figure.Figure, error) { return scfidplot.Projection(&scfid.Projection{Real: make2(1)}) },
		"bias":          func() (*figure.Figure, error) { return scfidplot.Bias(bias, dim) },
	} {
		f, err := make()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var p, s bytes.Buffer
		if err := f.PNG(&p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.SVG(&s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.Len() > 1<<20 {
			t.Errorf("%s: %d bytes of SVG", name, s.Len())
		}
		if dir := os.Getenv("C2S_FIGURES"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), p.Bytes(), 0o600); err != nil {
				t.Error(err)
			}
		}
		wellFormed(t, name, s.Bytes())
		img, err := png.Decode(&p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		colours := map[any]bool{}
		for x := range img.Bounds().Dx() {
			for y := range img.Bounds().Dy() {
				colours[img.At(x, y)] = true
			}
		}
		if len(colours) < 3 {
			t.Errorf("%s: a picture of %d colours", name, len(colours))
		}
	}
	if _, err := scfidplot.Extrapolation(&scfid.Scores{Extrapolation: scfid.Extrapolation{Value: scfid.Value(math.NaN())}}); err == nil {
		t.Error("a missing extrapolation was drawn")
	}
	if _, err := scfidplot.Projection(&scfid.Projection{}); err == nil {
		t.Error("an empty cloud was drawn")
	}
}

func make2(n int) [][2]float64 { return make([][2]float64, n) }

func wellFormed(t *testing.T, name string, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}
