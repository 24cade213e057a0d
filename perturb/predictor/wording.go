package predictor

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/task"
	"github.com/cellsentence/c2s/perturb"
)

// Tasks of package prompt beside task.Perturbation, for what a request tells.
const (
	taskCombination = "perturbation_combination_response"
	taskDose        = "perturbation_dose_response"
	taskTime        = "perturbation_time_response"
)

// Columns are the fields that templates for a perturbation may use beside those of
// their task; give them to prompt.Load.
func Columns() []string { return []string{"context", "dose", "time", "perturbation_names"} }

// words are the templates to choose from.
type words struct {
	cfg   LLMConfig
	tasks map[string]*prompt.Formatter // one under "" if there is no choice
	used  map[string]*prompt.Templates // beside it
}

func newWords(model *llm.Info, cfg LLMConfig) (*words, string, error) {
	w := &words{cfg: cfg, tasks: map[string]*prompt.Formatter{}, used: map[string]*prompt.Templates{}}
	t, warning, err := task.Wording(task.Perturbation, model, cfg.Templates)
	if err != nil {
		return nil, "", err
	}
	if _, own := model.Prompts["perturbation"]; own || cfg.Templates != nil {
		return w, warning, w.add("", t)
	}
	for _, name := range []string{task.Perturbation, taskCombination, taskDose, taskTime} {
		if t, err = prompt.Default(name); err != nil {
			return nil, "", err
		}
		if err := w.add(name, t); err != nil {
			return nil, "", err
		}
	}
	return w, warning, nil
}

func (w *words) add(name string, t *prompt.Templates) error {
	f, err := prompt.NewFormatter(t, prompt.Config{TopK: w.cfg.TopK, Seed: w.cfg.Seed})
	w.tasks[name], w.used[name] = f, t
	return err
}

// fingerprints are those of all templates, in an order that stays.
func (w *words) fingerprints() []string {
	var out []string
	for _, t := range w.used {
		out = append(out, t.Fingerprint())
	}
	slices.Sort(out)
	return out
}

// question is a prompt but for the cell.
type question struct {
	format *prompt.Formatter
	values map[string]string
}

// prepare puts into the fields of the prompt what a request tells. Doses and a time
// for which the template has no field go with the name: "IFN-beta at 10 ng/ml for 6 h".
func (w *words) prepare(r *perturb.Request) (*question, error) {
	p := r.Perturbation
	name := ""
	if _, single := w.tasks[""]; !single {
		name = taskFor(p)
	}
	q := &question{format: w.tasks[name], values: map[string]string{
		"organism": cmp.Or(r.Organism, "Homo sapiens"), "context": cmp.Or(r.Context, w.cfg.UnknownContext), "cell_type": r.CellType,
	}}
	fields := w.used[name].Fields()
	doses := make([]string, len(p.Parts))
	named := make([]string, len(p.Parts))
	for i, part := range p.Parts {
		named[i], doses[i] = part.Name, part.Dose
	}
	doses = slices.DeleteFunc(doses, func(d string) bool { return d == "" })
	if slices.Contains(fields, "dose") {
		if q.values["dose"] = and(doses); len(p.Parts) == 0 {
			q.values["dose"] = "0" // of the vehicle
		}
	} else {
		for i, part := range p.Parts {
			if part.Dose != "" {
				named[i] += " at " + part.Dose
			}
		}
	}
	agents := cmp.Or(and(named), w.cfg.Vehicle)
	if slices.Contains(fields, "time") {
		q.values["time"] = p.Time
	} else if p.Time != "" {
		agents += " for " + p.Time
	}
	q.values["perturbation_name"], q.values["perturbation_names"] = agents, agents
	for _, f := range []string{"dose", "time", "cell_type"} {
		if slices.Contains(fields, f) && q.values[f] == "" {
			return nil, badInput("the prompts ask for it: tell it, or take other prompts", "%s of %q is not told", strings.ReplaceAll(f, "_", " "), agents)
		}
	}
	return q, nil
}

// taskFor is the task that fits what is told.
func taskFor(p perturb.Perturbation) string {
	switch {
	case len(p.Parts) > 1:
		return taskCombination
	case len(p.Parts) == 1 && p.Parts[0].Dose != "":
		return taskDose
	case len(p.Parts) == 1 && p.Time != "":
		return taskTime
	}
	return task.Perturbation
}

// and joins a list as people do.
func and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// prompt is the prompt about a cell.
func (q *question) prompt(c *perturb.Cell) (string, error) {
	values := maps.Clone(q.values)
	values["control_cell_sentence"] = sentence(c.Genes)
	p, err := q.format.Prompt(prompt.Sample{Row: c.Row, Values: values})
	return p.Input, err
}
