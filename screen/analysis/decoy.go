package analysis

import (
	"fmt"
	"slices"
	"strings"
)

// decoys holds the compounds against invented ones. Families are never pooled, as a
// name that ends like that of a drug tells a model more than one that is made up: what
// counts is the family that does best. The statistic is the p-value of the
// context-selective call, which orders compounds and decoys alike.
func decoys(r *Result) {
	byFamily := make(map[string][]float64)
	low := make(map[string]int)
	for _, c := range r.Others {
		if c.Family == "" {
			continue
		}
		if !c.P.Missing() {
			byFamily[c.Family] = append(byFamily[c.Family], float64(c.P))
		}
		if c.PPos <= 0.05 {
			low[c.Family]++
		}
	}
	d := &r.Decoys
	d.FDR = missing()
	d.Families = []Family{}
	var compounds []float64
	last := -1.0 // the largest p of a hit
	hits := 0
	for _, c := range r.Hits {
		if c.P.Missing() {
			continue
		}
		compounds = append(compounds, float64(c.P))
		if c.Call == ContextSelective {
			hits++
			last = max(last, float64(c.P))
		}
	}
	slices.Sort(compounds)
	names := make([]string, 0, len(byFamily))
	for name := range byFamily {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p := byFamily[name]
		slices.Sort(p)
		f := Family{Name: name, N: len(p), Low: Number(float64(low[name]) / float64(len(p))), FDR: missing()}
		if hits > 0 {
			f.Reach = upTo(p, last)
			if enoughDecoys(len(p), len(compounds)) {
				f.FDR = decoyFDR(p, compounds, last)
			}
		}
		d.Families = append(d.Families, f)
		if !f.FDR.Missing() && (d.FDR.Missing() || f.FDR > d.FDR) {
			d.FDR, d.Family = f.FDR, name
		}
	}
	for _, c := range r.Hits {
		if c.P.Missing() {
			continue
		}
		for _, name := range names {
			p := byFamily[name]
			if v := Number(float64(1+upTo(p, float64(c.P))) / float64(1+len(p))); c.DecoyP.Missing() || v > c.DecoyP {
				c.DecoyP, c.DecoyFamily = v, name
			}
			if enoughDecoys(len(p), len(compounds)) {
				if v := decoyFDR(p, compounds, float64(c.P)); c.DecoyFDR.Missing() || v > c.DecoyFDR {
					c.DecoyFDR = v
				}
			}
		}
	}
	d.Estimable = !d.FDR.Missing()
	d.Reason = decoyReason(d, len(compounds), hits)
}

func decoyReason(d *Decoys, compounds, hits int) string {
	few := []string{}
	for _, f := range d.Families {
		if !enoughDecoys(f.N, compounds) {
			few = append(few, fmt.Sprintf("%s (%d)", f.Name, f.N))
		}
	}
	switch {
	case len(d.Families) == 0:
		return "not estimable: there are no decoys"
	case len(few) == len(d.Families):
		return fmt.Sprintf("not estimable: no family has decoys for a quarter of the %d compounds: %s", compounds, strings.Join(few, ", "))
	case hits == 0:
		return "not estimable: there is no hit"
	case len(few) > 0:
		return "families that are too small for it are left out: " + strings.Join(few, ", ")
	}
	return ""
}

func enoughDecoys(decoys, compounds int) bool {
	return decoys > 0 && float64(decoys) >= LeastDecoys*float64(compounds)
}

// upTo counts what is at most p in a sorted list.
func upTo(sorted []float64, p float64) int {
	n, _ := slices.BinarySearchFunc(sorted, p, func(e, p float64) int {
		if e <= p {
			return -1
		}
		return 1
	})
	return n
}

// decoyFDR is (1 + decoys as good)/decoys · compounds/hits of a list that ends at p,
// at most 1.
func decoyFDR(decoys, compounds []float64, p float64) Number {
	hits := upTo(compounds, p)
	return Number(min(1, float64(1+upTo(decoys, p))/float64(len(decoys))*float64(len(compounds))/float64(max(hits, 1))))
}
