package dataset

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a column's values. Any value may be missing.
type Kind uint8

const (
	// Text is strings that hardly repeat, such as sentences and names.
	Text Kind = iota
	// Category is strings that repeat, such as cell types: Text in every respect but
	// that Parquet keeps them as a dictionary, which pandas reads as categorical.
	Category
	// Bool is true or false.
	Bool
	// Int is 64-bit signed integers.
	Int
	// Float is 64-bit floating-point numbers. As a label a NaN is a missing value.
	Float
)

// String is text, category, bool, int or float.
func (k Kind) String() string {
	if names := [...]string{"text", "category", "bool", "int", "float"}; int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// IsText reports whether values are strings.
func (k Kind) IsText() bool { return k == Text || k == Category }

// Field is a column's name and kind.
type Field struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Schema is the columns of a dataset, in order.
type Schema []Field

// Index is the position of a column, or −1.
func (s Schema) Index(name string) int {
	return slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
}

// Names lists the columns.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return names
}

// Check returns an error for a name that is empty, no UTF-8 or given twice.
func (s Schema) Check() error {
	seen := map[string]bool{}
	for i, f := range s {
		switch {
		case f.Name == "":
			return inputError("", "", "choose other columns, or rename it", "column %d has no name", i)
		case !utf8.ValidString(f.Name):
			return inputError("", "", "choose other columns, or rename it", "the name of column %d, %q, is no UTF-8", i, f.Name)
		case seen[f.Name]:
			return inputError("", "", "choose other columns, or rename one", "two columns are called %q", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// CellSchema is the columns of a dataset of cells with the given labels. A label
// with the name of another column is an error.
func CellSchema(labels []Field) (Schema, error) {
	return around(Schema{{ColumnCell, Text}, {ColumnSentence, Text}}, labels, Schema{{ColumnGenes, Int}, {ColumnTotal, Float}})
}

// PairSchema is the columns of a dataset of prompts with the given labels. A label
// with the name of another column is an error.
func PairSchema(labels []Field) (Schema, error) {
	return around(Schema{{ColumnSample, Category}, {ColumnInput, Text}, {ColumnResponse, Text}}, labels,
		Schema{{ColumnInputTokens, Int}, {ColumnResponseTokens, Int}})
}

func around(before Schema, labels []Field, behind Schema) (Schema, error) {
	reserved := slices.Concat(before, behind)
	for _, l := range labels {
		if reserved.Index(l.Name) >= 0 {
			return nil, inputError("", "", "choose other columns, or rename it",
				"the label column %q has the name of a column of the output", l.Name)
		}
	}
	s := slices.Concat(before, labels, behind)
	return s, s.Check()
}

// Require returns an error that names the file unless all the columns are there.
func (s Schema) Require(file string, names ...string) error {
	for _, name := range names {
		if s.Index(name) < 0 {
			return inputError(file, "", "", "column %q is missing; the columns are: %s", name, strings.Join(s.Names(), ", "))
		}
	}
	return nil
}

// sentenceColumns are those whose values hardly repeat; other strings are labels.
func kindOfText(name string) Kind {
	switch name {
	case ColumnCell, ColumnSentence, ColumnInput, ColumnResponse:
		return Text
	}
	return Category
}
