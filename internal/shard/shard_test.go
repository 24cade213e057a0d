package shard_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/shard"
)

func TestResolve(t *testing.T) {
	slurm := func(id, count, least, step string) map[string]string {
		return map[string]string{"SLURM_ARRAY_TASK_ID": id, "SLURM_ARRAY_TASK_COUNT": count, "SLURM_ARRAY_TASK_MIN": least, "SLURM_ARRAY_TASK_STEP": step}
	}
	index := map[string]string{"JOB_COMPLETION_INDEX": "3"}
	for _, c := range []struct {
		flag string
		n    int
		env  map[string]string
		want string // "" and ok: the whole
		ok   bool
	}{
		{"", 0, index, "", true}, // the environment counts only where it is asked for
		{"0/1", 0, nil, "0/1", true},
		{"7/8", 8, nil, "7/8", true},
		{"7/8", 4, nil, "", false},
		{"8/8", 0, nil, "", false},
		{"-1/8", 0, nil, "", false},
		{"1", 0, nil, "", false},
		{"a/b", 0, nil, "", false},
		{"1/2/3", 0, nil, "", false},
		{"0/99999999", 0, nil, "", false},
		{"auto", 0, nil, "", false},
		{"auto", 0, slurm("0", "8", "", ""), "0/8", true},
		{"auto", 8, slurm("8", "8", "1", "1"), "7/8", true},
		{"auto", 0, slurm("14", "8", "0", "2"), "7/8", true},
		{"auto", 0, slurm("13", "8", "0", "2"), "", false},
		{"auto", 0, slurm("9", "3", "1", ""), "", false}, // --array=1,5,9
		{"auto", 7, slurm("0", "8", "", ""), "", false},
		{"auto", 0, slurm("x", "8", "", ""), "", false},
		{"auto", 0, index, "", false},
		{"auto/8", 0, index, "3/8", true},
		{"auto", 5, index, "3/5", true},
		{"auto/3", 0, index, "", false},
		{"auto/8", 5, index, "", false},
		{"auto8", 0, index, "", false},
		{"auto/0", 0, index, "", false},
	} {
		got, err := shard.Resolve(c.flag, c.n, func(name string) string { return c.env[name] })
		if (err == nil) != c.ok || got.String() != c.want {
			t.Errorf("%q, %d, %v: %q, %v, expected %q", c.flag, c.n, c.env, got, err, c.want)
		}
	}
}

// TestRanges deals all rows out, each once and in order, and ends within a file at
// multiples of a block only.
func TestRanges(t *testing.T) {
	rows := []int{10_000, 0, 4096, 1, 40_960}
	whole := []shard.Range{{0, 0, 10_000}, {2, 0, 4096}, {3, 0, 1}, {4, 0, 40_960}}
	if got := (shard.Shard{}).Ranges(rows); !reflect.DeepEqual(got, whole) {
		t.Errorf("%v, expected %v", got, whole)
	}
	for n := 1; n <= 20; n++ {
		var all []shard.Range
		for i := range n {
			for _, r := range (shard.Shard{Index: i, Count: n}).Ranges(rows) {
				if r.From%shard.BlockRows != 0 || r.To%shard.BlockRows != 0 && r.To != rows[r.File] {
					t.Errorf("%d/%d: %v cuts a block", i, n, r)
				}
				if k := len(all) - 1; k >= 0 && all[k].File == r.File {
					if all[k].To != r.From {
						t.Errorf("%d/%d: %v does not go on from %v", i, n, r, all[k])
					}
					all[k].To = r.To
				} else {
					all = append(all, r)
				}
			}
		}
		if !reflect.DeepEqual(all, whole) {
			t.Errorf("%d shards: %v, expected %v", n, all, whole)
		}
	}
}

func TestPartPath(t *testing.T) {
	s := shard.Shard{Index: 3, Count: 8}
	for in, want := range map[string]string{
		"a/out.parquet": "a/out.shard-00003-of-00008.parquet",
		"x.y.jsonl.gz":  "x.y.shard-00003-of-00008.jsonl.gz",
		"out.hf/":       "out.shard-00003-of-00008.hf",
	} {
		if got := s.PartPath(in); got != filepath.FromSlash(want) {
			t.Errorf("%s: %s, expected %s", in, got, want)
		}
	}
	if got := (shard.Shard{}).PartPath("a.txt"); got != "a.txt" {
		t.Errorf("the whole goes to %s", got)
	}
}

func files() []shard.File {
	return []shard.File{
		{Input: manifest.Input{Path: "a.h5ad", Bytes: 1000, SHA256: "aa"}, Rows: 10_000},
		{Input: manifest.Input{Path: "b.h5ad", Bytes: 500, SHA256: "bb"}, Rows: 5000},
	}
}

func TestPlan(t *testing.T) {
	p, err := shard.NewPlan("1", files(), 2, map[string]float64{"median": 1234.5})
	if err != nil {
		t.Fatal(err)
	}
	// Three blocks and two: the first shard has the first two.
	if p.Parts[0].Rows != 8192 || p.Parts[0].Bytes != 819 || p.Parts[1].Rows != 15_000-8192 {
		t.Errorf("%+v", p.Parts)
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := shard.ReadPlan(bytes.NewReader(b), "plan.json")
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, again) || !strings.Contains(string(b), `"median": 1234.5`) {
		t.Errorf("%s, expected %s", again, b)
	}
	text := string(b)
	for what, bad := range map[string]string{
		"cut":         text[:len(text)/2],
		"range":       strings.Replace(text, "8192", "8191", 1),
		"field":       strings.Replace(text, `"global"`, `"globe"`, 1),
		"rows":        strings.Replace(text, `"rows": 10000`, `"rows": -1`, 1),
		"another way": "{}",
	} {
		var e *shard.Error
		if _, err := shard.ReadPlan(strings.NewReader(bad), "plan.json"); !errors.As(err, &e) || !e.BadInput() {
			t.Errorf("%s: %v, expected a bad input", what, err)
		}
	}
	if _, err := shard.NewPlan("1", files(), 0, nil); err == nil {
		t.Error("a plan of no shards is made")
	}
}

// parts finishes n parts with some text.
func parts(t *testing.T, dir string, n int) []string {
	t.Helper()
	var paths []string
	for i := range n {
		s := shard.Shard{Index: i, Count: n}
		path := s.PartPath(filepath.Join(dir, "out.txt"))
		if err := os.WriteFile(path, []byte(s.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		finish(t, path, done(s))
		paths = append(paths, path)
	}
	return paths
}

func done(s shard.Shard) shard.Done {
	return shard.Done{
		Version: "1", Command: "encode", Shard: s, Inputs: "in", Options: "opt",
		Counts: map[string]int64{"cells": 10}, Warnings: []string{"one"},
	}
}

func finish(t *testing.T, path string, d shard.Done) {
	t.Helper()
	if err := shard.Finish(t.Context(), path, d); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	paths := parts(t, dir, 4)
	set, err := shard.Check(t.Context(), []string{paths[2], paths[0], paths[3], paths[1]})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(set.Paths, paths) {
		t.Errorf("%v, expected them in order", set.Paths)
	}
	if set.Counts()["cells"] != 40 || len(set.Warnings()) != 1 {
		t.Errorf("%v, %v", set.Counts(), set.Warnings())
	}
	for _, c := range []struct {
		what, message string
		paths         []string
		change        func() error
	}{
		{"missing", "2 of 4 parts are missing: 1/4, 3/4", []string{paths[0], paths[2]}, nil},
		{"twice", "shard 0, as is", append(paths, paths[0]), nil},
		{"changed", "not the one that its record tells of", paths, func() error { return os.WriteFile(paths[1], []byte("x"), 0o600) }},
		{"of other options", "another run", paths, func() error {
			d := done(shard.Shard{Index: 1, Count: 4})
			d.Options = "other"
			return shard.Finish(context.Background(), paths[1], d)
		}},
		{"damaged", "no record of a part", paths, func() error { return os.WriteFile(paths[1]+shard.DoneSuffix, []byte("{"), 0o600) }},
		{"not complete", "the part is not complete", paths, func() error { return os.Remove(paths[1] + shard.DoneSuffix) }},
	} {
		if c.change != nil {
			if err := c.change(); err != nil {
				t.Fatal(err)
			}
		}
		var bad *shard.Error
		if _, err := shard.Check(t.Context(), c.paths); !errors.As(err, &bad) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: %v, expected %q", c.what, err, c.message)
		}
	}
}

func TestFresh(t *testing.T) {
	dir := t.TempDir()
	s := shard.Shard{Index: 0, Count: 2}
	path := filepath.Join(dir, "out.hf")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	fresh := func(want shard.Done) bool {
		t.Helper()
		ok, err := shard.Fresh(t.Context(), path, want)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	file := filepath.Join(path, "state.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if fresh(done(s)) {
		t.Error("a part without a record is fresh")
	}
	finish(t, path, done(s))
	if !fresh(done(s)) {
		t.Error("the part is not fresh")
	}
	other := done(s)
	other.Inputs = "others"
	if fresh(other) {
		t.Error("the part of other inputs is fresh")
	}
	if err := os.WriteFile(file, []byte("{ "), 0o600); err != nil {
		t.Fatal(err)
	}
	if fresh(done(s)) {
		t.Error("a changed part is fresh")
	}
}

func TestEven(t *testing.T) {
	for _, n := range []int{0, 1, 7, 64} {
		for count := 1; count < 10; count++ {
			at := 0
			for i := range count {
				first, last := shard.Shard{Index: i, Count: count}.Even(n)
				if first != at || last < first || last-first > n/count+1 {
					t.Errorf("%d of %d in %d: %d to %d after %d", i, count, n, first, last, at)
				}
				at = last
			}
			if at != n {
				t.Errorf("%d shards of %d end at %d", count, n, at)
			}
		}
	}
	if first, last := (shard.Shard{}).Even(5); first != 0 || last != 5 {
		t.Errorf("the whole of 5: %d to %d", first, last)
	}
}
