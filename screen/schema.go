package screen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
)

// field is a key of a configuration.
type field struct {
	reflect.StructField
	key      string
	optional bool
}

// fields lists the keys of a part of a configuration.
func fields(t reflect.Type) iter.Seq[field] {
	return func(yield func(field) bool) {
		for f := range t.Fields() {
			key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key != "" && !yield(field{f, key, strings.Contains(options, "omitempty")}) {
				return
			}
		}
	}
}

// Schema is the JSON Schema (draft 2020-12) of a screen.yaml, for editors that complete
// and check YAML.
func Schema() []byte {
	root := object(reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "c2s screen"
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil // maps, lists and strings always marshal
	}
	return b.Bytes()
}

func object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for f := range fields(t) {
		p := schemaOf(f.Type)
		p["description"] = f.Tag.Get("doc")
		if values := f.Tag.Get("enum"); values != "" {
			p["enum"] = strings.Split(values, ",")
		}
		properties[f.key] = p
		if !f.optional {
			required = append(required, f.key)
		}
	}
	o := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func schemaOf(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Struct:
		return object(t)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return map[string]any{"type": "number", "minimum": 0}
	}
	return map[string]any{"type": "string"}
}

// Template is the configuration as a screen.yaml with a comment on every key. Keys that
// have no value are comments themselves.
func (c *Config) Template() []byte {
	var b bytes.Buffer
	b.WriteString("# A dual-context virtual screen; c2s help screen tells how to run it.\n")
	writeYAML(&b, reflect.ValueOf(c).Elem(), "")
	return b.Bytes()
}

func writeYAML(b *bytes.Buffer, v reflect.Value, indent string) {
	for f := range fields(v.Type()) {
		if indent == "" {
			b.WriteByte('\n')
		}
		for _, line := range wrapText(f.Tag.Get("doc"), 88-len(indent)) {
			fmt.Fprintf(b, "%s# %s\n", indent, line)
		}
		value := v.FieldByIndex(f.Index)
		if value.Kind() == reflect.Struct {
			var inner bytes.Buffer
			writeYAML(&inner, value, indent+"  ")
			mark := ""
			if onlyComments(inner.Bytes()) { // YAML wants a mapping, not nothing
				mark = "#"
			}
			fmt.Fprintf(b, "%s%s%s:\n%s", indent, mark, f.key, inner.Bytes())
			continue
		}
		text, given := scalar(value)
		mark := ""
		if !given {
			mark = "#"
		}
		fmt.Fprintf(b, "%s%s%s: %s\n", indent, mark, f.key, text)
	}
}

func onlyComments(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// scalar is a value in YAML's flow style, and whether it is other than zero.
func scalar(v reflect.Value) (text string, given bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			text, _ := scalar(reflect.Zero(v.Type().Elem()))
			return text, false
		}
		text, _ := scalar(v.Elem())
		return text, true
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			text, _ := scalar(v.Index(i))
			parts = append(parts, text)
		}
		return "[" + strings.Join(parts, ", ") + "]", v.Len() > 0
	case reflect.String:
		return strconv.Quote(v.String()), v.String() != ""
	}
	return fmt.Sprint(v.Interface()), !v.IsZero()
}

// wrapText breaks a text into lines of at most width characters.
func wrapText(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
