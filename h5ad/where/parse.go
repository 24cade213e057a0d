package where

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	exprparser "github.com/expr-lang/expr/parser"
)

// parser finds what an expression uses, and refuses what it may not.
type parser struct {
	expression string
	names      []string // of all columns

	used  []string
	place map[string]int // of the first use
	err   *Error
}

// parse lists the columns that the expression uses.
func (p *parser) parse() ([]string, error) {
	if n := len(p.expression); n > maxLength {
		return nil, &Error{Expression: p.expression[:0], Message: fmt.Sprintf("the expression has %d bytes, at most %d are allowed", n, maxLength)}
	}
	if !utf8.ValidString(p.expression) {
		return nil, &Error{Message: "the expression is not valid UTF-8"}
	}
	if strings.TrimSpace(p.expression) == "" {
		return nil, &Error{Expression: p.expression, Message: "the expression is empty", Tip: "the columns are: " + list(p.names)}
	}
	cfg := conf.CreateNew()
	cfg.MaxNodes = maxNodes
	for name := range cfg.Builtins {
		cfg.Disabled[name] = true
	}
	tree, err := exprparser.ParseWithConfig(p.expression, cfg)
	if err != nil {
		return nil, p.fromExpr(err)
	}
	p.place = map[string]int{}
	p.walk(tree.Node)
	if p.err != nil {
		return nil, p.err
	}
	return p.used, nil
}

// refuse keeps the first error.
func (p *parser) refuse(n ast.Node, tip, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{p.expression, n.Location().From, fmt.Sprintf(format, args...), tip}
	}
}

func (p *parser) walk(n ast.Node) {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode:
	case *ast.NilNode:
		p.refuse(n, "write COLUMN == nil or COLUMN != nil", "nil can only be compared with a column")
	case *ast.IdentifierNode:
		p.column(n, n.Value)
	case *ast.MemberNode:
		if name, ok := columnName(n); ok {
			p.column(n, name)
			return
		}
		name := dotted(n)
		if slices.Contains(p.names, name) {
			p.refuse(first(n), "", "%s is a column whose name is no identifier: write %s", name, quoted(name))
			return
		}
		p.refuse(first(n), p.tip(), "columns have no parts: there is no %s", name)
	case *ast.UnaryNode:
		p.walk(n.Node)
	case *ast.ArrayNode:
		for _, x := range n.Nodes {
			p.walk(x)
		}
	case *ast.BinaryNode:
		p.binary(n)
	case *ast.CallNode, *ast.BuiltinNode:
		p.refuse(n, "", "functions cannot be used here: only columns, literals and operators")
	case *ast.ConditionalNode:
		p.refuse(n, "use && and ||", "conditions cannot be used here: only columns, literals and operators")
	default:
		p.refuse(n, "", "only columns, literals and operators can be used here")
	}
}

func (p *parser) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "==", "!=":
		if isColumn(n.Left) && isNil(n.Right) {
			p.walk(n.Left)
			return
		}
		if isColumn(n.Right) && isNil(n.Left) {
			p.walk(n.Right)
			return
		}
	case "in":
		if _, ok := n.Right.(*ast.ArrayNode); !ok {
			p.walk(n.Left)
			p.refuse(n.Right, `write kind in ["a", "b"]; for a part of a text: kind contains "a"`, "a list is expected to the right of in")
			return
		}
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			p.walk(n.Left)
			p.refuse(n.Right, "", "a regular expression in quotes is expected to the right of matches")
			return
		}
	case "..":
		p.refuse(n, "write n >= 1 && n <= 9", "ranges cannot be used here")
		return
	case "??":
		p.refuse(n, "write n != nil && …", "the operator ?? cannot be used here")
		return
	}
	p.walk(n.Left)
	p.walk(n.Right)
}

// column notes the use of a column, which must exist.
func (p *parser) column(n ast.Node, name string) {
	if !slices.Contains(p.names, name) {
		tip := p.tip()
		if tip == "" {
			tip = "the columns are: " + list(p.names)
		}
		p.refuse(n, tip, "unknown column %q", name)
		return
	}
	if !slices.Contains(p.used, name) {
		p.used = append(p.used, name)
		p.place[name] = n.Location().From
	}
}

// tip explains $env if a column that needs it seems to be meant.
func (p *parser) tip() string {
	best := ""
	for _, name := range p.names {
		if len(name) > len(best) && !isIdentifier(name) && strings.Contains(p.expression, name) && !strings.Contains(p.expression, quoted(name)) {
			best = name
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("%q is a column whose name is no identifier: write %s", best, quoted(best))
}

// quoted is how a column is written whose name is no identifier.
func quoted(name string) string { return fmt.Sprintf("$env[%q]", name) }

// isIdentifier reports whether a name can be written as it is.
func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	switch name {
	case "", "in", "not", "and", "or", "contains", "startsWith", "endsWith", "matches", "let", "if", "else", "true", "false", "nil":
		return false
	}
	return true
}

// isColumn reports a plain use of a column.
func isColumn(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return true
	case *ast.MemberNode:
		_, ok := columnName(n)
		return ok
	}
	return false
}

func isNil(n ast.Node) bool {
	_, ok := n.(*ast.NilNode)
	return ok
}

// columnName is the name in $env["name"].
func columnName(n *ast.MemberNode) (string, bool) {
	env, ok := n.Node.(*ast.IdentifierNode)
	if !ok || env.Value != "$env" || n.Optional {
		return "", false
	}
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return name.Value, true
}

// dotted is a.b.c as it was written.
func dotted(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok {
			return dotted(n.Node) + "." + name.Value
		}
	}
	return n.String()
}

// first is the node where a.b.c begins.
func first(n ast.Node) ast.Node {
	if m, ok := n.(*ast.MemberNode); ok {
		return first(m.Node)
	}
	return n
}

// list joins names for a message, the first twenty of them.
func list(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	if len(names) > 20 {
		return fmt.Sprintf("%s … (%d in all)", strings.Join(names[:20], ", "), len(names))
	}
	return strings.Join(names, ", ")
}
