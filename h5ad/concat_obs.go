package h5ad

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
)

// obs writes the annotation of all cells.
func (c *concatenation) obs() error {
	names := c.joined("obs", c.lists(func(a *fileFacts) []string { return a.obs }))
	if l := c.opts.Label; l != "" && !slices.Contains(names, l) {
		names = append(names, l)
	}
	index, err := c.cellNames(c.ctx)
	if err != nil {
		return err
	}
	if n, example := repeated(index); n > 0 {
		c.warn("%d names of cells are those of other cells, such as %q: give --index-unique to make them unique across files", n, example)
	}
	df := c.cellFrame("obs", names)
	c.columnsOf(df, func(f *File) (*DataFrame, error) { return f.obs, nil })
	if l := c.opts.Label; l != "" {
		df.read[l] = func(context.Context) (*Column, error) { return &Column{Categorical: c.label()}, nil }
	}
	return c.w.Set(c.ctx, "obs", df)
}

// cellFrame is a data frame of all cells.
func (c *concatenation) cellFrame(key string, columns []string) *DataFrame {
	label := c.about[0].index
	for i := range c.about {
		if c.about[i].index != label {
			label = ""
		}
	}
	df := c.frame(key, columns, c.total, label)
	df.index = func(ctx context.Context) (*Array, error) {
		names, err := c.cellNames(ctx)
		return &Array{DType: "string", Dims: []int{len(names)}, Values: names}, err
	}
	return df
}

// frame is a data frame whose columns are made as they are written.
func (c *concatenation) frame(key string, columns []string, n int, label string) *DataFrame {
	return &DataFrame{
		Names: columns, Length: n, label: label, key: "/" + key,
		file: &File{path: c.w.name}, // for errors
		read: map[string]func(context.Context) (*Column, error){},
	}
}

// geneFrame is a data frame of joined genes.
func (c *concatenation) geneFrame(key string, columns []string, g *geneJoin) *DataFrame {
	df := c.frame(key, columns, len(g.names), g.label)
	df.index = func(context.Context) (*Array, error) {
		return &Array{DType: "string", Dims: []int{len(g.names)}, Values: g.names}, nil
	}
	return df
}

// columnsOf lets df read its columns from the data frames of the files, one below
// the other; frame gives nil where a file has none.
func (c *concatenation) columnsOf(df *DataFrame, frame func(*File) (*DataFrame, error)) {
	for _, name := range df.Names {
		df.read[name] = func(ctx context.Context) (*Column, error) {
			var parts []columnPart
			for i := range c.about {
				f, err := c.in.file(ctx, i)
				if err != nil {
					return nil, err
				}
				own, err := frame(f)
				if err != nil {
					return nil, err
				}
				p := columnPart{n: f.NObs()}
				if own != nil && own.Has(name) {
					if p.column, err = own.Column(ctx, name); err != nil {
						return nil, err
					}
				}
				parts = append(parts, p)
			}
			return c.column(df.key+"/"+name, parts)
		}
	}
}

// column joins the parts of a column and says when that made text of it.
func (c *concatenation) column(key string, parts []columnPart) (*Column, error) {
	col, kinds := joinColumn(parts)
	if kinds != "" {
		c.warn("%s: %s in the files: written as text", key, kinds)
	}
	return col, nil
}

// label is the key of each cell's file.
func (c *concatenation) label() *Categorical {
	k := &Categorical{Codes: make([]int64, 0, c.total), Categories: &Array{DType: "string", Dims: []int{len(c.keys)}, Values: c.keys}}
	for i := range c.about {
		for range c.about[i].nObs {
			k.Codes = append(k.Codes, int64(i))
		}
	}
	return k
}

// cellNames is the index of obs.
func (c *concatenation) cellNames(ctx context.Context) ([]string, error) {
	all := make([]string, 0, c.total)
	for i := range c.about {
		f, err := c.in.file(ctx, i)
		if err != nil {
			return nil, err
		}
		names, err := f.obs.Index(ctx)
		if err != nil {
			return nil, err
		}
		if sep := c.opts.IndexUnique; sep != "" {
			for _, n := range names {
				all = append(all, n+sep+c.keys[i])
			}
			continue
		}
		all = append(all, names...)
	}
	return all, nil
}

// repeated counts the names that were there before, and gives one. It sorts hashes
// rather than keep all names in a map, which would take several times the names.
func repeated(names []string) (n int, example string) {
	seed := maphash.MakeSeed()
	hashes := make([]uint64, len(names))
	for i, s := range names {
		hashes[i] = maphash.String(seed, s)
	}
	slices.Sort(hashes)
	suspect := map[uint64]bool{}
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			suspect[hashes[i]] = true
		}
	}
	if len(suspect) == 0 {
		return 0, ""
	}
	seen := map[string]bool{}
	for _, s := range names {
		if !suspect[maphash.String(seed, s)] {
			continue
		}
		if seen[s] {
			if n++; n == 1 {
				example = s
			}
		}
		seen[s] = true
	}
	return n, example
}

// obsmFrame joins data frames of obsm.
func (c *concatenation) obsmFrame(name string) error {
	key := "obsm/" + name
	frame := func(f *File) (*DataFrame, error) {
		if has, err := f.names(c.ctx, "obsm"); err != nil || !slices.Contains(has, name) {
			return nil, err
		}
		_, df, err := f.member(c.ctx, "obsm", name)
		return df, err
	}
	lists := make([][]string, len(c.about))
	for i := range c.about {
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return err
		}
		df, err := frame(f)
		if err != nil {
			return err
		}
		if df == nil {
			continue
		}
		if df.Length != f.NObs() {
			return f.fail(df.key, fmt.Errorf("%d rows for %d cells", df.Length, f.NObs()))
		}
		lists[i] = df.Names
	}
	df := c.cellFrame(key, c.joined(key, lists))
	c.columnsOf(df, frame)
	return c.w.Set(c.ctx, key, df)
}
