package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Change is an element that takes the place of one in the source, or is added to it.
type Change struct {
	Key     string  // such as obs/leiden or obsm/X_pca
	Element Element // nil deletes; [Later] for what comes after the copy
}

// Later is a change that [Writer.Set] or [Writer.Matrix] makes when the rest is copied,
// before [Writer.Close]: an embedding that is streamed, or a column whose values are
// not known yet. What the source has at the key is not copied.
type Later struct{}

// CopyOptions says what of a file is copied. The zero value copies everything.
type CopyOptions struct {
	// Cells and Genes are the positions to keep, rising; nil keeps all. All
	// elements that are aligned with them are cut, too; as in anndata, categories
	// that no cell or gene has any more are left out, with their colours in uns.
	Cells, Genes []int
	// Matrix is what becomes X: "" for X, "raw", or "layers/NAME". With raw, var
	// and varm are those of raw, and what is aligned with the other genes is
	// dropped, as by anndata's raw.to_adata.
	Matrix string
	// Encoding of X and of the layers: CSR, CSC or Dense; "" keeps theirs.
	Encoding string
	// Transform changes the values of X, batch by batch, to []float32 of the same
	// places. Start is the number of the first cell among those that are kept.
	Transform func(*Batch) error
	// Values, if not nil, gives the rows of X in place of the source and of Transform:
	// those that are kept, of the genes that are kept, in order and as []float32. It
	// calls fn for each batch, and returns its error.
	Values func(ctx context.Context, fn func(*Batch) error) error
	// Changes replace, add or delete elements.
	Changes []Change
}

// CopyReport says what a copy left out.
type CopyReport struct {
	NObs, NVars int
	// Dropped lists elements that could not be kept, with the reason.
	Dropped []string
	// Warnings lists what is remarkable but no error.
	Warnings []string
}

// carrier copies one file.
type carrier struct {
	ctx     context.Context
	f       *File
	w       *Writer
	opts    CopyOptions
	edits   map[string]Element
	order   []string        // keys of the edits
	used    map[string]bool // keys of edits that were met
	colours map[string][]int
	report  CopyReport
}

// CopyFrom copies the elements of f into a file to which nothing was written yet.
// What is not changed is carried over bit for bit, compressed chunks included;
// encodings older than anndata 0.8 become those of today. f must stay open until
// the writer is closed.
func (w *Writer) CopyFrom(ctx context.Context, f *File, opts CopyOptions) (*CopyReport, error) {
	c := &carrier{ctx: ctx, f: f, w: w, opts: opts, edits: map[string]Element{}, used: map[string]bool{}, colours: map[string][]int{}}
	for _, e := range opts.Changes {
		key := strings.Trim(e.Key, "/")
		if _, twice := c.edits[key]; twice {
			return nil, w.fail(key, errors.New("edited twice"))
		}
		c.edits[key] = e.Element
		c.order = append(c.order, key)
	}
	if err := c.run(); err != nil {
		return nil, err
	}
	return &c.report, nil
}

func (c *carrier) warn(format string, args ...any) {
	c.report.Warnings = append(c.report.Warnings, fmt.Sprintf(format, args...))
}

func (c *carrier) drop(key, why string) {
	c.report.Dropped = append(c.report.Dropped, "/"+key+": "+why)
}

// part is the selection along two axes of an element.
type part = hdf5.Subset

func (c *carrier) run() error {
	root := c.w.h.Root()
	if c.w.filter != nil || c.w.opts.Compression.Method == "none" {
		c.w.copier.Respec = c.w.respec
	}
	if c.f.tenx == nil {
		if err := c.w.copier.CopyAttrs(root, c.f.root); err != nil {
			return err
		}
		c.w.copier.Stands(root, c.f.root)
		if err := encode(root, "anndata", "0.1.0"); err != nil {
			return err
		}
	}
	x, vr := c.f.x, c.f.vr
	if c.opts.Matrix != "" {
		var err error
		if x, vr, err = c.f.Select(c.ctx, c.opts.Matrix); err != nil {
			return err
		}
		if c.f.x != nil {
			c.drop("X", c.opts.Matrix+" takes its place")
		}
	}
	if err := c.otherModalities(); err != nil {
		return err
	}
	// Data frames come first: the colours of their categories follow them.
	steps := []func() error{
		func() error { return c.axis("obs", c.f.obs, c.opts.Cells) },
		func() error { return c.axis("var", vr, c.opts.Genes) },
		func() error { return c.x(x) },
	}
	cells, genes := c.opts.Cells, c.opts.Genes
	if c.f.tenx == nil {
		steps = append(steps,
			func() error { return c.mapping("layers", part{Rows: cells, Cols: genes}) },
			func() error { return c.mapping("obsm", part{Rows: cells}) },
			func() error { return c.mapping("obsp", part{Rows: cells, Cols: cells}) },
			func() error { return c.mapping("varm", part{Rows: genes}) },
			func() error { return c.mapping("varp", part{Rows: genes, Cols: genes}) },
			c.raw,
			func() error { return c.mapping("uns", part{}) },
			c.rest,
		)
	}
	if c.f.tenx != nil {
		for _, key := range []string{"layers", "obsm", "obsp", "varm", "varp", "uns"} {
			steps = append(steps, func() error { _, err := c.w.group(key); return err })
		}
	}
	for _, step := range append(steps, c.added) {
		if err := step(); err != nil {
			return c.f.fail("", err)
		}
	}
	c.report.NObs, c.report.NVars = c.w.nObs, c.w.nVars
	return nil
}

// otherModalities lists what of a MuData file is not in the modality.
func (c *carrier) otherModalities() error {
	if c.f.format != FormatH5MU {
		return nil
	}
	root, err := c.f.h.Root()
	if err != nil {
		return err
	}
	names, err := root.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if n != "mod" {
			c.drop(n, "common to all modalities")
		}
	}
	mods, err := root.Group("mod")
	if err != nil {
		return err
	}
	if names, err = mods.Names(); err != nil {
		return err
	}
	for _, n := range names {
		if key := join("/mod", n); key != c.f.root.Path() {
			c.drop("mod/"+n, "another modality")
		}
	}
	return nil
}

// axis copies obs or var.
func (c *carrier) axis(key string, df *DataFrame, keep []int) error {
	n := df.Length
	if keep != nil {
		n = len(keep)
		if last := keep[max(0, n-1):]; n > 0 && last[0] >= df.Length {
			return fmt.Errorf("row %d of %s is to be kept, but it has %d", last[0], key, df.Length)
		}
	}
	if key == "obs" {
		c.w.nObs = n
	} else {
		c.w.nVars = n
	}
	if e, ok := c.edit(key); ok {
		if e == nil {
			return fmt.Errorf("%s cannot be deleted", key)
		}
		return c.w.Set(c.ctx, key, e)
	}
	if df.group == nil {
		return c.rewriteFrame(c.w.h.Root(), key, df, keep, key)
	}
	return c.frame(c.w.h.Root(), key, df, keep, key)
}

func (c *carrier) x(m *Matrix) error {
	root := c.w.h.Root()
	if e, ok := c.edit("X"); ok {
		if e == nil {
			return nil
		}
		return c.w.Set(c.ctx, "X", e)
	}
	if m == nil {
		return nil
	}
	transform := c.opts.Transform
	if c.opts.Values != nil {
		transform = func(*Batch) error { return nil } // they are changed already
	}
	return c.matrix(root, "X", m, part{Rows: c.opts.Cells, Cols: c.opts.Genes}, c.opts.Encoding, transform)
}

// mapping copies one of the mappings under the root.
func (c *carrier) mapping(key string, sel part) error {
	from := c.f.children(key)
	if c.opts.Matrix == "raw" {
		switch key {
		case "layers", "varp", "varm":
			for _, n := range from {
				c.drop(key+"/"+n, "aligned with the genes that raw replaces")
			}
			if key != "varm" {
				return nil
			}
			return c.rawVarm(sel)
		}
	}
	e, err := c.f.Aligned(c.ctx, key)
	if key == "layers" {
		return c.group(key, sel)
	}
	if err != nil {
		return err
	}
	if r, ok := e.(*Records); ok {
		return c.columns(key, r, sel.Rows)
	}
	if key == "obsp" && c.f.legacy && !c.f.root.Has("obsp") {
		return c.legacyGraphs(e.(*Mapping), sel)
	}
	return c.group(key, sel)
}

// group copies a mapping under the root, if it exists.
func (c *carrier) group(key string, sel part) error {
	if e, ok := c.edit(key); ok {
		if e == nil {
			return nil
		}
		return c.w.Set(c.ctx, key, e)
	}
	if !c.f.root.Has(key) {
		_, err := c.w.group(key)
		return err
	}
	o, err := c.f.root.Open(key)
	if err != nil {
		return err
	}
	return c.node(c.w.h.Root(), key, o, key, sel)
}

// rest carries over what AnnData does not know.
func (c *carrier) rest() error {
	known := []string{"X", "layers", "obs", "obsm", "obsp", "raw", "raw.X", "raw.var", "raw.varm", "uns", "var", "varm", "varp"}
	names, err := c.f.root.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if slices.Contains(known, n) {
			continue
		}
		o, err := c.f.root.Open(n)
		if err != nil {
			return err
		}
		c.warn("/%s is not part of an AnnData file: carried over as it is", n)
		if err := c.w.copier.Copy(c.ctx, c.w.h.Root(), n, o); err != nil {
			return err
		}
	}
	return nil
}

// edit looks for an edit of a key. What comes later is for now as if it were deleted.
func (c *carrier) edit(key string) (Element, bool) {
	e, ok := c.edits[key]
	if ok {
		c.used[key] = true
	}
	if _, later := e.(Later); later {
		e = nil
	}
	return e, ok
}

// added writes the edits that replaced nothing.
func (c *carrier) added() error {
	for _, key := range c.order {
		e := c.edits[key]
		if _, later := e.(Later); later {
			c.w.later = append(c.w.later, key)
			continue
		}
		switch {
		case c.used[key]:
		case e == nil:
			return &Error{File: c.f.path, Key: "/" + key, Err: fmt.Errorf("nothing to delete: %w", ErrNotFound), Tip: "c2s inspect lists what the file has"}
		default:
			if err := c.w.Set(c.ctx, key, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// respec compresses, or does not, what is copied.
func (w *Writer) respec(src *hdf5.Dataset, s *hdf5.DatasetSpec) bool {
	n, ok := src.Space.Elements()
	if src.Space.Null || len(s.Dims) == 0 || !ok || n == 0 || src.Type.Class == hdf5.ClassReference {
		return false
	}
	if slices.EqualFunc(src.Filters(), w.filter, sameFilter) {
		return false
	}
	if len(w.filter) == 0 {
		s.Filters = nil
		return true
	}
	if n*uint64(src.Type.Size) < leastChunked {
		return false
	}
	if s.Chunk == nil {
		s.Chunk = chunkOf(s.Dims, src.Type.Size)
	}
	s.Filters, s.Compact = w.filter, false
	return true
}
