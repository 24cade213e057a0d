package predictor_test

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
	"github.com/cellsentence/c2s/perturb/score"
)

// shared is where the real data lie.
func shared(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no shared data (C2S_SHARED): ", err)
		}
		t.Skip("no shared data (C2S_SHARED): ", err)
	}
	return dir
}

// file is a file in memory, log-normalised.
type file struct {
	genes   []string
	cells   [][]float32
	columns map[string][]string
}

func readFile(t testing.TB, path string, counts bool, columns ...string) *file {
	t.Helper()
	ctx := t.Context()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := &file{columns: map[string][]string{}}
	if out.genes, err = f.Var().Index(ctx); err != nil {
		t.Fatal(err)
	}
	for _, name := range columns {
		c, err := f.Obs().Column(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Rows() {
			s, _ := c.Text(i)
			out.columns[name] = append(out.columns[name], s)
		}
	}
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	cfg := preprocess.Config{}
	if counts {
		cfg = preprocess.Config{Target: 1e4, Log: preprocess.LogE}
	}
	plan, err := preprocess.New(ctx, x, out.genes, cfg, h5ad.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range x.All(ctx, h5ad.RowOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Normalise(b); err != nil {
			t.Fatal(err)
		}
		values := h5ad.Floats(nil, b.Values)
		for i := range b.NObs() {
			row := make([]float32, len(out.genes))
			for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
				row[b.Indices[k]] = float32(values[k])
			}
			out.cells = append(out.cells, row)
		}
	}
	return out
}

// source is some cells as a source.
func source(cells [][]float32) cellsentence.Source {
	b := h5ad.Batch{Indptr: []int64{0}}
	var values []float32
	for _, c := range cells {
		for g, v := range c {
			if v != 0 {
				b.Indices, values = append(b.Indices, int32(g)), append(values, v)
			}
		}
		b.Indptr = append(b.Indptr, int64(len(values)))
	}
	b.Values = values
	return cellsentence.NewSliceSource(b, 0)
}

// study is training cells and test cells with their labels.
type study struct {
	*file
	control     string
	pert, types string // columns
	train, test []int
}

func (s *study) reference(t testing.TB) *predictor.Reference {
	t.Helper()
	cells := predictor.Cells{Name: "training cells", Genes: s.genes}
	known := map[string]int{}
	var values [][]float32
	for _, row := range s.train {
		label := s.columns[s.pert][row]
		if _, ok := known[label]; !ok {
			known[label] = len(cells.Perturbations)
			cells.Perturbations = append(cells.Perturbations, predictor.Parse(label, "", s.control, "", ""))
		}
		cells.Of = append(cells.Of, known[label])
		cells.CellTypes = append(cells.CellTypes, s.columns[s.types][row])
		values = append(values, s.cells[row])
	}
	cells.Source = source(values)
	ref, err := predictor.NewReference(t.Context(), cells, predictor.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// score predicts every perturbation of the test cells from their controls.
func (s *study) score(t testing.TB, p perturb.Predictor, preset score.Preset) *score.Result {
	t.Helper()
	var labels, predLabels []string
	var real, pred [][]float32
	seen := map[string]bool{}
	var controls []perturb.Cell
	for _, row := range s.test {
		label := s.columns[s.pert][row]
		labels, real = append(labels, label), append(real, s.cells[row])
		if label == s.control {
			controls = append(controls, perturb.Cell{Row: row, Values: s.cells[row]})
			predLabels, pred = append(predLabels, label), append(pred, s.cells[row])
		}
	}
	for _, label := range labels {
		if label == s.control || seen[label] {
			continue
		}
		seen[label] = true
		for _, c := range controls {
			out, err := p.Predict(t.Context(), perturb.Request{
				Cells: []perturb.Cell{c}, Perturbation: predictor.Parse(label, "", s.control, "", ""), CellType: s.columns[s.types][c.Row],
			})
			if err != nil {
				t.Fatal(err)
			}
			predLabels, pred = append(predLabels, label), append(pred, out.Cells[0].Values)
		}
	}
	result, err := score.Evaluate(t.Context(),
		score.Input{Name: "real", Cells: source(real), Genes: s.genes, Labels: labels},
		score.Input{Name: "predicted", Cells: source(pred), Genes: s.genes, Labels: predLabels},
		score.Config{Control: s.control, Preset: preset, Seed: 1, Bootstraps: 200})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func metric(t testing.TB, r *score.Result, name string) score.Anchored {
	t.Helper()
	for _, m := range r.Metrics {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no metric %s", name)
	return score.Anchored{}
}

// kang is donor 101 to learn from, and donor 107.
func kang(t testing.TB) *study {
	f := readFile(t, filepath.Join(shared(t), "data", "h5ad", "kang_ifnb_muscat.h5ad"), true, "group_id", "cluster_id", "sample_id")
	s := &study{file: f, control: "ctrl", pert: "group_id", types: "cluster_id"}
	for row, sample := range f.columns["sample_id"] {
		if strings.HasSuffix(sample, "101") {
			s.train = append(s.train, row)
		} else {
			s.test = append(s.test, row)
		}
	}
	return s
}

// TestKang: the response to interferon of one donor, cell type by cell type, predicts
// that of the other as well as half of his own cells does. The bounds leave half of what
// is between the figures measured and the control's: .970, .0156 of .205, .297 of 5.06.
func TestKang(t *testing.T) {
	s := kang(t)
	additive, err := predictor.NewAdditive(s.reference(t), s.genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := additive.Explain(predictor.Parse("stim", "", "ctrl", "", ""), "", "B cells")
	if err != nil || e.Level != predictor.LevelExact || e.Cells < 10 {
		t.Errorf("%+v %v", e, err)
	}
	effect := s.score(t, additive, score.CellEval)
	if m := metric(t, effect, "pearson_delta"); m.Score < 0.9 || m.Normalised < 0.9 {
		t.Errorf("pearson_delta %.3f, normalised %.3f", m.Score, m.Normalised)
	}
	if m := metric(t, effect, "mse"); m.Score > m.Control/2 {
		t.Errorf("mse %.4f, of a control %.4f", m.Score, m.Control)
	}
	distance := s.score(t, additive, score.Distances)
	if m := metric(t, distance, "edistance_u"); m.Score > m.Control/2 {
		t.Errorf("E-distance %.3f, of a control %.3f", m.Score, m.Control)
	}
	copied := s.score(t, predictor.NewControl(), score.CellEval)
	if m := metric(t, copied, "mse"); m.Score < m.Control*0.8 || m.Score > m.Control*1.2 {
		t.Errorf("a copy of the control has mse %.4f, the anchor %.4f", m.Score, m.Control)
	}
	for _, r := range []*score.Result{effect, distance, copied} {
		logScores(t, r)
	}
}

// k562 is every other cell of each condition to learn from, and the rest.
func k562(t testing.TB) *study {
	f := readFile(t, filepath.Join(shared(t), "data", "h5ad", "perturbench_devel_norman19_mcfaline23.h5ad"), false, "condition", "cell_type")
	s := &study{file: f, control: "control", pert: "condition", types: "cell_type"}
	at := map[string]int{}
	for row, label := range f.columns["condition"] {
		if f.columns["cell_type"][row] != "k562" {
			continue
		}
		if at[label]++; at[label]%2 == 0 {
			s.train = append(s.train, row)
		} else {
			s.test = append(s.test, row)
		}
	}
	return s
}

// TestK562: predictors have the order of what they know: the perturbation itself, one
// that shares a gene with it, all others, nothing. The figures measured by Pearson's
// correlation of the effects are .719, .354, .162 and .083.
func TestK562(t *testing.T) {
	s := k562(t)
	ref := s.reference(t)
	if n := len(ref.Perturbations()); n != 33 {
		t.Fatalf("%d conditions, expected 33", n)
	}
	additive, err := predictor.NewAdditive(ref, s.genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	near, err := predictor.NewNearest(ref, s.genes, predictor.NearestConfig{})
	if err != nil {
		t.Fatal(err)
	}
	mean, err := predictor.NewMeanResponse(ref, s.genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var pearson, discrimination []float64
	for _, p := range []perturb.Predictor{additive, near, mean} {
		r := s.score(t, p, score.CellEval)
		logScores(t, r)
		m := metric(t, r, "pearson_delta")
		pearson, discrimination = append(pearson, m.Score), append(discrimination, metric(t, r, "discrimination_score_l1").Score)
		if len(pearson) == 3 {
			// Cells of the control that are no copies have effects that are noise.
			pearson = append(pearson, m.Control)
		}
	}
	for i := range pearson[1:] {
		if pearson[i] <= pearson[i+1] {
			t.Errorf("pearson_delta of additive, nearest, mean response and control: %.3f", pearson)
		}
	}
	// The mean response cannot tell perturbations apart: chance is 0.5.
	if d := discrimination; d[0] < 0.8 || d[1] < 0.6 || d[2] > 0.6 {
		t.Errorf("discrimination of additive, nearest and mean response: %.3f", d)
	}
}

func logScores(t testing.TB, r *score.Result) {
	for _, m := range r.Metrics {
		t.Logf("%-12s %-28s %8.4f  control %.4f  mean response %.4f  ceiling %.4f  normalised %.3f", r.Preset, m.Name, m.Score, m.Control, m.MeanResponse, m.Ceiling, m.Normalised)
	}
}

// TestL1000: the consensus signatures, with the symbols of the ortholog table.
func TestL1000(t *testing.T) {
	dir := shared(t)
	symbols := table(t, filepath.Join(dir, "data", "genesets", "orthologs_human_mouse_babelgene.tsv.gz"), predictor.ReadNames)
	drugs := table(t, filepath.Join(dir, "data", "drugs", "lincs_drugbank_names.tsv.gz"), predictor.ReadNames)
	known := table(t, filepath.Join(dir, "data", "drugs", "lincs_consensus_drugbank_1170x978.tsv.gz"), func(r io.Reader, name string) (*predictor.Signatures, error) {
		return predictor.ReadSignatures(r, predictor.SignatureConfig{Name: name, GeneNames: symbols, Names: drugs})
	})
	// The table's description: 1,170 × 978, of which 970 have a symbol.
	if n := len(known.Genes()); n != 970 || known.Unnamed != 8 {
		t.Errorf("%d genes with a symbol, %d without", n, known.Unnamed)
	}
	if n := len(known.Perturbations()); n != 2*1170 {
		t.Errorf("%d names of perturbations, expected an id and a name each", n)
	}
	s := kang(t)
	ifn, err := predictor.NewAdditive(s.reference(t), s.genes, predictor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	stim, err := ifn.Explain(predictor.Parse("stim", "", "ctrl", "", ""), "", "")
	if err != nil {
		t.Fatal(err)
	}
	// Kang's 1,267 genes hold few of the 970.
	_, err = predictor.NewAdditive(known, s.genes, predictor.Config{Norm: stim.Norm})
	if err == nil || !strings.Contains(err.Error(), "genes in common") {
		t.Errorf("an overlap of %v", err)
	}
	p, err := predictor.NewAdditive(known, s.genes, predictor.Config{Norm: stim.Norm, MinOverlap: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d genes in common, %d values cut, IFN-beta's norm %.2f", p.Shared(), known.Cut, stim.Norm)
	for _, name := range []string{"vorinostat", "decitabine", "ruxolitinib", "DB00014"} {
		e, err := p.Explain(predictor.Parse(name, "", "ctrl", "", ""), "", "B cells")
		if err != nil || e.Level != predictor.LevelSignature || math.Abs(e.Norm-stim.Norm) > 1e-9*stim.Norm {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	if _, err := p.Explain(predictor.Parse("vorinostatt", "", "ctrl", "", ""), "", ""); err == nil || !strings.Contains(err.(*predictor.UnknownError).Hint(), "vorinostat") {
		t.Errorf("%v", err)
	}
}

func table[T any](t testing.TB, path string, read func(io.Reader, string) (T, error)) T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := read(f, path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
