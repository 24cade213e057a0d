package cellsentence

import (
	"fmt"
	"strings"
)

// IDKind is what kind of identifier the genes of a matrix carry.
type IDKind uint8

const (
	// IDSymbols is gene symbols, the words that models know: nine names in ten
	// are neither Ensembl nor Entrez identifiers.
	IDSymbols IDKind = iota
	// IDEnsembl is Ensembl gene identifiers such as ENSG00000141510.
	IDEnsembl
	// IDEntrez is the numbers of NCBI Gene.
	IDEntrez
	// IDMixed is more than one name in ten of another kind than the rest.
	IDMixed
)

// String is symbols, ensembl, entrez or mixed.
func (k IDKind) String() string {
	switch k {
	case IDSymbols:
		return "symbols"
	case IDEnsembl:
		return "ensembl"
	case IDEntrez:
		return "entrez"
	case IDMixed:
		return "mixed"
	}
	return fmt.Sprintf("IDKind(%d)", uint8(k))
}

// GeneIDs counts the kinds of a matrix's gene names.
type GeneIDs struct {
	Total   int // all names
	Ensembl int // those of the form ENS[A-Z]*G, 11 digits, and perhaps a version
	Entrez  int // those of digits only
	Example string
}

// ClassifyGenes looks at every name. A look at the first would be misled by a
// gene such as ENSA, or by spike-ins ahead of the genes.
func ClassifyGenes(names []string) GeneIDs {
	g := GeneIDs{Total: len(names)}
	for _, n := range names {
		switch {
		case isEnsembl(n):
			g.Ensembl++
		case isEntrez(n):
			g.Entrez++
		default:
			continue
		}
		if g.Example == "" {
			g.Example = n
		}
	}
	return g
}

// Kind names the kind that nine names in ten have, or IDMixed.
func (g GeneIDs) Kind() IDKind {
	const most = 0.9
	n := float64(g.Total)
	switch {
	case float64(g.Total-g.Ensembl-g.Entrez) >= most*n:
		return IDSymbols
	case float64(g.Ensembl) >= most*n:
		return IDEnsembl
	case float64(g.Entrez) >= most*n:
		return IDEntrez
	}
	return IDMixed
}

// Warning says what is wrong with names that are not symbols and what to do, or
// is empty.
func (g GeneIDs) Warning() string {
	if g.Kind() == IDSymbols {
		return ""
	}
	var kinds []string
	if g.Ensembl > 0 {
		kinds = append(kinds, fmt.Sprintf("%d are Ensembl identifiers", g.Ensembl))
	}
	if g.Entrez > 0 {
		kinds = append(kinds, fmt.Sprintf("%d are Entrez numbers", g.Entrez))
	}
	return fmt.Sprintf("of %d gene names, %s (%.0f %%, such as %s), while models know gene symbols; "+
		"give a table of symbols with --gene-map, or the column that holds them with --gene-names",
		g.Total, strings.Join(kinds, " and "), 100*float64(g.Ensembl+g.Entrez)/float64(g.Total), quote(g.Example))
}

// isEnsembl matches ENS[A-Z]*G[0-9]{11}(\.[0-9]+)? in either case: the stable
// identifiers of genes in any species (Ensembl, "Stable IDs"), not those of
// transcripts or proteins.
func isEnsembl(s string) bool {
	if len(s) < 15 || !strings.EqualFold(s[:3], "ENS") {
		return false
	}
	s, version, dotted := strings.Cut(s, ".")
	if dotted && !isDigits(version) {
		return false
	}
	if len(s) < 15 || !isDigits(s[len(s)-11:]) {
		return false
	}
	letters := s[3 : len(s)-11]
	for i := range len(letters) {
		if c := letters[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return letters[len(letters)-1]|0x20 == 'g'
}

// isEntrez matches 1 to 9 digits without a leading zero: NCBI's gene numbers
// have reached nine digits.
func isEntrez(s string) bool {
	return len(s) <= 9 && isDigits(s) && s[0] != '0'
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
