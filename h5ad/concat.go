package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ConcatOptions says how files are joined. The zero value joins as
// anndata.concat(files) does.
type ConcatOptions struct {
	// Join is inner or "" for the genes, columns and elements that all files have,
	// outer for those that any file has.
	Join string
	// Label is the column of obs that says which file a cell is from; "" adds none.
	Label string
	// Keys are the names of the files, for Label and IndexUnique; nil means 0, 1, …
	Keys []string
	// IndexUnique stands between the name of a cell and the key of its file; ""
	// leaves the names of the cells as they are.
	IndexUnique string
	// Merge is which columns of var and arrays of varm are kept: none or "", same
	// (in all files, with the same values), unique (with the same values wherever
	// they are), first (of the first file that has it) or only (of a single file).
	Merge string
	// Open is how the files are opened.
	Open Options
	// Progress, if not nil, is told of the cells whose row of X was written.
	Progress func(cells int64)
}

// The values of Join and Merge in ConcatOptions.
const (
	JoinInner   = "inner"
	JoinOuter   = "outer"
	MergeNone   = "none"
	MergeSame   = "same"
	MergeUnique = "unique"
	MergeFirst  = "first"
	MergeOnly   = "only"
)

// Concat writes the cells of several files, one file after the other, into a file
// to which nothing was written yet, with the semantics of anndata.concat (version
// 0.12, axis 0): the genes of an inner join are in the order of the first file,
// those of an outer join are sorted; X and layers are CSR if one of them is
// sparse, else dense; genes and columns that a file lacks are 0 in sparse and NaN
// in dense matrices; types are promoted as NumPy does; raw is joined if all files
// have it. What comes out differs from anndata where pandas makes a column of
// objects, which no file can hold: strings with gaps become categories, booleans
// beside numbers are numbers, other mixtures become text, with a warning. Unlike
// anndata, files with the same genes in the same order may have duplicate gene
// names.
//
// The matrices are streamed; at most 64 files are open at a time. The report lists
// what was left out: anndata drops uns, obsp and varp and, in an inner join,
// elements that a file lacks.
func Concat(ctx context.Context, w *Writer, paths []string, opts ConcatOptions) (report *CopyReport, err error) {
	c := &concatenation{ctx: ctx, w: w, opts: opts, in: newInputs(paths, opts.Open)}
	defer func() { err = errors.Join(err, c.in.close()) }()
	if err := c.check(len(paths)); err != nil {
		return nil, err
	}
	for _, step := range []func() error{c.survey, c.obs, c.vars, c.x, c.layers, c.obsm, c.varm, c.raw, c.left} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	c.report.NObs, c.report.NVars = w.nObs, w.nVars
	return &c.report, nil
}

// concatenation is the joining of some files.
type concatenation struct {
	ctx    context.Context
	w      *Writer
	opts   ConcatOptions
	in     *inputs
	keys   []string
	about  []fileFacts
	total  int // cells
	genes  *geneJoin
	report CopyReport
}

// fileFacts is what is remembered of a file when it is closed.
type fileFacts struct {
	nObs                        int
	obs, vr, layers, obsm, varm []string
	x, raw                      bool
	index                       string   // name of the index of obs
	uns, obsp, varp             []string // what is left out
	firstGene                   string
}

func (c *concatenation) outer() bool { return c.opts.Join == JoinOuter }

func (c *concatenation) warn(format string, args ...any) {
	c.report.Warnings = append(c.report.Warnings, fmt.Sprintf(format, args...))
}

func (c *concatenation) drop(key, format string, args ...any) {
	c.report.Dropped = append(c.report.Dropped, "/"+key+": "+fmt.Sprintf(format, args...))
}

func (c *concatenation) check(n int) error {
	o := &c.opts
	switch {
	case n == 0:
		return errors.New("no file to concatenate")
	case !slices.Contains([]string{"", JoinInner, JoinOuter}, o.Join):
		return fmt.Errorf("unknown join %q: expected inner or outer", o.Join)
	case !slices.Contains([]string{"", MergeNone, MergeSame, MergeUnique, MergeFirst, MergeOnly}, o.Merge):
		return fmt.Errorf("unknown merge %q: expected none, same, unique, first or only", o.Merge)
	case o.Keys != nil && len(o.Keys) != n:
		return fmt.Errorf("%d keys for %d files", len(o.Keys), n)
	}
	if c.keys = o.Keys; c.keys == nil {
		for i := range n {
			c.keys = append(c.keys, strconv.Itoa(i))
		}
	}
	seen := map[string]bool{}
	for _, k := range c.keys {
		if seen[k] {
			return fmt.Errorf("the key %q occurs twice", k)
		}
		seen[k] = true
	}
	return nil
}

// survey looks at every file once, for all that the output depends on.
func (c *concatenation) survey() error {
	c.genes = newGeneJoin(c.outer())
	for i := range c.keys {
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return err
		}
		a := fileFacts{
			nObs: f.NObs(), obs: f.obs.Names, vr: f.vr.Names, layers: f.Layers(),
			x: f.x != nil, raw: f.HasRaw(), index: f.obs.label,
		}
		for _, m := range []struct {
			name string
			to   *[]string
		}{{"obsm", &a.obsm}, {"varm", &a.varm}, {"uns", &a.uns}, {"obsp", &a.obsp}, {"varp", &a.varp}} {
			if *m.to, err = f.names(c.ctx, m.name); err != nil {
				return err
			}
		}
		genes, err := f.vr.Index(c.ctx)
		if err != nil {
			return err
		}
		if len(genes) > 0 {
			a.firstGene = genes[0]
		}
		c.genes.add(f, genes, f.vr.label)
		for _, text := range f.Warnings() {
			c.warn("%s: %s", f.path, text)
		}
		c.about = append(c.about, a)
		c.total += a.nObs
	}
	return c.genes.done()
}

// names lists the members of one of the mappings.
func (f *File) names(ctx context.Context, mapping string) ([]string, error) {
	e, err := f.Aligned(ctx, mapping)
	if err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *Mapping:
		return e.Keys, nil
	case *Records:
		var names []string
		for _, r := range e.Fields {
			names = append(names, r.Name)
		}
		return names, nil
	}
	return nil, f.fail(join(f.root.Path(), mapping), fmt.Errorf("expected a mapping, found a %s", KindOf(e)))
}

// lists is the names of something in each file.
func (c *concatenation) lists(of func(*fileFacts) []string) (lists [][]string) {
	for i := range c.about {
		lists = append(lists, of(&c.about[i]))
	}
	return lists
}

// joined is the names that the output has, of those of each file, in the order of
// the first file that has them. What an inner join leaves out is reported.
func (c *concatenation) joined(key string, lists [][]string) (names []string) {
	for _, n := range firstSeen(lists) {
		in := 0
		for _, l := range lists {
			if slices.Contains(l, n) {
				in++
			}
		}
		if in < len(lists) && !c.outer() {
			c.drop(key+"/"+n, "in %d of %d files; an outer join keeps it", in, len(lists))
			continue
		}
		names = append(names, n)
	}
	return names
}

// firstSeen is all names in the order in which they are first met.
func firstSeen(lists [][]string) (names []string) {
	seen := map[string]bool{}
	for _, l := range lists {
		for _, n := range l {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	return names
}

// left reports what is never kept.
func (c *concatenation) left() error {
	for _, m := range []struct {
		key, why string
		of       func(*fileFacts) []string
	}{
		{"obsp", "there are no pairs across files", func(a *fileFacts) []string { return a.obsp }},
		{"varp", "pairs of genes are not merged", func(a *fileFacts) []string { return a.varp }},
		{"uns", "what describes a file as a whole is not merged", func(a *fileFacts) []string { return a.uns }},
	} {
		for _, n := range firstSeen(c.lists(m.of)) {
			c.drop(m.key+"/"+n, "%s", m.why)
		}
	}
	return nil
}

// raw joins raw if all files have it.
func (c *concatenation) raw() error {
	have := 0
	for i := range c.about {
		if c.about[i].raw {
			have++
		}
	}
	if have < len(c.about) {
		if have > 0 {
			c.drop("raw", "in %d of %d files", have, len(c.about))
		}
		return nil
	}
	genes := newGeneJoin(c.outer())
	columns := [][]string{}
	for i := range c.about {
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return err
		}
		_, vr, err := f.Raw(c.ctx)
		if err != nil {
			return err
		}
		names, err := vr.Index(c.ctx)
		if err != nil {
			return err
		}
		genes.add(f, names, vr.label)
		columns = append(columns, vr.Names)
	}
	if err := genes.done(); err != nil {
		return err
	}
	c.lostGenes("raw/var", genes)
	for _, n := range firstSeen(columns) {
		c.drop("raw/var/"+n, "anndata keeps no annotation of the genes of raw")
	}
	err := c.matrix("raw/X", func(f *File) (*rowSource, error) {
		m, _, err := f.Raw(c.ctx)
		return rowsOf(m), err
	}, genes)
	if err != nil {
		return err
	}
	if err := c.w.Set(c.ctx, "raw/var", c.geneFrame("raw/var", nil, genes)); err != nil {
		return err
	}
	_, err = c.w.group("raw/varm")
	return err
}

func (c *concatenation) lostGenes(key string, g *geneJoin) {
	if n := len(g.seen) - len(g.names); n > 0 && !g.same {
		c.drop(key, "%d of %d genes are not in every file", n, len(g.seen))
	}
	if len(g.names) == 0 && len(g.seen) > 0 {
		var first []string
		for i := range c.about {
			if c.about[i].firstGene != "" && len(first) < 3 {
				first = append(first, fmt.Sprintf("%s has %q", c.in.paths[i], c.about[i].firstGene))
			}
		}
		c.warn("/%s: no gene is in every file (%s): are some ids and others symbols?", key, strings.Join(first, ", "))
	}
}
