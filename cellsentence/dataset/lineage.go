package dataset

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Lineages returns the built-in markers of broad lineages: genes that one lineage of
// cells expresses strongly and the others hardly, from the textbook
// immunophenotypes. T and NK cells are one lineage, since they share most of them.
func Lineages() map[string][]string {
	out := map[string][]string{}
	for name, list := range map[string]string{
		"T and NK":    "CD3D CD3E CD3G TRAC TRBC1 TRBC2 CD2 CD247 LCK LAT ZAP70 BCL11B IL7R CD8A CD8B NKG7 GNLY KLRD1 KLRF1 GZMA PRF1 CST7 CTSW",
		"B":           "MS4A1 CD79A CD79B CD19 CD22 BANK1 PAX5 BLK FCER2 TCL1A VPREB3 RALGPS2 FCRLA IGHM IGHD MZB1 JCHAIN TNFRSF17",
		"myeloid":     "LYZ S100A8 S100A9 S100A12 CD14 FCN1 VCAN CST3 MNDA CSF3R CSF1R LST1 AIF1 CLEC7A FCER1A CLEC10A CD1C MS4A6A SPI1 CD68",
		"platelet":    "PPBP PF4 GNG11 TUBB1 GP9 ITGA2B CAVIN2 NRGN CLU TREML1 GP1BA GP1BB CMTM5 ACRBP TMEM40",
		"erythroid":   "HBB HBA1 HBA2 HBD ALAS2 AHSP CA1 SLC4A1 HEMGN GYPA GYPB SLC25A37",
		"epithelial":  "EPCAM KRT8 KRT18 KRT19 KRT7 KRT5 KRT14 CDH1 CLDN3 CLDN4 CLDN7 ELF3 TACSTD2 ESRP1 GRHL2",
		"fibroblast":  "COL1A1 COL1A2 COL3A1 DCN LUM PDGFRA PDGFRB COL6A1 COL6A2 COL6A3 COL5A1 FBLN1 FBN1 THY1",
		"endothelial": "PECAM1 VWF CDH5 CLDN5 KDR EGFL7 EMCN ERG TIE1 ESAM PLVAP ROBO4",
		"neural":      "SNAP25 SYT1 STMN2 RBFOX3 GAD1 SLC17A7 GFAP AQP4 PLP1 MBP MOG ELAVL3 ELAVL4 TUBB3",
	} {
		out[name] = strings.Fields(list)
	}
	return out
}

// addLineages numbers the markers. A gene that two lineages claim marks neither.
func (a *auditor) addLineages() {
	a.lineages = slices.Sorted(maps.Keys(a.cfg.Lineages))
	owner := map[string]int32{}
	for k, name := range a.lineages {
		for _, gene := range a.cfg.Lineages[name] {
			if o, ok := owner[gene]; ok && o != int32(k+1) {
				owner[gene] = 0
			} else {
				owner[gene] = int32(k + 1)
			}
		}
	}
	for _, gene := range slices.Sorted(maps.Keys(owner)) {
		if g := a.genes.number([]byte(gene)); g >= 0 {
			a.marks = append(a.marks, owner[gene])
		}
	}
}

// fewMarkers is how many markers among the first words show a lineage.
const fewMarkers = 4

// twoLineages flags cells that show a lineage which others of their label do not,
// beside that of the label.
func (a *auditor) twoLineages() {
	medians := make([]func(r *auditRow) spread, len(a.lineages))
	for k := range a.lineages {
		medians[k] = a.spreads(func(r *auditRow) (float64, bool) { return float64(r.lineage[k]), r.words > 0 })
	}
	for i := range a.rows {
		r := &a.rows[i]
		main, most := -1, 0.5
		for k := range a.lineages {
			if m := medians[k](r).median; m > most {
				main, most = k, m
			}
		}
		if main >= 0 && r.lineage[main] < 2 {
			continue // another lineage alone: its label is wrong, which is for the second junk score
		}
		for k := range a.lineages {
			// A deviation of less than one marker is none.
			if k != main && r.lineage[k] >= fewMarkers && medians[k](r).z(float64(r.lineage[k]), 0.75) > a.cfg.MADs {
				of := ""
				if main >= 0 {
					of = a.lineages[main]
				}
				r.flags |= FlagLineages
				a.report.lineage(a.lineages[k], of)
				break
			}
		}
	}
}

const (
	// smallLead is the weight of about two words.
	smallLead = 0.04
	// leastLead is the least deviation of the root of a share and smallLead: where
	// others have no such gene, a share of 0.16 is not flagged yet, which is the first
	// three words.
	leastLead = 0.05
)

// leading flags cells led by ribosomal, mitochondrial or stress genes far more than
// others of their label: by the weighted share of the first words.
func (a *auditor) leading() {
	const shortest = 5 // the weight of some twelve words, of which a share is taken
	flags := [leads]Flags{FlagRibosomal, FlagMitochondrial, FlagStress}
	for k := range leads {
		// The root of a share varies about alike around any share, but for the smallest.
		root := func(r *auditRow) (float64, bool) {
			return math.Sqrt(float64(r.lead[k])/float64(max(r.leadOf, 1)) + smallLead), r.leadOf >= shortest
		}
		of := a.spreads(root)
		for i := range a.rows {
			r := &a.rows[i]
			v, ok := root(r)
			if !ok {
				continue
			}
			s := of(r)
			if math.IsInf(s.mad, 1) {
				continue
			}
			limit := s.median + a.cfg.MADs*max(s.mad, leastLead)
			if v > limit {
				r.flags |= flags[k]
			}
			share := func(root float64) float64 { return min(max(root*root-smallLead, 0), 1) }
			a.report.lead(k, a.groupName(r.group), share(s.median), share(limit), share(v), v > limit)
		}
	}
}

// sampling is the standard deviation of the share of n words that chance alone gives,
// at least one word. A deviation among a few words takes few values and may well come
// out as less.
func sampling(share float64, n int) float64 {
	return math.Max(math.Sqrt(share*(1-share)/float64(n)), 1/float64(n))
}

// groupName is the label of a group, or the lineage in brackets.
func (a *auditor) groupName(group int32) string {
	switch {
	case group >= 0:
		return a.labels.words[group]
	case group == -1:
		return "(no label)"
	}
	return "(" + a.lineages[-group-2] + ")"
}
