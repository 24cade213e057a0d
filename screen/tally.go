package screen

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/screen/program"
	"github.com/cellsentence/c2s/screen/record"
	"github.com/cellsentence/c2s/screen/specificity"
)

// The sizes of what is kept for report cards.
const (
	mostGenes = 4096 // that are followed
	mostMoved = 12   // on a card
)

// tally follows what happens to single genes and to side programs: the mean change from
// the vehicle of the same cells.
type tally struct {
	p     *Plan
	genes map[string]int
	names []string
	side  []*program.Program
	// sums, by item and context; lift is 1 − position/length, and 0 for an absent gene.
	items map[int]*[2]sums
	// before is the vehicle of each cell: by context and cell.
	before [2][]sums
	// null is random gene sets like the program; nil if there are too few genes.
	null *specificity.Null
}

type sums struct {
	lift []float32
	side []float64
	n    int
	cell []uint64 // a bit for each cell that was asked about; nil for a cell itself
}

// newTally follows the genes that one in a hundred cells shows, and the program's.
func newTally(p *Plan) *tally {
	t := &tally{p: p, genes: map[string]int{}, side: p.side, items: map[int]*[2]sums{}}
	shown, cells := map[string]int{}, 0
	for x := range p.profiles {
		for i := range p.profiles[x] {
			cells++
			for _, word := range p.shown(&p.profiles[x][i]) {
				shown[word]++
			}
		}
		t.before[x] = make([]sums, len(p.Cells[x]))
	}
	names := slices.SortedFunc(maps.Keys(shown), func(a, b string) int {
		return cmp.Or(cmp.Compare(shown[b], shown[a]), strings.Compare(a, b))
	})
	names = slices.DeleteFunc(names, func(g string) bool { return 100*shown[g] < cells })
	names = names[:min(len(names), mostGenes)]
	for _, g := range p.Seen {
		if !slices.Contains(names, g) {
			names = append(names, g)
		}
	}
	for i, g := range names {
		t.genes[g] = i
	}
	t.names = names
	return t
}

func (t *tally) add(s *sums, genes []string) {
	if s.lift == nil {
		s.lift, s.side = make([]float32, len(t.names)), make([]float64, len(t.side))
	}
	s.n++
	for position, word := range genes {
		if i, ok := t.genes[word]; ok {
			s.lift[i] += 1 - float32(position)/float32(t.p.Genes)
		}
	}
	for i, prog := range t.side {
		s.side[i] += program.U(prog, max(t.p.Genes, len(prog.Genes)), genes)
	}
}

func (t *tally) vehicle(a *answer) {
	if a.row.Valid {
		t.add(&t.before[a.context][a.cell], a.genes)
	}
}

func (t *tally) compound(a *answer) {
	if !a.row.Valid || a.arm != record.Compound {
		return
	}
	both := t.items[a.item]
	if both == nil {
		both = new([2]sums)
		t.items[a.item] = both
	}
	s := &both[a.context]
	if s.cell == nil {
		s.cell = make([]uint64, (len(t.before[a.context])+63)/64)
	}
	s.cell[a.cell/64] |= 1 << (a.cell % 64)
	t.add(s, a.genes)
}

// change is how far each gene, and each side program, rose in a context.
func (t *tally) change(item int, x record.Context) (lift, side []float64) {
	lift, side = make([]float64, len(t.names)), make([]float64, len(t.side))
	both := t.items[item]
	if both == nil || both[x].n == 0 {
		return lift, side
	}
	s, n := &both[x], 0.0
	for cell := range t.before[x] {
		before := &t.before[x][cell]
		if s.cell[cell/64]>>(cell%64)&1 == 0 || before.n == 0 {
			continue
		}
		n++
		for i, v := range before.lift {
			lift[i] -= float64(v) / float64(before.n)
		}
		for i, v := range before.side {
			side[i] -= v / float64(before.n)
		}
	}
	for i := range lift {
		lift[i] = lift[i]/max(n, 1) + float64(s.lift[i])/float64(s.n)
	}
	for i := range side {
		side[i] = side[i]/max(n, 1) + s.side[i]/float64(s.n)
	}
	return lift, side
}

// draw draws the random gene sets, by the ranks that genes have under the vehicle.
func (t *tally) draw(seed uint64) error {
	height, cells := make([]float64, len(t.names)), 0.0
	for x := range t.before {
		for i := range t.before[x] {
			if s := &t.before[x][i]; s.n > 0 {
				cells++
				for g, v := range s.lift {
					height[g] += float64(v) / float64(s.n)
				}
			}
		}
	}
	for g := range height {
		height[g] /= max(cells, 1)
	}
	var own []int32
	var down []bool
	for _, g := range t.p.Program.Genes {
		if slices.Contains(t.p.Seen, g.Symbol) {
			own, down = append(own, int32(t.genes[g.Symbol])), append(down, g.Down)
		}
	}
	var err error
	t.null, err = specificity.NewNull(own, down, height, specificity.Sets, seed)
	return err
}

// card fills in what is known of an item beside its scores.
func (t *tally) card(item int, to *record.Item) {
	if t.items[item] == nil {
		return
	}
	var lift, side [2][]float64
	for x := range lift {
		lift[x], side[x] = t.change(item, record.Context(x))
	}
	for i, prog := range t.side {
		if to.Side == nil {
			to.Side = map[string]record.Pair{}
		}
		to.Side[prog.Name] = record.Pair{round(side[0][i]), round(side[1][i])}
	}
	if both := t.items[item]; t.null != nil && both[0].n > 0 && both[1].n > 0 {
		rise := make([]float64, len(t.names))
		for i := range rise {
			rise[i] = lift[record.Positive][i] - lift[record.Neutral][i]
		}
		if p := t.null.P(rise); !math.IsNaN(p) {
			to.Specificity = &p
		}
	}
	to.Moved = specificity.Most(t.names, lift[record.Positive], lift[record.Neutral], mostMoved)
}

// round keeps what can be read on a card.
func round(v float64) float64 { return math.Round(v*1e5) / 1e5 }
