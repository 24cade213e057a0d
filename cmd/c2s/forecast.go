package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
)

// Speeds and sizes of encode, measured by bench/atlas.sh: see docs/scale.md.
const (
	valuesPerSecond = 8e6 // stored values that a core turns into sentences in a Parquet file
	bytesPerValue   = 2.4 // of that file
	partsAndWhole   = 2   // copies on disk, until the parts are deleted
	memoryBeyond    = 1.25
)

// forecast is what a run of encode in shards takes.
type forecast struct {
	Files   int   `json:"files"`
	Cells   int   `json:"cells"`
	Values  int64 `json:"values"` // stored
	Bytes   int64 `json:"bytes"`  // of the files
	Shards  int   `json:"shards"`
	Largest struct {
		Cells  int   `json:"cells"`
		Values int64 `json:"values"`
		Bytes  int64 `json:"bytes"`
	} `json:"largest_shard"`
	CoreSeconds  float64 `json:"core_seconds"`  // of all shards
	ShardSeconds float64 `json:"shard_seconds"` // of the largest shard, on one core
	Memory       int64   `json:"memory"`        // of a shard, in bytes
	Disk         int64   `json:"disk"`          // parts and merged file, in bytes
}

// newForecast adds up a plan, given the values of each file.
func newForecast(p *shard.Plan, values []int64, memory int64) *forecast {
	e := &forecast{Files: len(p.Files), Shards: len(p.Parts), Memory: int64(memoryBeyond * float64(memory))}
	for i, f := range p.Files {
		e.Cells, e.Values, e.Bytes = e.Cells+f.Rows, e.Values+values[i], e.Bytes+f.Bytes
	}
	for _, part := range p.Parts {
		n := int64(0)
		for _, r := range part.Ranges {
			n += int64(float64(values[r.File]) * float64(r.To-r.From) / float64(p.Files[r.File].Rows))
		}
		if n >= e.Largest.Values {
			e.Largest.Values = n
		}
		e.Largest.Cells, e.Largest.Bytes = max(e.Largest.Cells, part.Rows), max(e.Largest.Bytes, part.Bytes)
	}
	e.CoreSeconds, e.ShardSeconds = float64(e.Values)/valuesPerSecond, float64(e.Largest.Values)/valuesPerSecond
	e.Disk = int64(partsAndWhole * bytesPerValue * float64(e.Values))
	return e
}

// minutes is the time to ask a job manager for: the estimate on so many cores, four
// times over, as nodes and file systems are shared, and what starting takes.
func (e *forecast) minutes(cores int) int {
	return 5 + int(math.Ceil(4*e.ShardSeconds/float64(cores)/60))
}

func (e *forecast) text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-7s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("input", "%d files, %s: %d cells, %d stored values", e.Files, humanBytes(e.Bytes), e.Cells, e.Values)
	line("shards", "%d, of at most %d cells, %d values, %s", e.Shards, e.Largest.Cells, e.Largest.Values, humanBytes(e.Largest.Bytes))
	line("time", "%s a shard on one core, %s in all", humanSeconds(e.ShardSeconds), humanSeconds(e.CoreSeconds))
	line("memory", "%s a shard", humanBytes(e.Memory))
	line("disk", "%s, of which the parts are half", humanBytes(e.Disk))
	return b.String()
}

func humanBytes(n int64) string {
	v := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if v < 1000 {
			return fmt.Sprintf("%.3g %s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g TB", v)
}

func humanSeconds(s float64) string {
	switch {
	case s < 10:
		return fmt.Sprintf("%.2g s", s)
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 2*3600:
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

// runDryPlan says what encode is going to take, from the headers of the files.
func runDryPlan(ctx context.Context, g *globals, m *matrixFlags, shards int, paths []string) error {
	if g.out != "" && g.out != "-" {
		return &usageError{errors.New("--dry-run writes no plan: leave -o out"), "c2s plan"}
	}
	var files []shard.File
	var values []int64
	for _, path := range paths {
		f, n, err := header(ctx, g, m, path)
		if err != nil {
			return err
		}
		files, values = append(files, f), append(values, n)
	}
	plan, err := shard.NewPlan(version, files, shards, nil)
	if err != nil {
		return &usageError{err, "c2s plan"}
	}
	e := newForecast(plan, values, g.budget())
	if g.json {
		return printJSON(g.stdout, e)
	}
	_, err = fmt.Fprint(g.stdout, e.text())
	return err
}

// header is the size of a file, and of its matrix, as far as headers tell: a dense
// matrix is counted as if no value were zero.
func header(ctx context.Context, g *globals, m *matrixFlags, path string) (out shard.File, values int64, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return out, 0, err
	}
	f, err := h5ad.Open(ctx, path, h5ad.Options{Modality: m.modality, Workers: g.workers()})
	if err != nil {
		return out, 0, err
	}
	defer f.Close()
	matrix, _, err := f.Select(ctx, m.key())
	if err != nil {
		return out, 0, err
	}
	out.Path, out.Bytes, out.Rows = path, st.Size(), matrix.NObs
	if matrix.Encoding == h5ad.Dense {
		return out, int64(matrix.NObs) * int64(matrix.NVars), nil
	}
	return out, matrix.NNZ, nil
}
