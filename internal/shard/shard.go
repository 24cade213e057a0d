// Package shard is the contract by which a run is spread over the jobs of Slurm,
// Snakemake or Kubernetes: which rows each job takes, what it leaves behind, and
// how the parts are checked before they are joined.
//
// Start with [Resolve], which tells a job its [Shard] from a flag or the job
// manager's environment, and [Shard.Ranges], which gives the rows. [NewPlan] writes
// down files, ranges and what needs all cells, so that jobs do not each work it
// out. A job that has written its part calls [Finish]; [Check] reads what the jobs
// left and says whether the parts belong together, none missing and none stale.
//
// # The block rule
//
// The rows of each file are cut into blocks of [BlockRows], counted from its first
// row; a shard is some consecutive blocks of the files in their order. Whatever is
// written by the block (row groups, record batches, gzip members) is then the same
// for any number of shards.
package shard

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// BlockRows is the number of rows in a block.
const BlockRows = 4096

// maxShards bounds what a flag can ask for.
const maxShards = 1_000_000

// Shard is one of the parts of a run. The zero value is the whole.
type Shard struct {
	Index int `json:"shard"`  // counted from 0
	Count int `json:"shards"` // 0: the run is not sharded
}

// Whole says that the run is not sharded.
func (s Shard) Whole() bool { return s.Count == 0 }

// String is "3/8" for the fourth of eight, and "" for the whole.
func (s Shard) String() string {
	if s.Whole() {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// Parse reads "i/n" with 0 ≤ i < n; "" is the whole.
func Parse(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	i, n, _ := strings.Cut(text, "/")
	s := Shard{}
	var errs [2]error
	s.Index, errs[0] = strconv.Atoi(i)
	s.Count, errs[1] = strconv.Atoi(n)
	if errs[0] != nil || errs[1] != nil || s.Index < 0 || s.Index >= s.Count || s.Count > maxShards {
		return Shard{}, fmt.Errorf("shard %q: give i/n with i from 0 to n−1, such as 0/8, or auto", text)
	}
	return s, nil
}

// Resolve reads a flag: "" is the whole, "i/n" a shard, and "auto" that of the job
// that runs: SLURM_ARRAY_TASK_ID with _COUNT, _MIN and _STEP, or JOB_COMPLETION_INDEX
// of Kubernetes. The latter does not say how many jobs there are: "auto/n" does, or
// n > 0, which a plan gives. getenv is os.Getenv.
func Resolve(flag string, n int, getenv func(string) string) (Shard, error) {
	rest, auto := strings.CutPrefix(flag, "auto")
	if !auto {
		s, err := Parse(flag)
		if err == nil && n > 0 && !s.Whole() && s.Count != n {
			return Shard{}, fmt.Errorf("shard %s: the plan has %d shards", flag, n)
		}
		return s, err
	}
	if rest != "" {
		given, err := strconv.Atoi(strings.TrimPrefix(rest, "/"))
		if err != nil || given <= 0 || given > maxShards || rest[0] != '/' {
			return Shard{}, fmt.Errorf("shard %q: give auto, or auto/n with the number of jobs", flag)
		}
		if n > 0 && given != n {
			return Shard{}, fmt.Errorf("shard %s: the plan has %d shards", flag, n)
		}
		n = given
	}
	return fromEnv(n, getenv)
}

func fromEnv(n int, getenv func(string) string) (Shard, error) {
	number := func(name string, otherwise int) (int, error) {
		text := getenv(name)
		if text == "" {
			return otherwise, nil
		}
		v, err := strconv.Atoi(text)
		if err != nil {
			err = fmt.Errorf("%s is %q, and no number", name, text)
		}
		return v, err
	}
	const slurm = "SLURM_ARRAY_TASK_"
	s := Shard{Count: n}
	switch {
	case getenv(slurm+"ID") != "":
		var v [4]int
		var errs [4]error
		for i, name := range []string{"ID", "COUNT", "MIN", "STEP"} {
			v[i], errs[i] = number(slurm+name, []int{0, n, 0, 1}[i])
		}
		if err := errors.Join(errs[:]...); err != nil {
			return Shard{}, err
		}
		if n > 0 && v[1] != n {
			return Shard{}, fmt.Errorf("the job array has %d tasks, and %d shards are wanted: submit it with --array=0-%d", v[1], n, n-1)
		}
		if v[3] < 1 || (v[0]-v[2])%v[3] != 0 {
			return Shard{}, fmt.Errorf("%sID %d does not lie on the array from %d in steps of %d", slurm, v[0], v[2], v[3])
		}
		s = Shard{(v[0] - v[2]) / v[3], v[1]}
	case getenv("JOB_COMPLETION_INDEX") != "":
		i, err := number("JOB_COMPLETION_INDEX", 0)
		if err != nil {
			return Shard{}, err
		}
		s.Index = i
	default:
		return Shard{}, fmt.Errorf("shard auto: neither %sID nor JOB_COMPLETION_INDEX is set: give i/n", slurm)
	}
	switch {
	case s.Count == 0:
		return Shard{}, errors.New("shard auto: the environment does not tell the number of jobs: give auto/n or a plan")
	case s.Index < 0 || s.Index >= s.Count || s.Count > maxShards:
		return Shard{}, fmt.Errorf("task %d of %d: a job array must be a range such as 0-%d", s.Index, s.Count, max(s.Count-1, 0))
	}
	return s, nil
}

// Range is some consecutive rows of a file.
type Range struct {
	File int `json:"file"` // its position in the list of files
	From int `json:"from"`
	To   int `json:"to"` // exclusive
}

// Ranges gives the rows of the shard, given the number of rows of each file: shard i
// of n has the blocks from ⌊i·blocks/n⌋ to ⌊(i+1)·blocks/n⌋. It may have none.
func (s Shard) Ranges(rows []int) []Range {
	blocks := 0
	for _, n := range rows {
		blocks += blocksOf(n)
	}
	first, last := 0, blocks
	if !s.Whole() {
		first, last = share(s.Index, blocks, s.Count), share(s.Index+1, blocks, s.Count)
	}
	var out []Range
	for file, n := range rows {
		here := blocksOf(n)
		from, to := max(first, 0)*BlockRows, min(min(last, here)*BlockRows, n)
		if from < to {
			out = append(out, Range{file, from, to})
		}
		first, last = first-here, last-here
	}
	return out
}

// Even gives what the shard takes of n things that can be cut anywhere, as they are
// written one by one: those from first to last, exclusive.
func (s Shard) Even(n int) (first, last int) {
	if s.Whole() {
		return 0, n
	}
	return share(s.Index, n, s.Count), share(s.Index+1, n, s.Count)
}

func blocksOf(rows int) int { return (rows + BlockRows - 1) / BlockRows }

// share is i·blocks/n without overflow.
func share(i, blocks, n int) int { return blocks/n*i + blocks%n*i/n }

// PartPath is where a shard of an output goes: out.parquet becomes
// out.shard-00003-of-00008.parquet; the whole keeps its name.
func (s Shard) PartPath(out string) string {
	if s.Whole() {
		return out
	}
	dir, base := filepath.Split(filepath.Clean(out))
	stem := base
	for _, packed := range []string{".gz", ".zst"} {
		stem = strings.TrimSuffix(stem, packed)
	}
	stem = strings.TrimSuffix(stem, filepath.Ext(stem))
	return fmt.Sprintf("%s%s.shard-%05d-of-%05d%s", dir, stem, s.Index, s.Count, base[len(stem):])
}
