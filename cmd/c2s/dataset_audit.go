package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
)

// auditFlags are the flags of dataset audit.
type auditFlags struct {
	vocab     string
	text      string
	label     string
	groups    []string
	groupsSet bool
	delimiter string
	mads      float64
	near      float64
	examples  int
	format    string
}

func newDatasetAudit(g *globals) *cobra.Command {
	o := new(auditFlags)
	cmd := &cobra.Command{
		Use: "audit IN... -o DIR", Short: "Find what should not be trained on", GroupID: groupData, Args: need(1, -1),
		Long: `audit looks at sentences before a model learns from them: empty and short ones,
duplicates and near-duplicates, within a dataset and between datasets (leakage), cells
with two labels, words that are no genes, sentences led by ribosomal, mitochondrial or
stress genes far more than others of their label, cells with the markers of two
lineages, and donors or batches that go with the label. Two junk scores, from signals
that need no label and from how well label and genes agree, are above 1 for junk.

Each dataset is compared with those named before it: name the training data first.
DIR gets index.html, audit.json, the junk scores as a figure, and each dataset with the
columns c2s_flags, c2s_junk_cheap and c2s_junk_content, which c2s dataset mix reads.`,
		Example: `  c2s encode testdata/demo.h5ad -o cells.parquet
  c2s dataset audit cells.parquet --vocab testdata/demo.h5ad -o audit`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.groupsSet = cmd.Flags().Changed("groups")
			if err := o.check(g, args); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runDatasetAudit(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.vocab, "vocab", "", "genes that there are: a `FILE` of c2s vocab, or an .h5ad (default: not checked)")
	f.StringVar(&o.text, "text", "", "`COLUMN` of the sentences (default: cell_sentence)")
	f.StringVar(&o.label, "label", "", "`COLUMN` of the cell type; - for none (default: cell_type, if it is there)")
	f.StringSliceVar(&o.groups, "groups", nil, "columns that should not go with the label, `a,b` (default: donor, donor_id, batch, sample)")
	f.StringVar(&o.delimiter, "delimiter", " ", "text between the genes")
	f.Float64Var(&o.mads, "mads", 5, "flag what lies more than `N` median absolute deviations away")
	f.Float64Var(&o.near, "near", 0.9, "Jaccard `SIMILARITY` of near-duplicates, 0.8 to 1")
	f.IntVar(&o.examples, "examples", 5, "show `N` rows of each flag")
	f.StringVar(&o.format, "format", "", "`FORMAT` of the flagged datasets, such as parquet or jsonl.gz (default: that of IN)")
	return cmd
}

func (o *auditFlags) check(g *globals, inputs []string) error {
	if err := needFolder(g, inputs); err != nil {
		return err
	}
	switch {
	case o.delimiter == "":
		return errors.New("--delimiter cannot be empty")
	case o.examples < 1:
		return errors.New("--examples must be above 0")
	case o.mads == 0 || o.near == 0:
		return errors.New("--mads and --near cannot be 0")
	}
	if _, err := ending(o.format, inputs[0], true); err != nil {
		return err
	}
	return o.config().Check()
}

func (o *auditFlags) config() dataset.AuditConfig {
	cfg := dataset.AuditConfig{
		Text: o.text, Label: o.label, Delimiter: o.delimiter, MADs: o.mads, Near: o.near, Examples: o.examples,
	}
	if o.groupsSet {
		cfg.Groups = append([]string{}, o.groups...)
	}
	return cfg
}

// auditInputs gives each dataset a name of its own.
func auditInputs(paths []string) []dataset.AuditInput {
	var list []dataset.AuditInput
	taken := map[string]bool{"manifest": true, "audit": true, "junk": true, "index": true}
	for _, path := range paths {
		base := withoutEnding(path)
		name := base
		for k := 2; taken[name]; k++ {
			name = fmt.Sprintf("%s-%d", base, k)
		}
		taken[name] = true
		list = append(list, dataset.AuditInput{Name: name, Path: path})
	}
	return list
}

// auditReport is the report with what the command adds.
type auditReport struct {
	dataset.Report
	Verdict string `json:"verdict"`
	// LabelFlags counts the rows of each label by flag.
	LabelFlags map[string]map[string]int64 `json:"label_flags"`
	// Flagged are the datasets with their flags, beside the inputs.
	Flagged []string `json:"flagged"`
}

func runDatasetAudit(ctx context.Context, g *globals, o *auditFlags, paths []string) (err error) {
	inputs := auditInputs(paths)
	cfg := o.config()
	protected := paths
	if o.vocab != "" {
		protected = append(append([]string{}, paths...), o.vocab)
		if cfg.Vocabulary, err = vocabularyOf(ctx, g, o.vocab); err != nil {
			return err
		}
		for _, path := range paths {
			if err := o.knowsWords(ctx, path, cfg.Vocabulary); err != nil {
				return err
			}
		}
	}
	dir, err := g.createFolder(protected...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	bar := g.start("auditing "+strings.Join(paths, ", "), "rows", 0)
	defer bar.Stop()
	result, err := dataset.Audit(ctx, inputs, cfg)
	if err != nil {
		return err
	}
	full := &auditReport{Report: result.Report}
	if full.LabelFlags, err = labelFlags(ctx, result, inputs); err != nil {
		return err
	}
	for k, in := range inputs {
		end, err := ending(o.format, in.Path, true)
		if err != nil {
			return err
		}
		full.Flagged = append(full.Flagged, in.Name+end)
		if err := result.Write(ctx, k, dir.file(in.Name+end), dataset.Options{Jobs: g.workers()}); err != nil {
			return err
		}
	}
	full.Verdict = auditVerdict(&full.Report)
	about := manifest.Manifest{
		Command: "dataset audit", Warnings: full.Warnings,
		Options: map[string]any{"settings": full.Settings, "vocab": o.vocab, "format": o.format},
		Counts:  map[string]int64{"rows": full.Rows, "clean": full.Clean},
	}
	maps.Copy(about.Counts, full.Flags)
	if about.Inputs, err = dir.hashes(ctx); err != nil {
		return err
	}
	if err := writeAuditPage(dir, full, about.Inputs); err != nil {
		return err
	}
	if err := dir.finish(ctx, about, "audit.json", full); err != nil {
		return err
	}
	log := g.logger()
	for _, text := range full.Warnings {
		log.Warn(text)
	}
	if g.json {
		return printJSON(g.stdout, full)
	}
	_, err = fmt.Fprintln(g.stdout, printable(full.Verdict))
	return err
}

// knowsWords returns an error if no word of a dataset is in the vocabulary. It reads
// up to the first that is.
func (o *auditFlags) knowsWords(ctx context.Context, path string, v *cellsentence.Vocabulary) error {
	column := o.text
	if column == "" {
		column = dataset.ColumnSentence
	}
	first := ""
	for b, err := range dataset.Read(ctx, path, dataset.ReadOptions{Columns: []string{column}, Rows: 64}) {
		if err != nil {
			return err
		}
		for i := range b.Rows() {
			for word := range strings.SplitSeq(string(b.Columns[0].Print(nil, i)), o.delimiter) {
				switch {
				case v.Index(word) >= 0:
					return nil
				case first == "":
					first = word
				}
			}
		}
	}
	if first == "" {
		return nil // there is no word at all
	}
	return &inputError{
		fmt.Errorf("%s: no word is a gene of %s, such as %.60q", path, o.vocab, first),
		"name the vocabulary of these sentences with --vocab, or what stands between their words with --delimiter",
	}
}

// vocabularyOf reads genes from a file of c2s vocab, or from an .h5ad.
func vocabularyOf(ctx context.Context, g *globals, path string) (*cellsentence.Vocabulary, error) {
	words, _, err := (&decodeFlags{vocab: path}).genes(ctx, g)
	if err != nil {
		return nil, err
	}
	v := new(cellsentence.Vocabulary)
	for _, word := range words {
		v.Add(word, 1)
	}
	return v, nil
}

// labelFlags counts flags by label; the labels are read once more.
func labelFlags(ctx context.Context, a *dataset.AuditResult, inputs []dataset.AuditInput) (map[string]map[string]int64, error) {
	out := map[string]map[string]int64{}
	label := a.Report.Settings.Label
	if label == "" {
		return out, nil
	}
	for k, in := range inputs {
		for b, err := range dataset.Read(ctx, in.Path, dataset.ReadOptions{Columns: []string{label}}) {
			if err != nil {
				return nil, err
			}
			for i := range b.Rows() {
				flags := a.Flags(k, int(b.Start)+i)
				if flags == 0 {
					continue
				}
				name := "(missing)"
				if !b.Columns[0].Missing[i] {
					name = string(b.Columns[0].Print(nil, i))
				}
				if out[name] == nil {
					out[name] = map[string]int64{}
				}
				for _, f := range flags.Names() {
					out[name][f]++
				}
			}
		}
	}
	return out, nil
}

// writeAuditPage writes index.html and the figure.
func writeAuditPage(dir *datasetFolder, r *auditReport, inputs []manifest.Input) error {
	figure, err := junkFigure(&r.Junk)
	if err != nil {
		return err
	}
	var svg, png bytes.Buffer
	if err := errors.Join(figure.SVG(&svg), figure.PNG(&png)); err != nil {
		return err
	}
	page := auditPage(r, svg.Bytes())
	for _, in := range inputs {
		page.Made = append(page.Made, report.Fact{Name: in.Path, Value: "SHA-256 " + in.SHA256})
	}
	page.Made = append(page.Made, report.Fact{Name: "Made by", Value: "c2s " + version})
	var html bytes.Buffer
	if err := page.Write(&html); err != nil {
		return err
	}
	for name, b := range map[string]io.Reader{"junk.svg": &svg, "junk.png": &png, "index.html": &html} {
		data, err := io.ReadAll(b)
		if err != nil {
			return err
		}
		if err := os.WriteFile(dir.file(name), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
