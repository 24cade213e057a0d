package where

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// Kind is the kind of a column's values.
type Kind uint8

// The kinds, and the Go types of their values.
const (
	Text  Kind = iota + 1 // string
	Bool                  // bool
	Int                   // int
	Float                 // float64
)

// zero is a value of the kind, nil for a kind that does not exist.
func (k Kind) zero() any {
	switch k {
	case Text:
		return ""
	case Bool:
		return false
	case Int:
		return 0
	case Float:
		return 0.0
	}
	return nil
}

// Column is a column that an expression may use.
type Column struct {
	Name string
	Kind Kind
}

// Error is what is wrong with an expression.
type Error struct {
	Expression string
	// Offset is the place in Expression, in characters from 0.
	Offset  int
	Message string
	// Tip is what to do, "" when nothing can be said.
	Tip string
}

// Error is "character N: message", counted from 1.
func (e *Error) Error() string {
	return fmt.Sprintf("character %d: %s", e.Offset+1, e.Message)
}

// Hint is what to do about it.
func (e *Error) Hint() string { return e.Tip }

// Pointer is the expression on one line and a caret under the place on the next.
func (e *Error) Pointer() string {
	line := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, e.Expression)
	return line + "\n" + strings.Repeat(" ", e.Offset) + "^"
}

// Limits on an expression. The parser recurses, and text from outside must not
// choose how deep.
const (
	maxLength = 64 << 10
	maxNodes  = 10_000
)

// Filter is a compiled expression. It serves one goroutine at a time.
type Filter struct {
	expression string
	columns    []string // that it uses, in the order of Keep's values
	whole      *vm.Program
	gaps       *vm.Program // where values are missing
	machine    vm.VM
	env        map[string]any
}

// Compile checks an expression against the columns that it may use. Its error is
// an [*Error].
func Compile(expression string, columns []Column) (*Filter, error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return compile(expression, names, func(name string) (Kind, error) {
		return columns[slices.Index(names, name)].Kind, nil
	})
}

// compile asks for the kinds of the columns that the expression uses.
func compile(expression string, names []string, kindOf func(string) (Kind, error)) (*Filter, error) {
	p := &parser{expression: expression, names: names}
	used, err := p.parse()
	if err != nil {
		return nil, err
	}
	f := &Filter{expression: expression, columns: used, env: map[string]any{}}
	zeros := map[string]any{}
	for _, name := range used {
		kind, err := kindOf(name)
		if err != nil {
			return nil, err
		}
		zero := kind.zero()
		if zero == nil {
			return nil, &Error{expression, p.place[name], fmt.Sprintf("the column %q is neither text nor bool nor numbers", name), ""}
		}
		zeros[name] = zero
	}
	if f.whole, err = p.program(expr.Env(zeros), expr.AsBool(), expr.WarnOnAny(), expr.Patch(wholeRow{})); err != nil {
		return nil, err
	}
	f.gaps, err = p.program(expr.AllowUndefinedVariables(), expr.Patch(rowWithGaps{}))
	return f, err
}

// program compiles an expression that was parsed and found to be simple.
func (p *parser) program(options ...expr.Option) (*vm.Program, error) {
	program, err := expr.Compile(p.expression, append(options, expr.DisableAllBuiltins(), expr.MaxNodes(2*maxNodes))...)
	if err != nil {
		return nil, p.fromExpr(err)
	}
	return program, nil
}

// fromExpr gives an error of expr our form.
func (p *parser) fromExpr(err error) error {
	e := &Error{Expression: p.expression, Message: err.Error(), Tip: p.tip()}
	if at, ok := errors.AsType[*file.Error](err); ok {
		e.Offset, e.Message = at.From, at.Message
	}
	return e
}

// Columns lists the columns that the expression uses, in the order of the values
// of [Filter.Keep].
func (f *Filter) Columns() []string { return slices.Clone(f.columns) }

// Keep reports whether a row is kept, given its values of the columns: a string,
// bool, int or float64 as the column's kind says, or nil where it is missing. An
// error is an [*Error]: a division of whole numbers by zero with %.
func (f *Filter) Keep(values []any) (bool, error) {
	program := f.whole
	for i, name := range f.columns {
		f.env[name] = values[i]
		if values[i] == nil {
			program = f.gaps
		}
	}
	out, err := f.machine.Run(program, f.env)
	if err != nil {
		return false, (&parser{expression: f.expression}).fromExpr(err)
	}
	keep, _ := out.(bool) // a missing bool is not true
	return keep, nil
}
