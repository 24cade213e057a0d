package screen

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const smallest = `
contexts:
  positive: {file: a.h5ad, donor: donor, cell_type: cell_type}
  neutral: {file: b.h5ad, donor: donor, cell_type: cell_type}
compounds: compounds.tsv
controls: {positive: [IFN-gamma]}
`

// TestNested: brackets by the thousand are refused before the parser takes memory for them.
func TestNested(t *testing.T) {
	for _, open := range []string{"[", "{a: ", "[{a: "} {
		if _, err := parseConfig([]byte("contexts: " + strings.Repeat(open, 200_000))); err == nil || !strings.Contains(err.Error(), "brackets in each other") {
			t.Errorf("%q: %v", open, err)
		}
	}
	list := "leading: {names: [" + strings.Repeat("a, ", 1000) + "a]}\n"
	if cfg, err := parseConfig([]byte(demoScreen + list)); err != nil || len(cfg.Leading.Names) != 1001 {
		t.Errorf("a long list: %v", err)
	}
}

func TestConfigDefaults(t *testing.T) {
	c, err := parseConfig([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	if c.Match != "cell_type" || c.Cells != 50 || c.Genes != 200 || c.Program != "mhc1_core" || c.Controls.Vehicle != 32 ||
		c.Margin.Share != 0.25 || c.Design != "fixed" || c.Racing.First != 12 || c.Racing.T != 1 || c.Seed != 42 || c.Predictor.Name != "llm" {
		t.Errorf("%+v", c)
	}
}

func TestConfigRefuses(t *testing.T) {
	for _, c := range []struct{ from, to, want, hint string }{
		{"compounds:", "compuonds:", `line 5: unknown key "compuonds"`, "compounds"},
		{"donor: donor, cell_type: cell_type}\n  neu", "donor: donor, celltype: cell_type}\n  neu", `line 3: unknown key "celltype"`, "cell_type"},
		{"{positive:", "{vehicle_replicate: 3, positive:", "unknown key", "vehicle_replicates"},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\ndesign: raceing", "none of fixed, racing", "racing"},
		{"compounds: compounds.tsv", "", "compounds is missing", ""},
		{"positive: [IFN-gamma]", "", "controls.positive is missing", ""},
		{"file: a.h5ad, ", "", "contexts.positive.file is missing", ""},
		{"donor: donor, cell_type: cell_type}\ncompounds", "cell_type: cell_type}\ncompounds", "contexts.neutral.donor is missing", ""},
		{", cell_type: cell_type}\ncompounds", "}\ncompounds", "contexts.neutral.cell_type is missing", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\ncells: -1", "cells is -1", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\ncells: many", "cannot unmarshal", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nbudget: {money: 5}", "needs a price", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nleading: {doses: [1 uM]}", "at least 3", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nmargin: {share: 0.1, value: 0.2}", "exclude each other", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nmargin: {share: .nan}", "margin.share is NaN", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nbaseline: {name: llm}", "none of additive", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nbaseline: {name: additive}", "baseline.reference is missing", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nbaseline: {name: additive, reference: x.h5ad}", "baseline.control is missing", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\npredictor: {reference: x.h5ad}", "do not go with", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\npredictor: {name: control, temperature: 1}", "those of an llm", ""},
		{"compounds: compounds.tsv", "compounds: compounds.tsv\nbaseline: {name: additive, signatures: x, norm_of: y}", "norm_of goes with", ""},
		{smallest, "", "empty", ""},
		{smallest, "- a list", "mapping is expected", ""},
		{smallest, "a: [", "", ""},
	} {
		text := strings.Replace(smallest, c.from, c.to, 1)
		if text == smallest {
			t.Fatalf("%q is not in the text", c.from)
		}
		path := filepath.Join(t.TempDir(), "screen.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadConfig(path)
		var bad *Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", c.to, err, c.want)
			continue
		}
		if !strings.Contains(bad.Hint(), c.hint) {
			t.Errorf("%s: hint %q, expected %q", c.to, bad.Hint(), c.hint)
		}
	}
}

// TestTemplateReads: what --init writes can be read and says the same.
func TestTemplateReads(t *testing.T) {
	c, err := parseConfig([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	n := 7
	c.Title, c.Controls.Decoys.Stem, c.Leading.Doses = `a "title": # yes`, &n, []string{"1 uM", "2", "3"}
	c.Contexts.Positive.Pattern = `\d+$`
	again, err := parseConfig(c.Template())
	if err != nil {
		t.Fatalf("%v\n%s", err, c.Template())
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("%+v\n%+v", c, again)
	}
	// Every key is there, as a comment where it has no value.
	for _, key := range allKeys(reflect.TypeFor[Config]()) {
		if !strings.Contains(string(c.Template()), key+":") {
			t.Errorf("no %s", key)
		}
	}
}

// TestSchema: every key of the configuration is in the schema with a description, the
// schema has no other, and what the configuration needs is required.
func TestSchema(t *testing.T) {
	type node struct {
		Type                 string
		Description          string
		Properties           map[string]*node
		Required             []string
		Items                *node
		Enum                 []string
		AdditionalProperties *bool
	}
	var root node
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	var walk func(place string, n *node, v reflect.Type)
	walk = func(place string, n *node, v reflect.Type) {
		if n.AdditionalProperties == nil || *n.AdditionalProperties {
			t.Errorf("%s takes any key", place)
		}
		known := map[string]bool{}
		for f := range fields(v) {
			known[f.key] = true
			p := n.Properties[f.key]
			if p == nil || p.Description == "" || f.optional == slices.Contains(n.Required, f.key) {
				t.Errorf("%s.%s: %+v", place, f.key, p)
				continue
			}
			if f.Type.Kind() == reflect.Struct {
				walk(place+"."+f.key, p, f.Type)
			}
		}
		for key := range n.Properties {
			if !known[key] {
				t.Errorf("%s.%s is no key", place, key)
			}
		}
	}
	walk("", &root, reflect.TypeFor[Config]())
	// The smallest configuration has all that is required.
	var text map[string]any
	if err := yaml.Unmarshal([]byte(smallest), &text); err != nil {
		t.Fatal(err)
	}
	for _, key := range root.Required {
		if _, ok := text[key]; !ok {
			t.Errorf("%s is required", key)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte("contexts: {positive: &a {file: x}, neutral: *a}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		if _, err := parseConfig(c.Template()); err != nil {
			t.Errorf("%v\n%s", err, c.Template())
		}
	})
}
