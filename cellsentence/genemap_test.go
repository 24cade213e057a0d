package cellsentence

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

const orthologTable = "human_symbol\thuman_entrez\thuman_ensembl\ttaxon_id\tsymbol\tentrez\tensembl\tsupport\tsupport_n\n" +
	"TP53\t7157\tENSG00000141510\t10090\tTrp53\t22059\tENSMUSG00000059552\tA|B\t12\n" +
	"HBA1\t3039\tENSG00000206172\t10090\tHba-a1\t15122\tENSMUSG00000069919\tA\t3\n" +
	"HBA1\t3039\tENSG00000206172\t10090\tHba-a2\t110257\tENSMUSG00000069917\tA|B\t5\n" +
	"HBA2\t3040\tENSG00000188536\t10090\tHba-a2\t110257\tENSMUSG00000069917\tA|B\t4\n" +
	"KLK1\t3816\tENSG00000167748\t10090\tKlk1\t16612\tENSMUSG00000063903\tA|B\t7\n" +
	"KLK1\t3816\tENSG00000167748\t10090\tKlk1b1\t16623\tENSMUSG00000063133\tA|B\t7\n" +
	"NOID\tNA\t\t10090\tNoid\tNA\tNA\tA\t2\n"

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func TestGeneMap(t *testing.T) {
	const cellxgene = "ENSG00000141510,TP53,19,4000,protein_coding\nENSG00000290825,ENSG00000290825,2,1396,lncRNA\n"
	for _, c := range []struct {
		name, file string
		format     GeneMapFormat
		from, to   string
		names      []string
		want       []string
		unmapped   []int
		ambiguous  []int
		shared     int
	}{
		{
			"pairs with tabs", "# made by hand\n\nid\tsymbol\nE1\tA\nE2\tB\n", GeneMapPairs, "its first column", "its second",
			[]string{"E2", "E1", "E3"},
			[]string{"B", "A", "E3"},
			[]int{2},
			nil, 0,
		},
		{
			"pairs with commas, quotes, CRLF and a BOM", "\xef\xbb\xbfE1,\"A\"\r\nE2,B\r\n", GeneMapPairs, "its first column", "its second",
			[]string{"E1", "E2"},
			[]string{"A", "B"},
			nil, nil, 0,
		},
		{
			"pairs, compressed, the same twice and another target", gzipped("old1\tNEW\nold2\tNEW\nold2\tNEW\nold3\tX\nold3\tY\n"),
			GeneMapPairs, "its first column", "its second",
			[]string{"old1", "old2", "old3", "NEW"},
			[]string{"NEW", "NEW", "X", "NEW"},
			[]int{3},
			[]int{2},
			3,
		},
		{
			"Ensembl with a version, without a symbol, in lower case", cellxgene, GeneMapCellxgene, "Ensembl identifiers", "symbols",
			[]string{"ENSG00000141510.17", "ENSG00000290825", "ensg00000141510"},
			[]string{"TP53", "ENSG00000290825", "TP53"},
			[]int{1},
			nil, 2,
		},
		{
			"mouse to man", orthologTable, GeneMapOrthologs, "symbol", "human_symbol",
			[]string{"Trp53", "Hba-a2", "Hba-a1", "Klk1b1", "Gm1"},
			[]string{"TP53", "HBA1", "HBA1", "KLK1", "Gm1"},
			[]int{4},
			nil, 2,
		},
		{
			"man to mouse, the best supported; equals", orthologTable, GeneMapOrthologs, "human_symbol", "symbol",
			[]string{"HBA1", "KLK1"},
			[]string{"Hba-a2", "Klk1"},
			nil,
			[]int{1},
			0,
		},
		{
			"mouse identifiers", orthologTable, GeneMapOrthologs, "ensembl", "human_symbol",
			[]string{"ENSMUSG00000059552", "NA", ""},
			[]string{"TP53", "NA", ""},
			[]int{1, 2},
			nil, 0,
		},
	} {
		m, err := ReadGeneMap(strings.NewReader(c.file))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		g, err := m.Apply(c.names)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if m.Format != c.format || g.From != c.from || g.To != c.to {
			t.Errorf("%s: %s, from %s to %s", c.name, m.Format, g.From, g.To)
		}
		if !slices.Equal(g.Names, c.want) || !slices.Equal(g.Unmapped, c.unmapped) || !slices.Equal(g.Ambiguous, c.ambiguous) ||
			g.Shared != c.shared || g.Mapped != len(c.names)-len(c.unmapped) {
			t.Errorf("%s: %+v", c.name, g)
		}
		want := 0
		for _, n := range []int{len(c.unmapped), len(c.ambiguous), c.shared} {
			want += min(n, 1)
		}
		if w := g.Warnings(c.names); len(w) != want {
			t.Errorf("%s: warnings %q", c.name, w)
		}
	}
}

func TestGeneMapErrors(t *testing.T) {
	cut := gzipped(strings.Repeat("E1\tA\n", 1000))
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "has one column"},
		{"one column", "E1\nE2\n", `first line "E1" has one column`},
		{"binary", "\x89HDF\r\n\x1a\n\x00\x00", "no text"},
		{"three columns", "a\tb\tc\n", `3 columns that begin with "a", "b", "c"`},
		{"ragged", "a\tb\nc\n", "line 2 has 1 column, the first 2"},
		{"ragged CSV", "a,b\nc,d,e\n", "line 2 has 3 columns, the first 2"},
		{"quotes", "a,b\n\"c,d\n", "line 2"},
		{"gzip cut off", cut[:len(cut)-10], "damaged or cut off"},
		{"gzip header", "\x1f\x8bxxxxxxxx", "damaged or cut off"},
		{"only a header", "human_symbol\tsymbol\tsupport_n\n", "no gene in it"},
		{"without support", "human_symbol\tsymbol\n", "without the column support_n"},
		{"support", "human_symbol\tsymbol\tsupport_n\nA\tB\tx\n", `line 2: support_n is "x"`},
		{"species", "human_symbol\ttaxon_id\tsymbol\tsupport_n\nA\t1\tB\t2\nC\t2\tD\t2\n", `line 3: the species "2" after "1"`},
		{"identifier", "ENSG00000141510,TP53,1,1,x\nTP53,TP53,1,1,x\n", `line 2: "TP53" is no Ensembl identifier`},
	} {
		_, err := ReadGeneMap(strings.NewReader(c.file))
		var bad interface{ BadInput() bool }
		if err == nil || !strings.HasPrefix(err.Error(), "gene map: ") || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	m, err := ReadGeneMap(strings.NewReader(orthologTable + "ACTB\t1\t\t10090\tACTB\t2\t\tA\t1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"x", "y", "z", "u"}, `knows none of 4 gene names, such as "x", "y", "z": it maps human_symbol (such as "ACTB") to symbol,`},
		{[]string{"ACTB", "GAPDH"}, "1 names are in the column human_symbol, and as many in symbol"},
	} {
		_, err := m.Apply(c.names)
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) {
			t.Errorf("%v: %v", c.names, err)
		}
	}
}

// TestRealGeneMaps maps the genes of real files; the expected numbers were
// counted with Python's csv module.
func TestRealGeneMaps(t *testing.T) {
	names := func(file string) []string {
		f, err := h5ad.Open(context.Background(), sharedFile(t, filepath.Join("data", "h5ad", file)), h5ad.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out, err := f.Var().Index(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	read := func(file string) *GeneMap {
		f, err := os.Open(sharedFile(t, filepath.Join("data", "genesets", file)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, err := ReadGeneMap(f)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	orthologs, cellxgene := read("orthologs_human_mouse_babelgene.tsv.gz"), read("cxg_genes_homo_sapiens.csv.gz")
	for _, c := range []struct {
		file     string
		m        *GeneMap
		from, to string
		mapped   int
	}{
		{"scp_dense_counts.h5ad", orthologs, "symbol", "human_symbol", 178},
		{"kang_ifnb_muscat.h5ad", orthologs, "human_symbol", "symbol", 1187},
		{"lemur_glioblastoma_panobinostat.h5ad", orthologs, "human_ensembl", "symbol", 288},
		{"lemur_glioblastoma_panobinostat.h5ad", cellxgene, "Ensembl identifiers", "symbols", 298},
		{"cxg_small_perturbations.h5ad", cellxgene, "Ensembl identifiers", "symbols", 1999},
	} {
		genes := names(c.file)
		g, err := c.m.Apply(genes)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		t.Logf("%s: %d of %d mapped, %d ambiguous, %d shared, %v", c.file, g.Mapped, len(genes), len(g.Ambiguous), g.Shared, g.Warnings(genes))
		if g.From != c.from || g.To != c.to || g.Mapped != c.mapped {
			t.Errorf("%s: %d mapped from %s to %s", c.file, g.Mapped, g.From, g.To)
		}
	}
}
