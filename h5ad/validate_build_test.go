package h5ad_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// node is an object of a file that a test is about to write: a group, unless it
// has a value, a raw dataset or a link.
type node struct {
	attrs map[string]hdf5.Value
	kids  map[string]*node
	value *hdf5.Value
	spec  hdf5.DatasetSpec
	raw   []byte // a chunk as stored, for a dataset of spec
	soft  string // a soft link to this path
	same  *node  // a second name of a node written before
}

// at finds a node below n.
func (n *node) at(path string) *node {
	for name := range strings.SplitSeq(path, "/") {
		if n = n.kids[name]; n == nil {
			panic("no node " + path)
		}
	}
	return n
}

// set puts a node at path, whose parent exists.
func (n *node) set(path string, to *node) {
	if dir, name, ok := cutLast(path); ok {
		n.at(dir).kids[name] = to
	} else {
		n.kids[path] = to
	}
}

func (n *node) drop(path string) { n.set(path, nil) }

func cutLast(path string) (dir, name string, ok bool) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:], true
	}
	return "", path, false
}

// with gives the node an attribute; a zero value takes it away.
func (n *node) with(name string, v hdf5.Value) *node {
	if n.attrs == nil {
		n.attrs = map[string]hdf5.Value{}
	}
	if n.attrs[name] = v; v.Type() == nil {
		delete(n.attrs, name)
	}
	return n
}

// as gives the node an encoding.
func (n *node) as(kind, version string) *node {
	return n.with("encoding-type", hdf5.StringValue(kind)).with("encoding-version", hdf5.StringValue(version))
}

func data(v hdf5.Value) *node           { return &node{value: &v} }
func group(kids map[string]*node) *node { return &node{kids: kids} }

func numbers[T hdf5.Number](x ...T) *node { return data(hdf5.NumbersValue(x)).as("array", "0.2.0") }
func texts(s ...string) *node             { return data(hdf5.StringsValue(s)).as("string-array", "0.2.0") }
func bools(b ...bool) *node               { return data(hdf5.BoolsValue(b)).as("array", "0.2.0") }

func grid[T hdf5.Number](rows, cols uint64, x ...T) *node {
	return data(hdf5.NumbersValue(x, rows, cols)).as("array", "0.2.0")
}

func sparse(kind string, rows, cols int64, values []float32, indices, indptr []int32) *node {
	return group(map[string]*node{
		"data": data(hdf5.NumbersValue(values)), "indices": data(hdf5.NumbersValue(indices)), "indptr": data(hdf5.NumbersValue(indptr)),
	}).as(kind, "0.1.0").with("shape", hdf5.NumbersValue([]int64{rows, cols}))
}

func frame(index *node, columns map[string]*node) *node {
	order := slices.Sorted(maps.Keys(columns))
	kids := map[string]*node{"_index": index}
	maps.Copy(kids, columns)
	return group(kids).as("dataframe", "0.2.0").with("_index", hdf5.StringValue("_index")).with("column-order", hdf5.StringsValue(order))
}

func categorical(codes *node, categories *node) *node {
	return group(map[string]*node{"codes": codes, "categories": categories}).as("categorical", "0.2.0").with("ordered", hdf5.BoolValue(false))
}

func nullable(kind string, values, mask *node) *node {
	return group(map[string]*node{"values": values, "mask": mask}).as(kind, "0.1.0")
}

func dict(kids map[string]*node) *node { return group(kids).as("dict", "0.1.0") }

// pair is a compound type of a whole number and a string of four bytes.
func pair() *hdf5.Datatype {
	return &hdf5.Datatype{Class: hdf5.ClassCompound, Size: 8, Members: []hdf5.Member{
		{Name: "n", Offset: 0, Type: hdf5.IntType(4, true)},
		{Name: "s", Offset: 4, Type: hdf5.FixedStringType(4, hdf5.PadNull, hdf5.UTF8)},
	}}
}

// records is n elements of pair.
func records(n int) *node {
	raw := []byte(strings.Repeat("\x01\x00\x00\x00name", n))
	return data(hdf5.RawValue(pair(), hdf5.Space{Dims: []uint64{uint64(n)}}, raw)).as("rec-array", "0.2.0")
}

func cells() *node { return texts("c0", "c1", "c2", "c3") }
func genes() *node { return texts("g0", "g1", "g2") }

// counts is 4 cells × 3 genes.
func counts() *node {
	return sparse("csr_matrix", 4, 3, []float32{1, 2, 3, 4, 5}, []int32{0, 2, 1, 0, 2}, []int32{0, 2, 3, 3, 5})
}

const awkwardForm = `{"class": "ListOffsetArray", "offsets": "i64", "content": {"class": "NumpyArray", "primitive": "float64", ` +
	`"inner_shape": [], "form_key": "node1"}, "form_key": "node0"}`

// lists is an awkward array of 4 lists that hold 3 numbers.
func lists() *node {
	return group(map[string]*node{"node0-offsets": numbers[int64](0, 1, 1, 3, 3), "node1-data": numbers(1.5, 2, 3)}).
		as("awkward-array", "0.1.0").with("length", hdf5.NumberValue(int64(4))).with("form", hdf5.StringValue(awkwardForm))
}

// soundFile is an AnnData of 4 × 3 with every encoding.
func soundFile() *node {
	return group(map[string]*node{
		"X": counts(),
		"layers": dict(map[string]*node{
			"csc":   sparse("csc_matrix", 4, 3, []float32{1, 4, 3, 2, 5}, []int32{0, 3, 1, 0, 3}, []int32{0, 2, 3, 5}),
			"dense": grid(4, 3, 1.0, 0, 2, 0, 3, 0, 0, 0, 0, 4, 0, 5),
		}),
		"obs": frame(cells(), map[string]*node{
			"kind":  categorical(numbers[int8](0, 1, -1, 0), texts("a", "b")),
			"stage": categorical(numbers[int8](0, 1, 1, 0), numbers(1.5, 2.5)),
			"batch": categorical(numbers[uint8](0, 1, 1, 0), nullable("nullable-string-array", texts("x", "y"), bools(false, false))),
			"n":     nullable("nullable-integer", numbers[int32](1, 2, 3, 0), bools(false, false, false, true)),
			"ok":    nullable("nullable-boolean", bools(true, false, true, false), bools(false, false, false, true)),
			"note":  nullable("nullable-string-array", texts("a", "", "b", ""), bools(false, true, false, false)),
			"score": numbers(1.5, 2.5, 3.5, 4.5),
			"name":  texts("á", "b", "c", "d"),
			"flag":  bools(true, false, true, false),
		}),
		"var": frame(genes(), nil),
		"obsm": dict(map[string]*node{
			"X_pca": grid[float32](4, 2, 1, 2, 3, 4, 5, 6, 7, 8), "frame": frame(cells(), map[string]*node{"a": numbers(1.0, 2, 3, 4)}),
			"sparse": counts(), "rec": records(4), "lists": lists(),
		}),
		"varm": dict(map[string]*node{"PCs": grid[float32](3, 2, 1, 2, 3, 4, 5, 6)}),
		"obsp": dict(map[string]*node{"graph": sparse("csr_matrix", 4, 4, []float32{1, 2}, []int32{1, 0}, []int32{0, 1, 2, 2, 2})}),
		"varp": dict(map[string]*node{"dense": grid[float32](3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9)}),
		"raw": group(map[string]*node{
			"X":   sparse("csr_matrix", 4, 5, []float32{1, 2}, []int32{4, 0}, []int32{0, 1, 1, 2, 2}),
			"var": frame(texts("g0", "g1", "g2", "g3", "g4"), nil), "varm": dict(nil),
		}).as("raw", "0.1.0"),
		"uns": dict(map[string]*node{
			"title": data(hdf5.StringValue("a title")).as("string", "0.2.0"), "one": data(hdf5.NumberValue(1.0)).as("numeric-scalar", "0.2.0"),
			"none": data(hdf5.NullValue(hdf5.FloatType(4))).as("null", "0.1.0"), "rec": records(2),
			"deep": dict(map[string]*node{"er": dict(map[string]*node{"list": texts("x", "y")})}),
		}),
	}).as("anndata", "0.1.0")
}

// oldFile is an AnnData as anndata 0.7 wrote it.
func oldFile() *node {
	table := func(index *node, columns map[string]*node) *node {
		return frame(index, columns).as("dataframe", "0.1.0")
	}
	bare := func(v hdf5.Value) *node { return data(v) }
	return group(map[string]*node{
		"X": bare(hdf5.NumbersValue([]float32{1, 2, 3, 4, 5, 6}, 3, 2)),
		"obs": func() *node {
			g := table(bare(hdf5.StringsValue([]string{"c0", "c1", "c2"})), map[string]*node{
				"kind": bare(hdf5.NumbersValue([]int8{0, 1, -1})).with("categories", hdf5.RefValue("/obs/__categories/kind")),
			})
			g.kids["__categories"] = group(map[string]*node{
				"kind": bare(hdf5.StringsValue([]string{"a", "b"})).with("ordered", hdf5.BoolValue(false)),
			})
			return g
		}(),
		"var":  table(bare(hdf5.StringsValue([]string{"g0", "g1"})), nil),
		"obsm": group(map[string]*node{"X_pca": bare(hdf5.NumbersValue([]float64{1, 2, 3}, 3, 1))}),
		"uns":  group(map[string]*node{"old": bare(hdf5.TextValue(hdf5.FixedStringType(3, hdf5.PadNull, hdf5.ASCII), hdf5.Space{Dims: []uint64{1}}, []string{"abc"}))}),
	})
}

// ancientFile is an AnnData of compound tables, as anndata 0.5 wrote it.
func ancientFile() *node {
	bare := func(n *node) *node {
		return n.with("encoding-type", hdf5.Value{}).with("encoding-version", hdf5.Value{})
	}
	table := func(n int) *node {
		t := pair()
		t.Members[0], t.Members[1] = hdf5.Member{Name: "index", Offset: 0, Type: hdf5.FixedStringType(4, hdf5.PadNull, hdf5.UTF8)},
			hdf5.Member{Name: "n", Offset: 4, Type: hdf5.IntType(4, true)}
		return data(hdf5.RawValue(t, hdf5.Space{Dims: []uint64{uint64(n)}}, []byte(strings.Repeat("name\x01\x00\x00\x00", n))))
	}
	return group(map[string]*node{
		"X":   bare(sparse("", 3, 2, []float32{1}, []int32{1}, []int32{0, 1, 1, 1})).with("shape", hdf5.Value{}).with("h5sparse_format", hdf5.StringValue("csr")).with("h5sparse_shape", hdf5.NumbersValue([]int64{3, 2})),
		"obs": table(3), "var": table(2), "obsm": bare(records(3)),
		"raw.X": data(hdf5.NumbersValue([]float32{1, 2, 3}, 3, 1)), "raw.var": table(1),
	})
}

// muFile is an .h5mu of two modalities of 2 and 3 cells.
func muFile() *node {
	mod := func(names ...string) *node {
		return group(map[string]*node{"obs": frame(texts(names...), nil), "var": frame(texts(names[0]+"g"), nil)}).as("anndata", "0.1.0")
	}
	return group(map[string]*node{
		"mod": group(map[string]*node{"rna": mod("a", "b"), "adt": mod("b", "c", "d")}).with("mod-order", hdf5.StringsValue([]string{"rna", "adt"})),
		"obs": frame(texts("a", "b", "c", "d"), nil), "var": frame(texts("ag", "bg"), nil),
		"obsm":   dict(map[string]*node{"rna": bools(true, true, false, false), "adt": bools(false, true, true, true)}),
		"obsmap": dict(map[string]*node{"rna": numbers[uint8](1, 2, 0, 0), "adt": numbers[uint8](0, 1, 2, 3)}),
		"varmap": dict(map[string]*node{"rna": numbers[uint8](1, 0), "adt": numbers[uint8](0, 1)}),
	}).as("MuData", "0.1.0")
}

// tenxFile is a 10x file of 3 features and 2 barcodes.
func tenxFile() *node {
	bare := func(v hdf5.Value) *node { return data(v) }
	three := func(a, b, c string) *node { return bare(hdf5.StringsValue([]string{a, b, c})) }
	return group(map[string]*node{"matrix": group(map[string]*node{
		"barcodes": bare(hdf5.StringsValue([]string{"AA", "CC"})),
		"features": group(map[string]*node{
			"id": three("E0", "E1", "E2"), "name": three("g0", "g1", "g2"),
			"feature_type": three("Gene Expression", "Gene Expression", "Gene Expression"), "genome": three("x", "x", "x"),
		}),
		"data":    bare(hdf5.NumbersValue([]int32{1, 2, 3})),
		"indices": bare(hdf5.NumbersValue([]int64{0, 2, 1})), "indptr": bare(hdf5.NumbersValue([]int64{0, 2, 3})),
		"shape": bare(hdf5.NumbersValue([]int32{3, 2})),
	})})
}

// write writes the tree as an HDF5 file in a new folder.
func (n *node) write(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	s := &treeWriter{t, map[*node]hdf5.ObjectWriter{n: w.Root()}}
	s.attrs(w.Root(), n)
	s.members(w.Root(), n)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

type treeWriter struct {
	t    testing.TB
	done map[*node]hdf5.ObjectWriter
}

func (s *treeWriter) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *treeWriter) attrs(to hdf5.ObjectWriter, n *node) {
	for _, name := range slices.Sorted(maps.Keys(n.attrs)) {
		s.must(to.SetAttr(name, n.attrs[name]))
	}
}

func (s *treeWriter) members(to *hdf5.GroupWriter, n *node) {
	ctx := context.Background()
	for _, name := range slices.Sorted(maps.Keys(n.kids)) {
		kid := n.kids[name]
		var o hdf5.ObjectWriter
		var err error
		switch {
		case kid == nil:
			continue
		case kid.soft != "":
			s.must(to.SoftLink(name, kid.soft))
			continue
		case kid.same != nil:
			s.must(to.HardLink(name, s.done[kid.same]))
			continue
		case kid.value != nil:
			o, err = to.WriteValue(ctx, name, *kid.value, kid.spec)
		case kid.spec.Type != nil:
			var d *hdf5.DatasetWriter
			if d, err = to.CreateDataset(name, kid.spec); err == nil && kid.raw != nil {
				err = d.AppendRawChunk(ctx, make([]uint64, len(kid.spec.Dims)), 0, kid.raw)
			}
			o = d
		default:
			o, err = to.CreateGroup(name)
		}
		s.must(err)
		s.done[kid] = o
		s.attrs(o, kid)
		if g, ok := o.(*hdf5.GroupWriter); ok {
			s.members(g, kid)
		}
	}
}
