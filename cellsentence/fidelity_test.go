package cellsentence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// logCells makes cells of 20 to 400 of 500 genes with log-normalised values.
func logCells(cells int, seed uint64) (genes []string, b h5ad.Batch) {
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range 500 {
		genes = append(genes, fmt.Sprintf("G%d", i))
	}
	m := csr[float32]{ptr: []int64{0}}
	for i := range cells {
		if i%17 == 5 { // an empty cell
			m.end()
			continue
		}
		share, lo := 0.04+0.76*r.Float64(), len(m.vals)
		total := 0.0
		for g := range genes {
			if r.Float64() < share {
				v := 1 + math.Floor(r.ExpFloat64()*20/float64(1+g%9))
				total += v
				m.put(int32(g), float32(v))
			}
		}
		for k := lo; k < len(m.vals); k++ {
			m.vals[k] = float32(math.Log10(1 + float64(m.vals[k])*1000/total))
		}
		m.end()
	}
	return genes, m.batch()
}

func openSlice(b h5ad.Batch, cells int) Opener {
	return func(context.Context) (Source, error) { return NewSliceSource(b, cells), nil }
}

// plainMetrics are the measures as one would write them down, over the first k
// genes of the given rows.
func plainMetrics(f *Fidelity, b h5ad.Batch, genes, k int, auto, line bool, rows []int) map[string]float64 {
	vals := b.Values.([]float32)
	var y, p []float64
	var all, allSum, lost float64
	for _, row := range rows {
		v := slices.Clone(vals[b.Indptr[row]:b.Indptr[row+1]])
		slices.Sort(v)
		slices.Reverse(v)
		n := min(k, len(v))
		said := make([]float32, n)
		f.Model.Predict(said, len(v))
		if auto && len(v) >= k {
			f.Model.Predict(said, 0)
		}
		for r, x := range v {
			allSum += float64(x)
			all += float64(x) * float64(x)
			if r >= n {
				lost += float64(x) * float64(x)
				continue
			}
			y = append(y, float64(x))
			if line {
				p = append(p, f.Model.Intercept+f.Model.Slope*math.Log10(float64(1+r)))
			} else {
				p = append(p, float64(said[r]))
			}
		}
	}
	mean := 0.0
	for _, v := range y {
		mean += v / float64(len(y))
	}
	out := map[string]float64{}
	res, tot, abs := 0.0, 0.0, 0.0
	for i, v := range y {
		res += (v - p[i]) * (v - p[i])
		tot += (v - mean) * (v - mean)
		abs += math.Abs(v - p[i])
	}
	out["r2"], out["mae"] = 1-res/tot, abs/float64(len(y))
	cells := float64(len(rows) * genes)
	out["r2all"] = 1 - (res+lost)/(all-allSum*allSum/cells)
	out["pearson"] = correlation(y, p)
	out["spearman"] = correlation(meanRanks(y), meanRanks(p))
	return out
}

func correlation(a, b []float64) float64 {
	n := float64(len(a))
	ma, mb := 0.0, 0.0
	for i := range a {
		ma += a[i] / n
		mb += b[i] / n
	}
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

// TestFidelityMetrics compares every measure with its definition.
func TestFidelityMetrics(t *testing.T) {
	genes, b := logCells(300, 1)
	group := func(row int) string { return []string{"a", "b", ""}[row%3] }
	cfg := FidelityConfig{Seed: 9, TopK: []int{150, 50}, Group: group, Resamples: 100}
	f, err := MeasureFidelity(context.Background(), genes, openSlice(b, 64), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var held []int
	groups := map[string][]int{}
	cut := 0
	for i := range b.NObs() {
		if n := b.Indptr[i+1] - b.Indptr[i]; n > 0 && !forFit(9, i) {
			held = append(held, i)
			groups[group(i)] = append(groups[group(i)], i)
			if n > 50 {
				cut++
			}
		}
	}
	r := f.Report
	if r.Held != int64(len(held)) || r.Empty != 18 || r.Fit+r.Held+r.Empty != 300 || r.TopK[0].K != 50 || r.TopK[0].CutCells != int64(cut) {
		t.Errorf("%d fitted, %d held out, %d empty, %d cut", r.Fit, r.Held, r.Empty, r.TopK[0].CutCells)
	}
	compare := func(name string, m FidelityMetrics, want map[string]float64, cells int) {
		t.Helper()
		for what, got := range map[string]struct {
			v  Stat
			ci Interval
		}{
			"r2": {m.R2, m.R2CI}, "mae": {m.MAE, m.MAECI}, "r2all": {m.R2All, m.R2AllCI},
			"pearson": {m.Pearson, m.PearsonCI}, "spearman": {m.Spearman, m.SpearmanCI},
		} {
			tolerance := 1e-9 // the order of additions
			if what == "spearman" {
				tolerance = 1e-4 // classes of values; see MeasureFidelity
			}
			if math.Abs(float64(got.v)-want[what]) > tolerance {
				t.Errorf("%s: %s is %v, expected %v", name, what, got.v, want[what])
			}
			if !(got.ci[0] <= got.v && got.v <= got.ci[1] && got.ci[0] < got.ci[1]) {
				t.Errorf("%s: %s is %v within %v", name, what, got.v, got.ci)
			}
		}
		if m.NCells != int64(cells) {
			t.Errorf("%s: %d cells, expected %d", name, m.NCells, cells)
		}
	}
	const whole = math.MaxInt
	compare("linear", r.Linear, plainMetrics(f, b, 500, whole, false, true, held), len(held))
	compare("conditional", r.Conditional, plainMetrics(f, b, 500, whole, false, false, held), len(held))
	for _, k := range r.TopK {
		name := fmt.Sprint("top ", k.K)
		compare(name+" linear", k.Linear, plainMetrics(f, b, 500, k.K, false, true, held), len(held))
		compare(name+" known", k.Conditional, plainMetrics(f, b, 500, k.K, false, false, held), len(held))
		compare(name+" auto", k.Auto, plainMetrics(f, b, 500, k.K, true, false, held), len(held))
		if !(k.Share > 0 && k.Share < 1 && k.ShareCI[0] < k.Share && k.Share < k.ShareCI[1]) {
			t.Errorf("%s: share %v %v", name, k.Share, k.ShareCI)
		}
	}
	if len(r.Groups) != 2 || r.Groups[0].Name != "a" || r.Groups[1].Name != "b" {
		t.Fatalf("groups %+v", r.Groups)
	}
	for _, g := range r.Groups {
		compare("group "+g.Name, g.Linear, plainMetrics(f, b, 500, whole, false, true, groups[g.Name]), len(groups[g.Name]))
		compare("group "+g.Name, g.Conditional, plainMetrics(f, b, 500, whole, false, false, groups[g.Name]), len(groups[g.Name]))
	}
	points := int64(0)
	for _, s := range r.Residuals {
		points += s.NPoints
	}
	if points != r.Linear.NPoints || len(f.Plots.Rank) == 0 || len(f.Plots.Curves) != 4 || len(f.Plots.Residuals[1].Points) != len(r.Residuals) {
		t.Errorf("%d points in the residuals, %d in all; %d in the plots", points, r.Linear.NPoints, len(f.Plots.Rank))
	}
	if !strings.HasPrefix(r.Verdict, "A whole sentence keeps 9") || !strings.Contains(r.Verdict, "its first 50 and 150 words keep") {
		t.Error(r.Verdict)
	}
}

// TestFidelityIsDeterministic reads other batches, in another order of opening.
func TestFidelityIsDeterministic(t *testing.T) {
	genes, b := logCells(100, 2)
	var first []byte
	for _, cells := range []int{1, 7, 100} {
		f, err := MeasureFidelity(context.Background(), genes, openSlice(b, cells), FidelityConfig{Seed: 3, Resamples: 20, Points: 50})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(f.Plots.Rank); n < 20 || n > 100 { // 50 on average, 5 standard deviations are 35
			t.Errorf("%d points", n)
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Errorf("batches of %d cells give another result", cells)
		}
	}
}

// TestIntervalCovers measures many samples of one population. 95 % of the
// intervals should cover the R² of all; of 60, fewer than 50 would have a
// probability below 1e-3.
func TestIntervalCovers(t *testing.T) {
	genes, b := logCells(6000, 5)
	vals := b.Values.([]float32)
	fit := &rankFit{}
	var cells [][]float64
	for i := range b.NObs() {
		var y []float64
		for _, v := range vals[b.Indptr[i]:b.Indptr[i+1]] {
			y = append(y, float64(v))
		}
		if len(y) == 0 {
			continue
		}
		falling(y)
		cells = append(cells, y)
		fit.add(y)
	}
	model := fit.model()
	r2 := func(cells [][]float64, seed uint64) (Stat, Interval) {
		m := newMeasurement(&FidelityConfig{Resamples: 200, Seed: seed}, model, len(genes), 0)
		for i, y := range cells {
			if err := m.measure(i, y); err != nil {
				t.Fatal(err)
			}
		}
		return m.scopes[0].views[viewLinear].value.estimate((*moments).r2)
	}
	truth, _ := r2(cells, 0)
	covered := 0
	for k := range 60 {
		n := len(cells) / 60
		if _, ci := r2(cells[k*n:(k+1)*n], uint64(k)); ci[0] <= truth && truth <= ci[1] {
			covered++
		}
	}
	t.Logf("%d of 60 intervals cover", covered)
	if covered < 50 {
		t.Errorf("only %d of 60 intervals cover", covered)
	}
}

func TestFidelityErrors(t *testing.T) {
	genes := []string{"A", "B"}
	ok := dense([]float32{2, 1}, []float32{3, 1}, []float32{4, 1}, []float32{2, 1}, []float32{5, 1}, []float32{2, 1}, []float32{3, 1}, []float32{4, 1})
	failed := errors.New("no such file")
	many := func(row int) string { return fmt.Sprint(row) }
	_, wide := logCells(700, 3)
	for _, c := range []struct {
		name  string
		open  Opener
		cfg   FidelityConfig
		want  string
		input bool
	}{
		{"negative", openSlice(dense([]float32{2, -1}), 0), FidelityConfig{}, "row 0, gene \"B\": negative value -1", false},
		{"NaN", openSlice(dense([]float32{2, 1}, []float32{float32(math.NaN()), 1}), 0), FidelityConfig{}, "row 1, gene \"A\": the value is NaN", false},
		{"column", openSlice(h5ad.Batch{Indptr: []int64{0, 1}, Indices: []int32{2}, Values: []float32{1}}, 0), FidelityConfig{}, "row 0 has a value in column 2 of a matrix of 2 genes", false},
		{"few cells", openSlice(dense([]float32{2, 1}), 0), FidelityConfig{}, "each needs two", true},
		{"one value in all", openSlice(dense(slices.Repeat([][]float32{{1, 1}}, 20)...), 0), FidelityConfig{}, "does not fall", true},
		{"open", func(context.Context) (Source, error) { return nil, failed }, FidelityConfig{}, "no such file", false},
		{"top-k", openSlice(ok, 0), FidelityConfig{TopK: []int{0}}, "top-k is 0", false},
		{"resamples", openSlice(ok, 0), FidelityConfig{Resamples: -1}, "-1 resamples", false},
		{"points", openSlice(ok, 0), FidelityConfig{Points: -1}, "-1 points", false},
		{"groups", openSlice(wide, 0), FidelityConfig{Group: many}, "more than 256 groups", true},
	} {
		g := genes
		if c.name == "groups" {
			g, _ = logCells(1, 0)
		}
		_, err := MeasureFidelity(context.Background(), g, c.open, c.cfg)
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &bad) != c.input {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A source that changes between passes.
	n := 0
	_, err := MeasureFidelity(context.Background(), genes, func(context.Context) (Source, error) {
		if n++; n == 3 {
			return NewSliceSource(dense([]float32{1, 2}), 0), nil
		}
		return NewSliceSource(ok, 0), nil
	}, FidelityConfig{})
	if !errors.Is(err, errChanged) {
		t.Errorf("changed: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := MeasureFidelity(ctx, genes, openSlice(ok, 0), FidelityConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, c := range []struct {
		cfg  ParityConfig
		b    h5ad.Batch
		want string
	}{
		{ParityConfig{}, ok, "0 cells"},
		{ParityConfig{Cells: 8, Seed: 1 << 40}, ok, "out of range"},
		{ParityConfig{Cells: 9}, ok, "no row 8 of 9"},
		{ParityConfig{Cells: 2}, dense([]float32{0, 0}, []float32{0, 0}), "none of 2 sampled cells"},
		{ParityConfig{Cells: 2}, dense([]float32{1, 1}, []float32{1, 1}), "does not fall"},
	} {
		if _, err := FitParity(context.Background(), genes, openSlice(c.b, 0), c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

// TestCellsOfOneSize fits cells that all have as many genes, where the sizes of
// others can only be guessed: the same values are then expected of them.
func TestCellsOfOneSize(t *testing.T) {
	for _, n := range []int{1, 2, 13, 100} {
		var f rankFit
		y := make([]float64, n)
		for r := range y {
			y[r] = 3 - 2*math.Log(float64(1+r))/math.Log(101)
		}
		for range 5 {
			f.add(y)
		}
		m := f.model()
		if err := m.check(); err != nil && n > 1 {
			t.Fatal(n, err)
		}
		got := make([]float32, n)
		m.Predict(got, n)
		for r, v := range got {
			// The table is straight between 256 places, and the tilt pulls a little.
			if math.Abs(float64(v)-y[r]) > 5e-3 {
				t.Errorf("%d genes, rank %d: %v, expected %v", n, r, v, y[r])
			}
		}
	}
}

// TestPool has cases by hand.
func TestPool(t *testing.T) {
	for _, c := range []struct{ v, want []float64 }{
		{[]float64{}, []float64{}},
		{[]float64{3, 2, 1}, []float64{3, 2, 1}},
		{[]float64{1, 2, 3}, []float64{2, 2, 2}},
		{[]float64{5, 1, 3, 2}, []float64{5, 2, 2, 2}},
		{[]float64{4, 5, 1, 1, 4}, []float64{4.5, 4.5, 2, 2, 2}},
	} {
		v := slices.Clone(c.v)
		pool(v)
		for i := range v {
			if math.Abs(v[i]-c.want[i]) > 1e-15 {
				t.Errorf("%v: %v, expected %v", c.v, v, c.want)
				break
			}
		}
	}
}

// TestSolve multiplies back.
func TestSolve(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := 1; n < 12; n++ {
		nodes := make([]nodeSums, n)
		for i := range nodes {
			if i%4 != 2 { // one without cells
				nodes[i].square, nodes[i].next = 1+5*r.Float64(), r.Float64()
			}
		}
		nodes[n-1].next = 0
		x := make([]float64, n)
		a, b := penalised(nodes), make([][]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		for i := range b {
			b[i] = make([]float64, 1)
			for j := range x {
				lo, d := min(i, j), max(i, j)-min(i, j)
				if d <= 2 {
					b[i][0] += a[lo][d] * x[j]
				}
			}
		}
		a.solve(b)
		for i := range x {
			if math.Abs(b[i][0]-x[i]) > 1e-9 {
				t.Errorf("%d nodes: %v, expected %v", n, b, x)
				break
			}
		}
	}
}

// TestPoisson has the probabilities of 0, 1, 2 and 3 within five standard errors.
func TestPoisson(t *testing.T) {
	const n = 200_000
	w := make([]uint8, n)
	poisson(w, 12345)
	var counts [256]int
	for _, x := range w {
		counts[x]++
	}
	for k, p := range []float64{math.Exp(-1), math.Exp(-1), math.Exp(-1) / 2, math.Exp(-1) / 6} {
		if d := math.Abs(float64(counts[k]) - n*p); d > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%d: %d times, expected %.0f", k, counts[k], n*p)
		}
	}
}

// TestSplitIsEven holds the split against a fair coin, and against the rows.
func TestSplitIsEven(t *testing.T) {
	fit, same := 0, 0
	const n = 100_000
	for row := range n {
		if forFit(42, row) {
			fit++
		}
		if forFit(42, row) == forFit(42, row+1) {
			same++
		}
	}
	for _, k := range []int{fit, same} {
		if math.Abs(float64(k)-n/2) > 5*math.Sqrt(n)/2 {
			t.Errorf("%d of %d", k, n)
		}
	}
}

// TestChoice compares with numpy.random.seed(42); numpy.random.choice(10, 4,
// replace=False) of NumPy 1.24.2, which takes the first of its permutation
// 8 1 5 0 7 2 9 4 3 6.
func TestChoice(t *testing.T) {
	if got := choice(10, 4, 42); !reflect.DeepEqual(got, []uint32{0, 1, 5, 8}) {
		t.Error(got)
	}
	if got := choice(3, 1024, 42); !reflect.DeepEqual(got, []uint32{0, 1, 2}) {
		t.Error(got)
	}
}

// TestCorrelationP compares with SciPy 1.17.1: pearsonr of data with these r and
// n, by 2·t.sf(|r|·sqrt((n−2)/(1−r²)), n−2).
func TestCorrelationP(t *testing.T) {
	for _, c := range []struct {
		r    float64
		n    int64
		want float64
	}{
		{0.5, 10, 0.14111328125},
		{-0.5, 10, 0.14111328125},
		{0.9, 30, 1.3166060700263861e-11},
		{0.99, 174_400, 0},
		{1, 5, 0},
	} {
		if got := correlationP(c.r, c.n); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("r %v, n %d: %v, expected %v", c.r, c.n, got, c.want)
		}
	}
	if !math.IsNaN(correlationP(0.5, 2)) {
		t.Error("two points have a p-value")
	}
}

// TestPythonFloat has what repr gives in Python 3.11.
func TestPythonFloat(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0", 3: "3.0", -0.75: "-0.75", 0.0001: "0.0001", 0.00001: "1e-05", 1.5e-7: "1.5e-07",
		1e15: "1000000000000000.0", 1e16: "1e+16", 1.0 / 3: "0.3333333333333333",
	} {
		if got := pythonFloat(v); got != want {
			t.Errorf("%v: %s", want, got)
		}
	}
	if pythonFloat(math.NaN()) != "" {
		t.Error("NaN is empty in pandas")
	}
}

func TestReportCSV(t *testing.T) {
	genes, b := logCells(60, 4)
	f, err := MeasureFidelity(context.Background(), genes, openSlice(b, 0), FidelityConfig{Resamples: 10, TopK: []int{}})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := f.Report.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "Normalized Expression vs Log Rank,log_rank_normalized_expression,normalized_expression,3,-") ||
		!strings.HasPrefix(lines[2], "Normalized Expression vs Log Rank (conditional),") {
		t.Errorf("%s", text.String())
	}
}
