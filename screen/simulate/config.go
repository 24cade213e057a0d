package simulate

import (
	"fmt"
	"math"
)

// ReferenceCells is the number of cells a donor and context at which a donor's mean
// effect has the standard deviation s.
const ReferenceCells = 50

// Class is what a compound does in truth.
type Class string

// The classes.
const (
	Selective   Class = "context-selective" // Effect where positive, nothing where neutral
	Both        Class = "both"              // Effect where positive, exactly the margin where neutral
	NeutralOnly Class = "neutral-only"      // nothing where positive, Effect where neutral
	Suppressor  Class = "suppressor"        // −Effect where positive, nothing where neutral
	Inert       Class = "inert"             // nothing
)

// Truth is what an item of a simulated screen does: its class, "" for decoys and
// controls, and its effects in units of the score.
type Truth struct {
	Class    Class
	Pos, Neu float64
}

// Config says what is simulated. Start from [Typical]: the zero value is no screen.
type Config struct {
	Compounds   int `json:"compounds"`
	Selective   int `json:"selective"`
	Both        int `json:"both"`
	NeutralOnly int `json:"neutral_only"`
	Suppressors int `json:"suppressors"`
	// Decoys is the number of each of three families.
	Decoys int `json:"decoys"`
	// Donors is the number of each context. They are in both contexts, unless Separate.
	Donors   int  `json:"donors"`
	Separate bool `json:"separate"`
	// Cells is the number a donor and context.
	Cells int `json:"cells"`
	// Draws is the number of vehicle draws a cell.
	Draws int `json:"vehicle_replicates"`
	// Effect is that of compounds that have one, Margin how far a score may move and
	// count as unmoved; the positive control has four margins in both contexts.
	Effect float64 `json:"effect"`
	Margin float64 `json:"margin"`
	// D0 is the degrees of freedom of the variances, above 2; +Inf makes all alike.
	D0 float64 `json:"d0"`
	// CellShare of the variance is between cells.
	CellShare float64 `json:"cell_share"`
	// Correlation is that of a donor's two effects, of the part that is between donors.
	Correlation float64 `json:"correlation"`
	Seed        uint64  `json:"seed"`
}

// Typical is a screen of n compounds, of which k are context-selective with an effect
// of four standard deviations at a margin of three: 15 % more move both contexts, the
// neutral one exactly as far as the margin, 4 % move the neutral one only, 5 % are
// suppressors, the rest are inert; 6 donors with 50 cells in each of 2 contexts, and
// 32 vehicle draws a cell.
func Typical(n, k int) Config {
	share := func(f float64) int { return int(f * float64(n-k)) }
	if n == 4000 && k == 40 {
		share = func(f float64) int { return int(math.Round(f * float64(n))) } // 600, 160, 200
	}
	return Config{
		Compounds: n, Selective: k, Both: share(0.15), NeutralOnly: share(0.04), Suppressors: share(0.05),
		Donors: 6, Cells: 50, Draws: 32, Effect: 4, Margin: 3, D0: 4, CellShare: 0.5, Seed: 42,
	}
}

// Check reports what cannot be simulated.
func (c Config) Check() error {
	special := c.Selective + c.Both + c.NeutralOnly + c.Suppressors
	rows := float64(c.Compounds+3*c.Decoys+1+c.Draws) * float64(2*c.Donors) * float64(c.Cells)
	switch {
	case c.Compounds < 1 || min(c.Selective, c.Both, c.NeutralOnly, c.Suppressors, c.Decoys) < 0:
		return fmt.Errorf("%d compounds, of which %d have an effect, and %d decoys a family: expected one compound or more", c.Compounds, special, c.Decoys)
	case special > c.Compounds:
		return fmt.Errorf("%d compounds have an effect, of %d", special, c.Compounds)
	case c.Donors < 1 || c.Cells < 1 || c.Draws < 1:
		return fmt.Errorf("%d donors, %d cells and %d vehicle draws: expected one or more of each", c.Donors, c.Cells, c.Draws)
	case c.Cells > math.MaxInt32/c.Donors || c.Draws > math.MaxInt16 || rows > maxRows:
		return fmt.Errorf("the screen has %.3g rows, more than %g", rows, float64(maxRows))
	case !(c.Effect >= 0 && c.Effect <= 1000) || !(c.Margin > 0 && c.Margin <= 1000):
		return fmt.Errorf("an effect of %g and a margin of %g, expected up to 1000 standard deviations", c.Effect, c.Margin)
	case !(c.D0 > 2):
		return fmt.Errorf("%g degrees of freedom of the variances, expected more than 2", c.D0)
	case !(c.CellShare >= 0 && c.CellShare <= 1):
		return fmt.Errorf("the share %g of the variance between cells is not in [0, 1]", c.CellShare)
	case !(c.Correlation >= -1 && c.Correlation <= 1):
		return fmt.Errorf("the correlation %g is not in [-1, 1]", c.Correlation)
	}
	return nil
}

// maxRows bounds memory at some 4 GB.
const maxRows = 100_000_000
