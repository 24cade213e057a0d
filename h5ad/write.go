package h5ad

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// Compression is how arrays are compressed.
type Compression struct {
	// Method is gzip, lzf, zstd (which readers need a plugin for), none, or "" to
	// leave the choice to what is written: new arrays are not compressed, copies
	// are as their source.
	Method string
	// Level is 1 to 9 for gzip and 1 to 22 for zstd; 0 means 4 and 3. lzf has none.
	Level int
}

// pipeline is the filters for elements of any size.
func (c Compression) pipeline() (filter.Pipeline, error) {
	level := func(usual, most int) (int, error) {
		switch {
		case c.Level == 0:
			return usual, nil
		case c.Level < 1 || c.Level > most:
			return 0, fmt.Errorf("%s has levels from 1 to %d, not %d", c.Method, most, c.Level)
		}
		return c.Level, nil
	}
	switch c.Method {
	case "gzip":
		n, err := level(4, 9)
		return filter.Pipeline{hdf5.Deflate(n)}, err
	case "zstd":
		n, err := level(3, 22)
		return filter.Pipeline{hdf5.Zstd(n)}, err
	case "lzf", "none", "":
		if c.Level != 0 {
			return nil, fmt.Errorf("a compression level needs the method gzip or zstd, not %q", c.Method)
		}
		if c.Method == "lzf" {
			return filter.Pipeline{hdf5.LZF()}, nil
		}
		return nil, nil
	}
	return nil, fmt.Errorf("unknown compression %q: expected gzip, lzf, zstd or none", c.Method)
}

// WriteOptions says how a file is written. The zero value is good.
type WriteOptions struct {
	// Compression of arrays and matrices; what has less than a few kilobytes is
	// not compressed.
	Compression Compression
	// Workers is how many chunks are compressed at the same time; 0 means as many
	// as there are processors. It does not change the bytes of the file.
	Workers int
	// Memory is about how many bytes the transposition of a matrix may take; what
	// is more goes to a temporary file. 0 means 512 MiB.
	Memory int64
	// Force replaces a file that exists.
	Force bool
	// Inputs are paths that must not be written over.
	Inputs []string
}

// Writer writes a new AnnData file in the encodings of anndata 0.8 and later,
// which its versions up to 0.13 read. Elements are written one by one by [Writer.Set], matrices
// may come batch by batch by [Writer.Matrix], and [Writer.CopyFrom] carries over
// what another file has. A Writer serves one goroutine at a time.
type Writer struct {
	name   string
	h      *hdf5.Writer
	filter filter.Pipeline
	opts   WriteOptions
	file   *atomicfile.File // nil when the caller owns the output
	temp   string           // folder of temporary files, "" for the system's
	groups map[string]*hdf5.GroupWriter
	copier *hdf5.Copier

	nObs, nVars int // −1 until they are known
	shapes      []shapeCheck
	later       []string // keys that the copy has left to be written
	done        bool
}

// shapeCheck is the extent that an element was written with, to be held against
// obs and var at the end.
type shapeCheck struct {
	key  string
	dims [2]int // −1 where it need not fit
}

// Create starts the AnnData file at path, which appears when it is closed.
func Create(path string, opts WriteOptions) (*Writer, error) {
	f, err := atomicfile.Create(path, atomicfile.Options{Force: opts.Force, Inputs: opts.Inputs})
	if err != nil {
		return nil, err
	}
	w, err := NewWriter(f, path, opts)
	if err != nil {
		return nil, errors.Join(err, f.Abort())
	}
	// What holds the output has room for a part of it, unlike many a /tmp.
	w.file, w.temp = f, filepath.Dir(path)
	return w, nil
}

// NewWriter starts an AnnData file in out, which should be empty; name stands for
// it in errors.
func NewWriter(out io.WriterAt, name string, opts WriteOptions) (*Writer, error) {
	p, err := opts.Compression.pipeline()
	if err != nil {
		return nil, err
	}
	if opts.Memory <= 0 {
		opts.Memory = 512 << 20
	}
	h, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: name, Workers: opts.Workers})
	if err != nil {
		return nil, err
	}
	w := &Writer{name: name, h: h, filter: p, opts: opts, groups: map[string]*hdf5.GroupWriter{"": h.Root()}, nObs: -1, nVars: -1}
	w.copier = hdf5.NewCopier(h)
	if err := encode(h.Root(), "anndata", "0.1.0"); err != nil {
		return nil, err
	}
	return w, nil
}

// Close completes the file: it adds the mappings that nobody wrote, holds the
// shapes of all elements against obs and var, and gives the file its name. After
// an error there is no file.
func (w *Writer) Close() (err error) {
	if w.done {
		return nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	if w.nObs < 0 || w.nVars < 0 {
		return w.fail("", errors.New("obs and var must be written"))
	}
	for _, name := range []string{"layers", "obsm", "obsp", "uns", "varm", "varp"} {
		if _, err := w.group(name); err != nil {
			return err
		}
	}
	if err := w.checkShapes(); err != nil {
		return err
	}
	if len(w.later) > 0 {
		return w.fail(w.later[0], errors.New("was to be written after the copy, and was not"))
	}
	if err := w.h.Close(); err != nil {
		return err
	}
	if lost := w.copier.Lost(); len(lost) > 0 {
		return w.fail(lost[0], errors.New("refers to an object that was not copied"))
	}
	w.done = true
	if w.file == nil {
		return nil
	}
	return w.file.Commit()
}

// Abort gives the file up and leaves nothing behind. After Close it does nothing,
// so that it can be deferred.
func (w *Writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	w.h.Abort()
	if w.file == nil {
		return nil
	}
	return w.file.Abort()
}

func (w *Writer) checkShapes() error {
	for _, s := range w.shapes {
		for i, n := range []int{w.nObs, w.nVars} {
			if s.dims[i] >= 0 && s.dims[i] != n {
				return w.fail(s.key, fmt.Errorf("%d %s, but the file has %d", s.dims[i], []string{"cells", "genes"}[i], n))
			}
		}
	}
	return nil
}

// fail wraps an error with the file and the key, unless it names them already.
func (w *Writer) fail(key string, err error) error {
	var h *hdf5.Error
	var e *Error
	if err == nil || errors.As(err, &h) || errors.As(err, &e) {
		return err
	}
	if key != "" && !strings.HasPrefix(key, "/") {
		key = "/" + key
	}
	return &writeError{file: w.name, key: key, err: err}
}

// writeError says which element could not be written.
type writeError struct {
	file, key string
	err       error
}

func (e *writeError) Error() string { return fmt.Sprintf("%s: %s: %v", e.file, e.key, e.err) }
func (e *writeError) Unwrap() error { return e.err }

// group is the group at a key, made with those above it where they are missing.
func (w *Writer) group(key string) (*hdf5.GroupWriter, error) {
	if g := w.groups[key]; g != nil {
		return g, nil
	}
	above, name := "", key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		above, name = key[:i], key[i+1:]
	}
	parent, err := w.group(above)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, w.fail(key, errors.New("an element without a name"))
	}
	g, err := parent.CreateGroup(name)
	if err != nil {
		return nil, err
	}
	w.groups[key] = g
	if key == "raw" {
		return g, encode(g, "raw", "0.1.0")
	}
	return g, encode(g, "dict", "0.1.0")
}

// place is the group that an element of that key goes to, and its name there.
func (w *Writer) place(key string) (*hdf5.GroupWriter, string, error) {
	parts := strings.Split(key, "/")
	known := []string{"X", "layers", "obs", "obsm", "obsp", "raw", "uns", "var", "varm", "varp"}
	if !slices.Contains(known, parts[0]) {
		return nil, "", w.fail(key, fmt.Errorf("an AnnData file has no %q, only %s", parts[0], list(known)))
	}
	name := parts[len(parts)-1]
	g, err := w.group(strings.Join(parts[:len(parts)-1], "/"))
	if err != nil {
		return nil, "", err
	}
	if name == "" || g.Has(name) {
		return nil, "", w.fail(key, errors.New("the element was written before, or has no name"))
	}
	w.later = slices.DeleteFunc(w.later, func(k string) bool { return k == key })
	return g, name, nil
}

// Set writes an element at a key such as obs, X, layers/counts, obsm/X_pca or
// uns/a/b; groups on the way are made as mappings. See [Element] for what can be
// written; obs and var are data frames.
func (w *Writer) Set(ctx context.Context, key string, e Element) error {
	if d, ok := e.(Dict); ok { // to which more may be added
		if _, _, err := w.place(key); err != nil {
			return err
		}
		if _, err := w.group(key); err != nil {
			return err
		}
		for _, name := range sortedKeys(d) {
			if err := w.Set(ctx, key+"/"+name, d[name]); err != nil {
				return err
			}
		}
		return nil
	}
	g, name, err := w.place(key)
	if err != nil {
		return err
	}
	if err := w.aligned(key, e); err != nil {
		return err
	}
	return w.fail(key, w.element(ctx, g, name, e))
}

// aligned notes the shape of an element whose axes belong to obs or var.
func (w *Writer) aligned(key string, e Element) error {
	shape := Shape(e)
	at := func(i int) int {
		if i < len(shape) {
			return shape[i]
		}
		return 0
	}
	s := shapeCheck{key: "/" + key, dims: [2]int{-1, -1}}
	top, _, below := strings.Cut(key, "/")
	switch {
	case key == "obs" || key == "var":
		df, ok := e.(*DataFrame)
		if !ok {
			return w.fail(key, fmt.Errorf("expected a data frame, not a %s", KindOf(e)))
		}
		if key == "obs" {
			w.nObs = df.Length
		} else {
			w.nVars = df.Length
		}
	case key == "X" || top == "layers" && below:
		if len(shape) != 2 {
			return w.fail(key, fmt.Errorf("expected a matrix, not a %s", KindOf(e)))
		}
		s.dims = [2]int{shape[0], shape[1]}
	case (top == "obs" || top == "obsm" || top == "obsp" || key == "raw/X") && below:
		s.dims[0] = at(0)
	case (top == "varm" || top == "varp") && below:
		s.dims[1] = at(0)
	}
	if (top == "obsp" || top == "varp") && at(0) != at(1) {
		return w.fail(key, fmt.Errorf("expected a square matrix, not %v", shape))
	}
	w.shapes = append(w.shapes, s)
	return nil
}

// encode says what an element is.
func encode(o hdf5.ObjectWriter, kind, version string) error {
	return errors.Join(
		o.SetAttr("encoding-type", hdf5.StringValue(kind)),
		o.SetAttr("encoding-version", hdf5.StringValue(version)))
}
