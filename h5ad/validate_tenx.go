package h5ad

import "github.com/cellsentence/c2s/internal/hdf5"

// tenxGroup opens a member of the root if it is a 10x matrix.
func (c *checker) tenxGroup(root *hdf5.Group, name string) *hdf5.Group {
	o, err := root.Open(name)
	if err != nil {
		return nil
	}
	g, ok := o.(*hdf5.Group)
	if !ok || !g.Has("barcodes") || !g.Has("indptr") && !g.Has("indices") {
		return nil
	}
	return g
}

// tenx checks a 10x Genomics matrix: compressed columns of features × barcodes.
func (c *checker) tenx(g *hdf5.Group) {
	barcodes := c.tenxNames(g, "barcodes")
	features := int64(-1)
	lists := []string{"genes", "gene_names"}
	from := g
	if g.Has("features") {
		lists = []string{"id", "name", "feature_type", "genome"}
		o, ok := c.open(g, "features")
		if from, _ = o.(*hdf5.Group); from == nil {
			if ok {
				c.flaw(o.Path(), "expected a group, found %s", objectKind(o))
			}
			lists = nil
		}
	}
	for i, name := range lists {
		if i > 1 && !from.Has(name) {
			continue // versions before 3 have no types
		}
		n := c.tenxNames(from, name)
		if wrong(n, features) {
			c.flaw(join(from.Path(), name), "%d values for %d features", n, features)
		} else if features < 0 {
			features = n
		}
	}
	m := compressed{checker: c, group: g, major: barcodes, minor: features, words: [2]string{"barcode", "feature"}}
	if d, ok := c.vector(g, "shape"); ok && m.whole(d) {
		var shape []int64
		visit(c, d, func(_ uint64, v []int64) { shape = append(shape, v[:min(len(v), 3)]...) })
		switch {
		case len(shape) != 2:
			c.flaw(d.Path(), "%d values instead of features and barcodes", d.Space.Dims[0])
		case wrong(shape[0], features) || wrong(shape[1], barcodes):
			c.flaw(d.Path(), "it says %d features and %d barcodes, but there are %s and %s", shape[0], shape[1], count(features), count(barcodes))
		}
	}
	m.check(true)
}

// tenxNames checks a list of strings and gives its length, -1 if there is none.
func (c *checker) tenxNames(g *hdf5.Group, name string) int64 {
	d, ok := c.vector(g, name)
	if !ok {
		return -1
	}
	if !isText(d.Type) {
		c.flaw(d.Path(), "expected strings, found %s", dtype(d.Type))
		return -1
	}
	c.text(d)
	return int64(d.Space.Dims[0])
}
