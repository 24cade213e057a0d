// Package task asks a cell-sentence model about cells: what type they are, what a
// cell of a type looks like, where a cell lies in the model's own space.
//
// Start with [Wording], which finds the words that the model answers to, and then
// [NewAnnotator], [NewGenerator] or [NewEmbedder]; each answers one cell at a time
// and may be used concurrently, so that [batch.Map] of package llm/batch runs them
// over a file in order.
//
// The tasks and their prompts are those of Cell2Sentence and C2S-Scale (Rizvi et
// al., bioRxiv 2025.04.14.648850).
package task

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
)

// The tasks of package prompt that are asked here, and by package perturb/predictor.
const (
	CellType     = "cell_type_prediction"
	Generation   = "cell_type_generation"
	Perturbation = "perturbation_response"
)

// carried is the names that models which carry their own prompts have for tasks
// and fields, and the fields that they use beside those of the task.
func carried(task string) (name string, fields *strings.Replacer, more []string) {
	switch task {
	case CellType:
		return "cell_type", strings.NewReplacer(), nil
	case Generation:
		return "generation", strings.NewReplacer(), nil
	case Perturbation:
		return "perturbation", strings.NewReplacer("{perturbation}", "{perturbation_name}"), []string{"context", "dose", "time"}
	}
	return task, strings.NewReplacer(), nil
}

// Wording is the templates for a task: given, if not nil; else those that the model
// carries; else the project's own, with a warning, since a model answers best in the
// words that it was trained on. So does a warning tell of given words that are not
// those of the C2S models, unless the model carries its own.
func Wording(task string, info *llm.Info, given *prompt.Templates) (t *prompt.Templates, warning string, err error) {
	name, fields, more := carried(task)
	if own, ok := info.Prompts[name]; ok && given == nil {
		usual, err := prompt.Default(task)
		if err != nil {
			return nil, "", err
		}
		t, err := prompt.New("the prompts of "+info.Model, task, []string{fields.Replace(own)}, "{"+usual.ResponseFields()[0]+"}.", more...)
		return t, "", err
	}
	if given == nil {
		if given, err = prompt.Default(task); err != nil {
			return nil, "", err
		}
	}
	if len(info.Prompts) == 0 && !given.C2S() {
		warning = "these are not the words that C2S models were trained on: with one of them, give --prompts cell2sentence or a copy of its prompt files"
	}
	return given, warning, nil
}

// Cell is what is asked about.
type Cell struct {
	Row      int    // its number, from 0; it picks the template and the seed
	Sentence string // genes with one blank between them
}

// empty reports a cell without a gene, which no model can be asked about.
func empty(c Cell) bool { return strings.TrimSpace(c.Sentence) == "" }

// values are the fields of a prompt about a cell.
func values(organism string, c Cell) map[string]string {
	return map[string]string{"organism": organism, "cell_sentence": c.Sentence}
}

func at(c Cell, err error) error { return fmt.Errorf("cell %d: %w", c.Row, err) }
