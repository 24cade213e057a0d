package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
)

// Flags are what an audit has to say against a row.
type Flags uint32

// The flags, in the order in which they are printed.
const (
	FlagEmpty         Flags = 1 << iota // no word
	FlagShort                           // far fewer words than others of its label
	FlagRepeat                          // a gene stands twice
	FlagUnknown                         // genes outside the vocabulary
	FlagDuplicate                       // the sentence of an earlier row of the same dataset
	FlagNearDuplicate                   // nearly the words of an earlier row of the same dataset
	FlagLeak                            // the sentence, or nearly its words, of a row of an earlier dataset
	FlagConflict                        // the same cell has another label elsewhere
	FlagRibosomal                       // led by ribosomal genes
	FlagMitochondrial                   // led by mitochondrial genes
	FlagStress                          // led by genes of stress and dissociation
	FlagLineages                        // markers of two lineages
	FlagCheapJunk                       // the first junk score is above 1
	FlagContentJunk                     // the second junk score is above 1
)

// FlagsJunk are those that say that a row is of low quality, not that it is there
// more than once.
const FlagsJunk = FlagEmpty | FlagShort | FlagRepeat | FlagUnknown | FlagRibosomal | FlagMitochondrial | FlagStress | FlagLineages |
	FlagCheapJunk | FlagContentJunk

var flagNames = [...]string{
	"empty", "short", "repeat", "unknown", "duplicate", "near-duplicate", "leak", "conflict",
	"ribosomal", "mitochondrial", "stress", "two-lineages", "junk-cheap", "junk-content",
}

// Names lists the flags that are set.
func (f Flags) Names() []string {
	var out []string
	for i, name := range flagNames {
		if f>>i&1 != 0 {
			out = append(out, name)
		}
	}
	return out
}

// String is the names, joined by commas.
func (f Flags) String() string { return strings.Join(f.Names(), ",") }

// AuditConfig says how a dataset is audited. The zero value is useful: columns are
// found by their usual names, and thresholds are those given below.
type AuditConfig struct {
	// Text is the column of the sentences ("": cell_sentence).
	Text string `json:"text"`
	// Label is the column of the cell type, by which cells are compared with their
	// like ("": cell_type, if there is one; "-": none).
	Label string `json:"label"`
	// Groups are columns that should not go with the label (nil: those of donor,
	// donor_id, batch and sample that are there).
	Groups []string `json:"groups"`
	// Name is the column that names a cell, for conflicts of labels ("": cell_name).
	Name string `json:"name"`
	// Delimiter stands between the words ("": a blank).
	Delimiter string `json:"delimiter"`
	// Vocabulary is the genes that there are; nil: not checked.
	Vocabulary *cellsentence.Vocabulary `json:"-"`
	// Lineages are marker genes by lineage (nil: those of [Lineages]).
	Lineages map[string][]string `json:"-"`
	// MADs is how many median absolute deviations, scaled to the standard deviation of
	// a normal distribution, a value lies away before it is flagged (0: 5).
	MADs float64 `json:"mads"`
	// Near is the Jaccard similarity of the words of near-duplicates (0: 0.9).
	Near float64 `json:"near"`
	// Odds is how many times likelier another label must make a sentence than its own
	// before it is flagged (0: 1,000).
	Odds float64 `json:"odds"`
	// Examples is how many rows the report shows of each flag (0: 5).
	Examples int `json:"examples"`
}

func (c *AuditConfig) defaults() error {
	text := func(dst *string, v string) {
		if *dst == "" {
			*dst = v
		}
	}
	number := func(dst *float64, v float64) {
		if *dst == 0 {
			*dst = v
		}
	}
	text(&c.Text, ColumnSentence)
	text(&c.Name, ColumnCell)
	text(&c.Delimiter, " ")
	number(&c.MADs, 5)
	number(&c.Near, 0.9)
	number(&c.Odds, 1000)
	if c.Examples == 0 {
		c.Examples = 5
	}
	if c.Lineages == nil {
		c.Lineages = Lineages()
	}
	switch {
	case !(c.MADs > 0) || !(c.Odds > 1) || c.Examples < 0:
		return errors.New("an audit needs a number of MADs above 0 and odds above 1")
	case !(c.Near >= 0.8 && c.Near <= 1):
		return fmt.Errorf("near-duplicates of %g: give a similarity from 0.8, below which they are not found, to 1", c.Near)
	case len(c.Lineages) > maxLineages:
		return fmt.Errorf("%d lineages: give up to %d", len(c.Lineages), maxLineages)
	}
	return nil
}

// AuditInput is a dataset to be audited, such as a side of a split.
type AuditInput struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// maxLineages bounds what is kept for each row.
const maxLineages = 16

// auditRow is what is kept of a row, about 120 bytes; its signature takes 320 more.
type auditRow struct {
	input    int32
	label    int32 // −1: missing
	words    int32
	group    int32 // of comparable rows: its label, or a lineage
	flags    Flags
	unknown  int32
	text     uint64 // hashes
	name     uint64
	lead     [leads]float32 // weights of the first words of each kind
	leadOf   float32        // of all first words
	lineage  [maxLineages]uint8
	common   float32 // share of ubiquitous genes among the first words
	fit      float32 // weighted mean log ratio of its first words, its label to all cells
	order    float32 // correlation of its order with the usual one, transformed
	other    float32 // log odds of the best other label
	rival    int32   // that label
	cheap    float32
	content  float32
	hasScore bool
}

// auditor is an audit in work.
type auditor struct {
	cfg      AuditConfig
	inputs   []AuditInput
	starts   []int // the first row of each input
	rows     []auditRow
	genes    *wordTable
	labels   *wordTable
	groups   []*groupTable
	lineages []string
	marks    []int32 // the lineage of a gene, +1
	near     nearIndex
	profile  *profiles
	report   *Report
}

// AuditResult is what an audit found.
type AuditResult struct {
	Report Report
	a      *auditor
}

// Audit looks at datasets, such as the sides of a split, each against itself and
// against those before it. All have the columns of the configuration; those that
// are not named are used if every dataset has them.
//
// The datasets are read twice. Memory grows by about 450 bytes a row, and by four
// for each label and gene.
func Audit(ctx context.Context, inputs []AuditInput, cfg AuditConfig) (*AuditResult, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	if len(inputs) == 0 {
		return nil, errors.New("there is no dataset to audit")
	}
	a := &auditor{cfg: cfg, inputs: inputs, genes: newWordTable(), labels: newWordTable(), report: newReport(inputs)}
	if err := a.columns(ctx); err != nil {
		return nil, err
	}
	a.report.Settings = a.cfg
	a.addLineages()
	for i := range inputs {
		if err := a.survey(ctx, i); err != nil {
			return nil, err
		}
	}
	if len(a.rows) == 0 {
		return nil, inputError(inputs[0].Path, "", "", "there is no row to audit")
	}
	if err := a.anyKnown(); err != nil {
		return nil, err
	}
	a.compare()
	a.duplicates()
	a.conflicts()
	a.leading()
	a.twoLineages()
	a.confounding()
	a.profile.prepare(a)
	for i := range inputs {
		if err := a.judge(ctx, i); err != nil {
			return nil, err
		}
	}
	a.junk()
	if err := a.summarise(ctx); err != nil {
		return nil, err
	}
	return &AuditResult{Report: *a.report, a: a}, nil
}

// anyKnown refuses datasets of which the vocabulary knows no word: the flags would say
// that all is junk, and the cause is another.
func (a *auditor) anyKnown() error {
	words := int64(0)
	for i := range a.rows {
		words += int64(a.rows[i].words)
	}
	if words > 0 && words == a.report.Unknown.Words {
		return inputError(a.inputs[0].Path, "", "give its delimiter, or the vocabulary of its organism and gene names",
			"none of its %d words, such as %.40q, is in the vocabulary", words, a.report.Unknown.example())
	}
	return nil
}

// columns finds the columns to use.
func (a *auditor) columns(ctx context.Context) error {
	var schemas []Schema
	for _, in := range a.inputs {
		r, err := Open(ctx, in.Path, ReadOptions{})
		if err != nil {
			return err
		}
		schemas = append(schemas, r.Schema())
		if err := errors.Join(r.Schema().Require(in.Path, a.cfg.Text), r.Close()); err != nil {
			return err
		}
		if k := r.Schema()[r.Schema().Index(a.cfg.Text)].Kind; !k.IsText() {
			return inputError(in.Path, "", "", "column %q holds no text", a.cfg.Text)
		}
	}
	everywhere := func(name string) bool {
		return !slices.ContainsFunc(schemas, func(s Schema) bool { return s.Index(name) < 0 })
	}
	require := func(name string) error {
		for i, s := range schemas {
			if err := s.Require(a.inputs[i].Path, name); err != nil {
				return err
			}
		}
		return nil
	}
	switch {
	case a.cfg.Label == "-":
		a.cfg.Label = ""
	case a.cfg.Label != "":
		if err := require(a.cfg.Label); err != nil {
			return err
		}
	case everywhere("cell_type"):
		a.cfg.Label = "cell_type"
	}
	if a.cfg.Label == "" {
		a.report.warn("there is no label column: cells are compared by the lineage of most of their markers")
	}
	if !everywhere(a.cfg.Name) {
		a.cfg.Name = ""
	}
	if a.cfg.Groups == nil {
		a.cfg.Groups = []string{}
		for _, name := range []string{"donor", "donor_id", "batch", "sample"} {
			if everywhere(name) && name != a.cfg.Label {
				a.cfg.Groups = append(a.cfg.Groups, name)
			}
		}
	}
	for _, name := range a.cfg.Groups {
		if err := require(name); err != nil {
			return err
		}
		a.groups = append(a.groups, newGroupTable(name))
	}
	return nil
}

// read opens an input for its audited columns.
func (a *auditor) read() ReadOptions {
	names := []string{a.cfg.Text}
	for _, n := range append([]string{a.cfg.Label, a.cfg.Name}, a.cfg.Groups...) {
		if n != "" {
			names = append(names, n)
		}
	}
	return ReadOptions{Columns: uniqueNames(names)}
}

// wordTable gives words numbers in the order in which they are met.
type wordTable struct {
	index map[string]int32
	words []string
}

func newWordTable() *wordTable { return &wordTable{index: map[string]int32{}} }

// maxWords bounds the different words of a table; those beyond are number −1. Human
// and mouse have some 110,000 gene names together.
const maxWords = 1 << 20

func (t *wordTable) number(word []byte) int32 {
	if i, ok := t.index[string(word)]; ok {
		return i
	}
	if len(t.words) == maxWords {
		return -1
	}
	i := int32(len(t.words))
	t.words = append(t.words, string(word))
	t.index[t.words[i]] = i
	return i
}

// spread is a median and a scaled median absolute deviation.
type spread struct{ median, mad float64 }

// normalMAD scales a median absolute deviation to the standard deviation of a normal
// distribution: 1/Φ⁻¹(3/4).
const normalMAD = 1.4826

// spreadOf sorts values, of which there are some.
func spreadOf(values []float64) spread {
	m := medianOf(values)
	for i, v := range values {
		values[i] = math.Abs(v - m)
	}
	return spread{m, normalMAD * medianOf(values)}
}

func medianOf(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// z is how many scaled deviations, of at least the given size, a value lies away.
func (s spread) z(v, least float64) float64 { return (v - s.median) / math.Max(s.mad, least) }

const (
	// leastGroup is how many rows make a spread of their own.
	leastGroup = 20
	// fewestGroup is how many have a median at least; rows of smaller groups have
	// nothing to be compared with.
	fewestGroup = 5
)

// spreads gives the spread of a value in each group. One of few rows has the typical
// deviation of groups, where its own is smaller; one of very few has an infinite one.
func (a *auditor) spreads(value func(r *auditRow) (float64, bool)) func(r *auditRow) spread {
	by := map[int32][]float64{}
	for i := range a.rows {
		if v, ok := value(&a.rows[i]); ok {
			by[a.rows[i].group] = append(by[a.rows[i].group], v)
		}
	}
	out := map[int32]spread{}
	var mads []float64
	for g, v := range by {
		if len(v) >= fewestGroup {
			out[g] = spreadOf(v)
			mads = append(mads, out[g].mad)
		}
	}
	typical := 0.0
	if len(mads) > 0 {
		typical = medianOf(mads)
	}
	for g, s := range out {
		if len(by[g]) < leastGroup {
			s.mad = max(s.mad, typical)
			out[g] = s
		}
	}
	return func(r *auditRow) spread {
		if s, ok := out[r.group]; ok {
			return s
		}
		return spread{0, math.Inf(1)}
	}
}
