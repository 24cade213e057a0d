package analysis

import (
	"cmp"
	"slices"

	"github.com/cellsentence/c2s/internal/stats"
)

// call adjusts the tests of each call over the compounds and gives every compound its
// call.
func call(r *Result) {
	p := make([]float64, len(r.Hits))
	for _, call := range tested() {
		for i, c := range r.Hits {
			p[i] = float64(c.Calls[call].P)
		}
		for i, q := range stats.Adjust(p) {
			t := r.Hits[i].Calls[call]
			t.Q = Number(q)
			r.Hits[i].Calls[call] = t
		}
	}
	for _, list := range [][]*Compound{r.Hits, r.Others} {
		for _, c := range list {
			c.Test = c.Calls[ContextSelective]
			c.decide(r)
		}
	}
	for _, c := range r.Hits {
		r.Calls[c.Call]++
	}
}

// decide picks the call. Decoys and controls have no place among the compounds that
// q-values are over, hence no call.
func (c *Compound) decide(r *Result) {
	switch {
	case !r.Assay.Sensitive:
		c.Call, c.Why = Uninterpretable, "the positive control was not seen"
		return
	case c.Call == Unreliable:
		return
	}
	c.Call = Undetermined
	for _, call := range tested() {
		if c.Calls[call].Q <= Number(r.Config.FDR) {
			c.Call = call
			return
		}
	}
	switch {
	case c.StoppedAt > 0:
		c.Why = "given up by the race as hopeless"
	case c.P.Missing():
		c.Why = "too few donors for a test"
	case c.fit.Flat:
		c.Why = "its effects do not vary over donors"
	}
}

// rank orders the compounds: reliable ones first, then by the p-value of the
// context-selective call, the larger split, the name.
func rank(r *Result) {
	slices.SortStableFunc(r.Hits, func(a, b *Compound) int {
		key := func(c *Compound) (int, Number) {
			switch {
			case c.Call == Unreliable:
				return 2, 0
			case c.P.Missing():
				return 1, 0
			}
			return 0, c.P
		}
		ka, pa := key(a)
		kb, pb := key(b)
		return cmp.Or(cmp.Compare(ka, kb), cmp.Compare(pa, pb), compareDown(a.Split.Value, b.Split.Value), cmp.Compare(a.Name, b.Name))
	})
	for i, c := range r.Hits {
		c.Rank = i + 1
	}
}

// compareDown puts larger numbers first and missing ones last.
func compareDown(a, b Number) int {
	switch {
	case a.Missing() && b.Missing():
		return 0
	case a.Missing():
		return 1
	case b.Missing():
		return -1
	}
	return cmp.Compare(b, a)
}
