package simulate

import "strings"

// The built-in programs.
const (
	ProgramInterferon   = "interferon_response"
	ProgramPresentation = "antigen_presentation" // MHC class I
	ProgramCycle        = "cell_cycle"
	ProgramStress       = "stress"
	ProgramApoptosis    = "apoptosis"
	ProgramInflammation = "inflammation"
)

// The built-in contexts of a dual-context screen: the same cells without, and with,
// a low level of interferon about them.
const (
	ContextLow      = "interferon-low"
	ContextPositive = "interferon-positive"
)

// Classes of perturbations, by what they do to antigen presentation: nothing, the
// same in both contexts, more in the interferon-positive context only, in the
// interferon-low context only, less in both, or more in both through interferon
// signalling. ClassOffTarget moves other programs and leaves presentation alone.
const (
	ClassInert      = "inert"
	ClassAdditive   = "additive"
	ClassSplit      = "split"
	ClassLowOnly    = "low-only"
	ClassSuppressor = "suppressor"
	ClassInterferon = "interferon"
	ClassOffTarget  = "off-target"
)

// CellTypes returns the built-in cell types: six of blood, platelets and a tumour
// that presents little antigen, then plasma cells, epithelial cells and fibroblasts.
func CellTypes() []CellType {
	markers := func(lists ...string) []string { return strings.Fields(strings.Join(lists, " ")) }
	return []CellType{
		{Name: "CD4 T cell", Share: 24, Size: 1, Markers: markers(tCellSymbols, cd4Symbols)},
		{Name: "CD8 T cell", Share: 16, Size: 1, Markers: markers(tCellSymbols, cd8Symbols)},
		{Name: "NK cell", Share: 10, Size: 1, Markers: markers(nkSymbols)},
		{Name: "B cell", Share: 12, Size: 1, Markers: markers(bCellSymbols)},
		{Name: "Monocyte", Share: 16, Size: 1.5, Markers: markers(monocyteSymbols)},
		{Name: "Dendritic cell", Share: 5, Size: 1.8, Markers: markers(dendriticSymbols)},
		{Name: "Platelet", Share: 2, Size: 0.25, Markers: markers(plateletSymbols)},
		{
			Name: "Tumour cell", Share: 15, Size: 2, Markers: markers(tumourSymbols),
			Programs: []Shift{{ProgramPresentation, -1}, {ProgramCycle, 1}},
		},
		{Name: "Plasma cell", Share: 3, Size: 1.5, Markers: markers(plasmaSymbols)},
		{Name: "Epithelial cell", Share: 10, Size: 1.8, Markers: markers(epithelialSymbols)},
		{Name: "Fibroblast", Share: 5, Size: 1.5, Markers: markers(fibroblastSymbols)},
	}
}

// Contexts returns the two built-in contexts. The second differs from the first by
// the interferon response (1.2) and antigen presentation (0.3).
func Contexts() []Context {
	return []Context{
		{Name: ContextLow},
		{Name: ContextPositive, Programs: []Shift{{ProgramInterferon, 1.2}, {ProgramPresentation, 0.3}}},
	}
}

// Programs returns the built-in gene programs. Antigen presentation is the 18 genes
// of the MHC class I machinery; some of them answer to interferon as well.
func Programs() []Program {
	return []Program{
		{ProgramInterferon, strings.Fields(interferonSymbols)},
		{ProgramPresentation, strings.Fields(presentationSymbols)},
		{ProgramCycle, strings.Fields(cycleSymbols)},
		{ProgramStress, strings.Fields(stressSymbols)},
		{ProgramApoptosis, strings.Fields(apoptosisSymbols)},
		{ProgramInflammation, strings.Fields(inflammationSymbols)},
	}
}

// Perturbations returns seven perturbations, one of each class, named after it. All
// but the inert one also move 20 random genes, as real ones do.
func Perturbations() []Perturbation {
	out := []Perturbation{
		{Name: "sim-inert", Class: ClassInert},
		{Name: "sim-additive", Class: ClassAdditive},
		{Name: "sim-split", Class: ClassSplit},
		{Name: "sim-low-only", Class: ClassLowOnly},
		{Name: "sim-suppressor", Class: ClassSuppressor},
		{Name: "sim-interferon", Class: ClassInterferon},
		{Name: "sim-stressor", Class: ClassOffTarget},
	}
	for i := range out {
		out[i].act(1)
	}
	return out
}

// act gives p the effects of its class at the given strength. The sizes are
// invented: about what interferon does to the same genes.
func (p *Perturbation) act(strength float64) {
	only := ""
	present := 0.0
	switch p.Class {
	case ClassInert:
		return
	case ClassAdditive:
		present = 0.6
	case ClassSplit:
		present, only = 0.7, ContextPositive
	case ClassLowOnly:
		present, only = 0.7, ContextLow
	case ClassSuppressor:
		present = -0.6
	case ClassInterferon:
		present = 0.4
		p.Effects = append(p.Effects, Effect{ProgramInterferon, strength, ""})
	case ClassOffTarget:
		p.Effects = append(p.Effects,
			Effect{ProgramStress, 0.9 * strength, ""}, Effect{ProgramApoptosis, 0.5 * strength, ""})
	}
	if present != 0 {
		p.Effects = append(p.Effects, Effect{ProgramPresentation, present * strength, only})
	}
	p.RandomGenes, p.RandomSD = 20, 0.3
}
