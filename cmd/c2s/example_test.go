package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commandsOf are c and all commands below it.
func commandsOf(c *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{c}
	for _, child := range c.Commands() {
		list = append(list, commandsOf(child)...)
	}
	return list
}

// needsMore are the examples that need what is not in the repository, do not end, or
// are run elsewhere.
// Their flags are checked all the same.
var needsMore = map[string]string{
	"c2s perturb serve-reward": "it serves until it is interrupted",
	"c2s":                      "the check of a clone runs the demo",
	"c2s demo":                 "the check of a clone runs the demo",
	"c2s model import":         "it needs a checkpoint",
	"c2s screen run":           "the demo runs it",
}

// TestExamples runs the example of every command, as it is printed, in a folder with
// testdata and examples in it. Each must succeed, and make what -o names.
func TestExamples(t *testing.T) {
	e, _, _ := testEnv()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	tree := newRoot(&globals{env: e})
	tree.InitDefaultHelpCmd()
	for _, c := range commandsOf(tree) {
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "-"), func(t *testing.T) {
			if strings.TrimSpace(c.Example) == "" {
				t.Fatal("no example")
			}
			folder := t.TempDir()
			for _, name := range []string{"testdata", "examples"} {
				if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join(root, name))); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(folder)
			for line := range strings.Lines(c.Example) {
				args, err := words(line)
				if err != nil {
					t.Fatal(err)
				}
				if args[0] != "c2s" {
					t.Fatalf("%q is no c2s command", line)
				}
				if why := needsMore[c.CommandPath()]; why != "" {
					checkFlags(t, args[1:])
					t.Skip(why)
				}
				runExample(t, line, args[1:])
			}
		})
	}
}

func runExample(t *testing.T, line string, args []string) {
	t.Helper()
	e, stdout, stderr := testEnv()
	if code := run(t.Context(), args, e); code != exitGood {
		t.Fatalf("%s: exit code %d: %s", strings.TrimSpace(line), code, stderr)
	}
	out := ""
	for i, a := range args {
		if (a == "-o" || a == "--out") && i+1 < len(args) {
			out = args[i+1]
		}
	}
	if out == "" && stdout.Len()+stderr.Len() == 0 {
		t.Errorf("%s: it says nothing", strings.TrimSpace(line))
	}
	// A part of a run has a name of its own beside OUT.
	if stem := strings.TrimSuffix(out, filepath.Ext(out)); out != "" {
		if made, err := filepath.Glob(stem + "*"); err != nil || len(made) == 0 {
			t.Errorf("%s: there is no %s", strings.TrimSpace(line), out)
		}
	}
}

// checkFlags holds an example that is not run to the flags that there are.
func checkFlags(t *testing.T, args []string) {
	t.Helper()
	e, _, _ := testEnv()
	c, rest, err := newRoot(&globals{env: e}).Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err != nil {
		t.Error(err)
	}
}

// words takes a line apart as a shell does: quotes, and * in the names of files.
func words(line string) ([]string, error) {
	var list []string
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range strings.TrimSpace(line) + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && r == ' ':
			if !inside {
				continue
			}
			if w := word.String(); strings.Contains(w, "*") {
				found, err := filepath.Glob(w)
				if err != nil || len(found) == 0 {
					return nil, fmt.Errorf("%s: no file is called so (%v)", w, err)
				}
				list = append(list, found...)
			} else {
				list = append(list, w)
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%s: a quote is not closed", line)
	}
	return list, nil
}

// TestReferenceIsFresh holds docs/reference to the commands as they are.
func TestReferenceIsFresh(t *testing.T) {
	e, _, stderr := testEnv()
	fresh := filepath.Join(t.TempDir(), "reference")
	if code := run(t.Context(), []string{"reference", "markdown", "-o", fresh}, e); code != exitGood {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want, got := pagesIn(t, fresh), pagesIn(t, filepath.Join("..", "..", "docs", "reference"))
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("docs/reference/%s is of no command: run go generate ./cmd/c2s", name)
		}
	}
	for name, page := range want {
		if got[name] != page {
			t.Errorf("docs/reference/%s is not what the commands say: run go generate ./cmd/c2s", name)
		}
	}
}

// pagesIn are the texts in a folder. A checkout on Windows may have put \r\n.
func pagesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[f.Name()] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	return pages
}

// TestReferenceCommand writes both forms, and nothing over other people's files.
func TestReferenceCommand(t *testing.T) {
	dir := t.TempDir()
	for form, name := range map[string]string{"markdown": "README.md", "man": "c2s.1"} {
		e, _, stderr := testEnv()
		out := filepath.Join(dir, form)
		for _, args := range [][]string{{"reference", form, "-o", out}, {"reference", form, "-o", out, "--force"}} {
			if code := run(context.Background(), args, e); code != exitGood {
				t.Fatalf("%q: exit code %d: %s", args, code, stderr)
			}
		}
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
		if code := run(context.Background(), []string{"reference", form, "-o", dir, "--force"}, e); code != exitFailed {
			t.Errorf("%s: exit code %d for a folder with other files", form, code)
		}
	}
}
