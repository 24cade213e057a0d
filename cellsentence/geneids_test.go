package cellsentence

import (
	"slices"
	"strings"
	"testing"
)

func TestClassifyGenes(t *testing.T) {
	ensembl := []string{
		"ENSG00000141510", "ENSG00000141510.18", "ENSMUSG00000059552", "ENSDARG00000035559.1", "ensg00000141510",
	}
	entrez := []string{"7157", "1", "107986084"}
	symbols := []string{
		"TP53", "ENSA", "ENSG", "ENSG0000014151", "ENSG000001415100", "ENST00000269305", "ENSP00000269305", "ENSG00000141510.",
		"ENSG00000141510.x", "ENSG00000141510-1", "ENS00000141510", "ENS0G0000141510", "XENSG00000141510", "ERCC-00002", "01", "1234567890", "7SK", "",
	}
	for _, n := range ensembl {
		if g := ClassifyGenes([]string{n}); g.Ensembl != 1 || g.Kind() != IDEnsembl {
			t.Errorf("%q is no Ensembl identifier: %+v", n, g)
		}
	}
	for _, n := range entrez {
		if g := ClassifyGenes([]string{n}); g.Entrez != 1 || g.Kind() != IDEntrez {
			t.Errorf("%q is no Entrez number: %+v", n, g)
		}
	}
	for _, n := range symbols {
		if g := ClassifyGenes([]string{n}); g.Ensembl+g.Entrez != 0 || g.Kind() != IDSymbols || g.Warning() != "" {
			t.Errorf("%q is no symbol: %+v", n, g)
		}
	}
}

func TestGeneIDKinds(t *testing.T) {
	e, z, s := slices.Repeat([]string{"ENSG00000141510"}, 10), slices.Repeat([]string{"7157"}, 10), slices.Repeat([]string{"TP53"}, 10)
	for _, tc := range []struct {
		names []string
		kind  IDKind
		warn  string
	}{
		{nil, IDSymbols, ""},
		{slices.Concat(s[:9], e[:1]), IDSymbols, ""},
		{slices.Concat(s[:8], e[:2]), IDMixed, `of 10 gene names, 2 are Ensembl identifiers (20 %, such as "ENSG00000141510")`},
		{slices.Concat(s[:1], e[:9]), IDEnsembl, "9 are Ensembl identifiers (90 %"},
		{slices.Concat(s[:1], z[:9]), IDEntrez, "9 are Entrez numbers (90 %"},
		{slices.Concat(s[:1], z[:5], e[:4]), IDMixed, "4 are Ensembl identifiers and 5 are Entrez numbers (90 %"},
	} {
		g := ClassifyGenes(tc.names)
		if g.Kind() != tc.kind {
			t.Errorf("%+v is %v, want %v", g, g.Kind(), tc.kind)
		}
		if w := g.Warning(); (w == "") != (tc.warn == "") || !strings.Contains(w, tc.warn) {
			t.Errorf("%+v: warning %q, want %q in it", g, w, tc.warn)
		}
	}
	names := []string{IDSymbols.String(), IDEnsembl.String(), IDEntrez.String(), IDMixed.String()}
	if !slices.Equal(names, []string{"symbols", "ensembl", "entrez", "mixed"}) {
		t.Errorf("kinds are called %q", names)
	}
}
