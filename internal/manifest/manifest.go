// Package manifest records how an output folder came to be: the version of c2s, the
// inputs with their sizes and hashes, the options, the seed, counts and warnings.
//
// Start with [Inputs], fill a [Manifest], and [Manifest.Write] it into the folder
// before that is committed. The same run gives the same bytes: there is no time, no
// machine and no absolute path in it beyond what the user wrote.
package manifest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// Name is the name of the file in its folder.
const Name = "manifest.json"

// Manifest is what a folder tells about its making.
type Manifest struct {
	Version  string           `json:"c2s_version"`
	Command  string           `json:"command"` // such as "fidelity"
	Inputs   []Input          `json:"inputs"`
	Options  any              `json:"options"` // a struct or map that marshals; nil is an empty object
	Seed     uint64           `json:"seed"`
	Counts   map[string]int64 `json:"counts"`
	Warnings []string         `json:"warnings"`
}

// Input is a file that was read.
type Input struct {
	Path   string `json:"path"` // as the user wrote it
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // lower-case hexadecimal
}

// Inputs reads files and gives their sizes and hashes in the order of paths, up to
// workers at a time; 0 or fewer is one. It stops when ctx ends.
func Inputs(ctx context.Context, paths []string, workers int) ([]Input, error) {
	inputs := make([]Input, len(paths))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	for i, path := range paths {
		g.Go(func() (err error) {
			inputs[i], err = hash(ctx, path)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return inputs, nil
}

func hash(ctx context.Context, path string) (Input, error) {
	if err := ctx.Err(); err != nil {
		return Input{}, err
	}
	// A pipe would block in Open, and what was read from it is gone.
	if st, err := os.Stat(path); err != nil {
		return Input{}, err
	} else if !st.Mode().IsRegular() {
		return Input{}, fmt.Errorf("%s: only a regular file can be hashed", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return Input{}, err
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 1<<20)
	n, err := io.CopyBuffer(h, &reader{ctx, f}, buf)
	if err != nil {
		return Input{}, err
	}
	return Input{Path: path, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// reader stops when its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Encode is the JSON of the manifest, indented, with a newline at its end.
func (m *Manifest) Encode() ([]byte, error) {
	c := *m
	// What is empty is an empty list or object, never null.
	if c.Inputs == nil {
		c.Inputs = []Input{}
	}
	if c.Options == nil {
		c.Options = struct{}{}
	}
	if c.Counts == nil {
		c.Counts = map[string]int64{}
	}
	if c.Warnings == nil {
		c.Warnings = []string{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(&c); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	return b.Bytes(), nil
}

// Write writes the manifest into the folder dir.
func (m *Manifest) Write(dir string) error {
	b, err := m.Encode()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, Name), b, 0o666)
}
