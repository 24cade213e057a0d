package pairs

import (
	"maps"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// Config says how pairs are made.
type Config struct {
	// Templates are the wording of the task.
	Templates *prompt.Templates
	// Prompt is how they are filled. With prompt.ChoicePython the templates are those
	// of the Python package for the same rows, if none is left out.
	Prompt prompt.Config
	// Fields gives fields of the templates another column than that of their name.
	// Cells that are gathered have their sentences and types from the columns of the
	// fields cell_sentence and cell_type.
	Fields map[string]string
	// Constants gives fields a text for all rows, such as organism: Homo sapiens.
	Constants map[string]string
	// Cells is how many cells a prompt shows, or a pseudobulk is made of, where the
	// task takes several; else it must be 0.
	Cells int
	// GroupBy are columns whose values all cells of a prompt share, beside those of
	// the fields.
	GroupBy []string
	// Delimiter stands between the genes of a sentence ("": a blank).
	Delimiter string
	// Budget bounds the bytes of cells that wait for others of their group (0: 1 GiB).
	Budget int64
	// Progress, if set, is told how many more rows were read.
	Progress func(rows int64)
}

// Fields of templates that mean more than the value of a column.
const (
	fieldSentence     = "cell_sentence"
	fieldType         = "cell_type"
	fieldCells        = "multi_cell_sentences"
	fieldTypes        = "cell_types"
	fieldPool         = "pseudobulk_sentence"
	fieldNeighbour    = "neighbour_cell_sentence"
	fieldCellCount    = "num_cells"
	fieldGeneCount    = "num_genes"
	fieldInteractions = "interactions"
)

// slot is a field that has the value of a column.
type slot struct {
	field    string
	column   int
	sentence bool
}

// plan is where the text of each field comes from.
type plan struct {
	slots     []slot
	constants map[string]string
	// What is made of gathered cells.
	cells, types, pool, neighbour, count bool
	sentence, cellType                   int // their columns, −1 if not used
	size                                 int // cells of a prompt, 1 if none are gathered
	group                                []int
	carry                                []int // columns that go along
	names                                int   // that of the cells' names if it lists several, else −1
}

// gathers reports whether a prompt is about several cells.
func (p *plan) gathers() bool { return p.cells || p.pool || p.neighbour }

// isSentence reports whether the values of a field are genes.
func isSentence(field string) bool {
	return strings.HasSuffix(field, "_sentence") || field == columnGenes
}

// newPlan checks the configuration against the columns of a source.
func newPlan(file string, schema dataset.Schema, cfg *Config) (*plan, error) {
	p := &plan{sentence: -1, cellType: -1, names: -1, size: 1, constants: map[string]string{}}
	task := cfg.Templates.Task().Name
	find := func(field, column string) (int, error) {
		if i := schema.Index(column); i >= 0 {
			return i, nil
		}
		return -1, &FieldError{File: file, Task: task, Field: field, Column: column, Columns: schema.Names()}
	}
	column := func(field string) string {
		if c, ok := cfg.Fields[field]; ok {
			return c
		}
		return field
	}
	free, err := p.special(schema, cfg)
	if err != nil {
		return nil, err
	}
	for _, field := range free {
		if text, ok := cfg.Constants[field]; ok {
			p.constants[field] = text
			continue
		}
		i, err := find(field, column(field))
		if err != nil {
			return nil, err
		}
		if isSentence(field) && !schema[i].Kind.IsText() {
			return nil, badColumn(file, column(field))
		}
		p.slots = append(p.slots, slot{field, i, isSentence(field)})
	}
	if p.gathers() {
		if p.sentence, err = find(fieldSentence, column(fieldSentence)); err != nil {
			return nil, err
		}
		if !schema[p.sentence].Kind.IsText() {
			return nil, badColumn(file, column(fieldSentence))
		}
	}
	if p.types {
		if p.cellType, err = find(fieldType, column(fieldType)); err != nil {
			return nil, err
		}
	}
	for _, name := range cfg.GroupBy {
		i, err := find("", name)
		if err != nil {
			return nil, err
		}
		p.group = append(p.group, i)
	}
	if p.gathers() {
		for _, s := range p.slots {
			if !slices.Contains(p.group, s.column) {
				p.group = append(p.group, s.column)
			}
		}
	}
	p.carried(schema)
	return p, nil
}

// special decides which fields are made of gathered cells, and returns those that
// are not.
func (p *plan) special(schema dataset.Schema, cfg *Config) (free []string, err error) {
	t := cfg.Templates
	task := t.Task().Name
	all := slices.Concat(t.Fields(), t.ResponseFields())
	given := func(field string) bool {
		return cfg.Fields[field] != "" || schema.Index(field) >= 0
	}
	p.types = slices.Contains(all, fieldTypes)
	p.cells = p.types || slices.Contains(all, fieldCells)
	p.pool = slices.Contains(all, fieldPool) && !given(fieldPool)
	p.neighbour = slices.Contains(all, fieldNeighbour) && !given(fieldNeighbour)
	for _, field := range all {
		switch {
		case field == fieldGeneCount, field == fieldInteractions, field == fieldCells, field == fieldTypes,
			field == fieldPool && p.pool, field == fieldNeighbour && p.neighbour:
		case field == fieldCellCount && p.gathers():
			p.count = true
		case !slices.Contains(free, field):
			free = append(free, field)
		}
	}
	known := slices.Clone(free)
	if p.gathers() {
		known = append(known, fieldSentence)
	}
	if p.types {
		known = append(known, fieldType)
	}
	for _, field := range slices.Sorted(maps.Keys(cfg.Fields)) {
		if cfg.Constants[field] != "" {
			return nil, wrong("the field %s has a column and a text: choose one", field)
		}
		if !slices.Contains(known, field) && field != fieldPool && field != fieldNeighbour {
			return nil, wrong("the prompts of task %s take no column for a field %q, but for: %s", task, field, strings.Join(known, ", "))
		}
	}
	for _, field := range slices.Sorted(maps.Keys(cfg.Constants)) {
		if !slices.Contains(free, field) {
			return nil, wrong("the prompts of task %s take no text for a field %q, but for: %s", task, field, strings.Join(free, ", "))
		}
	}
	switch {
	case p.gathers() && cfg.Cells < 1:
		return nil, wrong("task %s is about several cells: say how many a prompt has (C2S-Scale: 5 to 20)", task)
	case !p.gathers() && (cfg.Cells != 0 || len(cfg.GroupBy) > 0):
		return nil, wrong("task %s makes a prompt of each row: a number of cells and groups are for tasks about several cells", task)
	case p.neighbour && len(cfg.GroupBy) == 0:
		return nil, wrong("task %s is about cells that lie together: name the column of their neighbourhood to group by, or a column of neighbours' sentences for the field %s", task, fieldNeighbour)
	}
	if p.gathers() {
		p.size = cfg.Cells
		if p.neighbour {
			p.size++
		}
	}
	return free, nil
}

// carried lists the columns that go along: all but sentences that a prompt shows and,
// where it shows several cells, the counts of each.
func (p *plan) carried(schema dataset.Schema) {
	shown := []int{p.sentence}
	for _, s := range p.slots {
		if s.sentence {
			shown = append(shown, s.column)
		}
	}
	for i, f := range schema {
		several := p.gathers() && (f.Name == dataset.ColumnGenes || f.Name == dataset.ColumnTotal)
		if slices.Contains(shown, i) || several {
			continue
		}
		if p.gathers() && f.Name == dataset.ColumnCell {
			p.names = i
		}
		p.carry = append(p.carry, i)
	}
}

// labels is the carried columns.
func (p *plan) labels(schema dataset.Schema) []dataset.Field {
	var out []dataset.Field
	for _, i := range p.carry {
		f := schema[i]
		if i == p.names {
			f.Kind = dataset.Text
		}
		out = append(out, f)
	}
	return out
}
