package h5ad

import (
	"context"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Describe tells a column's kind from its headers; a column whose headers do not
// tell is read. Its values are not checked.
func (df *DataFrame) Describe(ctx context.Context, name string) (ColumnSummary, error) {
	s := ColumnSummary{Name: name, Kind: "unreadable"}
	if df.fromHeaders(&s) {
		return s, nil
	}
	c, err := df.Column(ctx, name)
	if err != nil {
		return s, err
	}
	s.Kind = c.Kind()
	if c.Categorical != nil {
		s.DType, s.NCategories = c.Categories.DType, c.Categories.Len()
	} else {
		s.DType = c.DType
	}
	return s, nil
}

// fromHeaders fills s for the encodings that nearly all columns have.
func (df *DataFrame) fromHeaders(s *ColumnSummary) bool {
	if df.group == nil {
		return false
	}
	o, err := df.group.Open(s.Name)
	if err != nil {
		return false
	}
	encoding, err := textAttr(o, "encoding-type")
	if err != nil {
		return false
	}
	switch o := o.(type) {
	case *hdf5.Dataset:
		_, err := o.Attr("categories")
		kind := kindOfType(dtype(o.Type))
		if err == nil || kind == "" || !df.holds(o) || encoding != "" && encoding != "array" && encoding != "string-array" {
			return false
		}
		s.Kind, s.DType = kind, dtype(o.Type)
		return true
	case *hdf5.Group:
		if encoding != "categorical" {
			return false
		}
		codes, err := o.Dataset("codes")
		if err != nil || !df.holds(codes) {
			return false
		}
		categories, err := o.Dataset("categories")
		if err != nil || len(categories.Space.Dims) != 1 || kindOfType(dtype(categories.Type)) == "" {
			return false
		}
		s.Kind, s.DType, s.NCategories = "categorical", dtype(categories.Type), int(categories.Space.Dims[0])
		return true
	}
	return false
}

// holds reports whether d has one value for each row.
func (df *DataFrame) holds(d *hdf5.Dataset) bool {
	return len(d.Space.Dims) == 1 && int(d.Space.Dims[0]) == df.Length
}

// kindOfType is Kind's word for numpy's name of a type, "" when there is none.
func kindOfType(dtype string) string {
	for _, k := range [...]struct{ prefix, kind string }{
		{"string", "string"},
		{"bool", "bool"},
		{"complex", "complex"},
		{"int", "int"},
		{"uint", "int"},
		{"float", "float"},
		{"bfloat", "float"},
	} {
		if strings.HasPrefix(dtype, k.prefix) {
			return k.kind
		}
	}
	return ""
}
