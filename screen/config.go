package screen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/cellsentence/c2s/internal/spelling"
	"github.com/cellsentence/c2s/screen/record"
)

// Config is a screen.yaml. The tags doc are its documentation: they are the comments of
// [Config.Template] and the descriptions of [Schema].
type Config struct {
	Title     string   `yaml:"title,omitempty" doc:"What the screen is about, in a line."`
	Contexts  Contexts `yaml:"contexts" doc:"The two contexts. They must not share a cell."`
	Match     string   `yaml:"match,omitempty" enum:"cell_type,none" doc:"cell_type (the default) takes the same mixture of cell types in both contexts and from all donors; none takes the cells as they come, and the mixture alone may then look like a difference."`
	Cells     int      `yaml:"cells,omitempty" doc:"Cells of each donor in each context (default 50)."`
	Genes     int      `yaml:"genes,omitempty" doc:"Genes of a cell that are shown and asked for (default 200, as C2S models were trained; 32 for the demo model)."`
	Organism  string   `yaml:"organism,omitempty" doc:"Species, as prompts name it (default Homo sapiens)."`
	Compounds string   `yaml:"compounds" doc:"A TSV with the columns name and, if known, smiles, inchikey, mechanism, targets (a;b), dose, known (inducer or inert) and known_evidence (a PMID)."`
	Program   string   `yaml:"program,omitempty" doc:"The gene program to raise: mhc1_core (the default), mhc1_light, mhc1_core_noIFN, FILE.gmt#SET, or a list of genes, one a line, with a tab and - behind those that should fall."`
	// Interferon and Side are programs as well.
	Interferon []string        `yaml:"interferon,omitempty" doc:"Programs that tell the contexts apart, as program is written (default: a list of well-known genes; better are the Hallmark sets INTERFERON_ALPHA_RESPONSE and INTERFERON_GAMMA_RESPONSE of MSigDB)."`
	Side       []string        `yaml:"side,omitempty" doc:"Programs that are only watched, such as stress and apoptosis."`
	Predictor  PredictorConfig `yaml:"predictor,omitempty" doc:"What is asked."`
	Baseline   PredictorConfig `yaml:"baseline,omitempty" doc:"A predictor without a language model beside it, such as additive; its opinion stands in the results."`
	Controls   Controls        `yaml:"controls" doc:"What the answers are held against."`
	Margin     Margin          `yaml:"margin,omitempty" doc:"How far the program may move in a context and still count as unmoved."`
	Leading    Leading         `yaml:"leading,omitempty" doc:"Compounds that look promising are asked about at several doses."`
	Design     string          `yaml:"design,omitempty" enum:"fixed,racing" doc:"fixed (the default) asks about all cells for every compound; racing drops hopeless compounds early."`
	Racing     Racing          `yaml:"racing,omitempty" doc:"Settings of the design racing."`
	Order      string          `yaml:"order,omitempty" enum:"trained,pilot" doc:"trained (the default) keeps the words that the model was trained on; pilot tries a prompt with the cell before the compound, which lets servers share the work on a cell, and takes it if the positive controls do the same in both (concordance of 0.9)."`
	Budget     Budget          `yaml:"budget,omitempty" doc:"Where the run stops; it goes on when the budget is raised. 0 is no limit."`
	Price      Price           `yaml:"price,omitempty" doc:"What it costs, for the plan and for a budget of money."`
	Seed       uint64          `yaml:"seed,omitempty" doc:"Keys everything that is random (default 42)."`

	path string
}

// Contexts are the two contexts of a screen.
type Contexts struct {
	Positive ContextConfig `yaml:"positive" doc:"Where the program should rise: a little interferon."`
	Neutral  ContextConfig `yaml:"neutral" doc:"Where it should stay: no interferon."`
}

// ContextConfig says which cells a context has.
type ContextConfig struct {
	File     string `yaml:"file" doc:"The cells, an h5ad, relative to this file."`
	Where    string `yaml:"where,omitempty" doc:"Which of its cells, as in c2s convert --where."`
	Layer    string `yaml:"layer,omitempty" doc:"The layer that holds the counts, or raw (default X)."`
	Donor    string `yaml:"donor" doc:"The column of obs that names the donor or cell line."`
	Pattern  string `yaml:"donor_pattern,omitempty" doc:"A regular expression whose match in that column is the donor, where the column says more: '\\d+$' finds 101 in ctrl101."`
	CellType string `yaml:"cell_type,omitempty" doc:"The column of obs that names the cell type."`
	Word     string `yaml:"word,omitempty" doc:"The word for the context in prompts, where the model's have a place for one."`
}

// PredictorConfig names a predictor. Package screen takes predictors as they are; this
// tells the command which to open, and goes into the digest of the plan.
type PredictorConfig struct {
	Name        string  `yaml:"name,omitempty" enum:"llm,additive,mean-response,nearest,control" doc:"llm (the default of predictor), additive, mean-response, nearest or control."`
	Temperature float64 `yaml:"temperature,omitempty" doc:"Temperature of a language model; at 0 each answer is drawn once."`
	MaxTokens   int     `yaml:"max_tokens,omitempty" doc:"Longest answer in tokens (default 8 a gene)."`
	Reference   string  `yaml:"reference,omitempty" doc:"Perturbed and control cells, an h5ad, that the other predictors learn from."`
	Column      string  `yaml:"perturbation,omitempty" doc:"The column of obs in reference that names the perturbation."`
	Control     string  `yaml:"control,omitempty" doc:"The value of that column for untreated cells."`
	Where       string  `yaml:"where,omitempty" doc:"Which of the reference's cells are learnt from. {donor} stands for the donor that is predicted, so that it can be left out: donor != '{donor}'."`
	Signatures  string  `yaml:"signatures,omitempty" doc:"A table of signatures, perturbations by genes, for what reference does not know; values are cut at 10."`
	GeneNames   string  `yaml:"signature_genes,omitempty" doc:"Names for the gene ids of signatures: ids and names, or an ortholog table."`
	Names       string  `yaml:"signature_names,omitempty" doc:"Names for the perturbations of signatures: ids and names."`
	Norm        float64 `yaml:"norm,omitempty" doc:"The Euclidean length that signatures get, as their unit is not that of cells."`
	NormOf      string  `yaml:"norm_of,omitempty" doc:"Instead of norm: the perturbation of reference whose length they get."`
}

// Controls are what the answers are held against.
type Controls struct {
	Vehicle    int        `yaml:"vehicle_replicates,omitempty" doc:"Draws of the vehicle for each cell (default 32; one for predictors that do not draw)."`
	Positive   []string   `yaml:"positive" doc:"Compounds known to raise the program in both contexts; the first is the unit of the margin."`
	Decoys     Decoys     `yaml:"decoys,omitempty" doc:"Names of compounds that do not exist, in families."`
	Interferon Interferon `yaml:"interferon,omitempty" doc:"A little interferon in the neutral context, alone and with each compound that is leading: the experiment that was done in the laboratory."`
	Accept     bool       `yaml:"accept_contexts,omitempty" doc:"Go on although the contexts do not differ by interferon as they should."`
}

// Decoys are the numbers of invented compounds.
type Decoys struct {
	Invented *int `yaml:"invented,omitempty" doc:"Invented names as long as real ones (default: a quarter of the compounds, the fewest from which a false discovery rate can be told)."`
	Stem     *int `yaml:"stem,omitempty" doc:"Invented names with the stem of a real class, such as -sertib (default: a quarter of the compounds)."`
	Shuffled *int `yaml:"shuffled,omitempty" doc:"Names of the list with their letters shuffled (default: a quarter of the compounds)."`
}

// Interferon is the treatment of the neutral context.
type Interferon struct {
	Name string `yaml:"name,omitempty" doc:"Its name, as the model knows it; none: the arms are left out."`
	Dose string `yaml:"dose,omitempty" doc:"Its dose."`
}

// Margin is the width of no effect.
type Margin struct {
	Share float64 `yaml:"share,omitempty" doc:"As a share of what the first positive control does in the neutral context (default 0.25)."`
	Value float64 `yaml:"value,omitempty" doc:"As a difference of U scores, instead of share."`
}

// Leading says which compounds are asked about at several doses.
type Leading struct {
	Doses []string `yaml:"doses,omitempty" doc:"At least three, rising. They are asked about beside the dose of the list of compounds, which may be one of them; none: leading compounds have one dose, too."`
	T     float64  `yaml:"t,omitempty" doc:"The least moderated t of the positive effect and of the split that makes a compound leading (default 3)."`
	Names []string `yaml:"names,omitempty" doc:"Compounds that are leading whatever they do."`
}

// Racing are the settings of the design racing.
type Racing struct {
	First int     `yaml:"first,omitempty" doc:"Cells of each donor in the first stages: positive context, then neutral (default 12)."`
	T     float64 `yaml:"t,omitempty" doc:"A compound whose moderated t of the positive effect or of the split is below this is dropped (default 1)."`
}

// Budget is where a run stops.
type Budget struct {
	Predictions int     `yaml:"predictions,omitempty" doc:"Predictions."`
	Tokens      int     `yaml:"tokens,omitempty" doc:"Tokens of prompts and answers."`
	Hours       float64 `yaml:"hours,omitempty" doc:"Hours of one run of the command."`
	Money       float64 `yaml:"money,omitempty" doc:"Money, at the given price."`
}

// Price is what predictions cost.
type Price struct {
	Prompt float64 `yaml:"prompt,omitempty" doc:"A million tokens of prompts."`
	Answer float64 `yaml:"answer,omitempty" doc:"A million tokens of answers."`
	Hour   float64 `yaml:"hour,omitempty" doc:"An hour of the machine."`
	Rate   float64 `yaml:"rate,omitempty" doc:"Predictions a second that the model makes, as c2s model check measures; for hours in the plan."`
}

const (
	matchCellType = "cell_type"
	matchNone     = "none"
	designFixed   = "fixed"
	designRacing  = "racing"
	orderTrained  = "trained"
	orderPilot    = "pilot"
)

const (
	// maxConfig is the most that a screen.yaml may have, in bytes.
	maxConfig = 1 << 20
	// maxNested is how deep brackets may be in each other; the parser's memory grows with
	// the square of it. A screen.yaml has three.
	maxNested = 500
)

// ReadConfig reads a screen.yaml, fills in the defaults and checks it. Its errors about
// the file are of the type [*Error].
func ReadConfig(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxConfig {
		return nil, wrong(path, "", "more than %d bytes", maxConfig)
	}
	cfg, err := parseConfig(text)
	if err != nil {
		var tip interface{ Hint() string }
		hint := "c2s screen plan --init POS.h5ad NEU.h5ad writes one to begin with"
		if errors.As(err, &tip) {
			hint = tip.Hint()
		}
		return nil, &Error{path, err, hint}
	}
	cfg.path = path
	return cfg, nil
}

// keyError is an unknown key, with the one that was perhaps meant.
type keyError struct {
	text, near string
}

func (e *keyError) Error() string { return e.text }

func (e *keyError) Hint() string {
	if e.near == "" {
		return "c2s screen plan --init shows all keys"
	}
	return fmt.Sprintf("did you mean %s?", e.near)
}

func parseConfig(text []byte) (*Config, error) {
	if nested(text) > maxNested {
		return nil, fmt.Errorf("more than %d brackets in each other", maxNested)
	}
	cfg := new(Config)
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(cfg)
	var unknown *yaml.UnknownFieldError
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case errors.As(err, &unknown):
		key := unknown.Token.Value
		e := &keyError{text: fmt.Sprintf("line %d: unknown key %q", unknown.Token.Position.Line, key)}
		if near := spelling.Nearest(key, allKeys(reflect.TypeFor[Config]()), 1); len(near) > 0 {
			e.near = near[0]
		}
		return nil, e
	case err != nil:
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	cfg.defaults()
	return cfg, cfg.check()
}

// nested is how deep brackets are in each other, those in texts included.
func nested(text []byte) int {
	depth, most := 0, 0
	for _, c := range text {
		switch c {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return most
}

// allKeys lists the keys of a configuration, those of its parts included.
func allKeys(t reflect.Type) []string {
	var keys []string
	for f := range fields(t) {
		keys = append(keys, f.key)
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, allKeys(f.Type)...)
		}
	}
	return keys
}

func (c *Config) defaults() {
	set(&c.Match, matchCellType)
	set(&c.Cells, 50)
	set(&c.Genes, 200)
	set(&c.Organism, "Homo sapiens")
	set(&c.Program, "mhc1_core")
	if len(c.Interferon) == 0 {
		c.Interferon = []string{"interferon"}
	}
	set(&c.Predictor.Name, "llm")
	set(&c.Controls.Vehicle, 32)
	if c.Margin.Value == 0 {
		set(&c.Margin.Share, 0.25)
	}
	set(&c.Leading.T, 3)
	set(&c.Design, designFixed)
	set(&c.Racing.First, 12)
	set(&c.Racing.T, 1)
	set(&c.Order, orderTrained)
	set(&c.Seed, 42)
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// context is the configuration of a context.
func (c *Config) context(which record.Context) *ContextConfig {
	if which == record.Positive {
		return &c.Contexts.Positive
	}
	return &c.Contexts.Neutral
}

// File is where a file lies that the configuration names.
func (c *Config) File(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir(), name)
}

// Dir is the folder of the screen.yaml, where relative names begin.
func (c *Config) Dir() string { return filepath.Dir(c.path) }

// Path is the screen.yaml, as it was given.
func (c *Config) Path() string { return c.path }

// Folder is where the results go if nothing else is said: screen for screen.yaml.
func (c *Config) Folder() string { return strings.TrimSuffix(c.path, filepath.Ext(c.path)) }

func contextName(c record.Context) string {
	if c == record.Positive {
		return "positive"
	}
	return "neutral"
}

func (c *Config) check() error {
	for _, which := range []record.Context{record.Positive, record.Neutral} {
		x, name := c.context(which), "contexts."+contextName(which)
		switch {
		case x.File == "":
			return fmt.Errorf("%s.file is missing", name)
		case x.Donor == "":
			return fmt.Errorf("%s.donor is missing: donors or cell lines are what is replicated", name)
		case x.CellType == "" && c.Match == matchCellType:
			return fmt.Errorf("%s.cell_type is missing: name the column, or give up matching with match: none", name)
		}
	}
	if err := choose("match", c.Match, matchCellType, matchNone); err != nil {
		return err
	}
	if err := choose("design", c.Design, designFixed, designRacing); err != nil {
		return err
	}
	if err := choose("order", c.Order, orderTrained, orderPilot); err != nil {
		return err
	}
	predictors := []string{"llm", "additive", "mean-response", "nearest", "control"}
	if err := choose("predictor.name", c.Predictor.Name, predictors...); err != nil {
		return err
	}
	if c.Baseline.Name != "" {
		if err := choose("baseline.name", c.Baseline.Name, predictors[1:]...); err != nil {
			return err
		}
	}
	for name, p := range map[string]*PredictorConfig{"predictor": &c.Predictor, "baseline": &c.Baseline} {
		if err := p.check(); err != nil {
			return fmt.Errorf("%s.%w", name, err)
		}
	}
	if c.Compounds == "" {
		return errors.New("compounds is missing")
	}
	if len(c.Controls.Positive) == 0 {
		return errors.New("controls.positive is missing: without a positive control nothing can be told from silence")
	}
	if n := len(c.Leading.Doses); n > 0 && n < 3 {
		return fmt.Errorf("leading.doses has %d doses: a trend needs at least 3", n)
	}
	if err := rising(c.Leading.Doses); err != nil {
		return fmt.Errorf("leading.doses %w", err)
	}
	if c.Budget.Money > 0 && c.Price.Prompt == 0 && c.Price.Answer == 0 && c.Price.Hour == 0 {
		return errors.New("budget.money needs a price")
	}
	if c.Margin.Value != 0 && c.Margin.Share != 0 {
		return errors.New("margin.share and margin.value exclude each other")
	}
	for _, n := range []struct {
		name        string
		value       float64
		least, most float64
	}{
		{"cells", float64(c.Cells), 1, 1e6},
		{"genes", float64(c.Genes), 1, 1e5},
		{"controls.vehicle_replicates", float64(c.Controls.Vehicle), 1, 1000},
		{"controls.decoys.invented", number(c.Controls.Decoys.Invented), 0, 1e5},
		{"controls.decoys.stem", number(c.Controls.Decoys.Stem), 0, 1e5},
		{"controls.decoys.shuffled", number(c.Controls.Decoys.Shuffled), 0, 1e5},
		{"predictor.temperature", c.Predictor.Temperature, 0, 100},
		{"predictor.max_tokens", float64(c.Predictor.MaxTokens), 0, 1e6},
		{"predictor.norm", c.Predictor.Norm, 0, 1e6},
		{"baseline.norm", c.Baseline.Norm, 0, 1e6},
		{"margin.share", c.Margin.Share, 0, 1},
		{"margin.value", c.Margin.Value, 0, 1},
		{"leading.t", c.Leading.T, 0, 100},
		{"racing.first", float64(c.Racing.First), 1, 1e6},
		{"racing.t", c.Racing.T, 0, 100},
		{"budget.predictions", float64(c.Budget.Predictions), 0, math.MaxInt},
		{"budget.tokens", float64(c.Budget.Tokens), 0, math.MaxInt},
		{"budget.hours", c.Budget.Hours, 0, 1e6},
		{"budget.money", c.Budget.Money, 0, 1e12},
		{"price.prompt", c.Price.Prompt, 0, 1e9},
		{"price.answer", c.Price.Answer, 0, 1e9},
		{"price.hour", c.Price.Hour, 0, 1e9},
		{"price.rate", c.Price.Rate, 0, 1e9},
	} {
		if !(n.value >= n.least && n.value <= n.most) {
			return fmt.Errorf("%s is %g, expected %g to %g", n.name, n.value, n.least, n.most)
		}
	}
	return nil
}

// rising says what keeps doses from being a series: the sign of a trend is that of their
// order. Numbers are compared where the unit is the same.
func rising(doses []string) error {
	amount := func(dose string) (v float64, unit string, ok bool) {
		text, unit, _ := strings.Cut(strings.TrimSpace(dose), " ")
		v, err := strconv.ParseFloat(text, 64)
		return v, unit, err == nil
	}
	for i, d := range doses {
		switch {
		case d == "":
			return errors.New("has an empty dose")
		case slices.Contains(doses[:i], d):
			return fmt.Errorf("has %q twice", d)
		case i == 0:
			continue
		}
		last, lastUnit, ok := amount(doses[i-1])
		v, unit, too := amount(d)
		if ok && too && unit == lastUnit && !(v > last) {
			return fmt.Errorf("must rise: %q comes after %q", d, doses[i-1])
		}
	}
	return nil
}

// check says which settings of a predictor do not go together.
func (p *PredictorConfig) check() error {
	switch learns := p.Name != "" && p.Name != "llm" && p.Name != "control"; {
	case learns && p.Reference == "" && p.Signatures == "":
		return errors.New("reference is missing: cells or signatures to learn from")
	case !learns && (p.Reference != "" || p.Signatures != ""):
		return fmt.Errorf("reference and signatures do not go with the name %q", p.Name)
	case p.Reference != "" && p.Control == "":
		return errors.New("control is missing: what untreated cells of the reference are called")
	case p.NormOf != "" && (p.Norm > 0 || p.Reference == "" || p.Signatures == ""):
		return errors.New("norm_of goes with reference and signatures, and not with norm")
	case p.Name != "llm" && (p.Temperature != 0 || p.MaxTokens != 0):
		return errors.New("temperature and max_tokens are those of an llm")
	}
	return nil
}

func number(n *int) float64 {
	if n == nil {
		return 0
	}
	return float64(*n)
}

func choose(key, value string, from ...string) error {
	if slices.Contains(from, value) {
		return nil
	}
	near := ""
	if n := spelling.Nearest(value, from, 1); len(n) > 0 {
		near = n[0]
	}
	return &keyError{fmt.Sprintf("%s: %q is none of %s", key, value, strings.Join(from, ", ")), near}
}
