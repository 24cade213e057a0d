package manifest_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/manifest"
)

// TestWrite pins the bytes. The hashes are the NIST examples for SHA-256: of "abc"
// and of nothing (FIPS 180-2, appendix B.1, and its test vectors).
func TestWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"a.h5ad": "abc", "b.h5ad": ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, workers := range []int{0, 1, 8} {
		inputs, err := manifest.Inputs(t.Context(), []string{"b.h5ad", "a.h5ad"}, workers)
		if err != nil {
			t.Fatal(err)
		}
		m := manifest.Manifest{
			Version: "0.1.0", Command: "fidelity", Inputs: inputs, Seed: 42,
			Options: struct {
				TopK int    `json:"top_k"`
				Rule string `json:"rule"`
			}{100, "a < b"},
			Counts:   map[string]int64{"genes": 2, "cells": 3},
			Warnings: []string{"a cell is empty"},
		}
		if err := m.Write("."); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(manifest.Name)
		if err != nil {
			t.Fatal(err)
		}
		const want = `{
  "c2s_version": "0.1.0",
  "command": "fidelity",
  "inputs": [
    {
      "path": "b.h5ad",
      "bytes": 0,
      "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    },
    {
      "path": "a.h5ad",
      "bytes": 3,
      "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }
  ],
  "options": {
    "top_k": 100,
    "rule": "a < b"
  },
  "seed": 42,
  "counts": {
    "cells": 3,
    "genes": 2
  },
  "warnings": [
    "a cell is empty"
  ]
}
`
		if string(got) != want {
			t.Errorf("%d workers: %s, expected %s", workers, got, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	b, err := new(manifest.Manifest).Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "c2s_version": "",
  "command": "",
  "inputs": [],
  "options": {},
  "seed": 0,
  "counts": {},
  "warnings": []
}
`
	if string(b) != want {
		t.Errorf("%s, expected %s", b, want)
	}
	m := manifest.Manifest{Options: map[string]float64{"x": math.NaN()}}
	if _, err := m.Encode(); err == nil {
		t.Error("a NaN among the options is taken")
	}
}

func TestInputsFail(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := manifest.Inputs(t.Context(), []string{file, filepath.Join(dir, "missing")}, 2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, expected that the file is missing", err)
	}
	if _, err := manifest.Inputs(t.Context(), []string{dir}, 1); err == nil {
		t.Error("a folder is hashed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := manifest.Inputs(ctx, []string{file}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, expected context.Canceled", err)
	}
}
