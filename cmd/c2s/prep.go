package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
)

// filterFlags are the flags of filters for cells and genes.
type filterFlags struct {
	minGenes, minCells int
	maxMito            float64

	cfg preprocess.Config
}

func (p *filterFlags) add(f *pflag.FlagSet) {
	f.IntVar(&p.minGenes, "min-genes", 0, "leave out cells with fewer than `N` expressed genes")
	f.IntVar(&p.minCells, "min-cells", 0, "leave out genes expressed in fewer than `N` cells of their file")
	f.Float64Var(&p.maxMito, "max-mito", 0, "leave out cells of whose counts more than this `FRACTION` is mitochondrial")
}

func (p *filterFlags) check() error {
	if p.minGenes < 0 || p.minCells < 0 || !(p.maxMito >= 0 && p.maxMito <= 1) {
		return errors.New("--min-genes and --min-cells cannot be negative, and --max-mito goes from 0 to 1")
	}
	p.cfg = preprocess.Config{MinGenes: p.minGenes, MinCells: p.minCells, MaxMito: p.maxMito}
	return nil
}

// none reports that nothing is filtered; cells that cells are, and global that all
// cells must be seen.
func (p *filterFlags) none() bool   { return p.minGenes == 0 && p.minCells == 0 && p.maxMito == 0 }
func (p *filterFlags) cells() bool  { return p.minGenes > 0 || p.maxMito > 0 }
func (p *filterFlags) global() bool { return p.minCells > 0 }

// prepFlags are the flags of preprocessing.
type prepFlags struct {
	filterFlags
	normalize, log1p string
}

func (p *prepFlags) add(f *pflag.FlagSet) {
	p.filterFlags.add(f)
	f.StringVar(&p.normalize, "normalize", "", "scale each cell to the `median|N` of counts")
	f.StringVar(&p.log1p, "log1p", "", "take log(1 + x) to the base `e|2|10`")
}

func (p *prepFlags) check() (err error) {
	if err := p.filterFlags.check(); err != nil {
		return err
	}
	switch p.normalize {
	case "":
	case "median":
		p.cfg.Target = preprocess.Median
	default:
		v, err := strconv.ParseFloat(p.normalize, 64)
		if err != nil || !(v > 0) {
			return fmt.Errorf("--normalize %q is neither median nor a number above 0", p.normalize)
		}
		p.cfg.Target = v
	}
	if p.cfg.Log, err = preprocess.ParseLog(p.log1p); err != nil {
		return fmt.Errorf("--log1p: %w", err)
	}
	return nil
}

// filtered counts what preprocessing left out.
type filtered struct {
	FewGenes int     `json:"cells_with_few_genes"`
	HighMito int     `json:"cells_with_high_mito"`
	FewCells int     `json:"genes_in_few_cells"`
	Target   float64 `json:"target"` // total to which cells were scaled, 0 if they were not
}

// plan narrows opts to what the filters keep and sets its transformation; planned,
// if not nil, has the filters and the scale.
func (p *prepFlags) plan(ctx context.Context, g *globals, f *h5ad.File, planned *encodePlan, opts *h5ad.CopyOptions, result *convertResult) error {
	cfg := p.cfg
	if planned != nil {
		cfg = planned.global.Filters
	}
	if cfg == (preprocess.Config{}) {
		return nil
	}
	m, vr, err := f.Select(ctx, opts.Matrix)
	if err != nil {
		return err
	}
	genes, err := vr.Index(ctx)
	if err != nil {
		return err
	}
	if opts.Genes != nil {
		kept := make([]string, len(opts.Genes))
		for i, at := range opts.Genes {
			kept[i] = genes[at]
		}
		genes = kept
	}
	sel := h5ad.Selection{Cells: opts.Cells, Genes: opts.Genes, Rows: h5ad.RowOptions{Budget: g.budget() / 4}}
	var plan *preprocess.Plan
	if planned != nil {
		plan = planned.global.Files[0]
		if plan.NObs != m.NObs || plan.NVars != m.NVars {
			return &inputError{fmt.Errorf("%s: the plan is for %d × %d, and %s is %d × %d", planned.path, plan.NObs, plan.NVars, m.Key(), m.NObs, m.NVars), "make it again with c2s plan"}
		}
	} else if plan, err = preprocess.New(ctx, m, genes, cfg, sel); err != nil {
		return fmt.Errorf("%s: %s: %w", f.Path(), m.Key(), err)
	}
	sel = plan.Kept(sel)
	opts.Cells, opts.Genes = sel.Cells, sel.Genes
	if cfg.Target != 0 || cfg.Log != preprocess.LogNone {
		opts.Transform = plan.Normalise
	}
	if cfg.Log != preprocess.LogNone {
		// Where scanpy keeps the base; it has none for the natural logarithm.
		about := h5ad.Dict{}
		if base := map[preprocess.Log]float64{preprocess.Log2: 2, preprocess.Log10: 10}[cfg.Log]; base > 0 {
			about["base"] = &h5ad.Array{Values: []float64{base}}
		}
		opts.Changes = append(opts.Changes, h5ad.Change{Key: "uns/log1p", Element: about})
	}
	result.Filtered = &filtered{plan.FewGenes, plan.HighMito, plan.FewCells, plan.Target}
	result.Warnings = append(result.Warnings, plan.Warnings()...)
	return nil
}
