package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// referenceFlags say what shifts are learnt from.
type referenceFlags struct {
	path       string
	control    string
	where      string
	minCells   int
	overlap    float64
	geneNames  string
	names      string
	winsor     float64
	norm       float64
	targets    string
	signatures string
}

func (r *referenceFlags) add(f *pflag.FlagSet) {
	f.StringVar(&r.path, "reference", "", "learn shifts from `H5AD|TSV`, which may be FILE itself")
	f.StringVar(&r.control, "reference-control", "", "`NAME` that control cells have in the reference (default: as --control)")
	f.StringVar(&r.where, "reference-where", "", "learn from cells for which an `EXPRESSION` over the columns of obs holds")
	f.IntVar(&r.minCells, "min-cells", 10, "a mean must rest on `N` cells, or is taken over more groups")
	f.Float64Var(&r.overlap, "min-overlap", 0.5, "refuse a reference that shares less than this `PART` of the genes")
	f.StringVar(&r.geneNames, "signature-genes", "", "names for the gene ids of signatures: a `FILE` of ids and names, or an ortholog table, whose human_entrez is read")
	f.StringVar(&r.names, "signature-names", "", "names for the perturbations of signatures: a `FILE` of ids and names")
	f.Float64Var(&r.winsor, "winsor", 10, "cut values of signatures at ±`Z`")
	f.Float64Var(&r.norm, "norm", 0, "give shifts this Euclidean `LENGTH` over the shared genes, such as that of a known perturbation (0: as they are)")
	f.StringVar(&r.targets, "targets", "", "targets of perturbations, for nearest: a `FILE` with a name, a tab and its targets")
	f.StringVar(&r.signatures, "signatures", "", "signatures of perturbations, for nearest: a `TSV`")
}

func (r *referenceFlags) check(name string) error {
	learns := slices.Contains([]string{"additive", "mean-response", "nearest"}, name)
	switch {
	case learns && r.path == "":
		return fmt.Errorf("--predictor %s needs --reference H5AD|TSV", name)
	case !learns && r.path != "":
		return fmt.Errorf("--reference does not go with --predictor %s", name)
	case name != "nearest" && (r.targets != "" || r.signatures != ""):
		return errors.New("--targets and --signatures go with --predictor nearest")
	case r.minCells < 1:
		return errors.New("--min-cells must be above 0")
	case !(r.overlap > 0 && r.overlap <= 1):
		return errors.New("--min-overlap goes from above 0 to 1")
	case !(r.winsor > 0):
		return errors.New("--winsor must be above 0")
	case !(r.norm >= 0 && r.norm < math.MaxFloat32):
		return errors.New("--norm cannot be negative")
	}
	return nil
}

// table reports a reference of signatures.
func (r *referenceFlags) table() bool { return !strings.HasSuffix(r.path, ".h5ad") }

// shifts makes the predictor of the name from a reference.
func (j *predictJob) shifts(ctx context.Context) (*predictor.Shift, error) {
	r := &j.o.reference
	known, err := j.effects(ctx)
	if err != nil {
		return nil, err
	}
	cfg := predictor.Config{TopK: j.topK, MinOverlap: r.overlap, Norm: r.norm}
	switch j.o.predictor {
	case "additive":
		return predictor.NewAdditive(known, j.in.genes, cfg)
	case "mean-response":
		return predictor.NewMeanResponse(known, j.in.genes, cfg)
	}
	near := predictor.NearestConfig{Config: cfg}
	if r.targets != "" {
		if near.Targets, err = readTable(r.targets, predictor.ReadTargets); err != nil {
			return nil, err
		}
	}
	if r.signatures != "" {
		if near.Signatures, err = j.signatures(r.signatures); err != nil {
			return nil, err
		}
	}
	return predictor.NewNearest(known, j.in.genes, near)
}

// effects reads the reference.
func (j *predictJob) effects(ctx context.Context) (predictor.Effects, error) {
	r, g := &j.o.reference, j.g
	if r.table() {
		s, err := j.signatures(r.path)
		if err == nil && r.norm == 0 {
			j.result.warn("%s: values are added to logarithms as they are; z-scores of L1000 are no logarithms: give their shifts a --norm", r.path)
		}
		return s, err
	}
	matrix := j.o.matrix
	in, err := matrix.open(ctx, g, r.path)
	if err != nil {
		return nil, err
	}
	defer in.file.Close()
	flags := j.o.labels
	flags.control = cmp.Or(r.control, flags.control)
	if flags.pert == allControls {
		flags.pert = ""
	}
	labels, err := flags.read(ctx, in.file)
	if err != nil {
		return nil, err
	}
	for _, text := range labels.said {
		g.logger().Info(r.path + ": " + text)
	}
	x, err := in.expression(ctx)
	if err != nil {
		return nil, err
	}
	if said := x.said(); said != "" && r.path != j.in.file.Path() {
		j.result.warn("%s", said)
	}
	var rows []int
	if r.where != "" {
		if rows, err = whereRows(ctx, g, in.file, r.where); err != nil {
			return nil, err
		}
	}
	cells := predictor.Cells{Name: r.path, Genes: in.genes}
	labels.into(&cells, rows)
	src, err := x.cells(ctx, g, rows)
	if err != nil {
		return nil, err
	}
	cells.Source = src
	ref, err := predictor.NewReference(ctx, cells, predictor.ReferenceConfig{MinCells: r.minCells, Budget: g.budget() / 2})
	if err != nil {
		return nil, err
	}
	if ref.LeftOut > 0 {
		j.result.warn("%s: %d cells without a label are left out", r.path, ref.LeftOut)
	}
	return ref, nil
}

// into gives the cells of rows, nil being all, what obs says of them.
func (l *pertLabels) into(c *predictor.Cells, rows []int) {
	if rows == nil {
		rows = make([]int, len(l.perts))
		for i := range rows {
			rows[i] = i
		}
	}
	known, same := map[[3]string]int{}, map[string]int{}
	for _, row := range rows {
		place := -1
		if l.perts[row] != "" {
			told := [3]string{l.perts[row], at(l.doses, row), at(l.times, row)}
			if told[0] == l.flags.control {
				told[1], told[2] = "", ""
			}
			var ok bool
			if place, ok = known[told]; !ok {
				p := l.perturbation(row)
				if len(p.Parts) == 0 {
					p = perturb.Perturbation{}
				}
				// Two guides may be one perturbation.
				if place, ok = same[fmt.Sprintf("%q", p)]; !ok {
					place = len(c.Perturbations)
					c.Perturbations = append(c.Perturbations, p)
					same[fmt.Sprintf("%q", p)] = place
				}
				known[told] = place
			}
		}
		c.Of = append(c.Of, place)
		if l.contexts != nil {
			c.Contexts = append(c.Contexts, l.contexts[row])
		}
		if l.cellTypes != nil {
			c.CellTypes = append(c.CellTypes, l.cellTypes[row])
		}
	}
}

// signatures reads a table of them.
func (j *predictJob) signatures(path string) (*predictor.Signatures, error) {
	r := &j.o.reference
	cfg := predictor.SignatureConfig{Winsor: r.winsor, Budget: j.g.budget() / 2}
	var err error
	if r.geneNames != "" {
		if cfg.GeneNames, err = readTable(r.geneNames, predictor.ReadNames); err != nil {
			return nil, err
		}
	}
	if r.names != "" {
		if cfg.Names, err = readTable(r.names, predictor.ReadNames); err != nil {
			return nil, err
		}
	}
	s, err := readTable(path, func(f io.Reader, name string) (*predictor.Signatures, error) {
		cfg.Name = name
		return predictor.ReadSignatures(f, cfg)
	})
	if err != nil {
		return nil, err
	}
	if s.Unnamed > 0 {
		j.result.warn("%s: %d genes have no name, or one that another has: they are left out", path, s.Unnamed)
	}
	if s.Cut > 0 {
		j.result.warn("%s: %d values are cut at ±%g", path, s.Cut, r.winsor)
	}
	return s, nil
}

// readTable opens a file for a reader of tables.
func readTable[T any](path string, read func(io.Reader, string) (T, error)) (T, error) {
	f, err := os.Open(path)
	if err != nil {
		var none T
		return none, err
	}
	defer f.Close()
	return read(f, path)
}
