package where_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad/where"
)

var columns = []where.Column{
	{"kind", where.Text},
	{"n", where.Int},
	{"score", where.Float},
	{"ok", where.Bool},
	{"percent.mt", where.Float},
	{"cell type", where.Text},
	{"leiden-res", where.Text},
	{"in", where.Int},
	{"count", where.Int},
	{"odd", 0},
}

// keep filters one row given by name; what is not given is missing.
func keep(t *testing.T, expression string, row map[string]any) bool {
	t.Helper()
	f, err := where.Compile(expression, columns)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	values := []any{}
	for _, name := range f.Columns() {
		values = append(values, row[name])
	}
	got, err := f.Keep(values)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return got
}

func TestKeep(t *testing.T) {
	full := map[string]any{"kind": "B cell", "n": 300, "score": 0.5, "ok": true, "percent.mt": 4.5, "cell type": "T", "leiden-res": "1", "in": 7, "count": 2}
	for expression, want := range map[string]bool{
		`kind == "B cell" && n > 200`:          true,
		`kind == "T cell" || n < 200`:          false,
		`kind in ["B cell", "T cell"]`:         true,
		`kind not in ["B cell", "T cell"]`:     false,
		`n in [1, 2, 300]`:                     true,
		`kind contains "cell"`:                 true,
		`kind startsWith "B"`:                  true,
		`kind endsWith "B"`:                    false,
		`kind matches "^[BT] cell$"`:           true,
		`$env["percent.mt"] < 5`:               true,
		`$env["cell type"] == "T"`:             true,
		`$env["in"] == 7 && count == 2`:        true,
		`n == 300.0 and score * 2 == 1`:        true,
		`ok`:                                   true,
		`!ok`:                                  false,
		`not ok or n / 7 > 42.8`:               true,
		`n % 7 == 6 && n ** 2 == 90000`:        true,
		`n == nil`:                             false,
		`n != nil && nil != kind`:              true,
		`kind + "s" == "B cells" && -n < -299`: true,
		"n >\n 299 // a remark":                true,
		`true`:                                 true,
		`(n > 1) == ok`:                        true,
	} {
		if got := keep(t, expression, full); got != want {
			t.Errorf("%s is %v", expression, got)
		}
	}
	// Every comparison with what is missing is false.
	for expression, want := range map[string]bool{
		`n > 5`: false, `n <= 5`: false, `n == 5`: false, `n != 5`: false, `5 != n`: false,
		`n + 1 != 0`: false, `-n < 5`: false, `n in [5]`: false, `n not in [5]`: true, `!(n > 5)`: true,
		`1 in [n, 2]`: false, `2 in [n, 2]`: false, `n == n`: false,
		`kind == ""`: false, `kind contains ""`: false, `kind matches ""`: false, `kind < "a"`: false, `kind + "a" != ""`: false,
		`ok`: false, `!ok`: true, `ok || true`: true, `ok && true`: false, `ok == false`: false, `ok != true`: false,
		`n == nil`: true, `nil == n`: true, `n != nil`: false, `n != nil || n == nil`: true, `!(n == nil)`: false,
		`$env["percent.mt"] < 5`: false, `$env["percent.mt"] == nil`: true, `(n > 5) == false`: true,
		`n > 5 || true`: true, `n == nil && kind == nil && score == nil && ok == nil`: true,
	} {
		if got := keep(t, expression, nil); got != want {
			t.Errorf("all missing: %s is %v", expression, got)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		expression string
		caret      string // where the caret is: the text that follows
		message    string
		tip        string
	}{
		{`foo > 5`, "foo", `unknown column "foo"`, "the columns are: kind, n, score"},
		{`n > 5 && foo`, "foo", `unknown column "foo"`, ""},
		{`percent.mt < 5`, "percent", `percent.mt is a column whose name is no identifier: write $env["percent.mt"]`, ""},
		{`n > 1 && percent.mt < 5`, "percent", `write $env["percent.mt"]`, ""},
		{`percent.ribo < 5`, "percent", "columns have no parts: there is no percent.ribo", ""},
		{`cell type == "T"`, "type", "unexpected token", `write $env["cell type"]`},
		{`leiden-res == "1"`, "leiden", `unknown column "leiden"`, `write $env["leiden-res"]`},
		{`in == 7`, "in", "unexpected token", `write $env["in"]`},
		{`$env["nope"] == 1`, `[`, `unknown column "nope"`, ""},
		{`kind == 5`, "==", "mismatched types string and int", ""},
		{`n == "5"`, "==", "mismatched types int and string", ""},
		{`n > "5"`, ">", "mismatched types int and string", ""},
		{`kind > 5`, ">", "mismatched types string and int", ""},
		{`kind contains 5`, "contains", "mismatched types string and int", ""},
		{`kind in [1, 2]`, "in", "cannot use string as type int in array", ""},
		{`ok && n`, "&&", "mismatched types bool and int", ""},
		{`!n`, "!", "mismatched type int", ""},
		{`n`, "n", "expected bool, but got int", ""},
		{`kind + "a"`, "kind", "expected bool, but got string", ""},
		{`odd == 1`, "odd", `the column "odd" is neither text nor bool nor numbers`, ""},
		{`nil`, "nil", "nil can only be compared with a column", "COLUMN == nil"},
		{`n > nil`, "nil", "nil can only be compared with a column", ""},
		{`nil == nil`, "nil", "nil can only be compared with a column", ""},
		{`kind in [nil]`, "nil", "nil can only be compared with a column", ""},
		{`len(kind) > 3`, "len", "functions cannot be used", ""},
		{`filter([1], # > 0) == []`, "filter", "functions cannot be used", ""},
		{`all([1], {true})`, "all", "functions cannot be used", ""},
		{`kind | upper() == "B"`, "upper", "functions cannot be used", ""},
		{`kind.foo()`, "", "functions cannot be used", ""},
		{`ok ? true : false`, "", "conditions cannot be used", "&& and ||"},
		{`n in 1..1000000000`, "", "a list is expected to the right of in", ""},
		{`(1..9) == n`, "..", "ranges cannot be used", ""},
		{`(n ?? 5) > 1`, "??", "the operator ?? cannot be used", ""},
		{`let x = n; x > 1`, "", "only columns, literals and operators", ""},
		{`{"a": 1} == n`, "", "only columns, literals and operators", ""},
		{`kind[0:1] == "B"`, "", "only columns, literals and operators", ""},
		{`kind[0] == "B"`, "kind", "columns have no parts", ""},
		{`kind matches "["`, "matches", "error parsing regexp", ""},
		{`kind matches kind`, "kind", "a regular expression in quotes", ""},
		{`kind in kind`, "kind", "a list is expected", "contains"},
		{`n >`, "", "unexpected token EOF", ""},
		{`n > 5)`, ")", "unexpected token", ""},
		{`kind == "B`, "", "literal not terminated", ""},
		{`$env`, "$env", `unknown column "$env"`, ""},
		{``, "", "the expression is empty", ""},
		{"\xff", "", "not valid UTF-8", ""},
		{strings.Repeat("(", 70_000), "", "at most 65536", ""},
		{"n in [" + strings.Repeat("1,", 20_000) + "1]", "", "maximum allowed nodes", ""},
	} {
		_, err := where.Compile(c.expression, columns)
		var e *where.Error
		if !errors.As(err, &e) {
			t.Errorf("%.40s: %v, expected an Error", c.expression, err)
			continue
		}
		if !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint(), c.tip) {
			t.Errorf("%.40s: %q (%q), expected %q (%q)", c.expression, e.Message, e.Hint(), c.message, c.tip)
		}
		lines := strings.Split(e.Pointer(), "\n")
		if len(lines) != 2 || !strings.HasSuffix(lines[1], "^") {
			t.Fatalf("%.40s: pointer %.100q", c.expression, e.Pointer())
		}
		if at := []rune(lines[0])[min(len(lines[1])-1, len([]rune(lines[0]))):]; !strings.HasPrefix(string(at), c.caret) {
			t.Errorf("%s:\n%s\nexpected the caret at %q", c.message, e.Pointer(), c.caret)
		}
		if want := fmt.Sprintf("character %d: ", e.Offset+1); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q does not begin with %q", err, want)
		}
	}
}

func TestKeepErrors(t *testing.T) {
	f, err := where.Compile(`n % 0 == 1`, columns)
	if err == nil {
		_, err = f.Keep([]any{5})
	}
	var e *where.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "divide by zero") {
		t.Errorf("%v", err)
	}
}

// value is a random value of a column, one of few so that they meet; nil is
// missing.
func value(r *rand.Rand, k where.Kind) any {
	if r.IntN(4) == 0 {
		return nil
	}
	switch k {
	case where.Text:
		return []string{"a", "ab", "b", ""}[r.IntN(4)]
	case where.Int:
		return r.IntN(5) - 2
	case where.Float:
		return float64(r.IntN(5)-2) / 2
	}
	return r.IntN(2) == 0
}

// sample is an expression and, written by hand, what it means.
type sample struct {
	text string
	keep func(row map[string]any) bool
}

// random draws an expression. Its meaning is told with Go's own operators.
func random(r *rand.Rand, depth int) sample {
	if depth > 0 && r.IntN(3) > 0 {
		a, b := random(r, depth-1), random(r, depth-1)
		switch r.IntN(3) {
		case 0:
			return sample{"(" + a.text + " && " + b.text + ")", func(row map[string]any) bool { return a.keep(row) && b.keep(row) }}
		case 1:
			return sample{"(" + a.text + " or " + b.text + ")", func(row map[string]any) bool { return a.keep(row) || b.keep(row) }}
		}
		return sample{"!(" + a.text + ")", func(row map[string]any) bool { return !a.keep(row) }}
	}
	has := func(name string, test func(v any) bool) func(map[string]any) bool {
		return func(row map[string]any) bool { return row[name] != nil && test(row[name]) }
	}
	limit := r.IntN(5) - 2
	text := []string{"a", "ab", "b", ""}[r.IntN(4)]
	switch r.IntN(10) {
	case 0:
		return sample{fmt.Sprintf("n > %d", limit), has("n", func(v any) bool { return v.(int) > limit })}
	case 1:
		return sample{fmt.Sprintf("n + 1 != %d", limit), has("n", func(v any) bool { return v.(int)+1 != limit })}
	case 2:
		return sample{fmt.Sprintf("%d >= score", limit), has("score", func(v any) bool { return float64(limit) >= v.(float64) })}
	case 3:
		return sample{fmt.Sprintf("$env[\"percent.mt\"] == %d", limit), has("percent.mt", func(v any) bool { return v.(float64) == float64(limit) })}
	case 4:
		return sample{fmt.Sprintf("kind == %q", text), has("kind", func(v any) bool { return v.(string) == text })}
	case 5:
		return sample{fmt.Sprintf("kind in [%q, \"z\"]", text), has("kind", func(v any) bool { return v.(string) == text })}
	case 6:
		return sample{fmt.Sprintf("kind startsWith %q", text), has("kind", func(v any) bool { return strings.HasPrefix(v.(string), text) })}
	case 7:
		return sample{"ok", has("ok", func(v any) bool { return v.(bool) })}
	case 8:
		return sample{"n == nil", func(row map[string]any) bool { return row["n"] == nil }}
	}
	return sample{"n < score", func(row map[string]any) bool {
		return row["n"] != nil && row["score"] != nil && float64(row["n"].(int)) < row["score"].(float64)
	}}
}

// TestKeepEqualsHandWritten draws expressions and rows.
func TestKeepEqualsHandWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		s := random(r, 3)
		f, err := where.Compile(s.text, columns)
		if err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
		for range 50 {
			row := map[string]any{}
			for _, c := range columns {
				row[c.Name] = value(r, c.Kind)
			}
			values := []any{}
			for _, name := range f.Columns() {
				values = append(values, row[name])
			}
			got, err := f.Keep(values)
			if err != nil {
				t.Fatalf("%s of %v: %v", s.text, row, err)
			}
			if got != s.keep(row) {
				t.Fatalf("%s of %v is %v", s.text, row, got)
			}
		}
	}
}

// FuzzCompile: any text compiles or is an Error that points into it, and what
// compiles runs on values and on what is missing.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`kind == "B cell" && n > 200`, `$env["percent.mt"] < 5 or not ok`, `n in [1, 2.5] && kind matches "^a"`,
		`percent.mt`, `n % 0 == 1`, `len(kind)`, `let x = 1; x`, `n == nil ? 1 : 2`, `[1][0]`, `#`, `((`, "é == 1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		filter, err := where.Compile(expression, columns)
		if err != nil {
			var e *where.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no Error", err)
			}
			if n := len([]rune(e.Expression)); e.Offset < 0 || e.Offset > n {
				t.Fatalf("%q: offset %d of %d", expression, e.Offset, n)
			}
			e.Pointer()
			return
		}
		used := filter.Columns()
		r := rand.New(rand.NewPCG(3, 4))
		for range 4 {
			values := make([]any, len(used))
			for i, name := range used {
				at := slices.IndexFunc(columns, func(c where.Column) bool { return c.Name == name })
				values[i] = value(r, columns[at].Kind)
			}
			if _, err := filter.Keep(values); err != nil {
				var e *where.Error
				if !errors.As(err, &e) {
					t.Fatalf("%v is no Error", err)
				}
				if !strings.Contains(e.Message, "divide by zero") {
					t.Errorf("%q of %v: %v", expression, values, err)
				}
			}
		}
	})
}

func BenchmarkKeep(b *testing.B) {
	for _, c := range []struct {
		name, expression string
		values           []any
	}{
		{"whole", `kind == "B cell" && n > 200`, []any{"B cell", 300}},
		{"gaps", `kind == "B cell" && n > 200`, []any{"B cell", nil}},
		{"number", `$env["percent.mt"] < 5`, []any{4.5}},
		{"list", `kind in ["B cell", "T cell", "NK"]`, []any{"B cell"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, err := where.Compile(c.expression, columns)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := f.Keep(c.values); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
