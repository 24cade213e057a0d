package prompt

import (
	"fmt"
	"strings"
)

// template is a parsed format string.
type template []part

// part is a piece of text, or a field if its name is not empty.
type part struct {
	text  string
	field Field
}

// fieldError is a reason to refuse a template, with the field it lies in.
type fieldError struct{ field, problem string }

func (e *fieldError) Error() string { return e.problem }

// parseTemplate parses a format string in the syntax of Python's str.format:
// {name} is a field, {{ and }} are braces. find gives the field of a name or an
// error. Conversions and format specifications ({name!r}, {name:>9}), positional
// fields and look-ups within a field are errors: values are texts and are put in as
// they are.
func parseTemplate(s string, find func(name string) (Field, error)) (template, error) {
	var t template
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		c := s[i]
		s = s[i+1:]
		if s != "" && s[0] == c {
			b.WriteByte(c)
			s = s[1:]
			continue
		}
		if c == '}' {
			return nil, &fieldError{"", "a } without its {; a brace of the text is written }}"}
		}
		end := strings.IndexAny(s, "{}")
		if end < 0 || s[end] == '{' {
			return nil, &fieldError{"", "a { without its }; a brace of the text is written {{"}
		}
		name := s[:end]
		s = s[end+1:]
		if strings.ContainsAny(name, "!:") {
			return nil, &fieldError{name, fmt.Sprintf("field {%s} has a conversion or a format; only plain {name} is understood", escape(name))}
		}
		f, err := find(name)
		if err != nil {
			return nil, err
		}
		if b.Len() > 0 {
			t = append(t, part{text: b.String()})
			b.Reset()
		}
		t = append(t, part{field: f})
	}
	if b.Len() > 0 {
		t = append(t, part{text: b.String()})
	}
	return t, nil
}

// escape is quote without the quotes.
func escape(s string) string {
	q := quote(s)
	return q[1 : len(q)-1]
}

// finder gives the fields of a template that may use allowed and columns, but not
// denied.
func finder(allowed, denied []Field, columns []string) func(string) (Field, error) {
	return func(name string) (Field, error) {
		if f, ok := field(allowed, name); ok {
			return f, nil
		}
		if _, ok := field(denied, name); ok {
			return Field{}, &fieldError{name, fmt.Sprintf("field {%s} is what the model is asked for and would give the answer away", name)}
		}
		for _, c := range columns {
			if c == name {
				return Field{Name: c, kind: kindLine}, nil
			}
		}
		if name == "" {
			return Field{}, &fieldError{"", "a field without a name; write {name}, or {{}} for braces of the text"}
		}
		known := append(names(allowed), columns...)
		return Field{}, &fieldError{name, fmt.Sprintf("unknown field {%s}; known here are %s", escape(name), list(known))}
	}
}

// fields lists the fields of templates, each once, in order of appearance.
func fields(ts ...template) []Field {
	var out []Field
	for _, t := range ts {
		for _, p := range t {
			if p.field.Name == "" {
				continue
			}
			if _, ok := field(out, p.field.Name); !ok {
				out = append(out, p.field)
			}
		}
	}
	return out
}
