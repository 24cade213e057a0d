package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/embedding"
	"github.com/cellsentence/c2s/scfid"
)

// scfidFlags are the flags of scfid.
type scfidFlags struct {
	keys    []string
	groupby []string
	donor   string
	labels  []string
	drop    bool
	part    partFlags
}

func newScfid(g *globals) *cobra.Command {
	o := new(scfidFlags)
	cmd := &cobra.Command{
		Use: "scfid REAL GEN [GEN2 ...] [-o DIR]", Short: "Measure how far generated cells are from real ones", GroupID: groupEvaluate, Args: scfidArgs(g),
		Long: `scfid measures the Fréchet distance (FD) between real and generated cells in an
embedding space, and what tells whether the number means anything: the bias floor
that equal distributions of these sizes reach, the extrapolation to infinitely many
cells, a 95 % interval, kernel distances, precision, recall, density and coverage, and
a permutation test. --groupby does the same for each combination of labels; their
unweighted mean is scFID. Of several generated sets it gives a ranking at equal
numbers of cells, and says which cannot be told apart.

Embeddings are an .npy matrix (a row a cell), a matrix in obsm of an .h5ad, a column
of lists of a .parquet, or an .npz of mu and sigma, which gives the distance alone.
c2s embed makes them. Labels come from obs, from other columns of the .parquet, or
from a TSV file of --labels: column names in its first line, then a line a cell.

DIR gets result.json, groups.tsv, the figures as PNG and SVG, and index.html.

c2s scfid CELLS -o NAME.npz writes the mean and the covariance of one set, which stand
for it in any comparison. With --shard I/N a job writes its part of them, for which it
reads its rows only; c2s merge joins the parts to the same bytes.`,
		Example: `  c2s embed testdata/demo.h5ad --method pca --components 10 -o cells.npy
  c2s scfid cells.npy cells.npy
  c2s scfid cells.npy -o cells.npz`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g, args); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			if len(args) == 1 {
				return runMoments(cmd, g, o, args[0])
			}
			return runScfid(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.keys, "key", nil, "the embedding, a `NAME` in obsm or a column; one for all files, or one for each .h5ad and .parquet")
	f.StringSliceVar(&o.groupby, "groupby", nil, "compare the groups of these `COLUMNS` of labels, too")
	f.StringVar(&o.donor, "donor", "", "the `COLUMN` of the donors: adds the floor between donors, and takes intervals over them")
	f.StringSliceVar(&o.labels, "labels", nil, "TSV `FILE` of the labels of an .npy; one for each .npy in order")
	f.BoolVar(&o.drop, "drop-nonfinite", false, "leave out rows with NaN or infinite values")
	o.part.add(f)
	return cmd
}

// scfidArgs asks for two sets, or for one whose moments go to an .npz.
func scfidArgs(g *globals) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && strings.EqualFold(filepath.Ext(g.out), ".npz") {
			return nil
		}
		return need(2, -1)(cmd, args)
	}
}

func (o *scfidFlags) check(g *globals, paths []string) error {
	if g.out == "-" {
		return errors.New("-o names a folder; --json prints the result to stdout")
	}
	if len(paths) == 1 {
		return o.checkMoments(paths[0])
	}
	if o.part.text != "" {
		return errors.New("--shard is for the moments of one set: c2s scfid CELLS --shard I/N -o NAME.npz")
	}
	keyed, plain := 0, 0
	for _, p := range paths {
		switch strings.ToLower(filepath.Ext(p)) {
		case ".npy":
			plain++
		case ".npz":
		default:
			keyed++
		}
	}
	switch n := len(o.keys); {
	case n > 1 && n != keyed:
		return fmt.Errorf("%d names of --key for %d files that have names: give one for all, or one for each", n, keyed)
	case len(o.labels) > plain:
		return fmt.Errorf("%d files of --labels for %d .npy files", len(o.labels), plain)
	case len(o.labels) > 0 && len(o.groupby) == 0 && o.donor == "":
		return errors.New("--labels needs --groupby or --donor, which say what to take from them")
	}
	return nil
}

// scfidInput is an open set of embeddings with its name in the results.
type scfidInput struct {
	*embedding.Set
	name string
	side scfid.Side
}

// open opens the sets; the first is the real cells.
func (o *scfidFlags) open(ctx context.Context, g *globals, paths []string) (sets []*scfidInput, closeAll func() error, err error) {
	closeAll = func() error {
		var err error
		for _, s := range sets {
			err = errors.Join(err, s.Close())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll())
		}
	}()
	keys, labels := o.keys, o.labels
	for i, path := range paths {
		opts := embedding.Options{Memory: g.budget() / int64(2*len(paths)), Workers: g.workers()}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".npy":
			if len(labels) > 0 {
				opts.Labels, labels = labels[0], labels[1:]
			}
		case ".npz":
		default:
			if len(keys) > 0 {
				opts.Key = keys[0]
			}
			if len(keys) > 1 {
				keys = keys[1:]
			}
		}
		set, err := embedding.Open(ctx, path, opts)
		if err != nil {
			return sets, closeAll, err
		}
		sets = append(sets, &scfidInput{Set: set, name: setName(paths, i), side: set.Side()})
		if err := o.label(ctx, sets[i], i == 0); err != nil {
			return sets, closeAll, err
		}
	}
	return sets, closeAll, nil
}

// label adds the groups and donors of the cells. Generated cells may have no donors.
func (o *scfidFlags) label(ctx context.Context, s *scfidInput, real bool) (err error) {
	if len(o.groupby) > 0 {
		if s.side.Groups, err = s.Labels(ctx, o.groupby); err != nil {
			return err
		}
	}
	if o.donor == "" || !real && !s.Has(o.donor) {
		return nil
	}
	if s.side.Donors, err = s.Labels(ctx, []string{o.donor}); err != nil {
		return err
	}
	if i := slices.Index(s.side.Donors, ""); i >= 0 {
		return &inputError{fmt.Errorf("%s: the donor of row %d (counted from 0) is missing in %s", s.Path, i, o.donor), "fill the column, or leave such cells out"}
	}
	return nil
}

// setName is the name of a file without its folder and ending, or its path where
// others have that name, too.
func setName(paths []string, i int) string {
	short := func(p string) string {
		base := filepath.Base(p)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	for k, p := range paths {
		if k > 0 && k != i && short(p) == short(paths[i]) {
			return paths[i]
		}
	}
	return short(paths[i])
}

// scfidSet is the result of one generated set.
type scfidSet struct {
	Name    string `json:"name"`
	Real    string `json:"real"`
	Gen     string `json:"gen"`
	Verdict string `json:"verdict"`
	*scfid.Result
	Methods string `json:"methods"`

	projection *scfid.Projection
}

// scfidResult is all results; its JSON is that of the set where there is one.
type scfidResult struct {
	Sets       []*scfidSet       `json:"results"`
	Comparison *scfid.Comparison `json:"comparison"`
	Verdict    string            `json:"verdict"`
}

func (r *scfidResult) json() any {
	if len(r.Sets) == 1 {
		return r.Sets[0]
	}
	return r
}

// warnings is those of all sets, each behind the name of its set where there are
// several. Those of groups are apart: there may be many.
func (r *scfidResult) warnings() (whole, groups []string) {
	for _, s := range r.Sets {
		for _, w := range s.Warnings {
			to := &whole
			if strings.HasPrefix(w, "group ") {
				to = &groups
			}
			if len(r.Sets) > 1 {
				w = s.Name + ": " + w
			}
			*to = append(*to, w)
		}
	}
	if r.Comparison != nil {
		for _, w := range r.Comparison.Warnings {
			whole = append(whole, "comparison: "+w)
		}
	}
	return whole, groups
}

func runScfid(ctx context.Context, g *globals, o *scfidFlags, paths []string) (err error) {
	out, err := newScfidFolder(g, append(slices.Clone(paths), o.labels...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.abort()) }()
	sets, closeAll, err := o.open(ctx, g, paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	result, err := o.measure(ctx, g, sets)
	if err != nil {
		return err
	}
	if err := out.write(ctx, g, o, result); err != nil {
		return err
	}
	whole, groups := result.warnings()
	log := g.logger()
	for _, w := range whole {
		log.Warn(w)
	}
	const shown = 5
	for _, w := range groups[:min(shown, len(groups))] {
		log.Warn(w)
	}
	if n := len(groups) - shown; n > 0 {
		log.Warn(fmt.Sprintf("%d further warnings about groups are in the JSON and in the report", n))
	}
	if g.json {
		return printJSON(g.stdout, result.json())
	}
	return result.text(g.stdout)
}

// measure compares the sets, the first of which is real.
func (o *scfidFlags) measure(ctx context.Context, g *globals, sets []*scfidInput) (*scfidResult, error) {
	cfg := scfid.Config{Seed: g.seed, Workers: g.workers(), DropNonFinite: o.drop}
	bar := g.start("comparing with "+sets[0].Path, "sets", int64(len(sets)-1))
	defer bar.Stop()
	real, r := sets[0], &scfidResult{}
	if len(sets) > 2 {
		var gens []scfid.Named
		for _, s := range sets[1:] {
			gens = append(gens, scfid.Named{Name: s.name, Side: s.side})
		}
		var err error
		if r.Comparison, err = scfid.Compare(ctx, real.side, gens, cfg); err != nil {
			return nil, ofScfid("comparison with "+real.Path, err)
		}
		r.Verdict = r.Comparison.Verdict()
	}
	for _, s := range sets[1:] {
		result, err := scfid.Evaluate(ctx, real.side, s.side, cfg)
		if err != nil {
			return nil, ofScfid(s.Path+" against "+real.Path, err)
		}
		set := &scfidSet{Name: s.name, Real: real.Path, Gen: s.Path, Verdict: result.Verdict(), Result: result, Methods: result.Methods()}
		if g.out != "" && real.side.Rows != nil && s.side.Rows != nil {
			if set.projection, err = scfid.Project(ctx, real.side.Rows, s.side.Rows, 0, g.seed); err != nil {
				return nil, ofScfid(s.Path, err)
			}
		}
		r.Sets = append(r.Sets, set)
		bar.Add(1)
	}
	return r, nil
}

// ofScfid says which files an error is about, and what to do.
func ofScfid(of string, err error) error {
	if _, ok := errors.AsType[*scfid.NonFiniteError](err); ok {
		return &inputError{fmt.Errorf("%s: %w", of, err), "--drop-nonfinite leaves such rows out"}
	}
	return fmt.Errorf("%s: %w", of, err)
}
