package prompt_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// TestDefaults loads the wording of every task. Each prompt must show all that the
// task is about, or there would be nothing to answer from.
func TestDefaults(t *testing.T) {
	for _, task := range prompt.Tasks() {
		t.Run(task.Name, func(t *testing.T) {
			templates, err := prompt.Default(task.Name)
			if err != nil {
				t.Fatal(err)
			}
			if templates.C2S() {
				t.Error("our wording is the package's")
			}
			if templates.Len() < 3 {
				t.Errorf("%d wordings", templates.Len())
			}
			data, err := os.ReadFile(filepath.Join("wording", task.Name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, f := range task.Input {
				if f.About == "" {
					t.Errorf("field %s is not explained", f.Name)
				}
				// What is known of a cell before a perturbation is its sentence.
				if f.Name == "cell_type" && strings.HasPrefix(task.Name, "perturbation_") {
					continue
				}
				want = append(want, f.Name)
			}
			var file struct {
				Prompts []string `json:"model_input"`
			}
			if err := json.Unmarshal(data, &file); err != nil {
				t.Fatal(err)
			}
			for _, raw := range file.Prompts {
				for _, name := range want {
					if !strings.Contains(raw, "{"+name+"}") {
						t.Errorf("no {%s} in %q", name, raw)
					}
				}
			}
			if len(templates.ResponseFields()) != 1 || templates.ResponseFields()[0] != task.Response[0].Name {
				t.Errorf("the response uses %v", templates.ResponseFields())
			}
		})
	}
	files, err := os.ReadDir("wording")
	if err != nil || len(files) != len(prompt.Tasks()) {
		t.Errorf("%d files for %d tasks, %v", len(files), len(prompt.Tasks()), err)
	}
}

func TestUnknownTask(t *testing.T) {
	_, err := prompt.Default("annotate\x1b")
	if err == nil || !strings.Contains(err.Error(), `unknown task "annotate\x1b": choose one of cell_type_prediction, `) {
		t.Error(err)
	}
	if _, err := prompt.Load(".", "annotate"); err == nil {
		t.Error("no error")
	}
}

// TestLoadErrors has one fault a file.
func TestLoadErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // after the path
	}{
		"unknown field": {
			`{"model_input": ["{organism}", "A {cell_typ} B"], "response": ["x"]}`,
			": model_input[1]: unknown field {cell_typ}; known here are num_genes, organism, cell_sentence, donor",
		},
		"unknown field of the response": {
			`{"model_input": ["x"], "response": ["{tissue}"]}`,
			": response[0]: unknown field {tissue}; known here are cell_type, num_genes, organism, cell_sentence, donor",
		},
		"the answer":      {`{"model_input": ["{cell_type}"], "response": ["x"]}`, ": model_input[0]: field {cell_type} is what the model is asked for and would give the answer away"},
		"no name":         {`{"model_input": ["a{}"], "response": ["x"]}`, ": model_input[0]: a field without a name; write {name}, or {{}} for braces of the text"},
		"number":          {`{"model_input": ["a{0}"], "response": ["x"]}`, ": model_input[0]: unknown field {0}; known here are num_genes, organism, cell_sentence, donor"},
		"look-up":         {`{"model_input": ["{organism.x}"], "response": ["x"]}`, ": model_input[0]: unknown field {organism.x}; known here are num_genes, organism, cell_sentence, donor"},
		"conversion":      {`{"model_input": ["{organism!r}"], "response": ["x"]}`, ": model_input[0]: field {organism!r} has a conversion or a format; only plain {name} is understood"},
		"format":          {`{"model_input": ["{organism:>9}"], "response": ["x"]}`, ": model_input[0]: field {organism:>9} has a conversion or a format; only plain {name} is understood"},
		"open brace":      {`{"model_input": ["{organism"], "response": ["x"]}`, ": model_input[0]: a { without its }; a brace of the text is written {{"},
		"open in field":   {`{"model_input": ["{a{organism}}"], "response": ["x"]}`, ": model_input[0]: a { without its }; a brace of the text is written {{"},
		"closed brace":    {`{"model_input": ["a } b"], "response": ["x"]}`, ": model_input[0]: a } without its {; a brace of the text is written }}"},
		"no prompts":      {`{"model_input": [], "response": ["x"]}`, ": model_input: must be a list of one or more strings"},
		"no response":     {`{"model_input": ["x"]}`, ": response: must be a list of one or more strings"},
		"case of the key": {`{"Model_Input": ["x"], "response": ["x"]}`, ": model_input: must be a list of one or more strings"},
		"two responses":   {`{"model_input": ["x"], "response": ["x", "y"]}`, ": response: 2 templates; exactly one is used"},
		"not strings":     {`{"model_input": [1], "response": ["x"]}`, ": model_input: must be a list of one or more strings"},
		"a list":          {`["x"]`, ": not a JSON object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage"},
		"nothing":         {``, ": not a JSON object: unexpected end of JSON input"},
		"escape":          {`{"model_input": ["\u001b[31m"], "response": ["x"]}`, `: model_input[0]: holds the character "\x1b", which does not belong in a prompt`},
		"direction":       {`{"model_input": ["\u202e"], "response": ["x"]}`, `: model_input[0]: holds the character "\u202e", which does not belong in a prompt`},
		"half a pair":     {`{"model_input": ["\ud83d"], "response": ["x"]}`, `: model_input[0]: holds the character "�", which does not belong in a prompt`},
		"not UTF-8":       {"{\"model_input\": [\"\xff\"], \"response\": [\"x\"]}", ": not UTF-8 text"},
		"too large":       {strings.Repeat(" ", 1<<20) + "{}", ": larger than 1048576 bytes: not a prompt file"},
		"too many":        {`{"model_input": ["x"` + strings.Repeat(`,"x"`, 4096) + `], "response": ["x"]}`, ": model_input: 4097 templates, 4096 are the most"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeText(t, filepath.Join(t.TempDir(), "p.json"), c.text)
			_, err := prompt.Load(path, "cell_type_prediction", "donor")
			if err == nil || err.Error() != path+c.want {
				t.Fatalf("got  %v\nwant %s", err, path+c.want)
			}
			if !isBadInput(err) {
				t.Error("not told as bad input")
			}
		})
	}
	path := writeText(t, filepath.Join(t.TempDir(), "p.json"), `{"model_input": ["{x}"], "response": ["y"]}`)
	_, err := prompt.Load(path, "tissue_prediction")
	var e *prompt.Error
	if !errors.As(err, &e) || e.File != path || e.Where != "model_input[0]" || e.Field != "x" {
		t.Errorf("%+v", e)
	}
}

// TestLoadForms loads what the package could load as well: other keys, a byte order
// mark, escaped characters.
func TestLoadForms(t *testing.T) {
	path := writeText(t, filepath.Join(t.TempDir(), "p.json"),
		"\ufeff{\"comment\": 7, \"model_input\": [\"{{{organism}}} caf\\u00e9 \\ud83e\\uddec {donor}\\n\"], \"response\": [\"{cell_type}.\"]}")
	templates, err := prompt.Load(path, "cell_type_prediction", "donor")
	if err != nil {
		t.Fatal(err)
	}
	if got := templates.Fields(); !slices.Equal(got, []string{"organism", "donor"}) {
		t.Errorf("fields %v", got)
	}
	f, err := prompt.NewFormatter(templates, prompt.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Prompt(prompt.Sample{Values: map[string]string{"organism": "Mus", "donor": "{organism}"}})
	if want := "{Mus} café 🧬 {organism}\n"; err != nil || p.Input != want {
		t.Errorf("%q, %v; expected %q", p.Input, err, want)
	}
	if templates.File() != path || templates.Task().Name != "cell_type_prediction" {
		t.Error(templates.File(), templates.Task().Name)
	}
}

// TestLoadFolder looks for the file of a task under our name and the package's.
func TestLoadFolder(t *testing.T) {
	dir := t.TempDir()
	const python = "single_cell_cell_type_conditional_generation_prompts.json"
	_, err := prompt.Load(dir, "cell_type_generation")
	if want := ": the folder has no prompts for task cell_type_generation: looked for cell_type_generation.json, " + python; err == nil || err.Error() != dir+want || !isBadInput(err) {
		t.Errorf("%v", err)
	}
	write(t, filepath.Join(dir, python), "theirs")
	templates, err := prompt.Load(dir, "cell_type_generation")
	if err != nil || filepath.Base(templates.File()) != python {
		t.Errorf("%v", err)
	}
	ours := write(t, filepath.Join(dir, "cell_type_generation.json"), "ours")
	_, err = prompt.Load(dir, "cell_type_generation")
	if err == nil || !strings.Contains(err.Error(), "two files hold prompts for task cell_type_generation") {
		t.Errorf("%v", err)
	}
	if templates, err = prompt.Load(ours, "cell_type_generation"); err != nil || templates.Len() != 1 {
		t.Errorf("%v", err)
	}
	if _, err := prompt.Load(filepath.Join(dir, "absent"), "cell_type_generation"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestFingerprint tells wordings apart.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	sums := map[string]string{}
	for name, prompts := range map[string][]string{"a": {"x", "y"}, "order": {"y", "x"}, "joined": {"xy"}, "same": {"x", "y"}} {
		templates, err := prompt.Load(write(t, filepath.Join(dir, name), prompts...), "cell_type_generation")
		if err != nil {
			t.Fatal(err)
		}
		if templates.C2S() {
			t.Errorf("%s: taken for the package's wording", name)
		}
		sums[name] = templates.Fingerprint()
	}
	if sums["a"] != sums["same"] || sums["a"] == sums["order"] || sums["a"] == sums["joined"] || len(sums["a"]) != 64 {
		t.Error(sums)
	}
}

// TestC2SWording takes the package's prompts for its own, also a choice of them,
// and for nothing else: not when one more is there, nor for another task.
func TestC2SWording(t *testing.T) {
	dir := packageFolder(t)
	templates, err := prompt.Load(dir, "cell_type_generation")
	if err != nil || !templates.C2S() {
		t.Fatal(err)
	}
	data, err := os.ReadFile(templates.File())
	if err != nil {
		t.Fatal(err)
	}
	c2s := func(text string) bool {
		templates, err := prompt.Load(writeText(t, filepath.Join(t.TempDir(), "p.json"), text), "cell_type_generation")
		if err != nil {
			t.Fatal(err)
		}
		return templates.C2S()
	}
	whole := string(data)
	comma := strings.Index(whole, "\",\n")
	quote := strings.Index(whole[comma+2:], `"`) + comma + 2
	first := strings.Index(whole, "[")
	if !c2s(whole[:first+1] + whole[quote:]) {
		t.Error("without its first prompt it is not known")
	}
	if c2s(whole[:first+1] + `"one more",` + whole[first+1:]) {
		t.Error("with a prompt of another author it is taken for the package's")
	}
	if other, err := prompt.Load(templates.File(), "pseudobulk_generation"); err == nil && other.C2S() {
		t.Error("taken for the package's under another task")
	}
}

func TestFindPackageErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := prompt.FindPackageIn(dir, "absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "cell2sentence"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := prompt.FindPackageIn(dir); err == nil || !strings.Contains(err.Error(), "has no prompts") {
		t.Errorf("%v", err)
	}
	if _, err := prompt.FindPackage(context.Background(), filepath.Join(dir, "no-python")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := prompt.FindPackage(ctx, "python3"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestFindPackageAbsent runs an interpreter that does not have the package.
func TestFindPackageAbsent(t *testing.T) {
	old := os.Getenv("C2S_PYTHON_OLD")
	if old == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no second Python (C2S_PYTHON_OLD)")
		}
		t.Skip("no second Python (C2S_PYTHON_OLD)")
	}
	// A folder of that name in the working directory is not an installed package.
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("cell2sentence/prompts", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := prompt.FindPackage(context.Background(), old); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "has no Python package cell2sentence") {
		t.Errorf("%v", err)
	}
}
