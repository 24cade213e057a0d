package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/scfid/pca"
)

// pcaFlags are the flags of principal components.
type pcaFlags struct {
	components    int
	componentsSet bool
	save          string
}

func (p *pcaFlags) add(f *pflag.FlagSet) {
	f.IntVar(&p.components, "components", 50, "fit `N` principal components")
	f.StringVar(&p.save, "save", "", "write the fitted components to `FILE`, for --model")
}

func (p *pcaFlags) check(model string) error {
	switch {
	case p.components < 1:
		return errors.New("--components must be above 0")
	case model != "" && p.componentsSet:
		return errors.New("--components is for fitting: --model has its own")
	case model != "" && p.save != "":
		return errors.New("--save is for fitting: --model is saved already")
	}
	return nil
}

// savedModel is the file of --save, if there is one.
type savedModel struct{ file *atomicfile.File }

// create opens the file of --save.
func (p *pcaFlags) create(g *globals, inputs ...string) (*savedModel, error) {
	if p.save == "" {
		return &savedModel{}, nil
	}
	f, err := atomicfile.Create(p.save, atomicfile.Options{Force: g.force, Inputs: append(inputs, g.out)})
	return &savedModel{f}, err
}

func (s *savedModel) write(m *pca.Model) error {
	if s.file == nil {
		return nil
	}
	return m.Save(s.file)
}

func (s *savedModel) commit() error {
	if s.file == nil {
		return nil
	}
	return s.file.Commit()
}

func (s *savedModel) abort() error {
	if s.file == nil {
		return nil
	}
	return s.file.Abort()
}

// placer places the cells of a file.
type placer struct {
	in        *input
	path      string
	part      shard.Range
	model     *pca.Model
	projector *pca.Projector
}

// place fits components, or loads them, and matches the genes of the file.
func (o *embedFlags) place(ctx context.Context, g *globals, in *input, result *embedResult) (p *placer, err error) {
	p = &placer{in: in, path: result.In, part: o.part.rows(in.matrix.NObs)}
	kind, _, err := in.matrix.Kind(ctx)
	if err != nil {
		return nil, err
	}
	switch kind {
	case h5ad.Counts, h5ad.LogNorm:
	default:
		return nil, &inputError{
			fmt.Errorf("%s: %s: the values look %s, not like counts or their logarithms", p.path, in.matrix.Key(), kind),
			"take the counts: c2s inspect lists the layers; name one with --layer NAME, or take --raw",
		}
	}
	if o.model == "" {
		p.model, err = pca.Fit(ctx, in.genes, p.batches, pca.Config{
			Components: o.pca.components, Logged: kind == h5ad.LogNorm, Seed: g.seed, Workers: g.workers(),
		})
		if err != nil {
			return nil, ofPCA(p.path, err)
		}
	} else if err := p.load(o.model, kind); err != nil {
		return nil, err
	}
	if p.projector, err = p.model.Projector(in.genes); err != nil {
		return nil, ofPCA(p.path, err)
	}
	result.Dim, result.Fitted, result.Missing = p.projector.Dim(), p.model.Cells, p.projector.Missing
	for _, v := range p.model.Variance {
		result.Explained += v / p.model.TotalVariance
	}
	if n := p.projector.Missing; n > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%s lacks %d of the model's %d genes: they count as not expressed", p.path, n, len(p.model.Genes)))
	}
	return p, nil
}

// load reads a saved model, whose values must be of the kind of the file's.
func (p *placer) load(path string, kind h5ad.ValueKind) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if p.model, err = pca.Load(f); err != nil {
		return &inputError{fmt.Errorf("%s: %w", path, err), "make one with c2s embed FILE --method pca --save " + path}
	}
	fitted := h5ad.Counts
	if p.model.Target == 0 {
		fitted = h5ad.LogNorm
	}
	if kind != fitted {
		return &inputError{
			fmt.Errorf("%s: %s: the values look %s, and the components of %s were fitted to %s", p.path, p.in.matrix.Key(), kind, path, fitted),
			"fit and place values of one kind: choose with --layer NAME or --raw; the units of c2s generate and decode are those of c2s convert --normalize median --log1p 10, unless c2s fidelity was told otherwise",
		}
	}
	return nil
}

// ofPCA says which file an error is about, and what to do where a name or the
// number of components is at fault.
func ofPCA(path string, err error) error {
	var bad interface{ BadInput() bool }
	if errors.As(err, &bad) && bad.BadInput() {
		return &inputError{fmt.Errorf("%s: %w", path, err), "gene names may come from a column of var (--gene-names), and --components be fewer"}
	}
	return err
}

// batches gives the cells of the part from the first on.
func (p *placer) batches(ctx context.Context) iter.Seq2[pca.Batch, error] {
	return func(yield func(pca.Batch, error) bool) {
		if p.part.From == p.part.To {
			return
		}
		var values []float64
		for b, err := range p.in.matrix.All(ctx, h5ad.RowOptions{Start: p.part.From, End: p.part.To}) {
			if err != nil {
				yield(pca.Batch{}, err)
				return
			}
			values = h5ad.Floats(values[:0], b.Values)
			if !yield(pca.Batch{Indptr: b.Indptr, Indices: b.Indices, Values: values}, nil) {
				return
			}
		}
	}
}
