// Command maketestdata writes the files of testdata: simulated cells in the
// layouts that tests, examples and the demo need. The same bytes everywhere.
//
//	go run ./internal/simulate/maketestdata DIR
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/simulate"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: maketestdata DIR")
		os.Exit(2)
	}
	if err := makeAll(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "maketestdata:", err)
		os.Exit(1)
	}
}

// seed is that of every file.
const seed = 42

func makeAll(ctx context.Context, dir string) error {
	cells, err := draw(ctx, simulate.Config{Seed: seed, NGenes: 1000, Perturbations: []simulate.Perturbation{}, Depth: 900}, 400)
	if err != nil {
		return err
	}
	small, err := draw(ctx, simulate.Config{Seed: seed, NGenes: 200, Perturbations: []simulate.Perturbation{}, Depth: 300}, 60)
	if err != nil {
		return err
	}
	perturbed, err := draw(ctx, simulate.Config{Seed: seed, NGenes: 400, Depth: 500}, 300)
	if err != nil {
		return err
	}
	var errs []error
	for name, write := range map[string]func(f *file){
		"demo.h5ad":        cells.demo,
		"perturb.h5ad":     perturbed.demo,
		"lognorm.h5ad":     small.logNormalised,
		"dense.h5ad":       small.denseCounts,
		"csc.h5ad":         small.columns,
		"scaled.h5ad":      small.scaled,
		"collide.h5ad":     small.collide,
		"empty_cells.h5ad": small.emptyCells,
		"ensembl.h5ad":     small.ensembl,
		"tenx_v3.h5":       small.tenx,
		"tiny.h5ad":        tiny,
	} {
		f := create(ctx, filepath.Join(dir, name))
		write(f)
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

// drawn is simulated cells.
type drawn struct {
	world *simulate.World
	m     *matrix
	genes []string
	names []string
	truth []simulate.Truth
}

func draw(ctx context.Context, cfg simulate.Config, n int) (*drawn, error) {
	w, err := simulate.New(cfg)
	if err != nil {
		return nil, err
	}
	d := &drawn{world: w, m: newMatrix(len(w.Genes))}
	for _, g := range w.Genes {
		d.genes = append(d.genes, g.Symbol)
	}
	for b, err := range w.Rows(ctx, n, simulate.Options{}) {
		if err != nil {
			return nil, err
		}
		for i := range b.NObs() {
			counts := b.Counts[b.Indptr[i]:b.Indptr[i+1]]
			values := make([]float32, len(counts))
			for k, c := range counts {
				values[k] = float32(c)
			}
			d.m.add(b.Indices[b.Indptr[i]:b.Indptr[i+1]], values)
			d.names = append(d.names, w.Barcode(b.Start+i))
		}
		d.truth = append(d.truth, b.Truth...)
	}
	return d, nil
}

// label is a column of the truth.
func (d *drawn) label(name string, of func(simulate.CellSpec) string) column {
	v := make([]string, len(d.truth))
	for i, t := range d.truth {
		v[i] = of(t.Spec)
	}
	return column{name: name, values: v}
}

func (d *drawn) obs(f *file, in *hdf5.GroupWriter) {
	columns := []column{
		d.label("cell_type", func(s simulate.CellSpec) string { return d.world.CellTypes[s.CellType].Name }),
		d.label("donor", func(s simulate.CellSpec) string { return d.world.Donors[s.Donor] }),
		d.label("context", func(s simulate.CellSpec) string { return d.world.Contexts[s.Context].Name }),
	}
	if len(d.world.Perturbations) > 1 {
		columns = append(columns, d.label("perturbation", func(s simulate.CellSpec) string { return d.world.Perturbations[s.Perturbation].Name }))
	}
	columns = append(columns, column{name: "n_counts", values: d.m.totals()})
	f.frame(in, "obs", d.names, columns...)
}

func (d *drawn) roles() column {
	v := make([]string, len(d.genes))
	for i, g := range d.world.Genes {
		v[i] = g.Role
	}
	return column{name: "role", values: v}
}

// demo is counts in CSR with the truth beside them.
func (d *drawn) demo(f *file) {
	in := f.root()
	f.csr(in, "X", "csr_matrix", d.m)
	d.obs(f, in)
	f.frame(in, "var", d.genes, d.roles())
	uns := f.group(in, "uns", "dict", "0.1.0")
	sim := f.group(uns, "simulation", "dict", "0.1.0")
	f.value(sim, "seed", hdf5.NumberValue(int64(seed)), hdf5.DatasetSpec{}, "numeric-scalar", "0.2.0")
	f.value(sim, "generator", hdf5.StringValue("c2s internal/simulate"), hdf5.DatasetSpec{}, "string", "0.2.0")
	f.empties(in, "layers", "obsm", "obsp", "varm", "varp")
}

// logNormalised has log-normalised values in X and counts in raw and a layer.
// Halves stand for logarithms, so that no processor rounds differently.
func (d *drawn) logNormalised(f *file) {
	in := f.root()
	f.csr(in, "X", "csr_matrix", d.m.each(func(_ int, v float32) float32 { return v / (v + 1.5) * 8 }))
	d.obs(f, in)
	f.frame(in, "var", d.genes)
	raw := f.group(in, "raw", "raw", "0.1.0")
	f.csr(raw, "X", "csr_matrix", d.m)
	f.frame(raw, "var", d.genes)
	f.empties(raw, "varm")
	layers := f.group(in, "layers", "dict", "0.1.0")
	f.csr(layers, "counts", "csr_matrix", d.m)
	f.empties(in, "obsm", "obsp", "uns", "varm", "varp")
}

func (d *drawn) denseCounts(f *file) {
	in := f.root()
	f.dense(in, "X", d.m)
	d.obs(f, in)
	f.frame(in, "var", d.genes)
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}

func (d *drawn) columns(f *file) {
	in := f.root()
	f.csr(in, "X", "csc_matrix", d.m)
	d.obs(f, in)
	f.frame(in, "var", d.genes)
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}

// scaled has centred values in a dense X, and the counts in raw.
func (d *drawn) scaled(f *file) {
	in := f.root()
	m := newMatrix(d.m.cols)
	all := make([]int32, d.m.cols)
	for c := range all {
		all[c] = int32(c)
	}
	full := d.m.full()
	for i := range d.m.rows {
		row := make([]float32, d.m.cols)
		for c := range row {
			row[c] = (full[i*d.m.cols+c] - 1.25) / 2
		}
		m.add(all, row)
	}
	f.dense(in, "X", m)
	d.obs(f, in)
	f.frame(in, "var", d.genes)
	raw := f.group(in, "raw", "raw", "0.1.0")
	f.csr(raw, "X", "csr_matrix", d.m)
	f.frame(raw, "var", d.genes)
	f.empties(raw, "varm")
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}

// collide has names that are equal in upper case, and one twice.
func (d *drawn) collide(f *file) {
	in := f.root()
	genes := append([]string(nil), d.genes...)
	genes[1] = strings.ToLower(genes[0])
	genes[5] = genes[4]
	f.csr(in, "X", "csr_matrix", d.m)
	d.obs(f, in)
	f.frame(in, "var", genes)
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}

// emptyCells has every seventh cell empty and every fifth value stored as zero.
func (d *drawn) emptyCells(f *file) {
	in := f.root()
	m := newMatrix(d.m.cols)
	n := 0
	for i := range d.m.rows {
		indices, values := d.m.row(i)
		if i%7 == 3 {
			m.add(nil, nil)
			continue
		}
		v := append([]float32(nil), values...)
		for k := range v {
			if n++; n%5 == 0 {
				v[k] = 0
			}
		}
		m.add(indices, v)
	}
	f.csr(in, "X", "csr_matrix", m)
	d.obs(f, in)
	f.frame(in, "var", d.genes)
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}

// ensembl has identifiers for names, and the symbols in a column. The
// identifiers are well-formed and made up.
func (d *drawn) ensembl(f *file) {
	in := f.root()
	ids := make([]string, len(d.genes))
	for i := range ids {
		ids[i] = fmt.Sprintf("ENSG%011d", 99000000000+i)
	}
	f.csr(in, "X", "csr_matrix", d.m)
	d.obs(f, in)
	f.frame(in, "var", ids, column{name: "feature_name", values: d.genes, text: true})
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}

// tenx is a 10x Genomics file of version 3 with two antibodies at the end.
func (d *drawn) tenx(f *file) {
	if f.err != nil {
		return
	}
	root := f.w.Root()
	g, err := root.CreateGroup("matrix")
	f.keep(err)
	if f.err != nil {
		return
	}
	features, err := g.CreateGroup("features")
	f.keep(err)
	names := append(append([]string(nil), d.genes...), "CD3_protein", "CD19_protein")
	ids, types, genomes := make([]string, len(names)), make([]string, len(names)), make([]string, len(names))
	for i := range names {
		ids[i], types[i], genomes[i] = fmt.Sprintf("ENSG%011d", 99000000000+i), "Gene Expression", "SIMULATED"
		if i >= len(d.genes) {
			ids[i], types[i], genomes[i] = names[i], "Antibody Capture", ""
		}
	}
	m := newMatrix(d.m.cols + 2)
	for i := range d.m.rows {
		indices, values := d.m.row(i)
		indices = append(append([]int32(nil), indices...), int32(d.m.cols))
		m.add(indices, append(append([]float32(nil), values...), float32(10+i)))
	}
	counts := make([]int32, len(m.values))
	for i, v := range m.values {
		counts[i] = int32(v)
	}
	wide := make([]int64, len(m.indices))
	for i, c := range m.indices {
		wide[i] = int64(c)
	}
	f.fixed(g, "barcodes", d.names)
	f.value(g, "data", hdf5.NumbersValue(counts), chunked(len(counts)), "", "")
	f.value(g, "indices", hdf5.NumbersValue(wide), chunked(len(wide)), "", "")
	f.value(g, "indptr", hdf5.NumbersValue(m.indptr), chunked(len(m.indptr)), "", "")
	f.value(g, "shape", hdf5.NumbersValue([]int32{int32(m.cols), int32(m.rows)}), hdf5.DatasetSpec{}, "", "")
	f.fixed(features, "id", ids)
	f.fixed(features, "name", names)
	f.fixed(features, "feature_type", types)
	f.fixed(features, "genome", genomes)
	f.fixed(features, "_all_tag_keys", []string{"genome"})
}

// fixed writes strings of fixed length, as Cell Ranger does.
func (f *file) fixed(in *hdf5.GroupWriter, name string, v []string) {
	width := 1
	for _, s := range v {
		width = max(width, len(s))
	}
	t := hdf5.FixedStringType(width, hdf5.PadNull, hdf5.ASCII)
	f.value(in, name, hdf5.TextValue(t, hdf5.Space{Dims: []uint64{uint64(len(v))}}, v), hdf5.DatasetSpec{}, "", "")
}

// tiny is five cells that can be checked by hand: see its rows.
func tiny(f *file) {
	in := f.root()
	genes := []string{"CD3D", "MS4A1", "LYZ", "NKG7", "GNLY", "B2M", "MT-CO1", "RPLP0"}
	m := newMatrix(len(genes))
	m.add([]int32{0, 5, 7}, []float32{3, 9, 5})   // B2M RPLP0 CD3D
	m.add([]int32{1, 5, 6}, []float32{4, 2, 7})   // MT-CO1 MS4A1 B2M
	m.add([]int32{2}, []float32{30})              // LYZ
	m.add([]int32{7, 4, 3}, []float32{1, 12, 11}) // GNLY NKG7 RPLP0, stored unsorted
	m.add([]int32{5, 6, 7}, []float32{1, 2, 3})   // RPLP0 MT-CO1 B2M
	f.csr(in, "X", "csr_matrix", m)
	f.frame(in, "obs", []string{"c1", "c2", "c3", "c4", "c5"}, column{name: "cell_type", values: []string{"T", "B", "Mono", "NK", "T"}})
	f.frame(in, "var", genes)
	f.empties(in, "layers", "obsm", "obsp", "uns", "varm", "varp")
}
