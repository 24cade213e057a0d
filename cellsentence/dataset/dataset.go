// Package dataset keeps cell sentences, and prompts with their responses, in files
// that training programs read: Parquet, Arrow, the folder that Hugging Face's
// datasets.load_from_disk opens, JSON lines and plain text. It reads them back,
// joins shards, splits, audits and mixes them.
//
// Start with [Create], which makes a [Writer] whose output appears whole when it is
// committed, and with [Open], whose [Reader] yields a [Batch] of rows at a time, in
// memory that does not grow with the file. [Merge] joins the parts of a sharded
// run, [NewSplitter] gives each row its side, [Audit] finds what should not be
// trained on and [Mix] writes the doses of an experiment on it.
//
// # Columns
//
// A dataset of cells has the columns cell_name and cell_sentence, as in the Python
// package cell2sentence 1.2.0, then the labels, then c2s_n_genes (expressed genes
// before top-k) and c2s_total (sum of the cell's values). A dataset of prompts has
// sample_type, model_input and response, as there, then the labels, then estimates
// of their tokens. A .txt is the sentences alone, one a line.
//
// # Blocks
//
// Rows are kept in blocks of at most [BlockRows]: a row group of Parquet, a record
// batch of Arrow, a gzip member or a zstd frame. The writer of a sharded run ends
// its blocks at the same rows as that of a whole run ([Writer.Cut]), so that
// merging gives the same bytes.
//
// # Formats
//
// Parquet is written as the Apache specification has it (format version 2.6, data
// pages of version 1, zstd), with the Arrow schema in its metadata, in which
// categorical labels are dictionaries. Arrow files are of format version V5 and
// not compressed, so that they can be mapped into memory; all their strings are
// utf8. Of the library github.com/apache/arrow/go/v17 only arrow/ipc and
// parquet/file are used. Files are not trusted on reading: footers, page headers
// and message headers are checked before the library sees them.
package dataset

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cellsentence/c2s/internal/shard"
)

// Columns of a dataset of cells.
const (
	ColumnCell     = "cell_name"
	ColumnSentence = "cell_sentence"
	ColumnGenes    = "c2s_n_genes" // expressed genes before top-k
	ColumnTotal    = "c2s_total"   // sum of the cell's values
)

// Columns of a dataset of prompts.
const (
	ColumnSample         = "sample_type"
	ColumnInput          = "model_input"
	ColumnResponse       = "response"
	ColumnInputTokens    = "c2s_input_tokens"    // by [EstimateTokens]
	ColumnResponseTokens = "c2s_response_tokens" // by [EstimateTokens]
)

// BlockRows is the number of rows of a full block: 4,096.
const BlockRows = shard.BlockRows

// Format is a file format.
type Format struct {
	Kind        string // "txt", "jsonl", "parquet", "arrow" or "hf"
	Compression string // "", "gzip" or "zstd", of txt and jsonl
}

// UnknownFormatError means that a file's name tells no format.
type UnknownFormatError struct{ Path string }

// Error names the file.
func (e *UnknownFormatError) Error() string {
	return fmt.Sprintf("%s: the name tells no format", e.Path)
}

// Hint lists the formats.
func (e *UnknownFormatError) Hint() string {
	return "end it in .parquet, .arrow, .hf (a folder), .jsonl, .jsonl.gz, .jsonl.zst, .txt, .txt.gz or .txt.zst"
}

// FormatOf tells the format from a name: .parquet, .arrow, .hf, and .jsonl or .txt
// with or without .gz or .zst behind; "-", the standard output, is text.
func FormatOf(path string) (Format, error) {
	if path == "-" {
		return Format{Kind: "txt"}, nil
	}
	var f Format
	name := strings.ToLower(filepath.Base(filepath.Clean(path)))
	name, gz := strings.CutSuffix(name, ".gz")
	name, zst := strings.CutSuffix(name, ".zst")
	switch {
	case gz && zst:
		return f, &UnknownFormatError{path}
	case gz:
		f.Compression = "gzip"
	case zst:
		f.Compression = "zstd"
	}
	kinds := []string{"txt", "jsonl", "parquet", "arrow", "hf"}
	if gz || zst {
		kinds = kinds[:2]
	}
	for _, kind := range kinds {
		if strings.HasSuffix(name, "."+kind) {
			f.Kind = kind
			return f, nil
		}
	}
	return Format{}, &UnknownFormatError{path}
}

// Reserved reports whether a label of a dataset of cells may not have this name.
func Reserved(name string) bool {
	switch name {
	case ColumnCell, ColumnSentence, ColumnGenes, ColumnTotal:
		return true
	}
	return false
}
