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
