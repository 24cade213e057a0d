package cellsentence

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mathext"
)

// metricsColumns is the columns of the reference package's
// c2s_transformation_metrics.csv.
var metricsColumns = []string{
	"experiment", "x_axis", "y_axis", "threshold", "slope", "intercept", "r_squared",
	"pearson_r_statistic", "pearson_r_pvalue", "spearman_r_statistic", "spearman_r_pvalue",
}

// experiment is what the reference package calls its one.
const experiment = "Normalized Expression vs Log Rank"

// WriteCSV writes the metrics of whole sentences in the columns of the reference
// package: a row for the linear model, named as there, and one for the
// conditional.
func (r *FidelityReport) WriteCSV(w io.Writer) error {
	return writeMetrics(w, []string{experiment, experiment + " (conditional)"}, []FidelityMetrics{r.Linear, r.Conditional})
}

func writeMetrics(w io.Writer, names []string, rows []FidelityMetrics) error {
	c := csv.NewWriter(w)
	if err := c.Write(metricsColumns); err != nil {
		return err
	}
	for i, m := range rows {
		err := c.Write([]string{
			names[i], "log_rank_normalized_expression", "normalized_expression", strconv.Itoa(lineEnd),
			pythonFloat(m.Slope), pythonFloat(m.Intercept), pythonFloat(float64(m.R2)),
			pythonFloat(float64(m.Pearson)), pythonFloat(correlationP(float64(m.Pearson), m.NPoints)),
			pythonFloat(float64(m.Spearman)), pythonFloat(correlationP(float64(m.Spearman), m.NPoints)),
		})
		if err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// correlationP is the two-sided p-value of a correlation of n points of which
// none depends on another: Student's t with n − 2 degrees of freedom, written as
// an incomplete beta function. The points of one cell do depend on each other, so
// that it is worth nothing; the reference package has a column for it.
func correlationP(r float64, n int64) float64 {
	switch {
	case math.IsNaN(r) || n < 3:
		return math.NaN()
	case math.Abs(r) >= 1:
		return 0
	}
	return mathext.RegIncBeta(float64(n-2)/2, 0.5, (1-r)*(1+r))
}

// pythonFloat prints a float as Python's repr and pandas do, NaN as nothing.
func pythonFloat(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.ContainsAny(s, ".In") {
		s += ".0"
	}
	return s
}
