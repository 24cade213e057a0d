// Package dataset writes cell sentences to files: plain text, one sentence a
// line, or JSON lines with the cell's name, sentence and labels, as they are or
// compressed with gzip.
//
// Start with [FormatOf], which tells the format from a file's name, and
// [NewWriter]. The column names follow the Python package cell2sentence 1.2.0
// (cell_name, cell_sentence); those of c2s begin with c2s_.
package dataset

import (
	"fmt"
	"strings"
)

// Reserved column names.
const (
	ColumnCell     = "cell_name"
	ColumnSentence = "cell_sentence"
	ColumnGenes    = "c2s_n_genes" // expressed genes before top-k
	ColumnTotal    = "c2s_total"   // sum of the cell's values
)

// Format is a file format for sentences.
type Format struct {
	Kind string // "txt" or "jsonl"
	Gzip bool
}

// UnknownFormatError means that a file's name tells no format.
type UnknownFormatError struct{ Path string }

// Error names the file.
func (e *UnknownFormatError) Error() string {
	return fmt.Sprintf("%s: the name tells no format", e.Path)
}

// Hint lists the formats.
func (e *UnknownFormatError) Hint() string { return "end it in .txt, .jsonl or .jsonl.gz" }

// FormatOf tells the format from a name: .txt, .txt.gz, .jsonl or .jsonl.gz; "-",
// the standard output, is text.
func FormatOf(path string) (Format, error) {
	if path == "-" {
		return Format{Kind: "txt"}, nil
	}
	name, gz := strings.CutSuffix(strings.ToLower(path), ".gz")
	for _, kind := range []string{"txt", "jsonl"} {
		if strings.HasSuffix(name, "."+kind) {
			return Format{kind, gz}, nil
		}
	}
	return Format{}, &UnknownFormatError{path}
}

// Label is a column that is written beside the sentences.
type Label struct {
	Name string
	// Value prints the value of a row; ok is false when it is missing.
	Value func(row int) (text string, ok bool)
	// Bare says that the text is a JSON number or boolean, not a string.
	Bare bool
}

// Reserved reports whether a label may not have this name.
func Reserved(name string) bool {
	switch name {
	case ColumnCell, ColumnSentence, ColumnGenes, ColumnTotal:
		return true
	}
	return false
}
