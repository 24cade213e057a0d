package shard

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
)

// DoneSuffix is what the name of a part gets for its record.
const DoneSuffix = ".done.json"

// Done is the record of a part that is complete.
type Done struct {
	Version string `json:"c2s_version"`
	Command string `json:"command"` // such as "encode"
	Shard
	// Inputs and Options are hashes (see [Hash]) of what went into the part: parts
	// belong together where both are equal.
	Inputs  string `json:"inputs"`
	Options string `json:"options"`
	// Bytes and SHA256 are those of the part, of all its files if it is a folder.
	Bytes    int64            `json:"bytes"`
	SHA256   string           `json:"sha256"`
	Counts   map[string]int64 `json:"counts"`
	Warnings []string         `json:"warnings"`
}

// Hash is the SHA-256 of the JSON of v, such as the inputs with their hashes or the
// options of a command, as lower-case hexadecimal.
func Hash(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Finish writes the record of a part that was written at path, a file or a folder,
// beside it: d with the size and hash of the part. A record that is there is
// replaced.
func Finish(ctx context.Context, path string, d Done) (err error) {
	if d.Bytes, d.SHA256, err = hashPart(ctx, path); err != nil {
		return err
	}
	if d.Counts == nil {
		d.Counts = map[string]int64{}
	}
	if d.Warnings == nil {
		d.Warnings = []string{}
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(filepath.Clean(path)+DoneSuffix, atomicfile.Options{Force: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	if _, err := f.Write(append(b, '\n')); err != nil {
		return err
	}
	return f.Commit()
}

// hashPart hashes a file, or the names and hashes of the files of a folder.
func hashPart(ctx context.Context, path string) (int64, string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, "", err
	}
	names := []string{path}
	if st.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return 0, "", err
		}
		names = nil
		for _, e := range entries {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	in, err := manifest.Inputs(ctx, names, 1)
	if err != nil {
		return 0, "", err
	}
	if !st.IsDir() {
		return in[0].Bytes, in[0].SHA256, nil
	}
	total := int64(0)
	for i := range in {
		in[i].Path = filepath.Base(in[i].Path)
		total += in[i].Bytes
	}
	sum, err := Hash(in)
	return total, sum, err
}

// maxDone bounds a record: its warnings are the long part.
const maxDone = 64 << 20

// ReadDone reads the record of the part at path. A part without one is an [*Error]
// that wraps fs.ErrNotExist.
func ReadDone(path string) (*Done, error) {
	name := filepath.Clean(path) + DoneSuffix
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{path, fmt.Errorf("the part is not complete: it has no %s: %w", filepath.Base(name), err), "run its job again"}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDone))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	out := new(Done)
	if err := d.Decode(out); err != nil {
		return nil, &Error{name, fmt.Errorf("this is no record of a part: %w", err), "run its job again"}
	}
	if out.Count < 1 || out.Index < 0 || out.Index >= out.Count || out.Count > maxShards {
		return nil, &Error{name, fmt.Errorf("shard %d of %d cannot be", out.Index, out.Count), "run its job again"}
	}
	return out, nil
}

// Fresh reports whether the part at path is complete and what a run like want would
// write, so that a job that starts again can leave it.
func Fresh(ctx context.Context, path string, want Done) (bool, error) {
	d, err := ReadDone(path)
	if _, bad := errors.AsType[*Error](err); bad {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !belong(d, &want) || d.Index != want.Index {
		return false, nil
	}
	bytes, sum, err := hashPart(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && bytes == d.Bytes && sum == d.SHA256, err
}

// belong reports whether two parts are of one run.
func belong(a, b *Done) bool {
	return a.Version == b.Version && a.Command == b.Command && a.Count == b.Count && a.Inputs == b.Inputs && a.Options == b.Options
}

// Set is the parts of a run, in order.
type Set struct {
	Paths []string
	Parts []*Done
}

// Counts adds up the counts of all parts.
func (s *Set) Counts() map[string]int64 {
	out := map[string]int64{}
	for _, d := range s.Parts {
		for k, v := range d.Counts {
			out[k] += v
		}
	}
	return out
}

// Warnings lists the warnings of all parts, each once.
func (s *Set) Warnings() []string {
	var out []string
	seen := map[string]bool{}
	for _, d := range s.Parts {
		for _, w := range d.Warnings {
			if !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return out
}

// Check reads the records of parts, given in any order, and the parts themselves.
// They must be of one run, all there, each once, and unchanged since they were
// written. What is wrong is an [*Error].
func Check(ctx context.Context, paths []string) (*Set, error) {
	if len(paths) == 0 {
		return nil, errors.New("there is no part to join")
	}
	at := map[int]string{}
	done := map[int]*Done{}
	var first *Done
	for _, path := range paths {
		d, err := ReadDone(path)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = d
		}
		if !belong(first, d) {
			return nil, &Error{path, fmt.Errorf("it is of another run than %s: %s", paths[0], difference(first, d)), "name the parts of one run"}
		}
		if other, ok := at[d.Index]; ok {
			return nil, &Error{path, fmt.Errorf("it is shard %d, as is %s", d.Index, other), "name each part once"}
		}
		at[d.Index], done[d.Index] = path, d
	}
	if missing := first.Count - len(at); missing > 0 {
		var list []string
		for i := 0; i < first.Count && len(list) < 10; i++ {
			if _, ok := at[i]; !ok {
				list = append(list, Shard{i, first.Count}.String())
			}
		}
		if len(list) < missing {
			list = append(list, "…")
		}
		return nil, &Error{paths[0], fmt.Errorf("%d of %d parts are missing: %s", missing, first.Count, strings.Join(list, ", ")), "run their jobs, or name them"}
	}
	set := new(Set)
	for _, i := range slices.SortedFunc(maps.Keys(at), cmp.Compare) {
		path, d := at[i], done[i]
		bytes, sum, err := hashPart(ctx, path)
		if err != nil {
			return nil, err
		}
		if bytes != d.Bytes || sum != d.SHA256 {
			return nil, &Error{path, errors.New("the part is not the one that its record tells of"), "run its job again"}
		}
		set.Paths, set.Parts = append(set.Paths, path), append(set.Parts, d)
	}
	return set, nil
}

// difference names what sets two records apart.
func difference(a, b *Done) string {
	switch {
	case a.Version != b.Version:
		return fmt.Sprintf("c2s %s and %s", a.Version, b.Version)
	case a.Command != b.Command:
		return fmt.Sprintf("%s and %s", a.Command, b.Command)
	case a.Count != b.Count:
		return fmt.Sprintf("%d and %d shards", a.Count, b.Count)
	case a.Inputs != b.Inputs:
		return "other inputs"
	}
	return "other options"
}
