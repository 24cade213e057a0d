package score

import (
	"context"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cellsentence/c2s/internal/stats"
)

// Average says how the cells of a group become the one number of a gene that a
// fold change compares.
type Average string

const (
	// Arithmetic is the mean of the values.
	Arithmetic Average = "arithmetic"
	// Geometric is exp(mean of log(1 + x)) − 1.
	Geometric Average = "geometric"
)

// DEOptions are the rules of differential expression.
type DEOptions struct {
	// Average is the mean under the fold change ("": arithmetic).
	Average Average
	// Log says that values are log(1 + x): averages are taken of x.
	Log bool
	// Epsilon is added to both averages before their ratio. With 0 a gene that one
	// side lacks has a fold change of ±Inf; a gene that both lack has 0.
	Epsilon float64
	// Above, if positive, leaves out the genes whose average in the control is not
	// above it, in the unit of the values.
	Above float64
	// Workers is the number of goroutines (0: one a processor).
	Workers int
}

// Table is the differential expression of one perturbation against the control,
// one entry a gene. Genes that [DEOptions].Above leaves out are NaN throughout.
type Table struct {
	Mean, Control []float64 // averages of the perturbed and the control cells
	LFC           []float64 // log2((Mean + ε) / (Control + ε))
	U             []float64 // Mann–Whitney statistic of the perturbed cells
	P, FDR        []float64 // two-sided p; Benjamini–Hochberg within the table
}

// DE compares the cells of each perturbation, in the order of
// [Cells.Perturbations], with the control: the Mann–Whitney test with tie and
// continuity correction, as SciPy and pdex have it, and the fold change. The
// control is sorted once a gene and cells that lack the gene are only counted, so
// that the cost is that of sorting the values that are there.
func DE(ctx context.Context, c *Cells, opts DEOptions) ([]Table, error) {
	genes, perts := len(c.genes), len(c.groups)-1
	tables := make([]Table, perts)
	for p := range tables {
		t := &tables[p]
		for _, column := range []*[]float64{&t.Mean, &t.Control, &t.LFC, &t.U, &t.P} {
			*column = make([]float64, genes)
		}
	}
	columns := c.transpose()
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	// Genes in turn, so that a run of busy ones is shared out.
	const block = 64
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			scan := geneScan{cells: c, opts: opts, tables: tables}
			for from := w * block; from < genes; from += workers * block {
				if err := ctx.Err(); err != nil {
					return err
				}
				for g := from; g < min(from+block, genes); g++ {
					scan.gene(g, columns)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for p := range tables {
		tables[p].FDR = stats.Adjust(tables[p].P)
	}
	return tables, nil
}

// byGene is compressed sparse columns: the values of a gene by rising row, and so
// by group.
type byGene struct {
	ptr   []int64
	row   []int32
	value []float64
}

func (c *Cells) transpose() byGene {
	t := byGene{ptr: make([]int64, len(c.genes)+1), row: make([]int32, len(c.index)), value: make([]float64, len(c.index))}
	for _, j := range c.index {
		t.ptr[j+1]++
	}
	for g := range c.genes {
		t.ptr[g+1] += t.ptr[g]
	}
	next := slices.Clone(t.ptr)
	for r := range c.rows() {
		index, value := c.row(r)
		for i, j := range index {
			t.row[next[j]], t.value[next[j]] = int32(r), value[i]
			next[j]++
		}
	}
	return t
}

// geneScan is what one goroutine needs.
type geneScan struct {
	cells   *Cells
	opts    DEOptions
	tables  []Table
	control float64 // average of the gene at hand
	pool    stats.Pool
}

// gene fills the entry of gene g in every table.
func (s *geneScan) gene(g int, t byGene) {
	c := s.cells
	row, value := t.row[t.ptr[g]:t.ptr[g+1]], t.value[t.ptr[g]:t.ptr[g+1]]
	at := 0
	for k := range c.groups {
		from := at
		for at < len(row) && int(row[at]) < c.start[k+1] {
			at++
		}
		x, n := value[from:at], c.size(k)
		mean := s.mean(x, n)
		if k == 0 {
			s.control = mean
			s.pool.Reset(x, n) // the copy is ours to sort
			continue
		}
		t := &s.tables[k-1]
		control := s.control
		if s.opts.Above > 0 && !(control > s.opts.Above) {
			nan := math.NaN()
			t.Mean[g], t.Control[g], t.LFC[g], t.U[g], t.P[g] = nan, nan, nan, nan, nan
			continue
		}
		t.Mean[g], t.Control[g] = mean, control
		t.LFC[g] = foldChange(mean, control, s.opts.Epsilon)
		t.U[g], t.P[g] = s.pool.MannWhitney(x, n)
	}
}

// mean is the average of n values, of which those not in x are 0.
func (s *geneScan) mean(x []float64, n int) float64 {
	sum := 0.0
	switch {
	case s.opts.Average == Geometric && !s.opts.Log:
		for _, v := range x {
			sum += math.Log1p(v)
		}
	case s.opts.Average != Geometric && s.opts.Log:
		for _, v := range x {
			sum += math.Expm1(v)
		}
	default:
		for _, v := range x {
			sum += v
		}
	}
	if s.opts.Average == Geometric {
		return math.Expm1(sum / float64(n))
	}
	return sum / float64(n)
}

// foldChange is the log2 of a ratio; 0/0 is no change.
func foldChange(mean, control, epsilon float64) float64 {
	lfc := math.Log2((mean + epsilon) / (control + epsilon))
	if math.IsNaN(lfc) {
		return 0
	}
	return lfc
}
