package predictor

import (
	"cmp"
	"errors"
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
	taskExposure    = "perturbation_exposure_response"
)

// Columns are the fields that templates for a perturbation may use beside those of
// their task; give them to prompt.Load.
func Columns() []string { return []string{"context", "dose", "time", "exposure", "perturbation_names"} }

// WordingConfig says in what words a perturbation is asked about. TopK must be given.
type WordingConfig struct {
	// Templates are the words of the prompt; nil takes those that the model carries,
	// else the project's own for what is asked: a perturbation, with a dose, after a
	// time, in an exposure, or a combination.
	Templates *prompt.Templates
	// TopK is the number of genes that are shown of the control cell and asked for.
	TopK int
	// Vehicle is the name of doing nothing ("": vehicle), UnknownContext the word for a
	// context that is not told ("": unknown).
	Vehicle, UnknownContext string
	// Seed keys the choice among several templates, with the cell's row: all
	// perturbations of a cell are asked in the same words.
	Seed uint64
}

// Wording makes prompts about perturbed cells, to ask a model or to train one. It may be
// used concurrently.
type Wording struct {
	cfg   WordingConfig
	tasks map[string]*prompt.Formatter // one under "" if there is no choice
	used  map[string]*prompt.Templates // beside it
	// Warning says that the words need not be those that the model was trained on, "" if
	// they are its own. The Python package cell2sentence has none for this task.
	Warning string
}

// NewWording returns the wording for a model; one that carries no prompts may be told
// by an empty Info.
func NewWording(model *llm.Info, cfg WordingConfig) (*Wording, error) {
	if cfg.TopK <= 0 {
		return nil, errors.New("the number of genes in a prompt must be positive")
	}
	cfg.Vehicle, cfg.UnknownContext = cmp.Or(cfg.Vehicle, "vehicle"), cmp.Or(cfg.UnknownContext, "unknown")
	w := &Wording{cfg: cfg, tasks: map[string]*prompt.Formatter{}, used: map[string]*prompt.Templates{}}
	t, warning, err := task.Wording(task.Perturbation, model, cfg.Templates)
	if err != nil {
		return nil, err
	}
	if warning != "" {
		w.Warning = "these are not the words that a model of perturbed cells was trained on, unless it is yours: give the words of its training with --prompts FILE"
	}
	if _, own := model.Prompts["perturbation"]; own || cfg.Templates != nil {
		return w, w.add("", t)
	}
	for _, name := range []string{task.Perturbation, taskCombination, taskDose, taskTime, taskExposure} {
		if t, err = prompt.Default(name); err != nil {
			return nil, err
		}
		if err := w.add(name, t); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *Wording) add(name string, t *prompt.Templates) error {
	f, err := prompt.NewFormatter(t, prompt.Config{TopK: w.cfg.TopK, Seed: w.cfg.Seed})
	w.tasks[name], w.used[name] = f, t
	return err
}

// Fingerprints are those of all templates, in an order that stays.
func (w *Wording) Fingerprints() []string {
	var out []string
	for _, t := range w.used {
		out = append(out, t.Fingerprint())
	}
	slices.Sort(out)
	return out
}

// Question is a prompt but for the cell.
type Question struct {
	format *prompt.Formatter
	values map[string]string
}

// Ask puts into the fields of the prompt what a request tells. Doses and a time for
// which the template has no field go with the name: "IFN-beta at 10 ng/ml for 6 h". A time
// that is acute or chronic is an exposure: "acute IFN-beta". A field for which nothing is
// told is an *InputError.
func (w *Wording) Ask(r *perturb.Request) (*Question, error) {
	p := r.Perturbation
	name := ""
	if _, single := w.tasks[""]; !single {
		name = taskFor(p)
	}
	q := &Question{format: w.tasks[name], values: map[string]string{
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
	exposed := exposure(p)
	switch {
	case slices.Contains(fields, "time"), slices.Contains(fields, "exposure"):
		q.values["time"], q.values["exposure"] = p.Time, exposed
	case exposed != "":
		agents = exposed + " " + agents
	case p.Time != "":
		agents += " for " + p.Time
	}
	q.values["perturbation_name"], q.values["perturbation_names"] = agents, agents
	for _, f := range []string{"dose", "time", "exposure", "cell_type"} {
		if slices.Contains(fields, f) && q.values[f] == "" {
			return nil, badInput("the prompts ask for it: tell it, or take other prompts", "the %s of %q is not told", strings.ReplaceAll(f, "_", " "), agents)
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
	case len(p.Parts) == 1 && exposure(p) != "":
		return taskExposure
	case len(p.Parts) == 1 && p.Time != "":
		return taskTime
	}
	return task.Perturbation
}

// exposure is a time that is no time but a kind of stimulation, "" for others.
func exposure(p perturb.Perturbation) string {
	if t := strings.ToLower(p.Time); t == "acute" || t == "chronic" {
		return t
	}
	return ""
}

// and joins a list as people do.
func and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// Prompt is the prompt about a control cell, by its row and sentence. What cannot stand
// in one is an *InputError.
func (q *Question) Prompt(row int, control string) (string, error) {
	p, err := q.format.Prompt(prompt.Sample{Row: row, Values: q.with("control_cell_sentence", control)})
	if err != nil {
		return "", &InputError{Err: err}
	}
	return p.Input, nil
}

// Pair is the prompt with the response that a model is trained to give: the sentence of
// the perturbed cell.
func (q *Question) Pair(row int, control, perturbed string) (prompt.Pair, error) {
	values := q.with("control_cell_sentence", control)
	values["perturbed_cell_sentence"] = perturbed
	p, err := q.format.Pair(prompt.Sample{Row: row, Values: values})
	if err != nil {
		err = &InputError{Err: err}
	}
	return p, err
}

func (q *Question) with(field, value string) map[string]string {
	values := maps.Clone(q.values)
	values[field] = value
	return values
}
