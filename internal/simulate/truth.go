package simulate

import "fmt"

// LogFC returns, for every gene, the true natural log fold change of its weight by a
// perturbation at a dose in a context: what the mean donor shows before the profile
// is scaled to a sum of one. It is zero for genes that the perturbation does not
// move. The difference between two contexts is the interaction.
func (w *World) LogFC(perturbation, context, dose int) ([]float64, error) {
	spec := CellSpec{Perturbation: perturbation, Context: context, Dose: dose}
	if err := w.checkSpec(spec); err != nil {
		return nil, err
	}
	out := make([]float64, len(w.Genes))
	e := &w.effects[perturbation]
	strength := w.potency(perturbation, dose)
	for k, g := range e.genes {
		out[g] = strength * e.logFC[context][k]
	}
	return out, nil
}

// RelativeLogFC returns, for every gene, the true natural log fold change of its
// part of the library between spec and the control of the same cell type, donor and
// context: what a comparison of normalised counts estimates, ambient RNA included.
// A gene that is not moved by itself still changes when others take more or less of
// the library. Donor −1 is the mean donor.
func (w *World) RelativeLogFC(spec CellSpec) ([]float64, error) {
	treated, err := w.Proportions(spec)
	if err != nil {
		return nil, err
	}
	spec.Perturbation = 0
	control, err := w.Proportions(spec)
	if err != nil {
		return nil, err
	}
	for i := range treated {
		treated[i] = Log(treated[i] / control[i])
	}
	return treated, nil
}

// Proportions returns the part of the library that each gene takes, summing to one,
// with the ambient RNA. A cell's count of gene g has the mean Truth.Library times
// element g, unless the cell is a doublet. Donor −1 is the mean donor.
func (w *World) Proportions(spec CellSpec) ([]float64, error) {
	checked := spec
	if checked.Donor == -1 {
		checked.Donor = 0
	}
	if err := w.checkSpec(checked); err != nil {
		return nil, err
	}
	out := w.proportions(spec, nil)
	if w.ambient != nil {
		a := w.Config.AmbientShare
		for i, v := range w.ambient[spec.Context] {
			out[i] = float64((1-a)*out[i]) + float64(a*v)
		}
	}
	return out, nil
}

// TypeLogFC returns the natural log shift of every gene's weight in a cell type,
// against the baseline that all types share.
func (w *World) TypeLogFC(cellType int) ([]float64, error) {
	if cellType < 0 || cellType >= len(w.typeLog) {
		return nil, fmt.Errorf("%w: cell type %d of %d", ErrSpec, cellType, len(w.typeLog))
	}
	return append([]float64(nil), w.typeLog[cellType]...), nil
}

// ContextLogFC returns the natural log shift of every gene's weight in a context.
func (w *World) ContextLogFC(context int) ([]float64, error) {
	if context < 0 || context >= len(w.contextLog) {
		return nil, fmt.Errorf("%w: context %d of %d", ErrSpec, context, len(w.contextLog))
	}
	return append([]float64(nil), w.contextLog[context]...), nil
}
