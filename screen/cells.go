package screen

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/where"
	"github.com/cellsentence/c2s/screen/record"
)

// Cell is a cell of a screen, the same for every compound.
type Cell struct {
	Row      int `json:"row"`       // in its file
	Cluster  int `json:"cluster"`   // its donor or cell line
	CellType int `json:"cell_type"` //
	Rank     int `json:"rank"`      // its turn among the cells of its donor, from 0
}

// pool is the cells of one context that a screen may take.
type pool struct {
	which   record.Context
	path    string
	file    *h5ad.File
	matrix  *h5ad.Matrix
	genes   []string
	names   []string // of all rows of the file
	rows    []int    // that where keeps, rising
	donors  []string // of rows, "" where it is missing
	types   []string
	missing int // rows without donor or type
}

// openPool opens the file of a context and reads the labels of its cells. The caller
// closes the file.
func openPool(ctx context.Context, cfg *Config, which record.Context, workers int) (*pool, error) {
	x := cfg.context(which)
	path := cfg.File(x.File)
	f, err := h5ad.Open(ctx, path, h5ad.Options{Workers: workers})
	if err != nil {
		return nil, err
	}
	p := &pool{which: which, path: path, file: f}
	if err := p.label(ctx, cfg); err != nil {
		f.Close() // it was only read
		return nil, err
	}
	return p, nil
}

// label reads what the file says of its cells.
func (p *pool) label(ctx context.Context, cfg *Config) (err error) {
	x := cfg.context(p.which)
	f, vr := p.file, p.file.Var()
	switch x.Layer {
	case "":
		p.matrix, err = f.X()
	case "raw":
		p.matrix, vr, err = f.Raw(ctx)
	default:
		p.matrix, err = f.Layer(ctx, x.Layer)
	}
	if err != nil {
		return err
	}
	if p.genes, err = vr.Index(ctx); err != nil {
		return err
	}
	obs := f.Obs()
	if p.names, err = obs.Index(ctx); err != nil {
		return err
	}
	place := fmt.Sprintf("%s: contexts.%s", cfg.path, contextName(p.which))
	if x.Where == "" {
		p.rows = make([]int, len(p.names))
		for i := range p.rows {
			p.rows[i] = i
		}
	} else if p.rows, err = where.Rows(ctx, obs, x.Where); err != nil {
		return &Error{place + ".where", err, "c2s inspect lists the columns of obs"}
	}
	if len(p.rows) == 0 {
		return wrong(place, "c2s inspect shows the columns of obs and their values", "no cell of %s is left after where %q", p.path, x.Where)
	}
	if p.donors, err = labels(ctx, obs, x.Donor, p.rows); err != nil {
		return err
	}
	if x.Pattern != "" {
		donor, err := regexp.Compile(x.Pattern)
		if err != nil {
			return &Error{place + ".donor_pattern", err, ""}
		}
		for i, d := range p.donors {
			p.donors[i] = donor.FindString(d)
		}
	}
	p.types = make([]string, len(p.rows))
	if x.CellType != "" {
		if p.types, err = labels(ctx, obs, x.CellType, p.rows); err != nil {
			return err
		}
	}
	keep := 0
	for i, row := range p.rows {
		if p.donors[i] == "" || x.CellType != "" && p.types[i] == "" {
			p.missing++
			continue
		}
		p.rows[keep], p.donors[keep], p.types[keep] = row, p.donors[i], p.types[i]
		keep++
	}
	p.rows, p.donors, p.types = p.rows[:keep], p.donors[:keep], p.types[:keep]
	if keep == 0 {
		return wrong(place, "", "no cell of %s has a donor (column %s) and a cell type", p.path, x.Donor)
	}
	return nil
}

// labels is the text of a column in some rows, "" where it is missing.
func labels(ctx context.Context, obs *h5ad.DataFrame, column string, rows []int) ([]string, error) {
	c, err := obs.Column(ctx, column)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i], _ = c.Text(row)
	}
	return out, nil
}

// counted is how many cells of each donor and type a pool has.
func (p *pool) counted() map[[2]string][]int {
	n := map[[2]string][]int{}
	for i := range p.rows {
		k := [2]string{p.donors[i], p.types[i]}
		n[k] = append(n[k], i)
	}
	return n
}

// shares is the part of each cell type, the mean over donors.
func (p *pool) shares() map[string]float64 {
	total := map[string]float64{}
	for _, d := range p.donors {
		total[d]++
	}
	out := map[string]float64{}
	for i, t := range p.types {
		out[t] += 1 / total[p.donors[i]] / float64(len(total))
	}
	return out
}

// mostDropped is the share of cells that may be left out for cell types that some donor
// lacks.
const mostDropped = 0.2

// mixture is the weights of the cell types that are compared: the smaller share of the
// two contexts, so that neither has to do with fewer cells than it has. Types of one
// context only are dropped, as are those that are too rare for a cell of each donor, or
// that some donor lacks, unless that would cost more than a fifth of the cells.
func mixture(pools [2]*pool, cells int) (types []string, weights []float64, dropped []string) {
	a, b := pools[0].shares(), pools[1].shares()
	share := map[string]float64{}
	for t, v := range a {
		if other, ok := b[t]; ok {
			share[t] = min(v, other)
		} else {
			dropped = append(dropped, t)
		}
	}
	for t := range b {
		if _, ok := a[t]; !ok {
			dropped = append(dropped, t)
		}
	}
	lacking, lost, sum := map[string]bool{}, 0.0, 0.0
	for _, t := range slices.Sorted(maps.Keys(share)) { // sums do not depend on the order of a map
		v := share[t]
		sum += v
		if v*float64(cells) < 0.5 || pools[0].lacks(t) || pools[1].lacks(t) {
			lacking[t] = true
			lost += v
		}
	}
	if lost <= mostDropped*sum {
		for t := range lacking {
			dropped = append(dropped, t)
			delete(share, t)
		}
	}
	types = slices.Sorted(maps.Keys(share))
	for _, t := range types {
		weights = append(weights, share[t])
	}
	normalise(weights)
	// What is left may still get no cell by the largest remainders.
	for {
		none := slices.Index(quota(cells, weights), 0)
		if none < 0 || len(types) == 1 {
			break
		}
		dropped = append(dropped, types[none])
		types, weights = slices.Delete(types, none, none+1), slices.Delete(weights, none, none+1)
		normalise(weights)
	}
	slices.Sort(dropped)
	return types, weights, dropped
}

func normalise(weights []float64) {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for i := range weights {
		weights[i] /= sum
	}
}

// lacks reports whether a donor has no cell of a type.
func (p *pool) lacks(cellType string) bool {
	has := map[string]bool{}
	for i, d := range p.donors {
		has[d] = has[d] || p.types[i] == cellType
	}
	for _, ok := range has {
		if !ok {
			return true
		}
	}
	return false
}

// quota divides n cells by weights: the largest remainders are rounded up.
func quota(n int, weights []float64) []int {
	out, order, left := make([]int, len(weights)), make([]int, len(weights)), n
	for i, w := range weights {
		out[i] = int(w * float64(n))
		order[i] = i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(weights[b]*float64(n)-float64(out[b]), weights[a]*float64(n)-float64(out[a]))
	})
	for i := range left {
		out[order[i%len(order)]]++
	}
	return out
}

// choose takes the cells of a context: for each donor the quota of every type, as far as
// it has them. Which cells, and in which turn, depends on the seed and their rows alone;
// types take turns, so that the first cells of a donor are a mixture as well.
func (p *pool) choose(cfg *Config, clusters, types []string, weights []float64) []Cell {
	groups := p.counted()
	wanted := quota(cfg.Cells, weights)
	var cells []Cell
	for c, donor := range clusters {
		var own []Cell
		turn := map[int]float64{}
		for t, name := range types {
			at := groups[[2]string{donor, name}]
			seed := key(cfg.Seed, "cells", contextName(p.which))
			slices.SortFunc(at, func(i, j int) int {
				return cmp.Compare(mix(seed^uint64(p.rows[i])), mix(seed^uint64(p.rows[j])))
			})
			n := len(at)
			if cfg.Match != matchNone {
				n = min(n, wanted[t])
			}
			for k, i := range at[:n] {
				turn[p.rows[i]] = (float64(k) + 0.5) / float64(n)
				own = append(own, Cell{Row: p.rows[i], Cluster: c, CellType: t})
			}
		}
		slices.SortFunc(own, func(a, b Cell) int {
			if cfg.Match == matchNone { // one heap
				return cmp.Compare(mix(cfg.Seed^uint64(a.Row)), mix(cfg.Seed^uint64(b.Row)))
			}
			return cmp.Or(cmp.Compare(turn[a.Row], turn[b.Row]), cmp.Compare(a.CellType, b.CellType), cmp.Compare(a.Row, b.Row))
		})
		own = own[:min(len(own), cfg.Cells)]
		for k := range own {
			own[k].Rank = k
		}
		cells = append(cells, own...)
	}
	return cells
}

// profile is what is read of a cell.
type profile struct {
	sentence []string // all expressed genes
	columns  []int32  // of values, rising
	values   []float32
}

// read reads cells in the order given. Sentences are those of c2s encode with the same
// seed; values are ln(1 + counts per 10,000), or as they are where the file has
// logarithms already.
func (p *pool) read(ctx context.Context, seed uint64, cells []Cell) ([]profile, error) {
	enc, err := cellsentence.NewEncoder(p.genes, cellsentence.Config{Seed: seed})
	if err != nil {
		return nil, &Error{p.path, err, ""}
	}
	kind, _, err := p.matrix.Kind(ctx)
	if err != nil {
		return nil, err
	}
	at := map[int]int{} // row → place
	var rows []int
	for i, c := range cells {
		at[c.Row] = i
		rows = append(rows, c.Row)
	}
	slices.Sort(rows)
	out := make([]profile, len(cells))
	one := &single{}
	err = p.matrix.Each(ctx, h5ad.Selection{Cells: rows}, func(b *h5ad.Batch) error {
		values := h5ad.Floats(nil, b.Values)
		for i := range b.NObs() {
			row := rows[b.Start+i]
			lo, hi := b.Indptr[i], b.Indptr[i+1]
			one.batches = append(one.batches, &h5ad.Batch{
				Start: row, Indptr: []int64{0, hi - lo}, Indices: slices.Clone(b.Indices[lo:hi]), Values: slices.Clone(values[lo:hi]),
			})
			out[at[row]].fill(b.Indices[lo:hi], values[lo:hi], kind == h5ad.Counts)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for s, err := range enc.Encode(ctx, one) {
		if err != nil {
			return nil, &Error{p.path, err, "name the layer with the counts: contexts." + contextName(p.which) + ".layer"}
		}
		for i := range s.Len() {
			out[at[s.Start+i]].sentence = strings.Fields(string(s.At(i)))
		}
	}
	return out, nil
}

// fill takes the values of a cell.
func (c *profile) fill(columns []int32, values []float64, counts bool) {
	total := 0.0
	for _, v := range values {
		total += v
	}
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(columns[a], columns[b]) })
	for _, i := range order {
		v := values[i]
		if v == 0 {
			continue
		}
		if counts {
			v = math.Log1p(1e4 * v / total)
		}
		c.columns, c.values = append(c.columns, columns[i]), append(c.values, float32(v))
	}
}

// single gives batches that lie in memory, each with the row that it has in its file.
type single struct {
	batches []*h5ad.Batch
	next    int
}

// Next implements cellsentence.Source.
func (s *single) Next(_ context.Context, b *h5ad.Batch) error {
	if s.next == len(s.batches) {
		return io.EOF
	}
	*b = *s.batches[s.next]
	s.next++
	return nil
}
