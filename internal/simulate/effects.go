package simulate

import (
	"fmt"
	"math"
	"slices"
)

// addEffects resolves the perturbations to genes.
func (w *World) addEffects() error {
	// One scratch row a context, cleared through the list of touched genes, keeps
	// thousands of compounds cheap.
	logs := make([][]float64, len(w.Contexts))
	for c := range logs {
		logs[c] = make([]float64, len(w.Genes))
	}
	w.effects = make([]effect, len(w.Perturbations))
	total := 0
	for i := range w.Perturbations {
		p := &w.Perturbations[i]
		touched, err := w.touch(p, logs)
		if err != nil {
			return fmt.Errorf("perturbation %q: %w", p.Name, err)
		}
		if total += len(touched) * (len(logs) + 1); total > maxTable {
			return fmt.Errorf("%w: the perturbations move more than %d genes in all", ErrConfig, maxTable)
		}
		e := effect{genes: touched, logFC: make([][]float64, len(logs))}
		for c := range logs {
			e.logFC[c] = make([]float64, len(touched))
			for k, g := range touched {
				e.logFC[c][k] = logs[c][g]
				logs[c][g] = 0
			}
		}
		w.effects[i] = e
	}
	return nil
}

// touch adds the effects of p to logs and returns the genes they reach, sorted.
func (w *World) touch(p *Perturbation, logs [][]float64) ([]int32, error) {
	if !(p.ED50 >= 0 && p.ED50 <= 1e12) {
		return nil, fmt.Errorf("%w: ed50 %g is not between 0 and 1e12", ErrConfig, p.ED50)
	}
	var touched []int32
	for _, e := range p.Effects {
		rows, err := w.only(e.Context, logs)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := w.shift(row, e.Program, e.LogFC); err != nil {
				return nil, err
			}
		}
		k := slices.IndexFunc(w.Programs, func(q Program) bool { return q.Name == e.Program })
		for _, g := range w.Programs[k].Genes {
			touched = append(touched, w.column[g])
		}
	}
	for _, e := range p.Genes {
		rows, err := w.only(e.Context, logs)
		if err != nil {
			return nil, err
		}
		g := w.Column(e.Gene)
		if g < 0 {
			return nil, fmt.Errorf("%w: gene %q is not in this world of %d genes", ErrConfig, e.Gene, len(w.Genes))
		}
		if !(math.Abs(e.LogFC) <= maxLogFC) {
			return nil, fmt.Errorf("%w: gene %q: the log fold change %g is not within ±%d", ErrConfig, e.Gene, e.LogFC, maxLogFC)
		}
		for _, row := range rows {
			row[g] += e.LogFC
		}
		touched = append(touched, int32(g))
	}
	random, err := w.scatter(p, logs)
	if err != nil {
		return nil, err
	}
	touched = append(touched, random...)
	slices.Sort(touched)
	return slices.Compact(touched), nil
}

// only picks the rows of one context, or all.
func (w *World) only(context string, logs [][]float64) ([][]float64, error) {
	if context == "" {
		return logs, nil
	}
	i := slices.IndexFunc(w.Contexts, func(c Context) bool { return c.Name == context })
	if i < 0 {
		return nil, fmt.Errorf("%w: no context is called %q", ErrConfig, context)
	}
	return logs[i : i+1], nil
}

// scatter moves p's random genes. The MHC class I genes are left out: a compound
// whose class says that it leaves antigen presentation alone does so exactly.
func (w *World) scatter(p *Perturbation, logs [][]float64) ([]int32, error) {
	if p.RandomGenes < 0 || p.RandomGenes > maxRandom || !(p.RandomSD >= 0 && p.RandomSD <= 3) {
		return nil, fmt.Errorf("%w: random_genes %d is not between 0 and %d, or random_sd %g not between 0 and 3",
			ErrConfig, p.RandomGenes, maxRandom, p.RandomSD)
	}
	if p.RandomGenes == 0 {
		return nil, nil
	}
	spared := map[int32]bool{}
	for _, q := range w.Programs {
		if q.Name == ProgramPresentation {
			for _, g := range q.Genes {
				spared[w.column[g]] = true
			}
		}
	}
	s := newStream(w.Config.Seed, forRandom, hash(p.Name))
	var out []int32
	for range min(p.RandomGenes, len(w.Genes)-len(spared)) {
		g := int32(below(s.next(), len(w.Genes)))
		for spared[g] {
			g = int32((int(g) + 1) % len(w.Genes))
		}
		spared[g] = true
		by := float64(p.RandomSD * normal(s.next()))
		for _, row := range logs {
			row[g] += by
		}
		out = append(out, g)
	}
	return out, nil
}

// potency is the part of perturbation p's full effect that a dose has.
func (w *World) potency(p, dose int) float64 {
	ed50 := w.Perturbations[p].ED50
	if ed50 == 0 {
		return 1
	}
	d := w.Doses[dose]
	return d / (d + ed50)
}

// response is the factor of perturbation p in a donor.
func (w *World) response(p, donor int) float64 {
	if w.Config.ResponseSD == 0 || donor < 0 {
		return 1
	}
	id := hash(w.Perturbations[p].Name) + mix(uint64(donor))
	return 1 + float64(w.Config.ResponseSD*normal(newStream(w.Config.Seed, forResponse, id).at(0)))
}
