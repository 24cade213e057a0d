package dataset_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/simulate"
)

// cell is a row of a simulated dataset.
type cell struct {
	name, sentence, label, donor string
	partner                      string  // cell type of the second cell of a doublet
	share                        float64 // of the RNA, of the first cell of a doublet
}

// simulated draws cells, the ones from the given row on, and encodes them.
func simulated(t testing.TB, cfg simulate.Config, from, n, topK int) ([]cell, *simulate.World) {
	t.Helper()
	w, err := simulate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DoubletShare = 0
	alone, err := simulate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	genes := make([]string, len(w.Genes))
	for i, g := range w.Genes {
		genes[i] = g.Symbol
	}
	m := h5ad.Batch{Start: from, Indptr: []int64{0}}
	var values []int32
	var cells []cell
	var c, single simulate.Cell
	for row := from; row < from+n; row++ {
		spec := w.Spec(row)
		if err := w.Cell(row, spec, &c); err != nil {
			t.Fatal(err)
		}
		m.Indices = append(m.Indices, c.Indices...)
		values = append(values, c.Counts...)
		m.Indptr = append(m.Indptr, int64(len(m.Indices)))
		partner, share := "", 1.0
		if c.Truth.Partner >= 0 {
			partner = w.CellTypes[c.Truth.Partner].Name
			if err := alone.Cell(row, spec, &single); err != nil {
				t.Fatal(err)
			}
			share = single.Truth.Library / c.Truth.Library
		}
		cells = append(cells, cell{
			partner: partner, share: share,
			name: fmt.Sprintf("cell-%d", row), label: w.CellTypes[spec.CellType].Name, donor: w.Donors[spec.Donor],
		})
	}
	m.Values = values
	enc, err := cellsentence.NewEncoder(genes, cellsentence.Config{TopK: topK, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for s, err := range enc.Encode(t.Context(), cellsentence.NewSliceSource(m, 500)) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Len() {
			cells[at].sentence = string(s.At(i))
			at++
		}
	}
	return cells, w
}

// save writes cells as a dataset.
func save(t testing.TB, name string, cells []cell) string {
	t.Helper()
	schema := dataset.Schema{
		{Name: "cell_name", Kind: dataset.Text},
		{Name: "cell_sentence", Kind: dataset.Text},
		{Name: "cell_type", Kind: dataset.Category},
		{Name: "donor", Kind: dataset.Category},
	}
	path := filepath.Join(t.TempDir(), name)
	w, err := dataset.Create(path, schema, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := dataset.NewBatch(schema)
	for _, c := range cells {
		for i, s := range []string{c.name, c.sentence, c.label, c.donor} {
			if i >= 2 && s == "" {
				b.Columns[i].AppendMissing()
			} else {
				b.Columns[i].AppendString(s)
			}
		}
	}
	if err := w.Append(b, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return path
}

func audit(t testing.TB, cfg dataset.AuditConfig, sides ...[]cell) *dataset.AuditResult {
	t.Helper()
	var in []dataset.AuditInput
	for i, cells := range sides {
		name := []string{"train", "test"}[i]
		in = append(in, dataset.AuditInput{Name: name, Path: save(t, name+".parquet", cells)})
	}
	a, err := dataset.Audit(t.Context(), in, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// plant damages one cell in twenty in the given way, and says which.
func plant(cells []cell, seed uint64, damage func(r *rand.Rand, c *cell)) (out []cell, planted map[int]bool) {
	r := rand.New(rand.NewPCG(seed, 7))
	out = append([]cell(nil), cells...)
	planted = map[int]bool{}
	for i := range out {
		if r.IntN(20) == 0 {
			damage(r, &out[i])
			planted[i] = true
		}
	}
	return out, planted
}

func words(s string) []string { return strings.Fields(s) }

func join(w []string) string { return strings.Join(w, " ") }

func vocabulary(w *simulate.World) *cellsentence.Vocabulary {
	v := new(cellsentence.Vocabulary)
	for _, g := range w.Genes {
		v.Add(strings.ToUpper(g.Symbol), 1) // as the encoder writes them
	}
	return v
}
