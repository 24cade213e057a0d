package h5ad

import (
	"context"
	"fmt"
	"strings"
)

// Select is a matrix by its key, "" or X, raw or layers/NAME, with its genes.
func (f *File) Select(ctx context.Context, key string) (*Matrix, *DataFrame, error) {
	name, isLayer := strings.CutPrefix(key, "layers/")
	switch {
	case key == "" || key == "X":
		m, err := f.X()
		return m, f.vr, err
	case key == "raw":
		return f.Raw(ctx)
	case isLayer:
		m, err := f.Layer(ctx, name)
		return m, f.vr, err
	}
	return nil, nil, &Error{File: f.path, Err: fmt.Errorf("%q is no matrix", key), Tip: "expected X, raw or layers/NAME"}
}

// Beside lists the keys of what the file has beside a matrix and the names of its
// cells and genes.
func (f *File) Beside(ctx context.Context, m *Matrix) ([]string, error) {
	var keys []string
	add := func(key string) {
		if join(f.root.Path(), key) != m.key {
			keys = append(keys, "/"+key)
		}
	}
	if f.x != nil && f.x != m {
		add("X")
	}
	for _, n := range f.Layers() {
		add("layers/" + n)
	}
	if f.HasRaw() && !strings.HasSuffix(m.key, "raw/X") && !strings.HasSuffix(m.key, "raw.X") {
		add("raw")
	}
	for _, n := range f.obs.Names {
		add("obs/" + n)
	}
	for _, n := range f.vr.Names {
		switch n {
		case "gene_ids", "feature_types", "genome": // what a 10x file has, too
		default:
			add("var/" + n)
		}
	}
	for _, group := range []string{"obsm", "varm", "obsp", "varp", "uns"} {
		e, err := f.Aligned(ctx, group)
		if err != nil {
			return nil, err
		}
		switch e := e.(type) {
		case *Mapping:
			for _, n := range e.Keys {
				add(group + "/" + n)
			}
		case *Records:
			for _, c := range e.Fields {
				add(group + "/" + c.Name)
			}
		}
	}
	return keys, nil
}
