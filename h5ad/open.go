package h5ad

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Format is the kind of file that was opened.
type Format string

// The formats.
const (
	FormatH5AD Format = "h5ad"
	FormatTenX Format = "10x-h5"
	FormatH5MU Format = "h5mu"
)

// Options says how a file is opened. The zero value is good.
type Options struct {
	// Modality is the part of an .h5mu to read; "" means the RNA (rna, gex or
	// gene expression by name, else the first).
	Modality string
	// Workers is how many chunks are decoded at the same time; 0 means as many as
	// there are processors.
	Workers int
}

// File is an open AnnData file. Its methods may be called from several
// goroutines.
type File struct {
	path     string
	format   Format
	h        *hdf5.File
	root     *hdf5.Group // the AnnData: the root, or a modality
	obs, vr  *DataFrame
	x        *Matrix // nil when there is none
	legacy   bool    // anndata 0.6 or older: compound tables
	tenx     *tenx
	closer   func() error // closes what lies under h, if that is not h's
	warnings []string
}

// Open opens the file at path, or the 10x folder (matrix.mtx, barcodes.tsv and
// features.tsv, gzipped or not), which is read into a temporary file. What is not HDF5, or HDF5 of another kind, is
// named in the error, which then has a method Hint.
func Open(ctx context.Context, path string, opts Options) (*File, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		if m, ok, err := findMTX(path); err != nil {
			return nil, err
		} else if ok {
			return openMTX(ctx, m, opts)
		}
	}
	if err := foreign(path); err != nil {
		return nil, err
	}
	h, err := hdf5.Open(path, hdf5.Options{Workers: opts.Workers})
	if err != nil {
		if errors.Is(err, hdf5.ErrNotHDF5) {
			return nil, &Error{File: path, Err: errors.New("this is not an HDF5 file: damaged, encrypted or of another kind"), Tip: "copy or download it again"}
		}
		return nil, err
	}
	f := &File{path: path, h: h}
	if err := f.open(ctx, opts); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return f, nil
}

// NewReader opens the AnnData file of size bytes behind r; name stands for it
// in errors.
func NewReader(ctx context.Context, r io.ReaderAt, size int64, name string, opts Options) (*File, error) {
	h, err := hdf5.NewReader(r, size, hdf5.Options{Name: name, Workers: opts.Workers})
	if err != nil {
		return nil, err
	}
	f := &File{path: name, h: h}
	if err := f.open(ctx, opts); err != nil {
		return nil, err
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error {
	err := f.h.Close()
	if f.closer != nil {
		err = errors.Join(err, f.closer())
		f.closer = nil
	}
	return err
}

// Path is the path given to Open.
func (f *File) Path() string { return f.path }

// Format is the kind of file.
func (f *File) Format() Format { return f.format }

// NObs is the number of cells.
func (f *File) NObs() int { return f.obs.Length }

// NVars is the number of genes.
func (f *File) NVars() int { return f.vr.Length }

// Obs is the annotation of the cells.
func (f *File) Obs() *DataFrame { return f.obs }

// Var is the annotation of the genes.
func (f *File) Var() *DataFrame { return f.vr }

// Warnings lists what is remarkable but no error.
func (f *File) Warnings() []string { return slices.Clone(f.warnings) }

func (f *File) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

func (f *File) open(ctx context.Context, opts Options) error {
	root, err := f.h.Root()
	if err != nil {
		return err
	}
	f.root = root
	kind, err := textAttr(root, "encoding-type")
	if err != nil {
		return err
	}
	bad := func(what, tip string) error {
		return &Error{File: f.path, Err: errors.New(what), Tip: tip}
	}
	switch {
	case kind == "MuData" || kind == "" && root.Has("mod") && !root.Has("X"):
		f.format = FormatH5MU
		if err := f.modality(opts.Modality); err != nil {
			return err
		}
	case root.Has("matrix") && root.Has("row_attrs"):
		return bad("this is a Loom file", "convert it in Python: anndata.read_loom(…).write_h5ad(…)")
	case root.Has("assays") && root.Has("meta.data"):
		return bad("this is an h5Seurat file", "convert it in R with SeuratDisk::Convert(…, dest = \"h5ad\")")
	case root.Has("barcode_idx") && root.Has("umi"):
		return bad("this is the molecule_info.h5 of Cell Ranger", "use filtered_feature_bc_matrix.h5 of the same folder")
	case !root.Has("obs") && !root.Has("var"):
		return f.openTenX(ctx)
	default:
		f.format = FormatH5AD
	}
	return f.openAnnData(ctx)
}

// modality goes to one part of an .h5mu.
func (f *File) modality(want string) error {
	mods, err := f.root.Group("mod")
	if err != nil {
		return err
	}
	names, err := mods.Names()
	if err != nil {
		return err
	}
	if a, err := mods.Attr("mod-order"); err == nil {
		if order, err := a.Strings(); err == nil && len(order) == len(names) {
			names = order
		}
	}
	if len(names) == 0 {
		return f.fail("/mod", errors.New("no modality"))
	}
	pick := want
	if pick == "" {
		pick = names[0]
		found := false
		for _, n := range names {
			switch strings.ToLower(n) {
			case "rna", "gex", "gene expression", "gene_expression", "scrna", "expression":
				pick, found = n, true
			}
			if found {
				break
			}
		}
		if !found && len(names) > 1 {
			f.warn("no modality is called rna: reading %q, the first of %s", pick, list(names))
		}
	}
	if !slices.Contains(names, pick) {
		return &Error{File: f.path, Key: "/mod", Err: fmt.Errorf("no modality %q: %w", pick, ErrNotFound), Tip: "there are: " + list(names)}
	}
	f.root, err = mods.Group(pick)
	return err
}

func (f *File) openAnnData(ctx context.Context) error {
	for _, part := range []struct {
		name string
		to   **DataFrame
	}{{"obs", &f.obs}, {"var", &f.vr}} {
		o, err := f.root.Open(part.name)
		if err != nil {
			return err
		}
		if _, ok := o.(*hdf5.Dataset); ok {
			f.legacy = true
		}
		if *part.to, err = f.frame(o, o.Path()); err != nil {
			return err
		}
	}
	if !f.root.Has("X") {
		return nil
	}
	o, err := f.root.Open("X")
	if err != nil {
		return err
	}
	if d, ok := o.(*hdf5.Dataset); ok && d.Space.Null {
		return nil // anndata 0.12.0 wrote a missing X this way
	}
	if f.x, err = f.matrix(ctx, o); err != nil {
		return err
	}
	return f.aligned(f.x)
}

// aligned checks the shape of X or a layer against obs and var.
func (f *File) aligned(m *Matrix) error {
	if m.NObs != f.obs.Length || m.NVars != f.vr.Length {
		return f.fail(m.key, fmt.Errorf("shape %d × %d, but obs has %d rows and var %d", m.NObs, m.NVars, f.obs.Length, f.vr.Length))
	}
	return nil
}

// X is the matrix of the file. A file without one has an error that names the
// layers.
func (f *File) X() (*Matrix, error) {
	if f.x == nil {
		return nil, &Error{File: f.path, Key: join(f.root.Path(), "X"), Err: fmt.Errorf("the file has no X: %w", ErrNotFound), Tip: f.otherMatrices()}
	}
	return f.x, nil
}

func (f *File) otherMatrices() string {
	tip := "the layers are: " + list(f.Layers())
	if f.HasRaw() {
		tip += "; raw exists, too (--raw)"
	}
	return tip
}

// Layers lists the names of the layers.
func (f *File) Layers() []string { return f.children("layers") }

// Layer opens a layer.
func (f *File) Layer(ctx context.Context, name string) (*Matrix, error) {
	if !slices.Contains(f.Layers(), name) {
		return nil, &Error{File: f.path, Key: join(f.root.Path(), "layers"), Err: fmt.Errorf("no layer %q: %w", name, ErrNotFound), Tip: f.otherMatrices()}
	}
	o, err := f.root.Open("layers/" + name)
	if err != nil {
		return nil, err
	}
	m, err := f.matrix(ctx, o)
	if err != nil {
		return nil, err
	}
	return m, f.aligned(m)
}

// HasRaw reports whether the file has raw.
func (f *File) HasRaw() bool { return f.root.Has("raw") || f.root.Has("raw.X") }

// Raw opens raw.X and raw.var: the matrix as it was before genes were selected
// or values scaled.
func (f *File) Raw(ctx context.Context) (*Matrix, *DataFrame, error) {
	name := func(part string) string { return "raw/" + part }
	switch {
	case f.root.Has("raw.X"):
		name = func(part string) string { return "raw." + part }
	case !f.root.Has("raw"):
		return nil, nil, &Error{File: f.path, Key: join(f.root.Path(), "raw"), Err: fmt.Errorf("the file has no raw: %w", ErrNotFound), Tip: "the layers are: " + list(f.Layers())}
	}
	o, err := f.root.Open(name("var"))
	if err != nil {
		return nil, nil, err
	}
	vr, err := f.frame(o, o.Path())
	if err != nil {
		return nil, nil, err
	}
	if o, err = f.root.Open(name("X")); err != nil {
		return nil, nil, err
	}
	m, err := f.matrix(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if m.NObs != f.obs.Length || m.NVars != vr.Length {
		return nil, nil, f.fail(m.key, fmt.Errorf("shape %d × %d, but obs has %d rows and raw.var %d", m.NObs, m.NVars, f.obs.Length, vr.Length))
	}
	return m, vr, nil
}

// Aligned is one of the mappings obsm, varm, obsp, varp and uns: a [*Mapping],
// or [*Records] in files of anndata 0.5. A missing one is empty. As anndata does,
// it finds obsp of files of anndata 0.6 and older in uns/neighbors, and leaves
// out of uns the categories of their columns.
func (f *File) Aligned(ctx context.Context, name string) (Element, error) {
	switch name {
	case "obsm", "varm", "obsp", "varp", "uns":
	default:
		return nil, f.fail("", fmt.Errorf("%q is not one of obsm, varm, obsp, varp, uns", name))
	}
	if !f.root.Has(name) {
		if name == "obsp" && f.legacy {
			return f.legacyGraphs()
		}
		return &Mapping{file: f}, nil
	}
	o, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	e, err := f.element(ctx, o)
	if m, ok := e.(*Mapping); ok && name == "uns" && f.legacy {
		m.Keys = slices.DeleteFunc(m.Keys, f.categoriesOf)
	}
	return e, err
}

// children lists the members of a group under the root, if it exists.
func (f *File) children(name string) []string {
	if !f.root.Has(name) {
		return nil
	}
	g, err := f.root.Group(name)
	if err != nil {
		return nil
	}
	names, err := g.Names()
	if err != nil {
		return nil
	}
	return names
}

func join(path, name string) string { return strings.TrimSuffix(path, "/") + "/" + name }
