package screenreport

import (
	"fmt"
	"math"
	"strconv"

	"github.com/cellsentence/c2s/screen/analysis"
)

// number has three significant digits.
func number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == 0:
		return "0"
	case math.Abs(v) < 1e-4:
		return fmt.Sprintf("%.1e", v)
	}
	return strconv.FormatFloat(round(v), 'f', -1, 64)
}

// round keeps three significant digits.
func round(v float64) float64 {
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

func value(n analysis.Number) string { return number(float64(n)) }

func probability(n analysis.Number) string {
	if !n.Missing() && n < 1e-4 {
		return fmt.Sprintf("%.1e", float64(n))
	}
	return value(n)
}

func percent(v float64) string { return number(100*v) + " %" }

func share(n analysis.Number) string {
	if n.Missing() {
		return "–"
	}
	return percent(float64(n))
}

func interval(e analysis.Estimate) string {
	if e.Lo.Missing() || e.Hi.Missing() {
		return "–"
	}
	return fmt.Sprintf("%s to %s", value(e.Lo), value(e.Hi))
}

func estimate(e analysis.Estimate) string {
	if e.Value.Missing() {
		return "–"
	}
	if i := interval(e); i != "–" {
		return value(e.Value) + " (" + i + ")"
	}
	return value(e.Value)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
