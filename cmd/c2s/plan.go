package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/shard"
)

// planGlobal is what a plan holds beside its shards.
type planGlobal struct {
	Matrix    string             `json:"matrix"`
	Modality  string             `json:"modality"`
	GeneNames string             `json:"gene_names"`
	GeneMap   string             `json:"gene_map"`
	Filters   preprocess.Config  `json:"filters"`
	Files     []*preprocess.Plan `json:"files"`  // null without filters
	Genes     []string           `json:"genes"`  // the union of all files, as sentences name them
	Cells     []int64            `json:"cells"`  // that express each of Genes
	Values    []int64            `json:"values"` // above zero, in each file
}

// encodePlan is a plan as encode uses it.
type encodePlan struct {
	*shard.Plan
	global planGlobal
	path   string
}

func newPlan(g *globals) *cobra.Command {
	var m matrixFlags
	var prep prepFlags
	var shards int
	var collisions string
	var dry bool
	cmd := &cobra.Command{
		Use: "plan FILE... -o plan.json", Short: "Spread a run over shards, and find what needs all cells", GroupID: groupData, Args: need(1, -1),
		Long: `plan reads the files once and writes down how encode is spread over shards: their
rows and bytes, the filters for cells and genes, the median of the totals with
--normalize median, and the union of the genes with the cells that express each.
Each shard is then c2s encode FILE... --plan plan.json --shard I/N -o OUT, and c2s
merge joins them. c2s job fills the template of a batch job from the plan.

--dry-run reads no more than the headers of the files, and says what is ahead: the
shards, and their time, memory and disk, by the speeds measured in docs/scale.md.`,
		Example: "  c2s plan testdata/demo.h5ad --shards 4 --min-cells 3 -o plan.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			rule, err := cellsentence.ParseCollisions(collisions)
			err = errors.Join(err, m.check(), prep.check())
			if shards < 1 {
				err = errors.Join(err, fmt.Errorf("--shards %d is not above 0", shards))
			}
			if err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			if dry {
				return runDryPlan(cmd.Context(), g, &m, shards, args)
			}
			return runPlan(cmd.Context(), g, &m, &prep, rule, shards, args)
		},
	}
	f := cmd.Flags()
	m.add(f)
	prep.add(f)
	f.StringVar(&collisions, "collisions", "error", "genes that share a name in upper case: `error|first|suffix`")
	f.IntVar(&shards, "shards", 1, "spread the rows over `N` shards")
	f.BoolVar(&dry, "dry-run", false, "say what is ahead, and read and write nothing")
	return cmd
}

func runPlan(ctx context.Context, g *globals, m *matrixFlags, prep *prepFlags, rule cellsentence.Collisions, shards int, paths []string) (err error) {
	out, err := g.create(paths...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	global := planGlobal{Matrix: m.key(), Modality: m.modality, GeneNames: m.geneNames, GeneMap: m.geneMap, Filters: prep.cfg}
	all := new(cellsentence.Vocabulary)
	var files []shard.File
	for _, path := range paths {
		f, err := planFile(ctx, g, m, prep.cfg, rule, path, &global, all)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	for gene, cells := range all.All() {
		global.Genes, global.Cells = append(global.Genes, gene), append(global.Cells, cells)
	}
	plan, err := shard.NewPlan(version, files, shards, global)
	if err != nil {
		return &usageError{err, "c2s plan"}
	}
	text, err := plan.Encode()
	if err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	rows, size := 0, int64(0)
	for _, f := range files {
		rows, size = rows+f.Rows, size+f.Bytes
	}
	g.logger().Info(fmt.Sprintf("%d cells, %d genes, %d bytes in %d shards", rows, len(global.Genes), size, shards))
	return nil
}

// planFile adds what must be known of a file.
func planFile(ctx context.Context, g *globals, m *matrixFlags, cfg preprocess.Config, rule cellsentence.Collisions, path string, global *planGlobal, all *cellsentence.Vocabulary) (f shard.File, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return f, err
	}
	if !st.Mode().IsRegular() {
		return f, &inputError{fmt.Errorf("%s: a plan is for files", path), "make an .h5ad of the folder with c2s convert"}
	}
	inputs, err := manifest.Inputs(ctx, []string{path}, 1)
	if err != nil {
		return f, err
	}
	in, err := m.open(ctx, g, path)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, in.file.Close()) }()
	for _, w := range in.warnings {
		g.logger().Warn(path + ": " + w)
	}
	rows := h5ad.RowOptions{Budget: g.budget() / 4}
	if cfg != (preprocess.Config{}) {
		p, err := preprocess.New(ctx, in.matrix, in.genes, cfg, h5ad.Selection{Rows: rows})
		if err != nil {
			return f, badCells(path, err)
		}
		global.Files = append(global.Files, p)
	}
	src, err := in.matrix.Rows(ctx, rows)
	if err != nil {
		return f, err
	}
	bar := g.start("reading "+path, "cells", int64(in.matrix.NObs))
	defer bar.Stop()
	v, err := cellsentence.CountVocabulary(ctx, in.genes, src, cellsentence.Config{Collisions: rule, Workers: g.workers()})
	if err != nil {
		return f, badCells(path, err)
	}
	all.Merge(v)
	values := int64(0)
	for _, cells := range v.All() {
		values += cells
	}
	global.Values = append(global.Values, values)
	return shard.File{Input: inputs[0], Rows: in.matrix.NObs, Modified: st.ModTime().UnixNano()}, nil
}

// readPlan reads what c2s plan wrote.
func readPlan(path string) (*encodePlan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &encodePlan{path: path}
	if p.Plan, err = shard.ReadPlan(bytes.NewReader(data), path); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(p.Global, &p.global); err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", path, err), "make it again with c2s plan"}
	}
	filtered := p.global.Filters != preprocess.Config{}
	if n := len(p.global.Files); filtered != (n > 0) || n > 0 && (n != len(p.Files) || slices.Contains(p.global.Files, nil)) {
		return nil, &inputError{fmt.Errorf("%s: filters for %d of %d files", path, len(p.global.Files), len(p.Files)), "make it again with c2s plan"}
	}
	if len(p.global.Values) != len(p.Files) {
		return nil, &inputError{fmt.Errorf("%s: values of %d of %d files", path, len(p.global.Values), len(p.Files)), "make it again with c2s plan"}
	}
	return p, nil
}

// contents are the sizes and hashes of the files, as those of other commands.
func (p *encodePlan) contents() []manifest.Input {
	inputs := p.Inputs()
	for i := range inputs {
		inputs[i].Path = ""
	}
	return inputs
}

// covers checks that the plan was made for these files and this matrix. A file that
// has the size and the time of the plan is taken to be that of the plan; one with
// another time, such as a copy, is hashed.
func (p *encodePlan) covers(ctx context.Context, paths []string, m *matrixFlags) error {
	again := "make the plan again with c2s plan and the same files and flags"
	if len(paths) != len(p.Files) {
		return &inputError{fmt.Errorf("%s: the plan is for %d files, not %d", p.path, len(p.Files), len(paths)), again}
	}
	for i, path := range paths {
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		f := p.Files[i]
		if filepath.Base(path) != filepath.Base(f.Path) || st.Size() != f.Bytes {
			return &inputError{fmt.Errorf("%s: file %d is %s of %d bytes in the plan, not %s of %d", p.path, i, f.Path, f.Bytes, path, st.Size()), again}
		}
		if st.ModTime().UnixNano() == f.Modified {
			continue
		}
		now, err := manifest.Inputs(ctx, []string{path}, 1)
		if err != nil {
			return err
		}
		if now[0].SHA256 != f.SHA256 {
			return &inputError{fmt.Errorf("%s: %s was changed since the plan was made", p.path, path), again}
		}
	}
	own := planGlobal{Matrix: m.key(), Modality: m.modality, GeneNames: m.geneNames, GeneMap: m.geneMap}
	if g := p.global; g.Matrix != own.Matrix || g.Modality != own.Modality || g.GeneNames != own.GeneNames || g.GeneMap != own.GeneMap {
		return &inputError{fmt.Errorf("%s: the plan is for another matrix or other gene names: %q %q %q %q", p.path, g.Matrix, g.Modality, g.GeneNames, g.GeneMap), again}
	}
	return nil
}
