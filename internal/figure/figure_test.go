package figure

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
)

func cloud(n int) [][2]float64 {
	xy := make([][2]float64, n)
	for i := range xy {
		xy[i] = [2]float64{float64(i % 97), float64(i % 89)}
	}
	return xy
}

func TestManyPointsBecomeAPicture(t *testing.T) {
	size := func(n int) int {
		f := New("t", "x", "y")
		f.AddCloud(Points{Name: "a", XY: cloud(n), Colour: Blue()}, Points{Name: "b", XY: cloud(3), Colour: Red()})
		var b bytes.Buffer
		if err := f.SVG(&b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "<image"); got != (n+3 > maxShapes) {
			t.Errorf("%d points: a picture: %v", n, got)
		}
		return b.Len()
	}
	size(100)
	if few, many := size(6000), size(60_000); many > 3*few {
		t.Errorf("6,000 points take %d bytes, 60,000 take %d", few, many)
	}
}

func TestPNGHasTheSizeOfTheFigure(t *testing.T) {
	f := New("t", "x", "y")
	if err := f.Line("l", cloud(5), Green()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.PNG(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X != 7*resolution || s.Y != 5*resolution {
		t.Errorf("%v", s)
	}
}
