package pairs

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/perturb/reward"
)

// Format names the trainer that files are for, and the folder that they are in.
type Format string

// The formats, with the documents that define them.
const (
	// FormatTable is Parquet with all columns, for package cellsentence/dataset.
	FormatTable Format = "table"
	// FormatTRL is JSON lines: prompt and completion for SFTTrainer; prompt and truth for
	// GRPOTrainer, which hands further columns to reward functions (TRL, "Dataset formats
	// and types", standard format).
	FormatTRL Format = "trl"
	// FormatVerl is Parquet: data_source, prompt as messages, ability, reward_model and
	// extra_info (verl, "Prepare data for post-training").
	FormatVerl Format = "verl"
	// FormatOpenRLHF is JSON lines: input and output for train_sft, input and truth for
	// train_ppo_ray (OpenRLHF, options --input_key, --output_key and --label_key).
	FormatOpenRLHF Format = "openrlhf"
	// FormatAxolotl is JSON lines of segments with and without a label (Axolotl,
	// "Template-free prompt construction", type: input_output).
	FormatAxolotl Format = "axolotl"
	// FormatLLaMAFactory is JSON lines of instruction, input and output, and the
	// dataset_info.json that names them (LLaMA-Factory, data/README, alpaca format).
	FormatLLaMAFactory Format = "llama-factory"
)

// Formats lists them.
func Formats() []Format {
	return []Format{FormatTable, FormatTRL, FormatVerl, FormatOpenRLHF, FormatAxolotl, FormatLLaMAFactory}
}

// Example is a pair in words.
type Example struct {
	Test bool
	// Prompt is what the model is asked, Response what it is to answer.
	Prompt, Response string
	// Truth is what answers are rewarded by. An example without a real cell is for
	// supervised training only.
	Truth reward.Truth
	// The cells, by name, and what was done to them and where; "" is not told.
	Task, Control, Perturbed, Perturbation, Dose, Time, Context, CellType, Group string
}

// completion is a response as models write it, behind a blank: raw completions go on
// from the prompt.
func (e *Example) completion() string { return " " + e.Response }

// truth is the text of the truth.
func (e *Example) truth() (string, error) {
	text, err := json.Marshal(e.Truth)
	return string(text), err
}

// sink is the files of one format and one side.
type sink interface {
	add(e *Example, index int64) error
	close() error
	abort()
}

// lines is a file of JSON lines.
type lines struct {
	file *os.File
	buf  *bufio.Writer
	json *json.Encoder
}

func createLines(path string) (*lines, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	l := &lines{file: f, buf: bufio.NewWriterSize(f, 1<<18)}
	l.json = json.NewEncoder(l.buf)
	l.json.SetEscapeHTML(false)
	return l, nil
}

func (l *lines) close() error {
	err := l.buf.Flush()
	if more := l.file.Close(); err == nil {
		err = more
	}
	return err
}

// jsonl is JSON lines for supervised training and for rewards.
type jsonl struct {
	sft, rl *lines // rl may be nil
	pair    func(e *Example) any
	prompt  func(e *Example, truth string) any
}

func (j *jsonl) add(e *Example, _ int64) error {
	if err := j.sft.json.Encode(j.pair(e)); err != nil {
		return err
	}
	if j.rl == nil || len(e.Truth.Real) == 0 {
		return nil
	}
	truth, err := e.truth()
	if err != nil {
		return err
	}
	return j.rl.json.Encode(j.prompt(e, truth))
}

func (j *jsonl) close() error {
	err := j.sft.close()
	if j.rl != nil {
		if more := j.rl.close(); err == nil {
			err = more
		}
	}
	return err
}

func (j *jsonl) abort() { _ = j.close() } // the folder goes as a whole

// table is a dataset with a function that fills a row.
type table struct {
	w   *dataset.Writer
	b   *dataset.Batch
	row func(b *dataset.Batch, e *Example, index int64) (bool, error)
}

func (t *table) add(e *Example, index int64) error {
	if used, err := t.row(t.b, e, index); err != nil || !used {
		return err
	}
	if t.b.Rows() < dataset.BlockRows {
		return nil
	}
	return t.flush()
}

func (t *table) flush() error {
	if t.b.Rows() == 0 {
		return nil
	}
	err := t.w.Append(t.b, nil)
	t.b.Reset()
	return err
}

func (t *table) close() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.w.Commit()
}

func (t *table) abort() { _ = t.w.Abort() }

// tableSchema is the columns of FormatTable beside the words.
func tableSchema() (dataset.Schema, error) {
	return dataset.PairSchema([]dataset.Field{
		{Name: "control_cell", Kind: dataset.Text},
		{Name: "perturbed_cell", Kind: dataset.Text},
		{Name: "perturbation", Kind: dataset.Category},
		{Name: "dose", Kind: dataset.Category},
		{Name: "time", Kind: dataset.Category},
		{Name: "context", Kind: dataset.Category},
		{Name: "cell_type", Kind: dataset.Category},
		{Name: "group", Kind: dataset.Category},
		{Name: "split", Kind: dataset.Category},
	})
}

func tableRow(b *dataset.Batch, e *Example, _ int64) (bool, error) {
	dataset.AppendPair(b, e.Task, e.Prompt, e.Response)
	for name, text := range map[string]string{
		"control_cell": e.Control, "perturbed_cell": e.Perturbed, "perturbation": e.Perturbation, "dose": e.Dose, "time": e.Time,
		"context": e.Context, "cell_type": e.CellType, "group": e.Group, "split": side(e.Test),
	} {
		if c := b.Column(name); text == "" {
			c.AppendMissing()
		} else {
			c.AppendString(text)
		}
	}
	return true, nil
}

// verlSchema is verl's, with the structures of dataset.Options.Nest.
func verlSchema() dataset.Schema {
	return dataset.Schema{
		{Name: "data_source", Kind: dataset.Text},
		{Name: "prompt[].role", Kind: dataset.Text},
		{Name: "prompt[].content", Kind: dataset.Text},
		{Name: "ability", Kind: dataset.Text},
		{Name: "reward_model.style", Kind: dataset.Text},
		{Name: "reward_model.ground_truth", Kind: dataset.Text},
		{Name: "extra_info.index", Kind: dataset.Int},
		{Name: "extra_info.split", Kind: dataset.Text},
		{Name: "extra_info.answer", Kind: dataset.Text},
	}
}

func verlRow(b *dataset.Batch, e *Example, index int64) (bool, error) {
	if len(e.Truth.Real) == 0 {
		return false, nil
	}
	truth, err := e.truth()
	if err != nil {
		return false, err
	}
	for i, text := range []string{"c2s_perturbation", "user", e.Prompt, "perturbation", "rule", truth} {
		b.Columns[i].AppendString(text)
	}
	b.Columns[6].AppendInt(index)
	b.Columns[7].AppendString(side(e.Test))
	b.Columns[8].AppendString(e.completion())
	return true, nil
}

func side(test bool) string {
	if test {
		return "test"
	}
	return "train"
}

// newSink opens the files of a format and a side in its folder.
func newSink(dir string, format Format, test bool, opts Options) (sink, error) {
	name := side(test)
	open := func(name string) (*lines, error) { return createLines(filepath.Join(dir, name)) }
	both := func(sft, rl string) (*jsonl, error) {
		s, err := open(sft)
		if err != nil {
			return nil, err
		}
		j := &jsonl{sft: s}
		if rl != "" {
			if j.rl, err = open(rl); err != nil {
				j.abort()
				return nil, err
			}
		}
		return j, nil
	}
	switch format {
	case FormatTable, FormatVerl:
		schema, row := verlSchema(), verlRow
		if format == FormatTable {
			var err error
			if schema, err = tableSchema(); err != nil {
				return nil, err
			}
			row = tableRow
		}
		w, err := dataset.Create(filepath.Join(dir, name+".parquet"), schema, dataset.Options{Jobs: opts.Jobs, Nest: format == FormatVerl})
		if err != nil {
			return nil, err
		}
		return &table{w: w, b: dataset.NewBatch(schema), row: row}, nil
	case FormatTRL:
		j, err := both("sft_"+name+".jsonl", "grpo_"+name+".jsonl")
		if err != nil {
			return nil, err
		}
		j.pair = func(e *Example) any {
			return struct {
				Prompt     string `json:"prompt"`
				Completion string `json:"completion"`
			}{e.Prompt, e.completion()}
		}
		j.prompt = func(e *Example, truth string) any {
			return struct {
				Prompt string `json:"prompt"`
				Truth  string `json:"truth"`
			}{e.Prompt, truth}
		}
		return j, nil
	case FormatOpenRLHF:
		j, err := both("sft_"+name+".jsonl", "rl_"+name+".jsonl")
		if err != nil {
			return nil, err
		}
		j.pair = func(e *Example) any {
			return struct {
				Input  string `json:"input"`
				Output string `json:"output"`
			}{e.Prompt, e.completion()}
		}
		j.prompt = func(e *Example, truth string) any {
			return struct {
				Input string `json:"input"`
				Truth string `json:"truth"`
			}{e.Prompt, truth}
		}
		return j, nil
	}
	j, err := both(name+".jsonl", "")
	if err != nil {
		return nil, err
	}
	if j.pair = alpaca; format == FormatAxolotl {
		j.pair = func(e *Example) any { return segments(e, opts.EndOfText) }
	}
	return j, nil
}

// alpaca is a row of LLaMA-Factory.
func alpaca(e *Example) any {
	return struct {
		Instruction string `json:"instruction"`
		Input       string `json:"input"`
		Output      string `json:"output"`
	}{e.Prompt, "", e.completion()}
}

// segment is a piece of text, and whether it is learnt.
type segment struct {
	Label bool   `json:"label"`
	Text  string `json:"text"`
}

// segments is a row of Axolotl, which adds no token of its own in this format.
func segments(e *Example, end string) any {
	return struct {
		Segments []segment `json:"segments"`
	}{[]segment{{false, e.Prompt}, {true, e.completion() + end}}}
}
