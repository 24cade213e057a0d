package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/embedding"
	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/scfid"
)

// partOfMoments is the ending of a part: it is no .npz yet, since how its blocks of rows
// are to be joined must be kept.
const partOfMoments = ".moments"

// checkMoments checks the flags of a call with one set.
func (o *scfidFlags) checkMoments(path string) error {
	switch {
	case len(o.groupby) > 0 || o.donor != "" || len(o.labels) > 0:
		return errors.New("--groupby, --donor and --labels are for comparisons")
	case o.drop:
		return errors.New("--drop-nonfinite is for comparisons: parts of moments must have all rows")
	case strings.EqualFold(filepath.Ext(path), ".npz"):
		return fmt.Errorf("%s: statistics are moments already", path)
	case len(o.keys) > 1:
		return fmt.Errorf("%d names of --key for one file", len(o.keys))
	}
	return nil
}

// momentsResult is what is printed of moments.
type momentsResult struct {
	Out  string `json:"out"`
	Rows int    `json:"rows"` // that were read
	Dim  int    `json:"dim"`
}

// runMoments writes the moments of one set, or a part of them.
func runMoments(cmd *cobra.Command, g *globals, o *scfidFlags, path string) (err error) {
	ctx := cmd.Context()
	if err := o.part.resolve(g, nil); err != nil {
		return &usageError{err, cmd.CommandPath()}
	}
	opts := embedding.Options{Memory: g.budget() / 2, Workers: g.workers()}
	if len(o.keys) > 0 {
		opts.Key = o.keys[0]
	}
	set, err := embedding.Open(ctx, path, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	rows := set.Side().Rows
	if !o.part.Whole() {
		g.out = strings.TrimSuffix(g.out, filepath.Ext(g.out)) + partOfMoments
		inputs, err := contents(ctx, g, path)
		if err != nil {
			return err
		}
		if fresh, err := o.part.begin(ctx, g, "scfid", inputs, map[string]string{"key": set.Key}); fresh || err != nil {
			return err
		}
	}
	r := o.part.rows(rows.Len())
	from, to := r.From, r.To
	acc, err := scfid.Accumulate(ctx, rows, from, to, g.workers())
	if err != nil {
		if bad, ok := errors.AsType[*scfid.NonFiniteError](err); ok {
			bad.Side = "moments"
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	write := acc.Write
	if o.part.Whole() {
		write = func(w io.Writer) error { return writeMoments(w, acc) }
	}
	if err := writeFile(g.out, atomicfile.Options{Force: g.force, Inputs: []string{path}}, write); err != nil {
		return fmt.Errorf("%s: %w", g.out, err)
	}
	if err := o.part.finish(ctx, g, map[string]int64{"rows": int64(to - from)}, nil); err != nil {
		return err
	}
	if g.json {
		return printJSON(g.stdout, momentsResult{g.out, to - from, rows.Dim()})
	}
	g.logger().Info(fmt.Sprintf("moments of %d rows in %d dimensions in %s", to-from, rows.Dim(), g.out))
	return nil
}

// writeMoments writes moments as pytorch-fid keeps them.
func writeMoments(w io.Writer, acc *scfid.Accumulator) error {
	m, err := acc.Moments()
	if err != nil {
		return err
	}
	d := len(m.Mean)
	sigma := make([]float64, d*d)
	for i := range d {
		for j := range d {
			sigma[i*d+j] = m.Cov.At(i, j)
		}
	}
	return embedfile.WriteStats(w, &embedfile.Stats{N: m.N, Mu: m.Mean, Sigma: sigma})
}

// writeFile writes a file that appears whole or not at all.
func writeFile(path string, opts atomicfile.Options, write func(io.Writer) error) (err error) {
	f, err := atomicfile.Create(path, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	buf := bufio.NewWriterSize(f, 1<<18)
	if err := errors.Join(write(buf), buf.Flush()); err != nil {
		return err
	}
	return f.Commit()
}

// mergeMoments joins the parts of moments, in order, to an .npz. It gives the number of
// rows.
func mergeMoments(ctx context.Context, g *globals, set *shard.Set) (int64, error) {
	if !strings.EqualFold(filepath.Ext(g.out), ".npz") {
		return 0, &inputError{fmt.Errorf("%s: parts of moments become an .npz", g.out), "name OUT as the jobs did"}
	}
	var all *scfid.Accumulator
	for _, path := range set.Paths {
		part, err := readPart(ctx, path, g.workers())
		if err == nil && all != nil {
			err = all.Merge(part)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		if all == nil {
			all = part
		}
	}
	err := writeFile(g.out, atomicfile.Options{Force: g.force, Inputs: set.Paths}, func(w io.Writer) error { return writeMoments(w, all) })
	return set.Counts()["rows"], err
}

func readPart(ctx context.Context, path string, workers int) (*scfid.Accumulator, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return scfid.ReadAccumulator(ctx, f, st.Size(), workers)
}
