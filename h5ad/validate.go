package h5ad

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Problem is something that [Validate] found in a file.
type Problem struct {
	// Key is the HDF5 path of the element, "/" for the file as a whole.
	Key string
	// What is wrong with it, in one line; what occurs many times in one element is
	// counted, and the first place named.
	What string
	// Note marks what is worth knowing but no flaw: readers cope with it.
	Note bool
}

// String is "key: what".
func (p Problem) String() string { return p.Key + ": " + p.What }

// ValidateOptions says how a file is checked. The zero value is good.
type ValidateOptions struct {
	// Workers is how many chunks are decoded at the same time; 0 means as many as
	// there are processors.
	Workers int
	// Progress, unless nil, is told the bytes that were checked since it was last
	// called, after decompression.
	Progress func(n int64)
}

// Validate walks every element of an AnnData, MuData or 10x file, or of a 10x
// folder, and lists its flaws: what contradicts the format, what anndata refuses
// to open, and what it opens without a check but is wrong, such as column indices
// beyond var. Damage in one element does not keep the others from being checked.
// Values are read in blocks, so that memory does not grow with the matrices; eight
// bytes a row are kept of an index and of indptr.
//
// An error means that the file could not be read for a reason that is not its
// own, or that ctx ended. A file of another kind is a problem with the key "/".
func Validate(ctx context.Context, path string, opts ValidateOptions) ([]Problem, error) {
	c := &checker{ctx: ctx, progress: opts.Progress}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		// A 10x folder, which is text: reading it is most of the check.
		f, err := Open(ctx, path, Options{Workers: opts.Workers})
		if !c.failed("/", err) {
			defer f.Close()
			c.file(f.h)
		}
		return c.found, c.err
	}
	if err := foreign(path); c.failed("/", err) {
		return c.found, c.err
	}
	h, err := hdf5.Open(path, hdf5.Options{Workers: opts.Workers})
	if c.failed("/", err) {
		return c.found, c.err
	}
	defer h.Close()
	c.file(h)
	return c.found, c.err
}

// checker walks a file. Its methods report what they find; none stops at a flaw.
type checker struct {
	ctx      context.Context
	h        *hdf5.File
	progress func(int64)
	found    []Problem
	err      error               // of the machine or of ctx: the walk ends
	met      map[visited]*extent // nil while an element is being walked
	depth    int
}

func (c *checker) flaw(key, format string, args ...any) {
	c.found = append(c.found, Problem{Key: key, What: fmt.Sprintf(format, args...)})
}

func (c *checker) note(key, format string, args ...any) {
	c.found = append(c.found, Problem{Key: key, What: fmt.Sprintf(format, args...), Note: true})
}

// failed reports an error of reading the element at key, and whether there was
// one. What is not the fault of the file ends the walk.
func (c *checker) failed(key string, err error) bool {
	if err == nil {
		return false
	}
	var bad interface{ BadInput() bool }
	switch {
	case c.err != nil:
	case c.ctx.Err() != nil:
		c.err = c.ctx.Err()
	case errors.As(err, &bad) && bad.BadInput():
		c.blame(key, err)
	default:
		c.err = err
	}
	return true
}

// blame turns an error of a reader into a flaw at the place that it names.
func (c *checker) blame(key string, err error) {
	var low *hdf5.Error
	var high *Error
	name := ""
	switch {
	case errors.As(err, &low):
		name = low.File
		err = low.Err
		if attr, ok := strings.CutPrefix(low.Object, key+"@"); ok {
			err = fmt.Errorf("attribute %q: %w", attr, err)
		} else if strings.HasPrefix(low.Object, strings.TrimSuffix(key, "/")+"/") {
			key = low.Object
		}
	case errors.As(err, &high):
		if high.Key != "" {
			key = high.Key
		}
		err = high.Err
		if high.Tip != "" {
			err = fmt.Errorf("%w; %s", err, high.Tip)
		}
	}
	c.flaw(key, "%s", strings.ReplaceAll(err.Error(), name+": ", ""))
}

// stopped reports whether the walk has to end.
func (c *checker) stopped() bool {
	if c.err == nil {
		c.err = c.ctx.Err()
	}
	return c.err != nil
}

// file tells the kind of the file and walks it.
func (c *checker) file(h *hdf5.File) {
	c.h, c.met = h, map[visited]*extent{}
	root, err := h.Root()
	if c.failed("/", err) {
		return
	}
	names, ok := c.names(root)
	if !ok {
		return
	}
	e, _ := c.encoding(root)
	switch {
	case e.kind == "MuData" || e.kind == "" && root.Has("mod") && !root.Has("X"):
		c.muData(root)
	case root.Has("obs") || root.Has("var") || e.kind == "anndata":
		c.annData(root, e)
	default:
		genomes := 0
		for _, name := range names {
			if g := c.tenxGroup(root, name); g != nil {
				genomes++
				c.tenx(g)
			}
		}
		if genomes == 0 {
			// Opening it finds the words for what it is instead.
			c.failed("/", (&File{path: h.Name(), h: h}).open(c.ctx, Options{}))
		}
	}
}

// names lists a group.
func (c *checker) names(g *hdf5.Group) ([]string, bool) {
	names, err := g.Names()
	return names, !c.failed(g.Path(), err)
}

// open opens a member of a group, which must be there.
func (c *checker) open(g *hdf5.Group, name string) (hdf5.Object, bool) {
	o, err := g.Open(name)
	return o, !c.failed(join(g.Path(), name), err)
}

// vector opens a member of a group that must be a dataset of one dimension.
func (c *checker) vector(g *hdf5.Group, name string) (*hdf5.Dataset, bool) {
	o, ok := c.open(g, name)
	if !ok {
		return nil, false
	}
	d, ok := o.(*hdf5.Dataset)
	switch {
	case !ok:
		c.flaw(o.Path(), "expected a dataset, found %s", objectKind(o))
	case d.Space.Null || len(d.Space.Dims) != 1:
		c.flaw(o.Path(), "expected one dimension, found %s", dimensions(d))
		ok = false
	}
	return d, ok
}

func objectKind(o hdf5.Object) string {
	switch o.(type) {
	case *hdf5.Group:
		return "a group"
	case *hdf5.Dataset:
		return "a dataset"
	}
	return "a named type"
}

func dimensions(d *hdf5.Dataset) string {
	switch {
	case d.Space.Null:
		return "a null dataspace"
	case len(d.Space.Dims) == 0:
		return "a scalar"
	}
	return fmt.Sprintf("the shape %v", d.Space.Dims)
}

// encoding reads what an element says of itself. anndata refuses anything but
// one string, and one attribute without the other; ok is false for what it
// refuses.
func (c *checker) encoding(o hdf5.Object) (e encoding, ok bool) {
	ok = true
	for _, part := range []struct {
		name string
		to   *string
	}{{"encoding-type", &e.kind}, {"encoding-version", &e.version}} {
		a, err := o.Attr(part.name)
		if errors.Is(err, hdf5.ErrNotFound) {
			continue
		}
		if c.failed(o.Path(), err) {
			ok = false
			continue
		}
		if !isText(a.Type) || a.Space.Null || len(a.Space.Dims) > 0 {
			c.flaw(o.Path(), "the attribute %s is not a single string", part.name)
			ok = false
		}
		if !isText(a.Type) {
			continue
		}
		// A list of one string still tells how to go on.
		if s, err := a.Strings(); c.failed(o.Path(), err) {
			ok = false
		} else if len(s) == 1 {
			*part.to = s[0]
		}
	}
	if ok && e.version != "" && e.kind == "" {
		c.flaw(o.Path(), "encoding-version is %q, but encoding-type is missing", e.version)
		ok = false
	}
	return e, ok
}
