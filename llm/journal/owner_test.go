package journal

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

// TestClaim: a journal keeps its owner, and one with answers of nobody is refused.
func TestClaim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	for _, c := range []struct {
		owner string
		good  bool
	}{{"plan a", true}, {"plan a", true}, {"plan b", false}} {
		j, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		err = j.Claim(c.owner)
		var other *OwnerError
		if c.good != (err == nil) || !c.good && (!errors.As(err, &other) || other.Owner != "plan a") {
			t.Errorf("%s: %v", c.owner, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	j, err := Open(t.Context(), filepath.Join(t.TempDir(), "k.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	b, err := j.Wrap(t.Context(), newStub())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Generate(t.Context(), "prompt", llm.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	var other *OwnerError
	if err := j.Claim("plan a"); !errors.As(err, &other) || other.Owner != "" {
		t.Errorf("a journal with other answers: %v", err)
	}
}

// A merge keeps the owner, and mixes no work of two.
func TestMergeKeepsTheOwner(t *testing.T) {
	dir := t.TempDir()
	make := func(name, owner string) string {
		path := filepath.Join(dir, name)
		b := wrap(t, start(t, path), newStub())
		if owner != "" {
			if err := b.journal.Claim(owner); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Generate(t.Context(), name, llm.Options{}, nil); err != nil {
			t.Fatal(err)
		}
		b.journal.Close()
		return path
	}
	a, b, other, free := make("a", "plan 1"), make("b", "plan 1"), make("c", "plan 2"), make("d", "")
	into := filepath.Join(dir, "both")
	for range 2 {
		if _, err := Merge(t.Context(), into, a, b); err != nil {
			t.Fatal(err)
		}
	}
	j := start(t, into)
	if err := j.Claim("plan 1"); err != nil {
		t.Error(err)
	}
	if n, err := j.Len(); err != nil || n != 2 {
		t.Errorf("%d answers, %v", n, err)
	}
	j.Close()
	for _, c := range [][]string{{filepath.Join(dir, "x"), a, other}, {filepath.Join(dir, "x"), a, free}, {into, other}, {into, free}, {free, a}} {
		var wrong *OwnerError
		if n, err := Merge(t.Context(), c[0], c[1:]...); !errors.As(err, &wrong) || n != 0 {
			t.Errorf("%q: %d added, %v", c, n, err)
		}
	}
}
