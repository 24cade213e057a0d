package spelling_test

import (
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/spelling"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"kitten", "sitting", 3}, // the textbook's
		{"KLF1", "KLF1-2", 2},
		{"ab", "ba", 2},
	} {
		if got := spelling.Distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d, expected %d", c.a, c.b, got, c.want)
		}
		if spelling.Distance(c.a, c.b) != spelling.Distance(c.b, c.a) {
			t.Errorf("%q, %q: not symmetric", c.a, c.b)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"KLF1", "TGFBR2", "klf1+map2k6", "KLF2", "MAPK1"}
	if got := spelling.Nearest("Klf1-2", names, 3); !slices.Equal(got, []string{"KLF1", "KLF2"}) {
		t.Errorf("%v", got)
	}
	if got := spelling.Nearest("silmitasertib", names, 3); len(got) != 0 {
		t.Errorf("%v is close to nothing", got)
	}
	if got := spelling.Nearest("", names, 3); len(got) != 0 {
		t.Errorf("%v is close to no name", got)
	}
}
