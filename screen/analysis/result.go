package analysis

import (
	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// Call is what is said of a compound.
type Call string

// The calls. Where several hold, the first of this order is given.
const (
	ContextSelective Call = "context-selective" // up where positive, unmoved where neutral
	Both             Call = "both"              // up in both contexts
	NeutralOnly      Call = "neutral-only"      // up where neutral, unmoved where positive
	Suppressor       Call = "suppressor"        // down where positive
	Inert            Call = "inert"             // unmoved in both contexts
	Undetermined     Call = "undetermined"      // none of these is shown
	Unreliable       Call = "unreliable"        // too many answers are no cell, or a copy
	Uninterpretable  Call = "uninterpretable"   // the positive control was not seen
)

// tested are the calls that have a test, in order.
func tested() []Call {
	return []Call{ContextSelective, Both, NeutralOnly, Suppressor, Inert}
}

// Estimate is a number with its interval.
type Estimate struct {
	Value Number `json:"value"`
	Lo    Number `json:"lo"`
	Hi    Number `json:"hi"`
}

func noEstimate() Estimate { return Estimate{missing(), missing(), missing()} }

// Test is a p-value and its false discovery rate.
type Test struct {
	P Number `json:"p"`
	Q Number `json:"q"`
}

// Compound is what is known of an item of the screen. Effects are differences of the
// score from the vehicle's.
type Compound struct {
	// Item is its place in the header of the rows.
	Item      int         `json:"item"`
	Rank      int         `json:"rank"` // from 1; 0 for what is not ranked
	Name      string      `json:"compound"`
	Kind      record.Kind `json:"kind"`
	Family    string      `json:"family,omitempty"` // of a decoy
	Known     string      `json:"known,omitempty"`
	Evidence  string      `json:"known_evidence,omitempty"`
	Mechanism string      `json:"mechanism,omitempty"`
	Targets   []string    `json:"targets,omitempty"`
	Call      Call        `json:"call"`
	// Why says what stood against a call, such as "copies".
	Why string `json:"why,omitempty"`

	Pos   Estimate `json:"delta_pos"`
	Neu   Estimate `json:"delta_neu"`
	Split Estimate `json:"split"`
	// RelPos and RelNeu are effects in units of the positive control's in the context.
	RelPos Number `json:"rel_pos"`
	RelNeu Number `json:"rel_neu"`

	// The parts of the context-selective call: up in the positive context, unmoved in
	// the neutral one, a positive split, and one on the scale of the positive control.
	PPos   Number `json:"p_pos"`
	PEquiv Number `json:"p_equiv"`
	PSplit Number `json:"p_split"`
	PRel   Number `json:"p_rel"`
	// Test is the context-selective call, by which compounds are ranked.
	Test
	// Calls are the tests of all calls.
	Calls map[Call]Test `json:"calls"`
	// TPos is the moderated t-statistic in the positive context.
	TPos Number `json:"t_pos"`

	// DecoyP is the share of decoys that do as well, in the family that does best,
	// DecoyFamily; DecoyFDR the false discovery rate by decoys of a list that ends here.
	DecoyP      Number `json:"decoy_p"`
	DecoyFamily string `json:"decoy_family"`
	DecoyFDR    Number `json:"decoy_fdr"`

	Synergy  Number `json:"synergy_bits"` // less the mean of its null; descriptive
	SynergyP Number `json:"synergy_p"`

	// Excess is what the compound adds to low interferon beyond its own effect.
	Excess    Estimate `json:"excess_ifn"`
	ExcessP   Number   `json:"excess_p"`
	ExcessQ   Number   `json:"excess_q"`
	DoseTrend Number   `json:"dose_trend_p"`
	// Doses are the effects in the positive context by dose, where there are several.
	Doses []Dose `json:"doses,omitempty"`

	BaselineSplit Number `json:"baseline_split"`
	// BaselineExcess is the split beyond that of the baseline.
	BaselineExcess Number `json:"split_minus_baseline"`
	Specificity    Number `json:"program_specificity_p"`

	// CellsPos and CellsNeu count the cells with an effect; the donors likewise.
	CellsPos  int `json:"n_pos"`
	CellsNeu  int `json:"n_neu"`
	DonorsPos int `json:"n_donors_pos"`
	DonorsNeu int `json:"n_donors_neu"`
	// ValidRate is the share of answers that are cells, and CopyRate that of copies of
	// the input, each in the context where it is worse.
	ValidRate Number `json:"valid_rate"`
	CopyRate  Number `json:"copy_rate"`
	// StoppedAt is the stage at which a racing design gave it up, 0 if it did not.
	StoppedAt int `json:"stopped_at"`
	// Donors are the effects on each; those of decoys are left out.
	Donors []Donor `json:"donors,omitempty"`
	// What the run knows beyond scores.
	Side        map[string]record.Pair `json:"side,omitempty"`
	TargetShare *record.Pair           `json:"target_share,omitempty"`
	Moved       []record.Moved         `json:"moved,omitempty"`

	fit  moderated.Fit
	dose string // the main one
}

// Donor is the effects on a donor or cell line.
type Donor struct {
	Name string `json:"donor"`
	Pos  Number `json:"delta_pos"`
	Neu  Number `json:"delta_neu"`
}

// Dose is the effect of a dose in the positive context.
type Dose struct {
	Dose string `json:"dose"`
	Pos  Number `json:"delta_pos"`
}

// Result is the analysis of a screen.
type Result struct {
	Plan      string `json:"plan"`
	Predictor string `json:"predictor"`
	// Notice must stand beside every number, "" for nothing.
	Notice string `json:"notice,omitempty"`
	Config Config `json:"config"`
	Design string `json:"design"`
	// Order is that of cell and compound in prompts, with the reason; "" is not known.
	Order string `json:"order,omitempty"`
	// Margin and what it was taken from.
	Margin       Number `json:"margin"`
	MarginSource string `json:"margin_source"`

	Program     []string `json:"program"`
	ProgramSeen int      `json:"program_genes_seen"`
	// Clusters counts the donors or cell lines of the positive and the neutral context,
	// Shared those that are in both; Cells counts input cells.
	Clusters  [2]int             `json:"clusters"`
	Shared    int                `json:"shared_clusters"`
	Cells     [2]int             `json:"cells"`
	CellTypes map[string]float64 `json:"cell_type_weights"`
	// VehicleDraws is the mean number of vehicle draws a cell.
	VehicleDraws Number `json:"vehicle_draws"`
	// VehicleValid and VehicleCopies are shares, by context.
	VehicleValid  [2]Number `json:"vehicle_valid_rate"`
	VehicleCopies [2]Number `json:"vehicle_copy_rate"`
	// Predictions are the rows that the model was asked for beyond the vehicle's.
	Predictions int `json:"predictions"`

	Model    Model             `json:"model"`
	Assay    Assay             `json:"assay"`
	Decoys   Decoys            `json:"decoys"`
	Panel    Panel             `json:"panel"`
	Calls    map[Call]int      `json:"calls"`
	Hits     []*Compound       `json:"compounds"` // ranked
	Others   []*Compound       `json:"others"`    // decoys and positive controls
	Warnings []string          `json:"warnings"`
	Notes    map[string]string `json:"notes"`
}

// Model is what all compounds say about the scatter of one.
type Model struct {
	// PriorDF is missing where it is infinite: all variances are alike.
	PriorDF Number `json:"prior_df"`
	PriorS2 Number `json:"prior_s2"`
	// Variances of a donor's effect by context, of mean 1, and their correlation.
	Variances   [2]Number `json:"relative_variances"`
	Correlation Number    `json:"donor_correlation"`
	Learnt      bool      `json:"learnt"`
}

// Assay says whether the screen could have seen what it looks for.
type Assay struct {
	// Control is the positive control that is the unit.
	Control string `json:"control"`
	// Sensitive says that its effect in the neutral context exceeds the margin.
	Sensitive bool   `json:"sensitive"`
	Reason    string `json:"reason"`
	// Controls are all positive controls.
	Controls []Control `json:"controls"`
}

// Control is a positive control.
type Control struct {
	Name string   `json:"name"`
	Pos  Estimate `json:"delta_pos"`
	Neu  Estimate `json:"delta_neu"`
	// ZPrime tells by context how far the control's donor means are from the vehicle's
	// in units of their scatter (J.-H. Zhang et al., J. Biomol. Screen. 4, 1999): 1 is
	// perfect, below 0 they overlap.
	ZPrime [2]Number `json:"z_prime"`
}

// Decoys says what the decoys tell about the hits.
type Decoys struct {
	Families []Family `json:"families"`
	// FDR is that of the worst family at the last hit; missing if not Estimable.
	FDR       Number `json:"fdr"`
	Family    string `json:"family"`
	Estimable bool   `json:"estimable"`
	Reason    string `json:"reason"`
}

// Family is decoys of one making.
type Family struct {
	Name string `json:"name"`
	N    int    `json:"n"`
	// Low is the share with p_pos of at most 0.05, which names that mean nothing should
	// have in one of 20.
	Low Number `json:"share_p_pos_below_005"`
	// Reach is the number that do as well as the last hit.
	Reach int    `json:"as_good_as_last_hit"`
	FDR   Number `json:"fdr"`
}

// Panel is how well known inducers are told from known inert compounds by their effect
// in the positive context.
type Panel struct {
	Inducers    int      `json:"inducers"`
	Inert       int      `json:"inert"`
	AUROC       Estimate `json:"auroc"`
	PrecisionAt int      `json:"precision_at"` // 20, or fewer
	Precision   Estimate `json:"precision"`
	Calibrated  bool     `json:"calibrated"`
	Banner      string   `json:"banner"` // "" where calibrated
}
