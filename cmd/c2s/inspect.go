package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

func newInspect(g *globals) *cobra.Command {
	var modality string
	cmd := &cobra.Command{
		Use: "inspect FILE", Short: "Show what an AnnData or 10x file holds", GroupID: groupData, Args: need(1, 1),
		Long: `inspect prints the summary of an AnnData object that Python prints, and what
decides what can be done with the file: what the values of each matrix look like
(counts, lognorm, scaled), the kind of gene names, and names that clash.`,
		Example: "  c2s inspect testdata/demo.h5ad",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInspect(cmd.Context(), g, args[0], modality)
		},
	}
	cmd.Flags().StringVar(&modality, "modality", "", "modality of an .h5mu (default: the RNA)")
	return cmd
}

// geneSummary is the key genes of inspect --json.
type geneSummary struct {
	ID         string   `json:"id"` // symbol, ensembl, entrez or mixed
	Duplicates int      `json:"duplicates"`
	Collisions int      `json:"collisions"`
	Examples   []string `json:"examples"`
}

func runInspect(ctx context.Context, g *globals, path, modality string) (err error) {
	out, err := g.create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	f, err := h5ad.Open(ctx, path, h5ad.Options{Modality: modality, Workers: g.workers()})
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := f.Summarise(ctx)
	if err != nil {
		return err
	}
	names, err := f.Var().Index(ctx)
	if err != nil {
		return err
	}
	genes := summariseGenes(names)
	if w := cellsentence.ClassifyGenes(names).Warning(); w != "" {
		s.Warnings = append(s.Warnings, w)
	}
	if g.json {
		err := printJSON(out, struct {
			*h5ad.Summary
			Genes geneSummary `json:"genes"`
		}{s, genes})
		if err != nil {
			return err
		}
		return out.Commit()
	}
	var b strings.Builder
	b.WriteString(s.Text())
	fmt.Fprintf(&b, "genes    %s, %d duplicate names, %d that collide in upper case\n", genes.ID, genes.Duplicates, genes.Collisions)
	fmt.Fprintf(&b, "format   %s\n", s.Format)
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(out, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	for _, w := range s.Warnings {
		g.logger().Warn(w)
	}
	return out.Commit()
}

// summariseGenes counts names that occur again: as they are, and in upper case,
// as sentences have them.
func summariseGenes(names []string) geneSummary {
	s := geneSummary{ID: cellsentence.ClassifyGenes(names).Kind().String(), Examples: []string{}}
	exact, upper := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		u := strings.ToUpper(n)
		switch {
		case exact[n]:
			s.Duplicates++
		case upper[u]:
			s.Collisions++
			if len(s.Examples) < 5 {
				s.Examples = append(s.Examples, n)
			}
		}
		exact[n], upper[u] = true, true
	}
	return s
}
