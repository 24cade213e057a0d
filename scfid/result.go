package scfid

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Scores is what is known about one pair of sets. Values that could not be had are
// missing, null in JSON.
type Scores struct {
	FD       Value  `json:"fd"`
	MeanTerm Value  `json:"mean_term"`
	CovTerm  Value  `json:"cov_term"`
	NReal    int    `json:"n_real"`
	NGen     int    `json:"n_gen"`
	Dim      int    `json:"dim"`
	Method   Method `json:"method"`

	// BiasFloor and DonorFloor are Floor.Value of the details below.
	BiasFloor  Value `json:"bias_floor"`
	DonorFloor Value `json:"donor_floor"`
	// FDInfinity is the extrapolation to infinitely many cells. Its standard error
	// joins that of the line and, where there is an interval, that of the cells.
	FDInfinity   Value `json:"fd_infinity"`
	FDInfinitySE Value `json:"fd_infinity_se"`
	// CI is the 95 % interval of the distance without its bias, by the influence of
	// each cell; nil with fewer than four times as many cells as dimensions, and
	// where the permutation test cannot tell the sets apart (P > 0.05): there the
	// distance has no normal error.
	CI  *[2]float64 `json:"ci"`
	KID KID         `json:"kid"`
	MMD MMD         `json:"mmd"`
	Neighbours
	// PermutationP is MMD.P.
	PermutationP Value `json:"permutation_p"`

	Floor         Floor         `json:"bias_floor_detail"`
	Donors        Floor         `json:"donor_floor_detail"`
	Extrapolation Extrapolation `json:"extrapolation"`
}

// noScores is the scores of sets that have none.
func noScores(nReal, nGen, dim int) Scores {
	return Scores{
		FD: missing, MeanTerm: missing, CovTerm: missing, NReal: nReal, NGen: nGen, Dim: dim,
		BiasFloor: missing, DonorFloor: missing, FDInfinity: missing, FDInfinitySE: missing,
		KID: KID{missing, missing}, MMD: MMD{missing, missing, missing, 0},
		Neighbours:   Neighbours{missing, missing, missing, missing},
		PermutationP: missing,
		Floor:        noFloor(), Donors: noFloor(),
		Extrapolation: Extrapolation{Value: missing, SE: missing, Slope: missing},
	}
}

// Group is the scores of the cells of one name.
type Group struct {
	Key string `json:"key"`
	Scores
	// Effect is how much the unweighted mean over the groups changes by this one:
	// the mean with it less the mean without it.
	Effect Value `json:"effect"`
}

// Result is an evaluation. Its JSON keys are those of `c2s scfid --json`.
type Result struct {
	Scores
	Groups []Group `json:"groups"`
	// MeanOverGroups is the unweighted mean of the groups' distances, scFID as
	// C2S-Scale defines it; the other weighs groups by their real cells. Groups
	// without a distance do not count.
	MeanOverGroups         Value    `json:"mean_over_groups"`
	WeightedMeanOverGroups Value    `json:"weighted_mean_over_groups"`
	OnlyReal               []string `json:"groups_only_real"` // groups of one side
	OnlyGen                []string `json:"groups_only_gen"`
	DroppedReal            int      `json:"dropped_real"` // rows with NaN or infinite values
	DroppedGen             int      `json:"dropped_gen"`
	Seed                   uint64   `json:"seed"`
	Warnings               []string `json:"warnings"`

	cfg     Config
	byDonor bool // the interval's unit
}

// WriteGroups writes groups.tsv: a header and a line a group, empty cells where a
// value is missing.
func (r *Result) WriteGroups(w io.Writer) error {
	head := "key\tn_real\tn_gen\tfd\tmean_term\tcov_term\tmethod\tbias_floor\tdonor_floor\tfd_infinity\tfd_infinity_se\t" +
		"ci_lo\tci_hi\tkid_mean\tkid_std\tprecision\trecall\tdensity\tcoverage\tpermutation_p\teffect"
	if _, err := fmt.Fprintln(w, head); err != nil {
		return err
	}
	for _, g := range r.Groups {
		lo, hi := missing, missing
		if g.CI != nil {
			lo, hi = Value(g.CI[0]), Value(g.CI[1])
		}
		cells := []string{cell(g.Key), strconv.Itoa(g.NReal), strconv.Itoa(g.NGen)}
		for _, v := range []Value{g.FD, g.MeanTerm, g.CovTerm} {
			cells = append(cells, number(v))
		}
		cells = append(cells, string(g.Method))
		for _, v := range []Value{
			g.BiasFloor, g.DonorFloor, g.FDInfinity, g.FDInfinitySE, lo, hi, g.KID.Mean, g.KID.Std,
			g.Precision, g.Recall, g.Density, g.Coverage, g.PermutationP, g.Effect,
		} {
			cells = append(cells, number(v))
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return nil
}

func number(v Value) string {
	if v.Missing() {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 64)
}

// cell makes a name safe in a TSV file: no tabs or line ends, and nothing that a
// spreadsheet would compute.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
