package h5ad_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// record is a line of testdata/reference.py, which defines the fields. Head is
// for people and is not compared.
type record struct {
	File, Key, Type string
	DType           string
	Dims            []int
	Sha             string
	Head            string
	Mask            string
	Ordered         bool
	Categories      *record
	Names           []string
	Rows            int
	Encoding        string
	NNZ             int64
	Indptr, Indices string
}

// String is what is compared.
func (r record) String() string {
	s := fmt.Sprintf("%s %s %s dims%v %s mask:%s ordered:%v names%q rows:%d %s nnz:%d %s %s",
		r.Key, r.Type, r.DType, r.Dims, r.Sha, r.Mask, r.Ordered, r.Names, r.Rows, r.Encoding, r.NNZ, r.Indptr, r.Indices)
	if r.Categories != nil {
		s += " of " + r.Categories.String()
	}
	return s
}

// dumper walks a file as reference.py does.
type dumper struct {
	t    *testing.T
	f    *h5ad.File
	rows h5ad.RowOptions
	out  map[string]record
}

func dumpFile(t *testing.T, path string, rows h5ad.RowOptions) map[string]record {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := &dumper{t: t, f: f, rows: rows, out: map[string]record{}}
	d.frame(ctx, "/obs", f.Obs())
	d.frame(ctx, "/var", f.Var())
	if x, err := f.X(); err == nil {
		d.put("/X", d.matrix(ctx, x))
	} else if !errors.Is(err, h5ad.ErrNotFound) {
		t.Error(err)
	}
	if f.HasRaw() {
		m, vr, err := f.Raw(ctx)
		if err != nil {
			t.Fatal(err)
		}
		d.put("/raw/X", d.matrix(ctx, m))
		d.frame(ctx, "/raw/var", vr)
	}
	for _, name := range f.Layers() {
		m, err := f.Layer(ctx, name)
		if err != nil {
			t.Error(err)
			continue
		}
		d.put("/layers/"+name, d.matrix(ctx, m))
	}
	for _, part := range []string{"obsm", "varm", "obsp", "varp", "uns"} {
		e, err := f.Aligned(ctx, part)
		if err != nil {
			t.Error(err)
			continue
		}
		d.element(ctx, "/"+part, e)
	}
	return d.out
}

func (d *dumper) put(key string, r record) {
	r.Key = key
	d.out[key] = r
}

func (d *dumper) frame(ctx context.Context, key string, df *h5ad.DataFrame) {
	d.put(key, record{Type: "frame", Rows: df.Length, Names: df.Names})
	index, err := df.Index(ctx)
	if err != nil {
		d.t.Error(err)
	}
	d.put(key+"/@index", arrayRecord(&h5ad.Array{DType: "string", Dims: []int{len(index)}, Values: index}))
	for _, name := range df.Names {
		c, err := df.Column(ctx, name)
		if err != nil {
			d.t.Error(err)
			continue
		}
		if c.Categorical != nil {
			d.element(ctx, key+"/"+name, c.Categorical)
		} else {
			d.element(ctx, key+"/"+name, c.Array)
		}
	}
}

func (d *dumper) element(ctx context.Context, key string, e h5ad.Element) {
	switch e := e.(type) {
	case *h5ad.Array:
		d.put(key, arrayRecord(e))
	case *h5ad.Categorical:
		c := arrayRecord(e.Categories)
		d.put(key, record{Type: "categorical", Ordered: e.Ordered, Categories: &c, Sha: sum(numberBytes(e.Codes)), Head: head(e.Codes)})
	case *h5ad.Matrix:
		d.put(key, d.matrix(ctx, e))
	case *h5ad.DataFrame:
		d.frame(ctx, key, e)
	case h5ad.Null:
		d.put(key, record{Type: "null"})
	case *h5ad.Mapping:
		names := []string{}
		for _, k := range e.Keys {
			v, err := e.Get(ctx, k)
			if err != nil {
				d.t.Error(err)
				continue
			}
			if _, ok := v.(*h5ad.Matrix); ok && key == "/uns/neighbors" {
				continue // anndata takes it away to obsp, where we give it as well
			}
			names = append(names, k)
			d.element(ctx, key+"/"+k, v)
		}
		d.put(key, record{Type: "mapping", Names: names})
	case *h5ad.Records:
		var names []string
		for _, c := range e.Fields {
			names = append(names, c.Name)
			d.element(ctx, key+"/"+c.Name, c.Array)
		}
		kind := "records"
		if key == "/obsm" || key == "/varm" {
			kind = "mapping" // as anndata presents those of version 0.5
		}
		d.put(key, record{Type: kind, Names: names})
	default:
		d.put(key, record{Type: h5ad.KindOf(e)})
	}
}

// matrix reads all rows and joins the batches.
func (d *dumper) matrix(ctx context.Context, m *h5ad.Matrix) record {
	indptr := []int64{0}
	var indices []int32
	var values bytes.Buffer
	var first string
	r, err := m.Rows(ctx, d.rows)
	if err != nil {
		d.t.Error(err)
		return record{}
	}
	var b h5ad.Batch
	for {
		err := r.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.t.Error(err)
			return record{}
		}
		if b.Start != len(indptr)-1 {
			d.t.Errorf("%s: batch at row %d, expected %d", m.Key(), b.Start, len(indptr)-1)
		}
		base := indptr[len(indptr)-1]
		for _, p := range b.Indptr[1:] {
			indptr = append(indptr, base+p)
		}
		indices = append(indices, b.Indices...)
		values.Write(numberBytes(b.Values))
		if first == "" {
			first = head(b.Values)
		}
	}
	return record{
		Type: "matrix", Encoding: m.Encoding, Dims: []int{m.NObs, m.NVars}, DType: m.DType, NNZ: int64(len(indices)),
		Indptr: sum(numberBytes(indptr)), Indices: sum(numberBytes(indices)), Sha: sum(values.Bytes()), Head: first,
	}
}

func arrayRecord(a *h5ad.Array) record {
	r := record{Type: "array", DType: a.DType, Dims: a.Dims, Head: head(a.Values)}
	text, isText := a.Values.([]string)
	switch {
	case isText:
		var b []byte
		for i, s := range text {
			if a.Missing != nil && a.Missing[i] {
				b = binary.LittleEndian.AppendUint64(b, 1<<64-1)
				continue
			}
			b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
			b = append(b, s...)
		}
		r.Sha = sum(b)
	case a.Missing != nil:
		r.Type, r.Mask = "nullable", sum(numberBytes(a.Missing))
		r.Sha = sum(masked(numberBytes(a.Values), a.Missing))
	default:
		r.Sha = sum(numberBytes(a.Values))
	}
	return r
}

// masked clears the bytes of missing values.
func masked(b []byte, missing []bool) []byte {
	for i, gone := range missing {
		if n := len(b) / len(missing); gone {
			clear(b[i*n : (i+1)*n])
		}
	}
	return b
}

func numberBytes(values any) []byte {
	if values == nil {
		return nil
	}
	b, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(err) // a type that no Array may hold
	}
	return b
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func head(values any) string {
	s := fmt.Sprintf("%v", values)
	return s[:min(len(s), 60)]
}
