// Package record is what a screen leaves and its analysis reads: one row for each
// prediction, with the cell it began from, what was done to it, and its scores.
//
// Start with [Table]. Rows are columns of numbers that point into the lists of a
// [Header], so that millions of them fit into memory and none is repeated as text.
package record

// Arm is what a row's cell was given.
type Arm uint8

// The arms of a screen. The interferon arms exist in the neutral context only: the
// question of the paper is what a compound adds to a little interferon.
const (
	Vehicle        Arm = iota // nothing; several draws a cell
	Compound                  // the compound of the row
	Interferon                // low-dose interferon alone
	CompoundAndIFN            // both
)

// Context is one of the two contexts of a screen.
type Context uint8

// The contexts.
const (
	Positive Context = iota // where the program should rise
	Neutral                 // where it should not
)

// Kind is what a compound is in the screen.
type Kind string

// The kinds of compounds.
const (
	Test     Kind = "compound"
	Decoy    Kind = "decoy"            // does nothing by construction
	Control  Kind = "positive_control" // raises the program in both contexts
	Baseline Kind = "baseline"         // not asked of the model
)

// Item is a compound of a screen.
type Item struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Family is that of a decoy: "invented", "stem" or "shuffled".
	Family string `json:"family,omitempty"`
	// Known is "inducer", "inert" or "" for compounds with published evidence, and
	// Evidence names it (a PMID).
	Known    string `json:"known,omitempty"`
	Evidence string `json:"known_evidence,omitempty"`
}

// Cluster is a donor or a cell line: the unit of replication.
type Cluster struct {
	Name string `json:"name"`
	// In says in which contexts it has cells; one that is in both is its own control.
	In [2]bool `json:"in"`
}

// Header is the lists that the rows point into.
type Header struct {
	// Plan is the digest of the plan that the rows come from.
	Plan      string    `json:"plan"`
	Items     []Item    `json:"items"`
	Clusters  []Cluster `json:"clusters"`
	CellTypes []string  `json:"cell_types"`
	Doses     []string  `json:"doses"` // of Rows.Dose, rising
	Program   []string  `json:"program"`
	Predictor string    `json:"predictor"`
}

// Table is the rows of a screen, column by column; all columns have the same length.
type Table struct {
	Header   Header
	Context  []Context
	Arm      []Arm
	Item     []int32 // of Header.Items; −1 for arms without a compound
	Dose     []int16 // of Header.Doses
	Cluster  []int32 // of Header.Clusters
	CellType []int32 // of Header.CellTypes
	Cell     []int32 // row of the cell in its context's file
	Draw     []int16 // number of the draw of this cell and arm
	U        []float32
	Expr     []float32 // mean z of the program in decoded expression, signed
	Valid    []bool
	Copy     []bool
}
