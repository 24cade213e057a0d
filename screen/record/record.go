// Package record is what a screen leaves and its analysis reads: one row for each
// prediction, with the cell it began from, what was done to it, and its scores.
//
// Start with [Table]. Rows are columns of numbers that point into the lists of a
// [Header], so that millions of them fit into memory and none is repeated as text.
// [WriteFile] and [ReadFile] keep a table in a file, [Writer] writes one row by row.
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
	// Mechanism and Targets are as the list of compounds has them; a target is a gene.
	Mechanism string   `json:"mechanism,omitempty"`
	Targets   []string `json:"targets,omitempty"`
	// MainDose, of Header.Doses, is the one that calls rest on; others are for the trend.
	MainDose int16 `json:"main_dose,omitempty"`
	// StoppedAt is the stage, from 1 on, after which a racing design gave the item up as
	// hopeless; 0 if it ran to its end.
	StoppedAt int `json:"stopped_at,omitempty"`
	// Side is how far other gene programs moved, by name.
	Side map[string]Pair `json:"side,omitempty"`
	// TargetShare is the share of input cells that express a target; nil if not known.
	TargetShare *Pair `json:"target_share,omitempty"`
	// Specificity is the p-value of package screen/specificity, which only the run can
	// take, as it sees whole cells; nil if it was not taken.
	Specificity *float64 `json:"specificity_p,omitempty"`
	// Moved are the genes that moved most, for the item's card.
	Moved []Moved `json:"moved,omitempty"`
}

// Pair is a number for each [Context].
type Pair [2]float64

// Moved is a gene and how far it rose in each context: its mean change of rank, as a
// share of the sentence length.
type Moved struct {
	Gene string `json:"gene"`
	By   Pair   `json:"by"`
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
	Doses     []string  `json:"doses"` // of Rows.Dose
	// Rising is how many of Doses, the first ones, rise and tell a trend; others are what
	// single compounds were given. 0: all do.
	Rising    int      `json:"rising_doses,omitempty"`
	Program   []string `json:"program"`
	Predictor string   `json:"predictor"`
	// Notice must stand on everything that is made of the rows: that the predictor is a
	// toy, for one.
	Notice string `json:"notice,omitempty"`
	// ProgramSeen is the number of genes of Program that can appear in a sentence of
	// SentenceLength genes of these cells.
	ProgramSeen    int `json:"program_genes_seen"`
	SentenceLength int `json:"sentence_length"`
	// Weights are those of CellTypes, the same in both contexts; nil leaves them to the
	// analysis.
	Weights []float64 `json:"cell_type_weights,omitempty"`
	// Margin is how far the score may move in a context and still count as unmoved, as
	// fixed before any compound was run; 0 leaves it to the analysis.
	Margin float64 `json:"margin,omitempty"`
	// MarginShare is the margin as a share of what the positive control does in the
	// neutral context; 0 leaves it to the analysis. It does not count beside Margin.
	MarginShare float64 `json:"margin_share,omitempty"`
	// Control names the positive control that gives the margin its unit; "" is the
	// first of Items.
	Control string `json:"control,omitempty"`
	// Design is "fixed" or "racing".
	Design string `json:"design,omitempty"`
	// Order says whether prompts name the cell or the compound first, and why.
	Order string `json:"order,omitempty"`
	// Notes are what the run found that readers of any result should know.
	Notes []string `json:"notes,omitempty"`
}

// Table is the rows of a screen, column by column; all columns have the same length.
//
// A row of the arm Vehicle has the Item −1. The rows of a predictor that stands beside
// the model are those of items of the kind Baseline, each named as its compound; its
// own vehicle, the unchanged cells scored in the same way, is in rows of the arm Vehicle
// whose Item is a Baseline with the name "".
type Table struct {
	Header   Header
	Context  []Context
	Arm      []Arm
	Item     []int32   // of Header.Items; −1 for arms without a compound, see above
	Dose     []int16   // of Header.Doses
	Cluster  []int32   // of Header.Clusters
	CellType []int32   // of Header.CellTypes
	Cell     []int32   // row of the cell in its context's file
	Draw     []int16   // number of the draw of this cell and arm
	U        []float32 // UCell's score of the program, in [0, 1]; NaN if not Valid
	Expr     []float32 // mean z of the program in decoded expression, signed; NaN if none
	Valid    []bool
	Copy     []bool
}
