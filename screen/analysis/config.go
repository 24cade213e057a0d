package analysis

import (
	"fmt"
	"runtime"
)

// Score is which score of the program is analysed.
type Score string

// The scores.
const (
	U    Score = "u"    // UCell's statistic of the sentence
	Expr Score = "expr" // mean z of the decoded expression
)

// Config says how a screen is analysed. The zero value is the analysis that is meant.
type Config struct {
	// Score is what is analysed ("": U).
	Score Score `json:"score"`
	// FDR is the false discovery rate of calls (0: 0.1).
	FDR float64 `json:"fdr"`
	// Level is that of all intervals (0: 0.9, with which an interval within the margin
	// is an equivalence at 0.05 and a bound is that of a one-sided test at 0.05).
	Level float64 `json:"level"`
	// Margin is how far a score may move and count as unmoved (0: that of the header, or
	// else the header's share, or a quarter, of the positive control's effect in the
	// neutral context).
	Margin float64 `json:"margin"`
	// Control names the positive control that is the unit ("": that of the header, or
	// else the first).
	Control string `json:"control"`
	// Permutations is the number of those behind the synergy (0: 200).
	Permutations int `json:"permutations"`
	// Seed picks the permutations.
	Seed uint64 `json:"seed"`
	// Workers is the number of goroutines (0: all cores). The result does not hang on it.
	Workers int `json:"-"`
}

// Constants of the calls.
const (
	// MarginShare is the margin in units of the positive control's effect, unless the
	// header of the rows has another.
	MarginShare = 0.25
	// LeastValid is the share of valid answers below which a compound is unreliable.
	LeastValid = 0.9
	// MostCopies is by how much the share of copies may exceed that of the vehicle.
	MostCopies = 0.2
	// LeastDecoys is the number of decoys of a family, as a share of the compounds,
	// below which their false discovery rate cannot be told.
	LeastDecoys = 0.25
	// LeastPanel is the number of known inducers, and of known inert compounds, that a
	// calibration takes.
	LeastPanel = 20
	// Bins is the number of classes of a score behind the synergy.
	Bins = 3
)

// Check reports values that make no sense.
func (c Config) Check() error {
	_, err := c.fill()
	return err
}

// fill puts the defaults in.
func (c Config) fill() (Config, error) {
	if c.Score == "" {
		c.Score = U
	}
	if c.FDR == 0 {
		c.FDR = 0.1
	}
	if c.Level == 0 {
		c.Level = 0.9
	}
	if c.Permutations == 0 {
		c.Permutations = 200
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	switch {
	case c.Score != U && c.Score != Expr:
		return c, fmt.Errorf("the score %q is neither u nor expr", c.Score)
	case !(c.FDR > 0 && c.FDR < 1):
		return c, fmt.Errorf("the false discovery rate %g is not between 0 and 1", c.FDR)
	case !(c.Level > 0 && c.Level < 1):
		return c, fmt.Errorf("the level %g of intervals is not between 0 and 1", c.Level)
	case !(c.Margin >= 0 && c.Margin < 1e300):
		return c, fmt.Errorf("the margin %g is no number from 0 on", c.Margin)
	case c.Permutations < 20 || c.Permutations > 100_000:
		return c, fmt.Errorf("%d permutations, expected 20 to 100,000", c.Permutations)
	}
	return c, nil
}
