package dataset_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// drain reads a dataset to its end or its first error.
func drain(t testing.TB, path string, opts dataset.ReadOptions) error {
	t.Helper()
	for _, err := range dataset.Read(t.Context(), path, opts) {
		if err != nil {
			return err
		}
	}
	return nil
}

func place(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCutShort cuts files of every format at many places. Text that is not
// compressed cannot tell.
func TestCutShort(t *testing.T) {
	for _, format := range []string{"parquet", "arrow", "jsonl.gz", "jsonl.zst", "txt.gz", "txt.zst"} {
		path := filepath.Join(t.TempDir(), "x."+format)
		write(t, path, 300, dataset.Options{})
		whole := []byte(files(t, path)[""])
		for _, left := range []int{1, len(whole) / 3, len(whole) / 2, len(whole) - 1, len(whole) - 9} {
			err := drain(t, place(t, "x."+format, whole[:left]), dataset.ReadOptions{})
			var bad *dataset.Error
			if !errors.As(err, &bad) || !bad.BadInput() {
				t.Errorf("%s cut to %d of %d bytes: %v, expected a bad input", format, left, len(whole), err)
			}
			if left == len(whole)/2 && !strings.Contains(err.Error(), "cut short") {
				t.Errorf("%s: %v does not say that it is cut short", format, err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "x.hf")
	write(t, path, 9000, dataset.Options{})
	data := filepath.Join(path, "data-00000-of-00001.arrow")
	st, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(data, st.Size()-8); err != nil { // the mark of the end alone
		t.Fatal(err)
	}
	if err := drain(t, path, dataset.ReadOptions{}); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v, expected that the file is cut short", err)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good.parquet"), 3, dataset.Options{})
	for name, text := range map[string]string{
		"no.jsonl":                             "{\"a\": 1}\n[1]\n",
		"mixed.jsonl":                          "{\"a\": 1}\n{\"a\": \"x\"}\n",
		"twice.jsonl":                          "{\"a\": 1, \"a\": 2}\n",
		"half.jsonl":                           "{\"a\": 1",
		"deep.jsonl":                           "{\"a\": " + strings.Repeat("[", 5000) + "}\n",
		"nothing.jsonl":                        "",
		"no.parquet":                           "PAR1 but no more",
		"short.parquet":                        "PAR1",
		"no.arrow":                             "ARROW1\x00\x00 but no more than that",
		"other.arrow":                          "something else entirely",
		"huge.arrow":                           "\xff\xff\xff\xff\xff\xff\xff\x7f" + strings.Repeat("x", 100),
		"none.hf" + string(filepath.Separator): "",
		"state.hf/state.json":                  `{"_data_files": []}`,
		"out.hf/state.json":                    `{"_data_files": [{"filename": "../good.parquet"}]}`,
		"dict.hf/dataset_dict.json":            `{"splits": ["train"]}`,
		"x.unknown":                            "A B",
		"file.hf":                              "A B",
		"wide.jsonl":                           "{" + wide() + "}\n",
		"footer.parquet":                       "PAR1" + "\x19\xfc\xff\xff\xff\x0f" + "\x06\x00\x00\x00PAR1",
		"control.jsonl":                        "{\"a\": \"\x01\"}\n",
		"infinite.jsonl":                       "{\"a\": 1e999}\n",
		"nul.jsonl":                            "{\"a\": NaN}\n",
		"zero.jsonl":                           "{\"a\": 01}\n",
		"surrogate.jsonl":                      "{\"a\": \"\\ud8\"}\n",
		"trailing.jsonl":                       "{\"a\": 1} {}\n",
		"noname.jsonl":                         "{\"\": 1}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(name, "/"); i > 0 {
			path = filepath.Join(dir, name[:i])
		}
		err := drain(t, path, dataset.ReadOptions{})
		var bad interface{ BadInput() bool }
		if !errors.As(err, &bad) || !bad.BadInput() || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v, expected a bad input that names the file", name, err)
		}
	}
	err := drain(t, filepath.Join(dir, "good.parquet"), dataset.ReadOptions{Columns: []string{"donor"}})
	if err == nil || !strings.Contains(err.Error(), `"donor" is missing; the columns are: cell_name, `) {
		t.Errorf("%v, expected that the column is missing", err)
	}
	err = drain(t, filepath.Join(dir, "absent.parquet"), dataset.ReadOptions{})
	var bad *dataset.Error
	if !errors.Is(err, os.ErrNotExist) || errors.As(err, &bad) && bad.BadInput() {
		t.Errorf("%v, expected that the file does not exist", err)
	}
}

func wide() string {
	var b strings.Builder
	for i := range 20_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"c%d":1`, i)
	}
	return b.String()
}

// TestLineTooLong bounds the memory of a line.
func TestLineTooLong(t *testing.T) {
	path := place(t, "x.txt", []byte(strings.Repeat("GENE ", 100_000)))
	err := drain(t, path, dataset.ReadOptions{Budget: 1 << 16})
	if err == nil || !strings.Contains(err.Error(), "line 1: the line is too long") {
		t.Errorf("%v, expected that line 1 is too long", err)
	}
}

// readBounded reads what may be damaged. Its error, if any, must be of the right
// kind, and little memory may be taken for it.
func readBounded(t testing.TB, path string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := drain(t, path, dataset.ReadOptions{Budget: 1 << 20})
	runtime.ReadMemStats(&after)
	// The buffers of files and of zstd, once a read, are most of it.
	if n := after.TotalAlloc - before.TotalAlloc; n > 128<<20 {
		t.Errorf("%d bytes were allocated for a small file", n)
	}
	var bad interface{ BadInput() bool }
	if err != nil && (!errors.As(err, &bad) || !bad.BadInput()) {
		t.Errorf("%v is no bad input", err)
	}
}

// TestMutated changes bytes of small files.
func TestMutated(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 40
	}
	dir := t.TempDir()
	for _, format := range []string{"parquet", "arrow", "jsonl.zst"} {
		path := filepath.Join(dir, "x."+format)
		write(t, path, 20, dataset.Options{})
		whole := []byte(files(t, path)[""])
		r := rand.New(rand.NewPCG(1, 2))
		mutant := filepath.Join(dir, "mutant."+format)
		for range rounds {
			b := append([]byte(nil), whole...)
			for range 1 + r.IntN(8) {
				at := r.IntN(len(b))
				if r.IntN(2) == 0 { // the metadata is at the end
					at = len(b) - 1 - r.IntN(min(len(b), 1500))
				}
				b[at] = byte(r.Uint32())
			}
			if err := os.WriteFile(mutant, b, 0o600); err != nil {
				t.Fatal(err)
			}
			readBounded(t, mutant)
		}
	}
}

func fuzz(f *testing.F, format string) {
	dir := f.TempDir()
	path := filepath.Join(dir, "x."+format)
	for _, n := range []int{0, 20} {
		write(f, path, n, dataset.Options{Force: true})
		f.Add([]byte(files(f, path)[""]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x."+format)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		readBounded(t, path)
	})
}

func FuzzParquet(f *testing.F) { fuzz(f, "parquet") }

func FuzzArrow(f *testing.F) { fuzz(f, "arrow") }

// FuzzJSON compares with the standard library what a line is and holds.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a": 1, "b": "x", "c": [1, {"d": null}], "e": true, "f": 1.5e-3}`, `{}`, `{"a":"\u00e9\ud83e\uddec\ud800\n"}`, ` {"a" : -0 }`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if strings.ContainsAny(string(line), "\n\r") || !utf8.Valid(line) {
			t.Skip("one line of UTF-8 only")
		}
		var want map[string]any
		err := json.Unmarshal(line, &want)
		path := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(path, line, 0o600); err != nil {
			t.Fatal(err)
		}
		for b, ours := range dataset.Read(t.Context(), path, dataset.ReadOptions{}) {
			if ours != nil {
				continue // stricter: names twice or empty, deep nests, no column
			}
			if err != nil || b.Rows() != 1 {
				t.Fatalf("%q is read as %d rows, but %v", line, b.Rows(), err)
			}
			for k, f := range b.Schema {
				got, err := json.Marshal(object(b, 0)[f.Name])
				if err != nil {
					t.Fatal(err)
				}
				expected, err := json.Marshal(want[f.Name])
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != string(expected) && b.Columns[k].Kind != dataset.Int { // beyond 2^53 theirs is rounded
					t.Fatalf("%q: %s is %s, expected %s", line, f.Name, got, expected)
				}
			}
		}
	})
}
