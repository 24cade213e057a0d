package dataset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Report is what an audit found, for people and machines.
type Report struct {
	Rows   int64            `json:"rows"`
	Labels int              `json:"labels"` // that occur
	Inputs []InputReport    `json:"inputs"`
	Flags  map[string]int64 `json:"flags"` // rows with each flag, all of them listed
	Clean  int64            `json:"clean"` // rows without any

	Duplicates  Duplicates    `json:"duplicates"`
	Leakage     []Leakage     `json:"leakage"` // pairs of inputs that share rows
	Unknown     Unknown       `json:"unknown"`
	Leads       []Lead        `json:"leads"`
	Lineages    []Lineage     `json:"lineages"`
	Confounding []Confounding `json:"confounding"`
	Junk        JunkReport    `json:"junk"`
	Examples    []Example     `json:"examples"`
	Settings    AuditConfig   `json:"settings"`
	Warnings    []string      `json:"warnings"`
}

// InputReport is about one dataset.
type InputReport struct {
	AuditInput
	Rows   int64            `json:"rows"`
	Flags  map[string]int64 `json:"flags"`
	Labels map[string]int64 `json:"labels"` // rows of each; those without one are under "(missing)"
	// Words is the number of words of its sentences at the quantiles 0, 0.25, 0.5, 0.75
	// and 1; nil if there is no row.
	Words []int64 `json:"words"`
}

// Duplicates counts rows that repeat an earlier one of the same dataset.
type Duplicates struct {
	Exact int64 `json:"exact"`
	Near  int64 `json:"near"`
}

// Leakage counts rows of a dataset that repeat one of an earlier dataset.
type Leakage struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Exact int64  `json:"exact"`
	Near  int64  `json:"near"`

	from, to int
}

// Unknown counts words outside the vocabulary.
type Unknown struct {
	Rows  int64       `json:"rows"`  // with such a word
	Words int64       `json:"words"` // in all
	Most  []WordCount `json:"most"`  // the twenty that occur most often

	counts map[int32]int64
	names  map[int32]string
}

// WordCount is a word and how often it occurs.
type WordCount struct {
	Word  string `json:"word"`
	Count int64  `json:"count"`
}

func (u *Unknown) count(gene int32, name string) {
	if u.counts == nil {
		u.counts, u.names = map[int32]int64{}, map[int32]string{}
	}
	u.counts[gene]++
	u.names[gene] = name
}

// example is one of the words.
func (u *Unknown) example() string {
	for _, g := range slices.Sorted(maps.Keys(u.names)) {
		return u.names[g]
	}
	return ""
}

// Lead is how much of the first words of a label's sentences is of one kind of gene.
type Lead struct {
	Kind    string  `json:"kind"` // ribosomal, mitochondrial or stress
	Label   string  `json:"label"`
	Rows    int64   `json:"rows"`   // with words enough
	Median  float64 `json:"median"` // share of the first 50 words, the first counting most
	Limit   float64 `json:"limit"`  // beyond which a row is flagged
	Most    float64 `json:"most"`   // the highest share
	Flagged int64   `json:"flagged"`
}

// Lineage counts cells with the markers of two lineages: a built-in one beside that
// of their label, or another label beside their own.
type Lineage struct {
	Name string `json:"name"`
	Of   string `json:"of"` // the lineage of the label, "" if it shows none, or the label
	Rows int64  `json:"rows"`
}

// Confounding is how a column goes with the label.
type Confounding struct {
	Column string `json:"column"`
	Label  string `json:"label"`
	Rows   int64  `json:"rows"`   // with both
	Values int    `json:"values"` // of the column
	// V is Cramér's V, corrected for its bias: 0 independent, 1 one tells the other;
	// nil where one of the two has a single value.
	V          *float64 `json:"v"`
	Confounded bool     `json:"confounded"` // V is above 0.5
	// Alone are labels that nearly all come from one value.
	Alone []Alone `json:"alone"`
}

// Alone is a label whose rows nearly all come from one value of a column.
type Alone struct {
	Label string  `json:"label"`
	Value string  `json:"value"`
	Rows  int64   `json:"rows"`  // of the label
	Share float64 `json:"share"` // of them, of the value
}

// JunkReport says how the two junk scores agree.
type JunkReport struct {
	Cheap   int64 `json:"cheap"`   // rows above 1 in the first
	Content int64 `json:"content"` // in the second
	Both    int64 `json:"both"`
	Scored  int64 `json:"scored"` // rows with both scores
	// Kappa is Cohen's: agreement beyond chance of the two verdicts on the rows with
	// both scores; nil where it is not defined.
	Kappa *float64 `json:"kappa"`
	// Histogram counts rows by score, in steps of 0.25 from 0; the last is 2 and more.
	CheapHistogram   []int64 `json:"cheap_histogram"`
	ContentHistogram []int64 `json:"content_histogram"`
}

// Example is a row with a flag.
type Example struct {
	Flag    string   `json:"flag"`
	Input   string   `json:"input"`
	Row     int64    `json:"row"`
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Rival   string   `json:"rival"` // the label that fits best beside it
	Flags   []string `json:"flags"`
	Words   int64    `json:"words"`
	Cheap   float64  `json:"cheap"`
	Content *float64 `json:"content"`
	Begins  string   `json:"begins"` // the first words
}

func newReport(inputs []AuditInput) *Report {
	r := &Report{
		Flags: map[string]int64{}, Leakage: []Leakage{}, Leads: []Lead{}, Lineages: []Lineage{},
		Confounding: []Confounding{}, Examples: []Example{}, Warnings: []string{}, Unknown: Unknown{Most: []WordCount{}},
	}
	for _, in := range inputs {
		r.Inputs = append(r.Inputs, InputReport{AuditInput: in, Flags: map[string]int64{}, Labels: map[string]int64{}})
	}
	return r
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

func (r *Report) leak(from, to int, exact bool) {
	k := slices.IndexFunc(r.Leakage, func(l Leakage) bool { return l.from == from && l.to == to })
	if k < 0 {
		k = len(r.Leakage)
		r.Leakage = append(r.Leakage, Leakage{From: r.Inputs[from].Name, To: r.Inputs[to].Name, from: from, to: to})
	}
	if exact {
		r.Leakage[k].Exact++
	} else {
		r.Leakage[k].Near++
	}
}

func (r *Report) lineage(name, of string) {
	k := slices.IndexFunc(r.Lineages, func(l Lineage) bool { return l.Name == name && l.Of == of })
	if k < 0 {
		k = len(r.Lineages)
		r.Lineages = append(r.Lineages, Lineage{Name: name, Of: of})
	}
	r.Lineages[k].Rows++
}

// lead counts a row for a kind of lead.
func (r *Report) lead(kind int, label string, median, limit, share float64, flagged bool) {
	k := slices.IndexFunc(r.Leads, func(l Lead) bool { return l.Kind == leadNames[kind] && l.Label == label })
	if k < 0 {
		k = len(r.Leads)
		r.Leads = append(r.Leads, Lead{Kind: leadNames[kind], Label: label, Median: median, Limit: limit})
	}
	l := &r.Leads[k]
	l.Rows++
	l.Most = max(l.Most, share)
	if flagged {
		l.Flagged++
	}
}

// summarise counts flags and collects examples.
func (a *auditor) summarise(ctx context.Context) error {
	r := a.report
	r.Rows = int64(len(a.rows))
	for _, name := range flagNames {
		r.Flags[name] = 0
		for k := range r.Inputs {
			r.Inputs[k].Flags[name] = 0
		}
	}
	words := make([][]int64, len(a.inputs))
	for i := range a.rows {
		row := &a.rows[i]
		in := &r.Inputs[row.input]
		words[row.input] = append(words[row.input], int64(row.words))
		label := "(missing)"
		if row.label >= 0 {
			label = a.labels.words[row.label]
		}
		if a.cfg.Label != "" {
			in.Labels[label]++
		}
		if row.flags == 0 {
			r.Clean++
		}
		for _, name := range row.flags.Names() {
			r.Flags[name]++
			in.Flags[name]++
		}
	}
	for k, w := range words {
		slices.Sort(w)
		if n := len(w); n > 0 {
			r.Inputs[k].Words = []int64{w[0], w[n/4], w[n/2], w[3*n/4], w[n-1]}
		}
	}
	for g, n := range r.Unknown.counts {
		r.Unknown.Most = append(r.Unknown.Most, WordCount{r.Unknown.names[g], n})
	}
	slices.SortFunc(r.Unknown.Most, func(x, y WordCount) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Word, y.Word)) })
	r.Unknown.Most = r.Unknown.Most[:min(20, len(r.Unknown.Most))]
	slices.SortStableFunc(r.Leads, func(x, y Lead) int { return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Label, y.Label)) })
	slices.SortFunc(r.Lineages, func(x, y Lineage) int {
		return cmp.Or(cmp.Compare(y.Rows, x.Rows), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Of, y.Of))
	})
	slices.SortFunc(r.Leakage, func(x, y Leakage) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	if len(a.genes.words) == maxWords {
		r.warn("there are more than %d different words: those beyond are not looked at", maxWords)
	}
	a.agreement()
	return a.examples(ctx)
}

// agreement compares the verdicts of the two junk scores.
func (a *auditor) agreement() {
	const steps = 9
	j := &a.report.Junk
	j.CheapHistogram, j.ContentHistogram = make([]int64, steps), make([]int64, steps)
	bin := func(h []int64, v float32) { h[min(max(int(v*4), 0), steps-1)]++ }
	var table [2][2]float64
	for i := range a.rows {
		r := &a.rows[i]
		cheap, content := r.flags&FlagCheapJunk != 0, r.flags&FlagContentJunk != 0
		bin(j.CheapHistogram, r.cheap)
		if cheap {
			j.Cheap++
		}
		if !r.hasScore {
			continue
		}
		bin(j.ContentHistogram, r.content)
		j.Scored++
		if content {
			j.Content++
		}
		if cheap && content {
			j.Both++
		}
		table[index(cheap)][index(content)]++
	}
	n := float64(j.Scored)
	if n == 0 {
		return
	}
	agree := (table[0][0] + table[1][1]) / n
	chance := ((table[0][0]+table[0][1])*(table[0][0]+table[1][0]) + (table[1][0]+table[1][1])*(table[0][1]+table[1][1])) / (n * n)
	if chance < 1 {
		kappa := (agree - chance) / (1 - chance)
		j.Kappa = &kappa
	}
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// examples reads some rows of each flag once more, to show them.
func (a *auditor) examples(ctx context.Context) error {
	want := map[int][]Flags{} // by row
	for k := range flagNames {
		left := a.cfg.Examples
		for i := 0; i < len(a.rows) && left > 0; i++ {
			if a.rows[i].flags>>k&1 != 0 {
				want[i] = append(want[i], 1<<k)
				left--
			}
		}
	}
	next := slices.Sorted(maps.Keys(want))
	for input := range a.inputs {
		end := len(a.rows)
		if input+1 < len(a.starts) {
			end = a.starts[input+1]
		}
		if len(next) == 0 || next[0] >= end {
			continue
		}
		for b, err := range Read(ctx, a.inputs[input].Path, a.read()) {
			if err != nil {
				return err
			}
			for len(next) > 0 && next[0] < min(a.starts[input]+int(b.Start)+b.Rows(), end) {
				i := next[0]
				next = next[1:]
				e := a.example(b, i-a.starts[input]-int(b.Start), i)
				for _, f := range want[i] {
					e.Flag = f.String()
					a.report.Examples = append(a.report.Examples, e)
				}
			}
			if len(next) == 0 || next[0] >= end {
				break
			}
		}
	}
	slices.SortStableFunc(a.report.Examples, func(x, y Example) int {
		return cmp.Compare(slices.Index(flagNames[:], x.Flag), slices.Index(flagNames[:], y.Flag))
	})
	return nil
}

func (a *auditor) example(b *Batch, at, i int) Example {
	r := &a.rows[i]
	e := Example{
		Input: a.inputs[r.input].Name, Row: int64(i - a.starts[r.input]), Flags: r.flags.Names(),
		Words: int64(r.words), Cheap: float64(r.cheap),
	}
	if c := b.Column(a.cfg.Name); c != nil {
		e.Name = string(c.Print(nil, at))
	}
	if c := b.Column(a.cfg.Label); c != nil {
		e.Label = string(c.Print(nil, at))
	}
	if r.hasScore {
		v := float64(r.content)
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			e.Content = &v
		}
		if r.rival >= 0 {
			e.Rival = a.labels.words[r.rival]
		}
	}
	const most = 20
	n := 0
	a.words(b.Column(a.cfg.Text).TextAt(at), func(word []byte) {
		if n++; n <= most {
			if n > 1 {
				e.Begins += a.cfg.Delimiter
			}
			e.Begins += string(word[:min(len(word), 100)])
		}
	})
	return e
}
