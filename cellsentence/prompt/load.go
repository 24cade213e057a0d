package prompt

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"
)

// Templates are the wordings of one task: some prompts to choose from, and one
// response.
type Templates struct {
	task     Task
	file     string
	raw      []string // the prompts as written
	prompts  []template
	response template
	rawReply string
}

// Limits on prompt files. The Python package's largest has 15 templates in 6 kB.
const (
	maxFile      = 1 << 20
	maxTemplates = 4096
)

// wording holds the project's own prompts, a file a task.
//
//go:embed wording/*.json
var wording embed.FS

// Default returns the project's own wording of a task. It is no C2S model's: models
// that were trained on the Python package's words answer better to those.
func Default(task string) (*Templates, error) {
	t, err := TaskByName(task)
	if err != nil {
		return nil, err
	}
	name := t.Name + ".json"
	data, err := wording.ReadFile("wording/" + name)
	if err != nil {
		return nil, err
	}
	return parse(name, data, t, nil)
}

// Load reads the templates of a task from a file, or from the file of that task in
// a folder: TASK.json, or the name that the Python package gives it. The file is
// JSON in the package's form, {"model_input": [prompts], "response": [one]}, with
// the fields of Python's str.format. Other keys are left alone.
//
// Templates may use the fields of the task and, with their names in columns, label
// columns of the data. An unknown field is an error, and so is any other fault: all
// are *[Error], except for those of opening and reading the file.
func Load(path, task string, columns ...string) (*Templates, error) {
	t, err := TaskByName(task)
	if err != nil {
		return nil, err
	}
	path, err = taskFile(path, t)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	return parse(path, data, t, columns)
}

// New makes templates of texts, such as those that a model carries with it; name
// stands for the file in errors. Rules are those of [Load].
func New(name, task string, inputs []string, response string, columns ...string) (*Templates, error) {
	t, err := TaskByName(task)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(map[string][]string{"model_input": inputs, "response": {response}})
	if err != nil {
		return nil, err
	}
	return parse(name, data, t, columns)
}

// taskFile is the file of a task: path, or if that is a folder, one in it.
func taskFile(path string, t Task) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("prompts: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	wanted := []string{t.Name + ".json"}
	if t.python != "" {
		wanted = append(wanted, t.python)
	}
	var found []string
	for _, name := range wanted {
		file := filepath.Join(path, name)
		switch _, err := os.Stat(file); {
		case err == nil:
			found = append(found, file)
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("prompts: %w", err)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", &Error{File: path, Problem: fmt.Sprintf("the folder has no prompts for task %s: looked for %s", t.Name, list(wanted)), Err: fs.ErrNotExist}
	}
	return "", &Error{File: path, Problem: fmt.Sprintf("two files hold prompts for task %s: %s; remove one, or name one", t.Name, list(wanted))}
}

// parse reads templates from a file's bytes.
func parse(file string, data []byte, t Task, columns []string) (*Templates, error) {
	if len(data) > maxFile {
		return nil, &Error{File: file, Problem: fmt.Sprintf("larger than %d bytes: not a prompt file", maxFile)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, &Error{File: file, Problem: "not UTF-8 text"}
	}
	// A map, since encoding/json takes keys of structs in any case and Python does
	// not.
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, &Error{File: file, Problem: fmt.Sprintf("not a JSON object: %v", err), Err: err}
	}
	out := &Templates{task: t, file: file}
	response := []string{}
	for key, to := range map[string]*[]string{"model_input": &out.raw, "response": &response} {
		if err := json.Unmarshal(keys[key], to); err != nil || len(*to) == 0 {
			return nil, &Error{File: file, Where: key, Problem: "must be a list of one or more strings", Err: err}
		}
	}
	if n := len(out.raw); n > maxTemplates {
		return nil, &Error{File: file, Where: "model_input", Problem: fmt.Sprintf("%d templates, %d are the most", n, maxTemplates)}
	}
	if n := len(response); n != 1 {
		return nil, &Error{File: file, Where: "response", Problem: fmt.Sprintf("%d templates; exactly one is used", n)}
	}
	in := finder(t.Input, t.Response, columns)
	for i, raw := range out.raw {
		p, err := parseAt(file, fmt.Sprintf("model_input[%d]", i), raw, in)
		if err != nil {
			return nil, err
		}
		out.prompts = append(out.prompts, p)
	}
	var err error
	out.rawReply = response[0]
	out.response, err = parseAt(file, "response[0]", response[0], finder(slices.Concat(t.Response, t.Input), nil, columns))
	return out, err
}

// parseAt parses one template and says where it stands if that fails.
func parseAt(file, where, raw string, find func(string) (Field, error)) (template, error) {
	// A replacement character is what half a surrogate pair ("\ud83d") is read as.
	if bad, ok := badRune(raw, true); ok || bytes.ContainsRune([]byte(raw), utf8.RuneError) {
		if !ok {
			bad = string(utf8.RuneError)
		}
		return nil, &Error{File: file, Where: where, Problem: fmt.Sprintf("holds the character %q, which does not belong in a prompt", bad)}
	}
	p, err := parseTemplate(raw, find)
	if err != nil {
		e := &Error{File: file, Where: where, Problem: err.Error(), Err: err}
		if fe, ok := errors.AsType[*fieldError](err); ok {
			e.Field = fe.field
		}
		return nil, e
	}
	return p, nil
}

// Task is the task that the templates are for.
func (t *Templates) Task() Task { return t.task }

// File is where they were read: a path, or a bare name for [Default].
func (t *Templates) File() string { return t.file }

// Len is the number of prompts to choose from.
func (t *Templates) Len() int { return len(t.prompts) }

// Fields lists the names of the fields that the prompts use, and
// [Templates.ResponseFields] of those that the response uses: what a row must
// have.
func (t *Templates) Fields() []string { return names(fields(t.prompts...)) }

// ResponseFields lists the names of the fields that the response uses.
func (t *Templates) ResponseFields() []string { return names(fields(t.response)) }
