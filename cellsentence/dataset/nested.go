package dataset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// listMark stands behind the name of a list in the name of a column, see
// [Options.Nest].
const listMark = "[]"

// leafOf is the last part of a column's name. Within a list it is required: that it is
// missing would be told by an empty list.
func leafOf(name string) (string, parquet.Repetition) {
	head, leaf, inner := strings.Cut(name, ".")
	switch {
	case !inner:
		return name, parquet.Repetitions.Optional
	case strings.HasSuffix(head, listMark):
		return leaf, parquet.Repetitions.Required
	}
	return leaf, parquet.Repetitions.Optional
}

// nested puts the leaves of columns of one head into a structure, or a list of
// structures in the three levels of Parquet's LIST.
func nested(columns Schema, leaves schema.FieldList) (schema.FieldList, error) {
	var out schema.FieldList
	seen := map[string]bool{}
	for i := 0; i < len(columns); {
		head, _, inner := strings.Cut(columns[i].Name, ".")
		name := strings.TrimSuffix(head, listMark)
		if seen[name] || name == "" {
			return nil, fmt.Errorf("the column %q stands apart from others of its structure, or has no name", columns[i].Name)
		}
		seen[name] = true
		if !inner {
			out = append(out, leaves[i])
			i++
			continue
		}
		first := i
		for i < len(columns) && strings.HasPrefix(columns[i].Name, head+".") {
			i++
		}
		node, err := structure(name, head != name, leaves[first:i])
		if err != nil {
			return nil, err
		}
		out = append(out, node)
	}
	return out, nil
}

func structure(name string, list bool, members schema.FieldList) (schema.Node, error) {
	if !list {
		return schema.NewGroupNode(name, parquet.Repetitions.Required, members, -1)
	}
	element, err := schema.NewGroupNode("element", parquet.Repetitions.Required, members, -1)
	if err != nil {
		return nil, err
	}
	entries, err := schema.NewGroupNode("list", parquet.Repetitions.Repeated, schema.FieldList{element}, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNodeLogical(name, parquet.Repetitions.Required, schema.FieldList{entries}, schema.NewListLogicalType(), -1)
}

// checkNest refuses what cannot be nested.
func checkNest(format Format, columns Schema) error {
	if format.Kind != "parquet" {
		return errors.New("only Parquet has structures in its columns")
	}
	for _, f := range columns {
		if f.Kind == Category && strings.Contains(f.Name, ".") {
			return fmt.Errorf("the column %q of a structure cannot be a category: take text", f.Name)
		}
	}
	return nil
}
