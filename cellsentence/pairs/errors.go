package pairs

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// ConfigError means that the configuration does not go with the task.
type ConfigError struct{ Err error }

// Error is the reason.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *ConfigError) Unwrap() error { return e.Err }

func wrong(format string, args ...any) error { return &ConfigError{fmt.Errorf(format, args...)} }

// FieldError means that the dataset has no column for a field of the task.
type FieldError struct {
	File    string
	Task    string
	Field   string // "" if a column of [Config.GroupBy] is missing
	Column  string // that was looked for
	Columns []string
}

// Error names the file, the field and the columns that there are.
func (e *FieldError) Error() string {
	for_ := "the groups"
	if e.Field != "" {
		for_ = fmt.Sprintf("the field %s of task %s", e.Field, e.Task)
	}
	return fmt.Sprintf("%s: no column %q for %s; the columns are: %s", e.File, e.Column, for_, strings.Join(e.Columns, ", "))
}

// BadInput reports that the data is at fault.
func (e *FieldError) BadInput() bool { return true }

// Hint says where such a column comes from, "" where nothing can be said.
func (e *FieldError) Hint() string {
	switch {
	case strings.HasPrefix(e.Task, "perturbation_") && e.Field != "organism":
		return "c2s perturb pairs makes a dataset of cells before and after a perturbation"
	case e.Field == "organism":
		return "C2S models know 'Homo sapiens' and 'Mus musculus'"
	case e.Field == "same_neighbourhood":
		return "this task wants groups of cells that were chosen near each other or not, with Yes or No for each"
	case e.Field == columnGenes || e.Field == columnSet:
		return "gene sets are read from a .gmt file"
	}
	return ""
}

// badRow is an error about a row of the source.
func badRow(file string, row int64, tip, format string, args ...any) error {
	return &dataset.Error{File: file, Place: fmt.Sprintf("row %d", row), Err: fmt.Errorf(format, args...), Tip: tip}
}

// badColumn is an error about a column that should hold sentences.
func badColumn(file, column string) error {
	return &dataset.Error{File: file, Err: fmt.Errorf("column %q holds no text", column)}
}
