// Package program holds the gene programs that a screen scores, and scores cells by
// them.
//
// Start with [Load], which takes the name of a program of its own or a file, and
// [NewScorer], which scores cell sentences: the U statistic of UCell (M. Andreatta and
// S. Carmona, Computational and Structural Biotechnology Journal 19, 2021) and a mean z
// of the expression that the sentence stands for.
//
// What was scored as antigen presentation when C2S-Scale was screened is not published;
// the programs here name the source of every gene instead.
package program

import (
	"fmt"
	"strings"
)

// Program is a set of genes that move together.
type Program struct {
	// Name is how people know it.
	Name string `json:"name"`
	// Genes are in the order in which they were given, each once.
	Genes []Gene `json:"genes"`
}

// Gene is a member of a program.
type Gene struct {
	// Symbol is the word of the gene in a cell sentence: upper case.
	Symbol string `json:"symbol"`
	// Down says that the gene falls where the program rises.
	Down bool `json:"down,omitempty"`
	// Source is where it is known from: a publication, or the file that named it.
	Source string `json:"source"`
}

// Words lists the symbols.
func (p *Program) Words() []string {
	words := make([]string, len(p.Genes))
	for i, g := range p.Genes {
		words[i] = g.Symbol
	}
	return words
}

// Sources of the genes below.
const (
	sourceMachinery = "PMID 38240708, MHC class I antigen processing machinery"
	sourceRice      = "Rice et al., Lancet Neurology 12, 2013: interferon score of six genes"
	sourceIRDS      = "Weichselbaum et al., PNAS 105, 2008: interferon-related signature"
	sourceAyers     = "Ayers et al., Journal of Clinical Investigation 127, 2017: interferon gamma profile"
	sourceSchoggins = "Schoggins et al., Nature 472, 2011: effectors of the type I response"
)

// Names of the programs that are built in.
const (
	MHC1Core      = "mhc1_core"       // the whole machinery of MHC class I
	MHC1Light     = "mhc1_light"      // what is seen on the cell: its chains
	MHC1CoreNoIFN = "mhc1_core_noIFN" // without what interferon brings: PSMB8 to 10, TAP1, TAP2
	Interferon    = "interferon"      // genes that interferon raises, to tell contexts apart
)

// Names lists the built-in programs.
func Names() []string { return []string{MHC1Core, MHC1Light, MHC1CoreNoIFN, Interferon} }

const (
	light     = "B2M HLA-A HLA-B HLA-C"
	machinery = "B2M CALR CANX ERAP1 ERAP2 HLA-A HLA-B HLA-C PDIA3 PSMB5 PSMB6 PSMB7 PSMB8 PSMB9 PSMB10 TAP1 TAP2 TAPBP"
	induced   = " PSMB8 PSMB9 PSMB10 TAP1 TAP2 "
)

// builtin is a built-in program, nil for another name.
func builtin(name string) *Program {
	p := &Program{Name: name}
	add := func(source, symbols string) {
		for s := range strings.FieldsSeq(symbols) {
			p.Genes = append(p.Genes, Gene{Symbol: s, Source: source})
		}
	}
	switch name {
	case MHC1Core:
		add(sourceMachinery, machinery)
	case MHC1Light:
		add(sourceMachinery, light)
	case MHC1CoreNoIFN:
		for s := range strings.FieldsSeq(machinery) {
			if !strings.Contains(induced, " "+s+" ") {
				add(sourceMachinery, s)
			}
		}
	case Interferon:
		add(sourceRice, "IFI27 IFI44L IFIT1 ISG15 RSAD2 SIGLEC1")
		add(sourceIRDS, "STAT1 MX1 OAS1 IFIT3 IFI44")
		add(sourceAyers, "CXCL9 CXCL10 IDO1")
		add(sourceSchoggins, "IFI6 IFITM3 LY6E")
	default:
		return nil
	}
	return p
}

// Error says what is wrong with a program or its file.
type Error struct {
	Place string // the file, and the line if there is one
	Err   error
	Tip   string // what to do, "" for nothing
}

// Error is "place: reason".
func (e *Error) Error() string { return e.Place + ": " + e.Err.Error() }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports that the file is at fault.
func (e *Error) BadInput() bool { return true }

// Hint is what to do about it.
func (e *Error) Hint() string { return e.Tip }

func wrong(place, tip, format string, args ...any) error {
	return &Error{place, fmt.Errorf(format, args...), tip}
}
