package simulate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cellsentence/c2s/screen/record"
)

const (
	// unit is s in units of the score.
	unit = 0.004
	// level is the score of an unmoved cell, and spread its standard deviation over cells.
	level, spread = 0.4, 0.02
	// ControlName is the positive control of a simulated screen.
	ControlName = "IFN-gamma"
)

// families are those of the decoys.
func families() []string { return []string{"invented", "shuffled", "stem"} }

// What random numbers are for, so that no two uses share theirs.
const (
	forOrder = iota + 1
	forCells
	forVehicle
	forItem
)

// source is the random numbers of the n-th use for a purpose.
func source(seed uint64, what, n int) *rand.Rand {
	return rand.New(rand.NewPCG(mix(seed+uint64(what)*0x9e3779b97f4a7c15), mix(uint64(n)+seed)))
}

// mix is SplitMix64's output function (G. Steele, D. Lea and C. Flood, "Fast
// Splittable Pseudorandom Number Generators", OOPSLA 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Table makes the rows of a screen and, for each item of its header, the truth. The same configuration makes the same
// rows on any number of cores.
func Table(ctx context.Context, cfg Config) (*record.Table, []Truth, error) {
	if err := cfg.Check(); err != nil {
		return nil, nil, err
	}
	t, classes := header(cfg)
	w := &world{cfg: cfg, t: t, truth: make([]Truth, len(classes))}
	for i, class := range classes {
		e := effects(cfg, class, t.Header.Items[i].Kind)
		w.truth[i] = Truth{class, unit * e[0], unit * e[1]}
	}
	w.place()
	w.vehicle()
	var at atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(at.Add(1)) - 1
				if i >= len(t.Header.Items) {
					return
				}
				w.item(i)
			}
		})
	}
	wg.Wait()
	return t, w.truth, context.Cause(ctx)
}

// header lists the items, in an order that the seed picks, so that place tells nothing.
func header(cfg Config) (*record.Table, []Class) {
	t := &record.Table{Header: record.Header{
		Plan: fmt.Sprintf("simulated-%d", cfg.Seed), Predictor: "simulate", Program: []string{}, CellTypes: []string{"all"}, Doses: []string{"1 uM"},
		Margin: cfg.Margin * unit, Control: ControlName, Design: "fixed",
	}}
	h := &t.Header
	truth := make([]Class, cfg.Compounds)
	k := 0
	for _, c := range []struct {
		class Class
		n     int
	}{{Selective, cfg.Selective}, {Both, cfg.Both}, {NeutralOnly, cfg.NeutralOnly}, {Suppressor, cfg.Suppressors}, {Inert, math.MaxInt}} {
		for n := 0; n < c.n && k < cfg.Compounds; n++ {
			truth[k] = c.class
			k++
		}
	}
	r := source(cfg.Seed, forOrder, 0)
	r.Shuffle(len(truth), func(i, j int) { truth[i], truth[j] = truth[j], truth[i] })
	for i := range truth {
		h.Items = append(h.Items, record.Item{Name: fmt.Sprintf("SIM-%05d", i+1), Kind: record.Test})
	}
	for _, f := range families() {
		for i := range cfg.Decoys {
			h.Items = append(h.Items, record.Item{Name: fmt.Sprintf("DECOY-%s-%05d", f, i+1), Kind: record.Decoy, Family: f})
		}
	}
	h.Items = append(h.Items, record.Item{Name: ControlName, Kind: record.Control})
	truth = append(truth, make([]Class, len(h.Items)-len(truth))...)
	for d := range cfg.Donors {
		if !cfg.Separate {
			h.Clusters = append(h.Clusters, record.Cluster{Name: fmt.Sprintf("D%d", d+1), In: [2]bool{true, true}})
			continue
		}
		h.Clusters = append(h.Clusters,
			record.Cluster{Name: fmt.Sprintf("P%d", d+1), In: [2]bool{true, false}},
			record.Cluster{Name: fmt.Sprintf("N%d", d+1), In: [2]bool{false, true}})
	}
	return t, truth
}

// world fills a table.
type world struct {
	cfg   Config
	t     *record.Table
	truth []Truth
	base  [2][]float64 // scores of the input cells
}

// cluster is the place of a donor in the header.
func (w *world) cluster(context, donor int) int32 {
	if w.cfg.Separate {
		return int32(2*donor + context)
	}
	return int32(donor)
}

// place makes room for all rows: those of the vehicle, then those of the items.
func (w *world) place() {
	cells := 2 * w.cfg.Donors * w.cfg.Cells
	n := cells * (w.cfg.Draws + len(w.t.Header.Items))
	t := w.t
	t.Context, t.Arm, t.Item, t.Dose = make([]record.Context, n), make([]record.Arm, n), make([]int32, n), make([]int16, n)
	t.Cluster, t.CellType, t.Cell, t.Draw = make([]int32, n), make([]int32, n), make([]int32, n), make([]int16, n)
	t.U, t.Expr, t.Valid, t.Copy = make([]float32, n), make([]float32, n), make([]bool, n), make([]bool, n)
}

// set writes a row. The expression score is the same effect on another scale.
func (w *world) set(i int, arm record.Arm, item, context, donor, cell, draw int, score float64) {
	t := w.t
	t.Context[i], t.Arm[i], t.Item[i] = record.Context(context), arm, int32(item)
	t.Cluster[i], t.Cell[i], t.Draw[i] = w.cluster(context, donor), int32(donor*w.cfg.Cells+cell), int16(draw)
	t.U[i], t.Expr[i], t.Valid[i] = float32(score), float32((score-level)/spread), true
}

// noise is the standard deviation over cells of the mean compound's effect.
func (w *world) noise() float64 { return unit * math.Sqrt(w.cfg.CellShare*ReferenceCells) }

func (w *world) vehicle() {
	row := 0
	for context := range 2 {
		cells := source(w.cfg.Seed, forCells, context)
		draws := source(w.cfg.Seed, forVehicle, context)
		for donor := range w.cfg.Donors {
			own := level + spread*cells.NormFloat64()/2
			for cell := range w.cfg.Cells {
				base := own + spread*cells.NormFloat64()
				w.base[context] = append(w.base[context], base)
				for draw := range w.cfg.Draws {
					w.set(row, record.Vehicle, -1, context, donor, cell, draw, base+w.noise()*draws.NormFloat64())
					row++
				}
			}
		}
	}
}

// effects are the true means of an item, in units of s.
func effects(cfg Config, class Class, kind record.Kind) [2]float64 {
	e := cfg.Effect
	switch class {
	case Selective:
		return [2]float64{e, 0}
	case Both:
		return [2]float64{e, cfg.Margin}
	case NeutralOnly:
		return [2]float64{0, e}
	case Suppressor:
		return [2]float64{-e, 0}
	}
	if kind == record.Control {
		return [2]float64{4 * cfg.Margin, 4 * cfg.Margin}
	}
	return [2]float64{}
}

func (w *world) item(item int) {
	r := source(w.cfg.Seed, forItem, item)
	scale := 1.0 // the compound's standard deviation in units of s
	if !math.IsInf(w.cfg.D0, 1) {
		scale = math.Sqrt((w.cfg.D0 - 2) / chi2(r, w.cfg.D0))
	}
	mean := [2]float64{w.truth[item].Pos, w.truth[item].Neu}
	between := unit * scale * math.Sqrt(1-w.cfg.CellShare)
	cells := w.cfg.Donors * w.cfg.Cells
	row := 2 * cells * (w.cfg.Draws + item)
	for donor := range w.cfg.Donors {
		shared := r.NormFloat64()
		for context := range 2 {
			rho := w.cfg.Correlation
			if w.cfg.Separate {
				rho = 0
			}
			z := math.Sqrt(1-math.Abs(rho)) * r.NormFloat64()
			if context == 1 && rho < 0 {
				shared = -shared
			}
			z += math.Sqrt(math.Abs(rho)) * shared
			for cell := range w.cfg.Cells {
				i := donor*w.cfg.Cells + cell
				score := w.base[context][i] + mean[context] + between*z + w.noise()*scale*r.NormFloat64()
				w.set(row+context*cells+i, record.Compound, item, context, donor, cell, 0, score)
			}
		}
	}
}

// chi2 is a χ² number: 2·Gamma(df/2), by G. Marsaglia and W. W. Tsang ("A simple
// method for generating gamma variables", ACM Trans. Math. Softw. 26, 2000).
func chi2(r *rand.Rand, df float64) float64 {
	d := df/2 - 1.0/3 // df > 2, so that the shape is above 1
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		v = v * v * v
		if v > 0 && math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return 2 * d * v
		}
	}
}
