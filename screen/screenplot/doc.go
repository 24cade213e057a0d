// Package screenplot draws the results of a dual-context screen: [Quadrant], the
// effects of all compounds in both contexts, and [Donors], the effect of one compound
// donor by donor, in the style of internal/figure, which writes them.
package screenplot
