package score

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

// Input is cells with their labels, as a file holds them.
type Input struct {
	// Name says in messages which side this is, as "real" or a file name.
	Name string
	// Cells gives the expression, one row a cell; it is read once, to its end.
	Cells cellsentence.Source
	// Genes names the columns.
	Genes []string
	// Labels names the perturbation of each cell in the order of the rows.
	Labels []string
	// Donors names the donor of each cell, if it is known: it adds the metrics on donor
	// pseudobulks, and on the real side it makes replicates of donors, not of cells.
	Donors []string
}

// Cells is expression in memory, grouped by perturbation. It does not change.
type Cells struct {
	name   string
	genes  []string
	groups []string // groups[0] is the control, the others rise
	start  []int    // the rows of groups[g] are [start[g], start[g+1])
	donor  []string // of each row; nil if unknown
	// Compressed sparse rows; within a group in the order of the input.
	ptr   []int64
	index []int32
	value []float64
	kin   kinship
}

// derive is a copy whose cells will be others.
func (c *Cells) derive() *Cells {
	n := *c
	n.kin = kinship{}
	return &n
}

// Load reads cells. Values must be finite; the control must be there, and at least
// one other perturbation. Cells whose label is empty are left out.
func Load(ctx context.Context, in Input, control string) (*Cells, error) {
	c, err := load(ctx, in, control)
	if err == nil && c.size(0) == 0 {
		return nil, badInput("%s: no cell is labelled %q, the control; the labels are %s", in.Name, control, some(c.groups[1:]))
	}
	return c, err
}

// load reads cells that may have no control.
func load(ctx context.Context, in Input, control string) (*Cells, error) {
	c, place, err := layout(in, control)
	if err != nil {
		return nil, err
	}
	var chunks []chunk
	count := make([]int64, c.rows()+1) // count[r+1] is the number of values of row r
	read := 0
	for {
		var b h5ad.Batch
		err := in.Cells.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.Name, err)
		}
		n := b.NObs()
		if n > len(place)-read {
			return nil, badInput("%s: more than the %d cells that have labels", in.Name, len(place))
		}
		k := chunk{place: place[read : read+n], ptr: b.Indptr, index: b.Indices}
		if k.value, err = float64s(b.Values); err != nil {
			return nil, fmt.Errorf("%s: %w", in.Name, err)
		}
		if err := k.check(in, read); err != nil {
			return nil, err
		}
		for i, row := range k.place {
			if row >= 0 {
				count[row+1] = k.ptr[i+1] - k.ptr[i]
			}
		}
		chunks = append(chunks, k)
		read += n
	}
	if read < len(place) {
		return nil, badInput("%s: %d labels for %d cells", in.Name, len(place), read)
	}
	for r := range c.rows() {
		count[r+1] += count[r]
	}
	c.ptr = count
	c.index = make([]int32, count[c.rows()])
	c.value = make([]float64, count[c.rows()])
	for i, k := range chunks {
		for j, row := range k.place {
			if row >= 0 {
				copy(c.index[c.ptr[row]:], k.index[k.ptr[j]:k.ptr[j+1]])
				copy(c.value[c.ptr[row]:], k.value[k.ptr[j]:k.ptr[j+1]])
			}
		}
		chunks[i] = chunk{} // its memory may go
	}
	return c, nil
}

// layout is cells without expression, and for each cell of the input its row, −1
// for a cell that is left out.
func layout(in Input, control string) (*Cells, []int, error) {
	size := map[string]int{}
	for _, label := range in.Labels {
		size[label]++
	}
	delete(size, "")
	if len(size) == 0 {
		return nil, nil, badInput("%s: no cell has a label", in.Name)
	}
	if len(size) == 1 && size[control] > 0 {
		return nil, nil, badInput("%s: all cells are labelled %q; there is nothing to score", in.Name, control)
	}
	seen := make(map[string]bool, len(in.Genes))
	for _, g := range in.Genes {
		if seen[g] {
			return nil, nil, badInput("%s: the gene %s occurs twice; make the names unique", in.Name, g)
		}
		seen[g] = true
	}
	c := &Cells{name: in.Name, genes: in.Genes, groups: []string{control}}
	for _, name := range slices.Sorted(maps.Keys(size)) {
		if name != control {
			c.groups = append(c.groups, name)
		}
	}
	c.start = make([]int, len(c.groups)+1)
	next := make(map[string]int, len(c.groups))
	for g, name := range c.groups {
		next[name] = c.start[g]
		c.start[g+1] = c.start[g] + size[name]
	}
	if in.Donors != nil {
		if len(in.Donors) != len(in.Labels) {
			return nil, nil, badInput("%s: %d donors for %d cells", in.Name, len(in.Donors), len(in.Labels))
		}
		c.donor = make([]string, c.rows())
	}
	place := make([]int, len(in.Labels))
	for i, label := range in.Labels {
		place[i] = -1
		if label != "" {
			place[i] = next[label]
			if in.Donors != nil {
				c.donor[place[i]] = in.Donors[i]
			}
			next[label]++
		}
	}
	return c, place, nil
}

// chunk is a batch that waits for its rows' places.
type chunk struct {
	place []int
	ptr   []int64
	index []int32
	value []float64
}

// check makes sure that the batch keeps within its slices and the genes, and that
// every value is finite. first is the row of its first cell.
func (k chunk) check(in Input, first int) error {
	held := int64(min(len(k.index), len(k.value)))
	for i := range k.place {
		if k.ptr[i] < 0 || k.ptr[i] > k.ptr[i+1] || k.ptr[i+1] > held {
			return badInput("%s: the values of cell %d lie outside its batch", in.Name, first+i)
		}
		for j := k.ptr[i]; j < k.ptr[i+1]; j++ {
			if g := k.index[j]; g < 0 || int(g) >= len(in.Genes) {
				return badInput("%s: cell %d has a value in column %d of %d", in.Name, first+i, g, len(in.Genes))
			}
			if v := k.value[j]; math.IsNaN(v) || math.IsInf(v, 0) {
				return badInput("%s: cell %d, gene %s: %g; scores need finite values", in.Name, first+i, in.Genes[k.index[j]], v)
			}
		}
	}
	return nil
}

func float64s(values any) ([]float64, error) {
	switch v := values.(type) {
	case nil:
		return nil, nil
	case []float64:
		return v, nil
	case []float32:
		return widen(v), nil
	case []int8:
		return widen(v), nil
	case []int16:
		return widen(v), nil
	case []int32:
		return widen(v), nil
	case []int64:
		return widen(v), nil
	case []uint8:
		return widen(v), nil
	case []uint16:
		return widen(v), nil
	case []uint32:
		return widen(v), nil
	case []uint64:
		return widen(v), nil
	}
	return nil, fmt.Errorf("values of type %T are no numbers", values)
}

func widen[T h5ad.Number](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// some lists the first names of many.
func some(names []string) string {
	const shown = 5
	text := fmt.Sprintf("%q", names[:min(shown, len(names))])
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Perturbations names the groups other than the control, rising.
func (c *Cells) Perturbations() []string { return slices.Clone(c.groups[1:]) }

// Genes names the columns.
func (c *Cells) Genes() []string { return slices.Clone(c.genes) }

func (c *Cells) rows() int { return c.start[len(c.start)-1] }

// size is the number of cells of group g.
func (c *Cells) size(g int) int { return c.start[g+1] - c.start[g] }

// row is the values of row r and their columns.
func (c *Cells) row(r int) ([]int32, []float64) {
	return c.index[c.ptr[r]:c.ptr[r+1]], c.value[c.ptr[r]:c.ptr[r+1]]
}

// pick is the given rows, for each group a list; a row may be drawn twice, and
// from another group.
func (c *Cells) pick(rows [][]int) *Cells {
	p := &Cells{name: c.name, genes: c.genes, groups: c.groups, start: []int{0}, ptr: []int64{0}, kin: c.picked(rows)}
	n := int64(0)
	for _, list := range rows {
		for _, r := range list {
			n += c.ptr[r+1] - c.ptr[r]
		}
	}
	p.index, p.value = make([]int32, 0, n), make([]float64, 0, n)
	for g, list := range rows {
		for _, r := range list {
			index, value := c.row(r)
			p.index = append(p.index, index...)
			p.value = append(p.value, value...)
			p.ptr = append(p.ptr, int64(len(p.index)))
			if c.donor != nil {
				p.donor = append(p.donor, c.donor[r])
			}
		}
		p.start = append(p.start, p.start[g]+len(list))
	}
	return p
}

// matched is the cells with no more of a perturbation than another side has, and the
// number of those left out.
func (c *Cells) matched(to *Cells, seed uint64) (*Cells, int) {
	rows, left := c.whole(), 0
	for g := 1; g < len(rows); g++ {
		if extra := len(rows[g]) - to.size(g); extra > 0 {
			left += extra
			kept := newDraws(seed, forMatch, g).Sample(len(rows[g]), to.size(g))
			for i, at := range kept {
				kept[i] = rows[g][at]
			}
			rows[g] = kept
		}
	}
	if left == 0 {
		return c, 0
	}
	return c.pick(rows).derive(), left
}

// withControl is the cells with the control of another side in place of their own.
func (c *Cells) withControl(from *Cells) *Cells {
	n := c.derive()
	shift := from.size(0) - c.size(0)
	n.start = []int{0}
	for _, s := range c.start[1:] {
		n.start = append(n.start, s+shift)
	}
	head, cut := from.ptr[from.size(0)], c.ptr[c.size(0)]
	n.ptr = slices.Clone(from.ptr[:from.size(0)])
	for _, at := range c.ptr[c.size(0):] {
		n.ptr = append(n.ptr, at-cut+head)
	}
	n.index = slices.Concat(from.index[:head], c.index[cut:])
	n.value = slices.Concat(from.value[:head], c.value[cut:])
	if n.donor = nil; c.donor != nil && from.donor != nil {
		n.donor = slices.Concat(from.donor[:from.size(0)], c.donor[c.size(0):])
	}
	return n
}

// transform is the cells with each value replaced; do gets a row and its values
// and writes to out.
func (c *Cells) transform(do func(r int, in, out []float64)) *Cells {
	t := c.derive()
	t.value = make([]float64, len(c.value))
	for r := range c.rows() {
		lo, hi := c.ptr[r], c.ptr[r+1]
		do(r, c.value[lo:hi], t.value[lo:hi])
	}
	return t
}

// means is the mean of each gene in each group.
func (c *Cells) means() [][]float64 {
	m := c.sums()
	for g := range m {
		n := float64(c.size(g))
		for j := range m[g] {
			m[g][j] /= n
		}
	}
	return m
}

// sums is the sum of each gene in each group.
func (c *Cells) sums() [][]float64 {
	s := make([][]float64, len(c.groups))
	for g := range s {
		s[g] = make([]float64, len(c.genes))
		for r := c.start[g]; r < c.start[g+1]; r++ {
			index, value := c.row(r)
			for i, j := range index {
				s[g][j] += value[i]
			}
		}
	}
	return s
}
