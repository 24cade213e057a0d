package preprocess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/hdf5"
)

// file writes an h5ad file with X as a dense matrix and opens it.
func file[T hdf5.Number](t *testing.T, genes []string, rows ...[]T) *h5ad.Matrix {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.h5ad")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cells := make([]string, len(rows))
	for i := range cells {
		cells[i] = fmt.Sprint("cell", i)
	}
	for name, index := range map[string][]string{"obs": cells, "var": genes} {
		g, err := w.Root().CreateGroup(name)
		check(err)
		check(g.SetAttr("encoding-type", hdf5.StringValue("dataframe")))
		check(g.SetAttr("encoding-version", hdf5.StringValue("0.2.0")))
		check(g.SetAttr("_index", hdf5.StringValue("_index")))
		d, err := g.CreateDataset("_index", hdf5.DatasetSpec{Type: hdf5.StringType(), Dims: []uint64{uint64(len(index))}})
		check(err)
		check(hdf5.AppendStrings(ctx, d, index))
	}
	d, err := w.Root().CreateDataset("X", hdf5.DatasetSpec{Type: hdf5.TypeOf[T](), Dims: []uint64{uint64(len(rows)), uint64(len(genes))}})
	check(err)
	check(hdf5.AppendNumbers(ctx, d, slices.Concat(rows...)))
	check(w.Close())
	x, _ := open(t, path)
	return x
}

var handGenes = []string{"MT-CO1", "A", "B", "C", "mt-Nd1"}

// hand is five cells. With at least 2 genes a cell, the last two go; then with 2
// cells a gene, mt-Nd1 (1 cell left) goes; totals over the genes left are 10, 6, 20, of
// which 1, 3 and 10 are mitochondrial.
func hand(t *testing.T) *h5ad.Matrix {
	return file(t, handGenes,
		[]int32{1, 4, 5, 0, 0},
		[]int32{3, 0, 1, 2, 90},
		[]int32{10, 8, 0, 2, 0},
		[]int32{0, 7, 0, 0, 0},
		[]int32{0, 0, 0, 0, 0},
	)
}

func TestByHand(t *testing.T) {
	log := func(x, base float64) float32 { return float32(math.Log1p(x) / math.Log(base)) }
	for _, c := range []struct {
		name       string
		cfg        Config
		rows, cols []int
		target     float64
		want       []float32
		counts     [3]int // few genes, high mito, few cells
	}{
		{
			"nothing",
			Config{},
			[]int{0, 1, 2, 3, 4},
			[]int{0, 1, 2, 3, 4},
			0,
			[]float32{1, 4, 5, 0, 0, 3, 0, 1, 2, 90, 10, 8, 0, 2, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0},
			[3]int{},
		},
		{
			"cells, then genes of the cells left",
			Config{MinGenes: 2, MinCells: 2},
			[]int{0, 1, 2},
			[]int{0, 1, 2, 3},
			0,
			[]float32{1, 4, 5, 0, 3, 0, 1, 2, 10, 8, 0, 2},
			[3]int{2, 0, 1},
		},
		{
			"limits are inclusive",
			Config{MinGenes: 3, MinCells: 3},
			[]int{0, 1, 2},
			[]int{0},
			0,
			[]float32{1, 3, 10},
			[3]int{2, 0, 4},
		},
		{
			"mitochondrial part of the genes left, exactly one half stays",
			Config{MinGenes: 2, MinCells: 2, MaxMito: 0.5},
			[]int{0, 1, 2},
			[]int{0, 1, 2, 3},
			0,
			[]float32{1, 4, 5, 0, 3, 0, 1, 2, 10, 8, 0, 2},
			[3]int{2, 0, 1},
		},
		{
			"without dropped genes cell 1 is 93 parts of 96",
			Config{MaxMito: 0.5},
			[]int{0, 2, 3, 4},
			[]int{0, 1, 2, 3, 4},
			0,
			[]float32{1, 4, 5, 0, 0, 10, 8, 0, 2, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0},
			[3]int{0, 1, 0},
		},
		{
			"median after all filters",
			Config{MinGenes: 2, MinCells: 2, MaxMito: 0.4, Target: Median},
			[]int{0},
			[]int{0, 1, 2, 3},
			10,
			[]float32{1, 4, 5, 0},
			[3]int{2, 2, 1},
		},
		{
			"median of an even number, without empty cells",
			Config{Target: Median}, // of 7, 10, 20, 96
			[]int{0, 1, 2, 3, 4},
			[]int{0, 1, 2, 3, 4},
			15,
			[]float32{1.5, 6, 7.5, 0, 0, 45. / 96, 0, 15. / 96, 30. / 96, 90 * 15. / 96, 7.5, 6, 0, 1.5, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0},
			[3]int{},
		},
		{
			"target over the genes left, base 2",
			Config{MinGenes: 2, MinCells: 2, Target: 60, Log: Log2},
			[]int{0, 1, 2},
			[]int{0, 1, 2, 3},
			60,
			[]float32{log(6, 2), log(24, 2), log(30, 2), 0, log(30, 2), 0, log(10, 2), log(20, 2), log(30, 2), log(24, 2), 0, log(6, 2)},
			[3]int{2, 0, 1},
		},
		{
			"logarithm alone",
			Config{MinGenes: 3, MinCells: 3, Log: Log10},
			[]int{0, 1, 2},
			[]int{0},
			0,
			[]float32{log(1, 10), log(3, 10), log(10, 10)},
			[3]int{2, 0, 4},
		},
		{
			"natural logarithm",
			Config{MinGenes: 3, MinCells: 3, Log: LogE},
			[]int{0, 1, 2},
			[]int{0},
			0,
			[]float32{log(1, math.E), log(3, math.E), log(10, math.E)},
			[3]int{2, 0, 4},
		},
	} {
		for _, opts := range []h5ad.RowOptions{{}, {MaxRows: 1}} {
			p, rows, cols, values := run(t, hand(t), handGenes, c.cfg, opts)
			if !slices.Equal(rows, c.rows) || !slices.Equal(cols, c.cols) {
				t.Fatalf("%s: rows %v, columns %v", c.name, rows, cols)
			}
			if got := [3]int{p.FewGenes, p.HighMito, p.FewCells}; p.Target != c.target || got != c.counts || p.MitoGenes != 2 {
				t.Errorf("%s: target %v, dropped %v, %d mitochondrial genes", c.name, p.Target, got, p.MitoGenes)
			}
			for i, w := range c.want {
				// One rounding to float32; the logarithm of the base is another's here.
				if math.Abs(float64(values[i]-w)) > 1.2e-7*float64(w) {
					t.Errorf("%s: value %d is %v, expected %v", c.name, i, values[i], w)
				}
			}
			excluded := p.Excluded()
			for i := range handGenes {
				if excluded != nil && excluded[i] == slices.Contains(cols, i) {
					t.Errorf("%s: excluded %v", c.name, excluded)
				}
			}
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var again Plan
			if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(&again, p) {
				t.Errorf("%s: JSON %v %s", c.name, err, text)
			}
		}
	}
}

// TestPlanOfAShard covers some of the rows.
func TestPlanOfAShard(t *testing.T) {
	ctx := context.Background()
	x := hand(t)
	opts := h5ad.RowOptions{Start: 1, End: 4, MaxRows: 2}
	p, err := New(ctx, x, handGenes, Config{MinGenes: 2, Target: Median}, h5ad.Selection{Rows: opts})
	if err != nil {
		t.Fatal(err)
	}
	if p.Keeps(0) || !p.Keeps(1) || !p.Keeps(2) || p.Keeps(3) || p.Keeps(4) || p.Target != 58 || p.KeptCells != 2 {
		t.Errorf("%+v", p)
	}
	rows, err := x.Rows(ctx, h5ad.RowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b h5ad.Batch
	if err := p.Source(rows).Next(ctx, &b); err == nil || !strings.Contains(err.Error(), "not of the plan") {
		t.Errorf("rows of another plan: %v", err)
	}
}

func TestErrors(t *testing.T) {
	nan := float32(math.NaN())
	counts := file(t, handGenes, []float32{1, 2, 3, 0, 0})
	for _, c := range []struct {
		name  string
		x     *h5ad.Matrix
		genes []string
		cfg   Config
		want  string
		input bool
	}{
		{"negative", file(t, handGenes, []float32{1, -2, 0, 0, 0}), handGenes, Config{MinGenes: 1}, `row 0, gene "A": negative value -2: the matrix looks scaled`, true},
		{"scaled", file(t, handGenes, []float32{1, -2, 0, 0, 0}), handGenes, Config{Log: Log10}, "the matrix looks scaled", true},
		{"NaN", file(t, handGenes, []float32{0, 0, 0, 0, 0}, []float32{1, 0, 0, nan, 0}), handGenes, Config{Target: Median}, `row 1, gene "C": the value is NaN`, true},
		{"no mitochondrial gene", counts, []string{"MT1X", "A", "B", "C", "mtor"}, Config{MaxMito: 0.1}, "no gene of 5 is mitochondrial", true},
		{"no cell left", counts, handGenes, Config{MinGenes: 4}, "the filters drop all of 1 cells: 1 have fewer than 4 genes", true},
		{"no cell left by mito", counts, handGenes, Config{MaxMito: 0.1}, "1 are mitochondrial by more than 0.1", true},
		{"no gene left", counts, handGenes, Config{MinCells: 2}, "the filters drop all of 5 genes", true},
		{"no median", file(t, handGenes, []float32{0, 0, 0, 0, 0}), handGenes, Config{Target: Median}, "no cell has one above 0", true},
		{"percent", counts, handGenes, Config{MaxMito: 5}, "such as 0.05 for 5 %", false},
		{"genes", counts, handGenes, Config{MinGenes: -1}, "a minimum of -1 genes", false},
		{"cells", counts, handGenes, Config{MinCells: -1}, "a minimum of -1 cells", false},
		{"target", counts, handGenes, Config{Target: -2}, "a target of -2", false},
		{"target NaN", counts, handGenes, Config{Target: math.NaN()}, "a target of NaN", false},
		{"names", counts, handGenes[:3], Config{}, "3 names for a matrix of 5 genes", false},
	} {
		_, err := New(context.Background(), c.x, c.genes, c.cfg, h5ad.Selection{})
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &bad) != c.input {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(ctx, counts, handGenes, Config{MinGenes: 1}, h5ad.Selection{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// What no pass looked at is found when it is normalised.
	x := file(t, handGenes, []float32{1, nan, 0, 0, 0})
	p, err := New(context.Background(), x, handGenes, Config{Target: 10}, h5ad.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.Rows(context.Background(), h5ad.RowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var b h5ad.Batch
	if err := p.Source(rows).Next(context.Background(), &b); err == nil || !strings.Contains(err.Error(), "row 0: the value NaN cannot be normalised") {
		t.Errorf("NaN: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	x := file(t, handGenes, []float32{0.5, 2, 3, 0, 0})
	for _, c := range []struct {
		cfg  Config
		want int
	}{{Config{Log: Log2}, 1}, {Config{MinGenes: 1}, 0}} {
		p, err := New(context.Background(), x, handGenes, c.cfg, h5ad.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		if w := p.Warnings(); len(w) != c.want {
			t.Errorf("%+v: %q", c.cfg, w)
		}
	}
}

func TestIsMito(t *testing.T) {
	for name, want := range map[string]bool{
		"MT-CO1": true, "mt-Co1": true, "Mt-co1": true, "mT-x": true,
		"MT1X": false, "MTOR": false, "MT-": false, "": false, "AMT-1": false, "ENSG00000198804": false,
	} {
		if IsMito(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestParseLog(t *testing.T) {
	for l := LogNone; l <= Log10; l++ {
		if got, err := ParseLog(l.String()); got != l || err != nil {
			t.Errorf("%v: %v %v", l, got, err)
		}
	}
	if _, err := ParseLog("3"); err == nil {
		t.Error("3 is a base")
	}
}

func BenchmarkSource(b *testing.B) {
	p := &Plan{Config: Config{Target: 1e4, Log: Log10}, Target: 1e4}
	vals := make([]float32, 2000)
	for i := range vals {
		vals[i] = float32(1 + i*i%7)
	}
	var out []float32
	for b.Loop() {
		out, _ = normalise(p, out[:0], vals)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(vals)), "ns/value")
}
