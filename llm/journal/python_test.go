package journal

import (
	"os"
	"os/exec"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

// TestSQLite opens a journal, and one that a killed process left with a log, with
// Python's sqlite3, which is SQLite's own C.
func TestSQLite(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("C2S_PYTHON is not set")
		}
		t.Skip("C2S_PYTHON is not set")
	}
	path := temp(t)
	j := start(t, path)
	b := wrap(t, j, newStub())
	if _, err := b.Generate(t.Context(), "p", llm.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Score(t.Context(), "p", []string{" a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Embed(t.Context(), []string{"abc"}, llm.PoolMean); err != nil {
		t.Fatal(err)
	}
	// What a kill leaves: the database and its log, as they are now.
	left := temp(t)
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	const script = `
import sqlite3, sys, json, zlib, struct
for path in sys.argv[1:]:
    db = sqlite3.connect(path)
    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    rows = {kind: (key, model, text, data) for key, kind, model, text, data in db.execute("select key, kind, model, text, data from answers")}
    assert sorted(rows) == ["embed", "generate", "score"], rows
    assert all(len(r[0]) == 32 and r[1] == "sha256:1" for r in rows.values())
    assert json.loads(rows["generate"][2])["text"] == " answer to p"
    tokens = json.loads(zlib.decompress(rows["generate"][3]))
    assert tokens[0]["top"][1]["text"] == "<é>" and tokens[1]["logprob"] == -1e300
    assert json.loads(rows["score"][2]) == [{"logprob": -2/7, "tokens": 2}]
    assert struct.unpack("<4f", rows["embed"][3])[0] == 3
    db.close()
`
	if out, err := exec.Command(python, "-c", script, path, left).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// And the other way round: what Python's SQLite has opened goes on here.
	if n, err := start(t, left).Len(); err != nil || n != 3 {
		t.Errorf("%d answers, %v", n, err)
	}
}
