package h5ad_test

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// validate lists the problems and the notes of a file, with the path left out.
func validate(t testing.TB, path string) (problems, notes []string) {
	t.Helper()
	found, err := h5ad.Validate(context.Background(), path, h5ad.ValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		if strings.Contains(p.String(), path) {
			t.Errorf("%q names the file", p)
		}
		if p.Note {
			notes = append(notes, p.String())
		} else {
			problems = append(problems, p.String())
		}
	}
	return problems, notes
}

// flaw is one planted flaw and the lines that must be found: each begins with
// the text given here, and there are no others.
type flaw struct {
	name  string
	base  func() *node
	plant func(n *node)
	want  []string
}

// deflated is float32 values as a gzip chunk.
func deflated(x ...float32) []byte {
	var raw, out bytes.Buffer
	binary.Write(&raw, binary.LittleEndian, x)
	z := zlib.NewWriter(&out)
	z.Write(raw.Bytes())
	z.Close()
	return out.Bytes()
}

// chunk is a dataset of five float32 in one chunk that is stored as given.
func chunk(raw []byte, filters ...filter.Spec) *node {
	return (&node{raw: raw, spec: hdf5.DatasetSpec{Type: hdf5.FloatType(4), Dims: []uint64{5}, Chunk: []uint64{5}, Filters: filters}}).as("array", "0.2.0")
}

func flaws() []flaw {
	sound := soundFile
	put := func(path string, n *node) func(*node) { return func(root *node) { root.set(path, n) } }
	drop := func(path string) func(*node) { return func(root *node) { root.drop(path) } }
	attr := func(path, name string, v hdf5.Value) func(*node) {
		return func(root *node) { root.at(path).with(name, v) }
	}
	text := hdf5.StringValue
	none := hdf5.Value{}
	nan, inf := math.NaN(), math.Inf(1)
	vector := func(x ...int32) *node { return data(hdf5.NumbersValue(x)) }
	broken := deflated(1, 2, 3, 4, 5)
	broken[4] ^= 0xff
	unsummed := deflated(1, 2, 3, 4, 5)
	unsummed[len(unsummed)-1] ^= 1
	return []flaw{
		// Categoricals.
		{"codes beyond", sound, put("obs/kind/codes", numbers[int8](0, 2, 7, 1)), []string{"/obs/kind: 2 codes are beyond the 2 categories, the first in row 1: 2"}},
		{"codes below", sound, put("obs/kind/codes", numbers[int8](0, 1, -2, 1)), []string{"/obs/kind: 1 code is below -1, the first in row 2: -2"}},
		{"codes of another length", sound, put("obs/kind/codes", numbers[int8](0, 1)), []string{"/obs/kind: 2 values for 4 rows"}},
		{"codes that are floats", sound, put("obs/kind/codes", numbers(0.0, 1, 0, 0)), []string{"/obs/kind: its codes are float64"}},
		{"codes in two dimensions", sound, put("obs/kind/codes", grid[int8](4, 1, 0, 0, 0, 0)), []string{"/obs/kind/codes: expected one dimension"}},
		{"no codes", sound, drop("obs/kind/codes"), []string{"/obs/kind/codes: not found"}},
		{"no categories", sound, drop("obs/kind/categories"), []string{"/obs/kind/categories: not found"}},
		{"duplicate categories", sound, put("obs/kind/categories", texts("a", "b", "a")), []string{`/obs/kind: 1 category occurred before, the first is "a"`}},
		{"duplicate numbers as categories", sound, put("obs/stage/categories", numbers(1.5, 1.5)), []string{"/obs/stage: 1 category occurred before, the first is 1.5"}},
		{"duplicate whole numbers as categories", sound, put("obs/stage/categories", numbers[uint64](1<<63, 1<<63)), []string{"/obs/stage: 1 category occurred before, the first is 9223372036854775808"}},
		{"NaN as a category", sound, put("obs/stage/categories", numbers(1.5, nan)), []string{"/obs/stage: 1 category is NaN, the first is number 1"}},
		{"a missing category", sound, put("obs/batch/categories/mask", bools(false, true)), []string{"/obs/batch: 1 category is missing, the first is number 1"}},
		{"categories that are a mapping", sound, put("obs/kind/categories", dict(nil)), []string{"/obs/kind: its categories are dict"}},
		{"ordered missing", sound, attr("obs/kind", "ordered", none), []string{"/obs/kind: the attribute ordered is missing"}},
		{"ordered as a number", sound, attr("obs/kind", "ordered", hdf5.NumberValue(uint8(0))), []string{"/obs/kind: the attribute ordered is not a bool but uint8"}},
		{"reference to nowhere", oldFile, attr("obs/kind", "categories", hdf5.RawValue(hdf5.RefType(), hdf5.Space{}, []byte{0, 0, 0, 64, 0, 0, 0, 0})), []string{"/obs/kind: its reference to categories leads nowhere"}},
		{"null reference", oldFile, attr("obs/kind", "categories", hdf5.RefsValue([]string{""})), []string{"/obs/kind: its reference to categories leads nowhere"}},
		{"old codes beyond", oldFile, func(n *node) {
			n.at("obs/kind").value = numbers[int8](0, 3, 0).value
		}, []string{"/obs/kind: 1 code is beyond the 2 categories, the first in row 1: 3"}},

		// Data frames.
		{"column of another length", sound, put("obs/score", numbers(1.5, 2)), []string{"/obs/score: 2 values for 4 rows"}},
		{"column in two dimensions", sound, put("obs/score", grid(4, 1, 1.5, 2, 3, 4)), []string{"/obs/score: a column must have one dimension, but it has 2"}},
		{"column that is a mapping", sound, put("obs/score", dict(nil)), []string{"/obs/score: a column cannot be dict"}},
		{"column that is missing", sound, drop("obs/score"), []string{"/obs/score: column-order names this column, but it is missing"}},
		{"column-order missing", sound, attr("obs", "column-order", none), []string{"/obs: the attribute column-order is missing"}},
		{"column-order null", sound, attr("var", "column-order", hdf5.NullValue(hdf5.FloatType(8))), []string{"/var: the attribute column-order is a null dataspace"}},
		{"column-order scalar", sound, attr("obs", "column-order", text("kind")), []string{"/obs: the attribute column-order is not a list"}},
		{"column-order with a name twice", sound, attr("obs", "column-order", hdf5.StringsValue([]string{"batch", "flag", "kind", "n", "name", "note", "ok", "score", "stage", "kind"})), []string{`/obs: column-order names "kind" twice`}},
		{"column called _index", sound, attr("var", "column-order", hdf5.StringsValue([]string{"_index"})), []string{"/var: column-order names _index"}},
		{"_index missing", sound, attr("obs", "_index", none), []string{"/obs: the attribute _index, which names the index, is missing"}},
		{"_index names nothing", sound, attr("obs", "_index", text("barcode")), []string{`/obs: the index is "barcode", but there is no such member`}},
		{"obs missing", sound, drop("obs"), []string{"/obs: missing"}},
		{"var missing", sound, drop("var"), []string{"/var: missing"}},
		{"obs without encoding", sound, func(n *node) { n.at("obs").as("dict", "0.1.0") }, []string{"/obs: expected a dataframe, found dict"}},
		{"obs that is an array", sound, put("obs", numbers(1.0, 2, 3, 4)), []string{"/obs: expected a data frame"}},

		// Sparse matrices.
		{"indptr short", sound, put("X/indptr", vector(0, 2, 3, 5)), []string{"/X/indptr: 4 entries, expected 5"}},
		{"indptr begins late", sound, put("X/indptr", vector(1, 2, 3, 3, 5)), []string{"/X/indptr: begins with 1 instead of 0"}},
		{"indptr falls", sound, put("X/indptr", vector(0, 3, 2, 3, 5)), []string{"/X/indptr: falls 1 time, first from 3 to 2 at entry 2"}},
		{"indptr ends late", sound, put("X/indptr", vector(0, 2, 3, 3, 9)), []string{"/X/indptr: ends with 9, but 5 indices are stored"}},
		{"indptr ends early", sound, put("X/indptr", vector(0, 2, 3, 3, 4)), []string{"/X/indptr: ends with 4, but 5 indices are stored"}},
		{"indptr of floats", sound, put("X/indptr", numbers(0.0, 2, 3, 3, 5)), []string{"/X/indptr: expected whole numbers, found float64"}},
		{"indptr missing", sound, drop("X/indptr"), []string{"/X/indptr: not found"}},
		{"index beyond", sound, put("X/indices", vector(0, 2, 3, 0, 2)), []string{"/X/indices: 1 index is outside the 3 columns, the first in row 1: 3"}},
		{"index beyond in CSC", sound, put("layers/csc/indices", vector(0, 3, 4, 0, 3)), []string{"/layers/csc/indices: 1 index is outside the 4 rows, the first in column 1: 4"}},
		{"index negative", sound, put("X/indices", vector(0, -1, 1, 0, 2)), []string{"/X/indices: 1 index is outside the 3 columns, the first in row 0: -1"}},
		{"index twice", sound, put("X/indices", vector(0, 2, 1, 2, 2)), []string{"/X/indices: 1 column occurs twice in its row, the first in row 3: column 2"}},
		{"lengths differ", sound, put("X/data", numbers[float32](1, 2, 3)), []string{"/X: 3 values, but 5 indices"}},
		{"data of strings", sound, put("X/data", texts("1", "2", "3", "4", "5")), []string{"/X/data: a matrix must hold numbers, but it holds string"}},
		{"data in two dimensions", sound, put("X/data", grid[float32](5, 1, 1, 2, 3, 4, 5)), []string{"/X/data: expected one dimension"}},
		{"shape missing", sound, attr("X", "shape", none), []string{"/X: the attribute shape is missing"}},
		{"shape of floats", sound, attr("X", "shape", hdf5.NumbersValue([]float64{4, 3})), []string{"/X: the attribute shape is float64"}},
		{"shape negative", sound, attr("X", "shape", hdf5.NumbersValue([]int64{-4, 3})), []string{"/X: the attribute shape is [-4 3]"}},
		{"shape of three", sound, attr("X", "shape", hdf5.NumbersValue([]int64{4, 3, 1})), []string{"/X: the attribute shape is [4 3 1]"}},
		{"shape wrong", sound, attr("X", "shape", hdf5.NumbersValue([]int64{4, 4})), []string{"/X: its shape is 4 × 4, but obs has 4 rows and var 3"}},
		{"NaN in CSR", sound, put("X/data", numbers(1, 2, float32(nan), float32(inf), 5)), []string{"/X/data: 2 values are not finite, the first in row 1, column 1: NaN"}},
		{"infinite in CSC", sound, put("layers/csc/data", numbers(1, 2, 3, 4, inf)), []string{"/layers/csc/data: 1 value is not finite, the first in row 3, column 2: +Inf"}},
		{"NaN in a dense layer", sound, put("layers/dense", grid(4, 3, 0, 0, 0, 0, 0, nan, 0, 0, 0, 0, 0, 0)), []string{"/layers/dense: 1 value is not finite, the first in row 1, column 2: NaN"}},
		{"NaN in raw", sound, put("raw/X/data", numbers(1, nan)), []string{"/raw/X/data: 1 value is not finite, the first in row 2, column 0: NaN"}},

		// Shapes.
		{"layer of another shape", sound, put("layers/dense", grid(3, 3, 1.0, 2, 3, 4, 5, 6, 7, 8, 9)), []string{"/layers/dense: its shape is 3 × 3, but obs has 4 rows and var 3"}},
		{"layer that is a frame", sound, put("layers/dense", frame(cells(), nil)), []string{"/layers/dense: expected a matrix, found dataframe"}},
		{"X in one dimension", sound, put("X", numbers(1.0, 2, 3, 4)), []string{"/X: a matrix must have two dimensions, but it has 1"}},
		{"X of strings", sound, put("X", data(hdf5.StringsValue(strings.Split("abcdefghijkl", ""), 4, 3)).as("string-array", "0.2.0")), []string{"/X: expected a matrix, found string-array"}},
		{"obsm with other rows", sound, put("obsm/X_pca", grid[float32](3, 2, 1, 2, 3, 4, 5, 6)), []string{"/obsm/X_pca: 3 rows, but obs has 4"}},
		{"sparse obsm with other rows", sound, put("obsm/sparse", sparse("csr_matrix", 2, 3, nil, nil, []int32{0, 0, 0})), []string{"/obsm/sparse: 2 rows, but obs has 4"}},
		{"varm with other rows", sound, put("varm/PCs", grid[float32](4, 1, 1, 2, 3, 4)), []string{"/varm/PCs: 4 rows, but var has 3"}},
		{"frame in obsm of other cells", sound, put("obsm/frame/_index", texts("c0", "c1", "x", "c3")), []string{`/obsm/frame: 1 name differs from those of obs, the first in row 2: "x"`}},
		{"records in obsm with other rows", sound, put("obsm/rec", records(3)), []string{"/obsm/rec: 3 rows, but obs has 4"}},
		{"records in two dimensions", ancientFile, func(n *node) {
			v := hdf5.RawValue(pair(), hdf5.Space{Dims: []uint64{2}}, make([]byte, 16))
			n.at("obsm").value = &v
		}, []string{"/obsm: its shape is [2], but obs has 3 rows"}},
		{"scalar in obsm", sound, put("obsm/X_pca", data(hdf5.NumberValue(1.0)).as("numeric-scalar", "0.2.0")), []string{"/obsm/X_pca: numeric-scalar cannot be aligned to obs"}},
		{"mapping in obsm", sound, put("obsm/X_pca", dict(nil)), []string{"/obsm/X_pca: dict cannot be aligned to obs"}},
		{"obsp not square", sound, put("obsp/graph", sparse("csr_matrix", 4, 3, nil, nil, []int32{0, 0, 0, 0, 0})), []string{"/obsp/graph: its shape is 4 × 3, which is not square"}},
		{"varp of another size", sound, put("varp/dense", grid[float32](2, 2, 1, 2, 3, 4)), []string{"/varp/dense: its shape is 2 × 2, but var has 3 rows"}},
		{"varp in one dimension", sound, put("varp/dense", numbers(1.0, 2, 3)), []string{"/varp/dense: pairs of var must have two dimensions, but it has 1"}},
		{"raw with other rows", sound, put("raw/X", sparse("csr_matrix", 3, 5, nil, nil, []int32{0, 0, 0, 0})), []string{"/raw/X: its shape is 3 × 5, but obs has 4 rows and raw.var 5"}},
		{"raw without X", sound, drop("raw/X"), []string{"/raw/X: missing"}},
		{"raw without var", sound, drop("raw/var"), []string{"/raw/var: missing"}},
		{"old raw with other rows", ancientFile, put("raw.X", data(hdf5.NumbersValue([]float32{1, 2}, 2, 1))), []string{"/raw.X: its shape is 2 × 1, but obs has 3 rows and raw.var 1"}},
		{"old shape wrong", ancientFile, attr("X", "h5sparse_shape", hdf5.NumbersValue([]int64{3, 4})), []string{"/X: its shape is 3 × 4, but obs has 3 rows and var 2"}},
		{"part that does not exist", sound, put("extra", numbers(1.0)), []string{"/extra: an AnnData has no such part"}},

		// Encodings.
		{"unknown encoding-type", sound, func(n *node) { n.at("uns/title").as("future-thing", "0.1.0") }, []string{`/uns/title: unknown encoding-type "future-thing"`}},
		{"unknown encoding-version", sound, func(n *node) { n.at("obs/score").as("array", "9.0") }, []string{`/obs/score: unknown encoding-version "9.0" of array`}},
		{"no encoding-version", sound, attr("obs/score", "encoding-version", none), []string{`/obs/score: unknown encoding-version "" of array`}},
		{"no encoding-type", sound, attr("obs/score", "encoding-type", none), []string{`/obs/score: encoding-version is "0.2.0", but encoding-type is missing`}},
		{"unknown version of the file", sound, func(n *node) { n.as("anndata", "2.0") }, []string{`/: unknown encoding-version "2.0" of anndata`}},
		{"encoding-type in a list", sound, attr("obs/score", "encoding-type", hdf5.StringsValue([]string{"array"})), []string{"/obs/score: the attribute encoding-type is not a single string"}},
		{"encoding-type a number", sound, attr("obs/score", "encoding-type", hdf5.NumberValue(int64(1))), []string{"/obs/score: the attribute encoding-type is not a single string"}},
		{"csr_matrix on a dataset", sound, func(n *node) { n.set("layers/dense", grid(4, 3, make([]float64, 12)...).as("csr_matrix", "0.1.0")) }, []string{"/layers/dense: csr_matrix must be a group, but it is a dataset"}},
		{"array on a group", sound, func(n *node) { n.at("uns/deep").as("array", "0.2.0") }, []string{"/uns/deep: array must be a dataset, but it is a group"}},
		{"string-array of numbers", sound, func(n *node) { n.at("obs/score").as("string-array", "0.2.0") }, []string{"/obs/score: string-array holds values of type float64"}},
		{"string in a list", sound, put("uns/title", data(hdf5.StringsValue([]string{"a", "b"})).as("string", "0.2.0")), []string{"/uns/title: string has the shape [2]"}},
		{"number that is text", sound, put("uns/one", data(text("1")).as("numeric-scalar", "0.2.0")), []string{"/uns/one: numeric-scalar holds values of type string"}},
		{"null with a value", sound, put("uns/none", data(hdf5.NumberValue(float32(1))).as("null", "0.1.0")), []string{"/uns/none: null has the shape []"}},
		{"string without a value", sound, put("uns/title", data(hdf5.NullValue(hdf5.StringType())).as("string", "0.2.0")), []string{"/uns/title: string has no value"}},
		{"records without records", sound, func(n *node) { n.set("uns/rec", numbers(1.0).as("rec-array", "0.2.0")) }, []string{"/uns/rec: rec-array holds values of type float64"}},

		// Nullable columns.
		{"mask of another length", sound, put("obs/n/mask", bools(true)), []string{"/obs/n/mask: a mask of 1 for 4 values"}},
		{"mask of numbers", sound, put("obs/n/mask", numbers[uint8](0, 0, 0, 1)), []string{"/obs/n/mask: the mask is uint8 instead of bool"}},
		{"mask missing", sound, drop("obs/n/mask"), []string{"/obs/n/mask: not found"}},
		{"nullable-integer of floats", sound, put("obs/n/values", numbers(1.0, 2, 3, 4)), []string{"/obs/n/values: nullable-integer holds values of type float64"}},
		{"bool that is 2", sound, func(n *node) {
			v := hdf5.RawValue(hdf5.BoolType(), hdf5.Space{Dims: []uint64{4}}, []byte{0, 1, 2, 1})
			n.at("obs/flag").value = &v
		}, []string{"/obs/flag: 1 bool is neither 0 nor 1, the first at 2: 2"}},

		// Strings.
		{"invalid UTF-8", sound, put("obs/name", texts("a", "b\xff", "c", "d")), []string{`/obs/name: 1 string is not valid UTF-8, the first at 1: "b\xff"`}},
		{"letters beyond ASCII", sound, put("obs/name", data(hdf5.TextValue(hdf5.FixedStringType(2, hdf5.PadNull, hdf5.ASCII), hdf5.Space{Dims: []uint64{4}}, []string{"a", "b", "é", "d"})).as("string-array", "0.2.0")), []string{`/obs/name: the strings are declared as ASCII, but 1 holds other characters, the first at 2: "é"`}},
		{"invalid UTF-8 in records", sound, func(n *node) {
			v := hdf5.RawValue(pair(), hdf5.Space{Dims: []uint64{2}}, []byte("\x01\x00\x00\x00name\x01\x00\x00\x00n\xffme"))
			n.at("uns/rec").value = &v
		}, []string{`/uns/rec/s: 1 string is not valid UTF-8, the first at 1`}},

		// Awkward arrays.
		{"offsets short", sound, put("obsm/lists/node0-offsets", numbers[int64](0, 1, 3)), []string{"/obsm/lists/node0-offsets: 3 items, but the form needs 5"}},
		{"offsets fall", sound, put("obsm/lists/node0-offsets", numbers[int64](0, 2, 1, 3, 3)), []string{"/obsm/lists/node0-offsets: falls 1 time, first from 2 to 1 at entry 2"}},
		{"values short", sound, put("obsm/lists/node1-data", numbers(1.5)), []string{"/obsm/lists/node1-data: 1 item, but the form needs 3"}},
		{"buffer missing", sound, drop("obsm/lists/node1-data"), []string{"/obsm/lists/node1-data: the form needs this buffer"}},
		{"form missing", sound, attr("obsm/lists", "form", none), []string{"/obsm/lists: the attribute form is missing"}},
		{"form is no JSON", sound, attr("obsm/lists", "form", text("{")), []string{"/obsm/lists: the attribute form is not a form in JSON"}},
		{"form of an unknown class", sound, attr("obsm/lists", "form", text(`{"class": "Odd"}`)), []string{`/obsm/lists: the form has the unknown class "Odd"`}},
		{"length missing", sound, attr("obsm/lists", "length", none), []string{"/obsm/lists: the attribute length is missing"}},
		{"length wrong", sound, attr("obsm/lists", "length", hdf5.NumberValue(int64(2))), []string{"/obsm/lists: 2 rows, but obs has 4"}},

		// Links and storage.
		{"dangling link", sound, put("uns/gone", &node{soft: "/uns/nowhere"}), []string{`/uns/gone: soft link to "/uns/nowhere": /uns/nowhere: not found`}},
		{"dangling link as a column", sound, put("obs/score", &node{soft: "/nowhere"}), []string{`/obs/score: soft link to "/nowhere": /nowhere: not found`}},
		{"group within itself", sound, func(n *node) { n.at("uns/deep/er").kids["loop"] = &node{same: n.at("uns/deep")} }, []string{"/uns/deep/er/loop: it contains itself"}},
		{"deflate damaged", sound, put("X/data", chunk(broken, hdf5.Deflate(4))), []string{"/X/data: corrupt: chunk 0 "}},
		{"adler32 wrong", sound, put("X/data", chunk(unsummed, hdf5.Deflate(4))), []string{"/X/data: corrupt: chunk 0 "}},
		{"fletcher32 wrong", sound, put("X/data", chunk(append(make([]byte, 20), 1, 2, 3, 4), hdf5.Fletcher32())), []string{"/X/data: corrupt: chunk 0 "}},
		{"filter unknown", sound, put("X/data", chunk(make([]byte, 20), filter.Spec{ID: 999, Name: "odd"})), []string{"/X/data: unsupported: "}},
		{"more than the file holds", sound, put("X/data", &node{spec: hdf5.DatasetSpec{Type: hdf5.FloatType(4), Dims: []uint64{1 << 50}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{1 << 20}, Sparse: true}}), []string{"/X: 1125899906842624 values, but 5 indices", "/X/data: it claims 4503599627370496 bytes"}},

		// MuData.
		{"position beyond", muFile, put("obsmap/rna", numbers[uint8](1, 3, 0, 0)), []string{"/obsmap/rna: 1 position is outside the 2 rows of the modality, the first in row 1: 3"}},
		{"position twice", muFile, put("obsmap/adt", numbers[uint8](0, 1, 1, 3)), []string{"/obsmap/adt: 1 position occurred before, the first in row 2: 1"}},
		{"positions short", muFile, put("varmap/adt", numbers[uint8](1)), []string{"/varmap/adt: 1 values for 2 rows of var"}},
		{"map of no modality", muFile, put("obsmap/atac", numbers[uint8](1)), []string{"/obsmap/atac: there is no such modality"}},
		{"modality in the order only", muFile, drop("mod/adt"), []string{`/mod: mod-order names "adt"`, "/obsmap/adt: there is no such modality", "/varmap/adt: there is no such modality"}},
		{"flaw in a modality", muFile, attr("mod/adt/obs", "_index", none), []string{"/mod/adt/obs: the attribute _index"}},

		// 10x.
		{"10x index beyond", tenxFile, put("matrix/indices", data(hdf5.NumbersValue([]int64{0, 3, 1}))), []string{"/matrix/indices: 1 index is outside the 3 features, the first in barcode 0: 3"}},
		{"10x barcodes short", tenxFile, put("matrix/barcodes", data(hdf5.StringsValue([]string{"AA"}))), []string{"/matrix/shape: it says 3 features and 2 barcodes, but there are 3 and 1", "/matrix/indptr: 3 entries, expected 2"}},
		{"10x names short", tenxFile, put("matrix/features/name", data(hdf5.StringsValue([]string{"g0"}))), []string{"/matrix/features/name: 1 values for 3 features"}},
		{"10x without data", tenxFile, drop("matrix/data"), []string{"/matrix/data: not found"}},
	}
}

// TestValidateFindsPlantedFlaws plants one flaw a file and expects the lines
// that name it, and none else.
func TestValidateFindsPlantedFlaws(t *testing.T) {
	for _, f := range flaws() {
		t.Run(f.name, func(t *testing.T) {
			root := f.base()
			f.plant(root)
			got, _ := validate(t, root.write(t, "flawed.h5ad"))
			if len(got) != len(f.want) {
				t.Fatalf("found %q, expected %q", got, f.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], f.want[i]) {
					t.Errorf("found %q, expected %q", got[i], f.want[i])
				}
			}
		})
	}
}

// TestValidatePassesSoundFiles is the other half: without the flaw there is
// nothing to report, and what is only remarkable is a note.
func TestValidatePassesSoundFiles(t *testing.T) {
	old := "/: no encoding-type: written by anndata 0.7 or older"
	unsorted := soundFile()
	unsorted.set("X/indices", data(hdf5.NumbersValue([]int32{2, 0, 1, 2, 0})))
	twins := soundFile()
	twins.set("var/_index", texts("g0", "g1", "g0"))
	stray := soundFile()
	stray.set("obs/stray", numbers(1.0))
	for _, c := range []struct {
		name  string
		root  *node
		notes []string
	}{
		{"today", soundFile(), nil},
		{"0.7", oldFile(), []string{old}},
		{"0.5", ancientFile(), []string{old}},
		{"mudata", muFile(), nil},
		{"10x", tenxFile(), nil},
		{"unsorted", unsorted, []string{"/X/indices: unsorted in 2 of 4 rows"}},
		{"duplicate names", twins, []string{`/var/_index: 1 name occurred before, the first in row 2: "g0"`}},
		{"column out of order", stray, []string{"/obs/stray: column-order does not name it: readers ignore it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			problems, notes := validate(t, c.root.write(t, "sound.h5"))
			if len(problems) > 0 {
				t.Errorf("problems: %q", problems)
			}
			if strings.Join(notes, "\n") != strings.Join(c.notes, "\n") {
				t.Errorf("notes: %q, expected %q", notes, c.notes)
			}
		})
	}
}

// TestValidateWholeFile damages the file as a whole.
func TestValidateWholeFile(t *testing.T) {
	sound, err := os.ReadFile(soundFile().write(t, "sound.h5ad"))
	if err != nil {
		t.Fatal(err)
	}
	header := bytes.Clone(sound)
	header[13] = 77 // bytes of an address
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"truncated", sound[:len(sound)-100], "/: truncated: the superblock announces"},
		{"within the superblock", sound[:20], "/: truncated: "},
		{"header", header, "/: corrupt: superblock"},
		{"text", []byte("some notes\n"), "/: this is a text file"},
		{"empty", nil, "/: the file is empty"},
		{"noise", bytes.Repeat([]byte{0xfe, 1}, 2000), "/: not an HDF5 file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "whole.h5ad")
			if err := os.WriteFile(path, c.b, 0o600); err != nil {
				t.Fatal(err)
			}
			got, _ := validate(t, path)
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
				t.Errorf("found %q, expected %q", got, c.want)
			}
		})
	}
	loom := group(map[string]*node{"matrix": numbers(1.0), "row_attrs": group(nil)})
	if got, _ := validate(t, loom.write(t, "a.loom")); len(got) != 1 || !strings.HasPrefix(got[0], "/: this is a Loom file") {
		t.Errorf("loom: %q", got)
	}
	if got, _ := validate(t, t.TempDir()); len(got) != 1 || !strings.HasPrefix(got[0], "/: this is a folder") {
		t.Errorf("folder: %q", got)
	}
	if _, err := h5ad.Validate(context.Background(), filepath.Join(t.TempDir(), "none"), h5ad.ValidateOptions{}); !os.IsNotExist(err) {
		t.Errorf("a missing file is no flaw: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h5ad.Validate(ctx, soundFile().write(t, "sound.h5ad"), h5ad.ValidateOptions{}); err == nil {
		t.Error("a cancelled walk gave no error")
	}
}

// TestValidateFolder checks a 10x folder.
func TestValidateFolder(t *testing.T) {
	for entry, want := range map[string]string{"1 2 5": "", "1 3 5": "/: ", "1 2 nan": "/X/data: 1 value is not finite, the first in row 1, column 0: NaN"} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"matrix.mtx":   "%%MatrixMarket matrix coordinate real general\n1 2 1\n" + entry + "\n",
			"barcodes.tsv": "AA\nCC\n", "features.tsv": "E0\tg0\tGene Expression\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		problems, _ := validate(t, dir)
		if got := strings.Join(problems, "\n"); (want == "") != (got == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, expected %q", entry, got, want)
		}
	}
}

// TestValidateRealFiles: the real files have no flaws, and neither have those of
// testdata.
func TestValidateRealFiles(t *testing.T) {
	check := func(t *testing.T, pattern string, least int) {
		files, _ := filepath.Glob(pattern)
		if len(files) < least {
			t.Fatalf("%d files, expected at least %d", len(files), least)
		}
		for _, path := range files {
			problems, notes := validate(t, path)
			if len(problems) > 0 {
				t.Errorf("%s: %q", filepath.Base(path), problems)
			}
			for _, n := range notes {
				t.Logf("%s: %s", filepath.Base(path), n)
			}
		}
	}
	t.Run("testdata", func(t *testing.T) { check(t, filepath.Join("..", "testdata", "*.h5*"), 11) })
	t.Run("shared", func(t *testing.T) { check(t, filepath.Join(sharedDir(t), "data", "h5ad", "*.h5*"), 28) })
}

// noX reports the error of asking for X where there is none, which is no flaw.
func noX(err error) bool { return strings.Contains(err.Error(), "the file has no X") }

// TestValidateFlagsWhatAnndataRefuses changes one thing at a time in a file that
// anndata wrote: each file that anndata does not open any more has a problem
// here. The other way round, what it opens may still be wrong.
func TestValidateFlagsWhatAnndataRefuses(t *testing.T) {
	// A fifth of the 1,260 changes takes seconds; 5 shares no factor with the number
	// of changes to one element, so that each kind of change is met.
	out, err := exec.Command(interpreters(t)[0], filepath.Join("testdata", "validate.py"), t.TempDir(), "5").Output()
	if err != nil {
		t.Fatalf("%v: %v", err, string(err.(*exec.ExitError).Stderr))
	}
	refused := 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var c struct{ File, Change, Error string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		problems, _ := validate(t, c.File)
		if err := readEverything(c.File); err != nil && len(problems) == 0 && !noX(err) {
			t.Errorf("%s: nothing found, but this package says %v", c.Change, err)
		}
		switch {
		case c.Change == "nothing" && (c.Error != "" || len(problems) > 0):
			t.Fatalf("the file as anndata wrote it: %s, %q", c.Error, problems)
		case c.Error == "":
			continue
		case len(problems) == 0:
			t.Errorf("%s: nothing found, but anndata says %s", c.Change, c.Error)
		}
		refused++
	}
	if refused < 100 {
		t.Errorf("anndata refused %d files, expected at least 100", refused)
	}
}

// FuzzValidate checks damaged files: what passes can be read, and nothing
// panics.
func FuzzValidate(f *testing.F) {
	for _, root := range []*node{soundFile(), oldFile(), ancientFile(), muFile(), tenxFile()} {
		b, err := os.ReadFile(root.write(f, "seed.h5"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "fuzz.h5ad")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := h5ad.Validate(context.Background(), path, h5ad.ValidateOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			if !p.Note {
				return
			}
		}
		if err := readEverything(path); err != nil && !noX(err) {
			t.Errorf("passed, but %v", err)
		}
	})
}
