package where

import "github.com/expr-lang/expr/ast"

// Two programs are compiled of one expression. Nearly all rows have all their
// values: they go through the first, in which types are known and the tests for
// nil are answered. The others go through the second, in which each comparison
// asks first whether its columns have a value.

// wholeRow answers the tests for nil of a row that has all values.
type wholeRow struct{}

func (wholeRow) Visit(n *ast.Node) {
	if b, ok := (*n).(*ast.BinaryNode); ok && testsNil(b) {
		ast.Patch(n, &ast.BoolNode{Value: b.Operator == "!="})
	}
}

// rowWithGaps makes comparisons with missing values false. A parent is visited
// after its children.
type rowWithGaps struct{}

func (rowWithGaps) Visit(n *ast.Node) {
	switch node := (*n).(type) {
	case *ast.UnaryNode:
		if node.Operator == "!" || node.Operator == "not" {
			asBool(&node.Node)
		}
	case *ast.BinaryNode:
		switch node.Operator {
		case "&&", "and", "||", "or":
			asBool(&node.Left)
			asBool(&node.Right)
		case "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
			if testsNil(node) {
				return
			}
			var guarded ast.Node = node
			for _, column := range columnsIn(node.Right, columnsIn(node.Left, nil)) {
				there := &ast.BinaryNode{Operator: "!=", Left: column, Right: &ast.NilNode{}}
				guarded = &ast.BinaryNode{Operator: "&&", Left: there, Right: guarded}
			}
			if guarded != node {
				ast.Patch(n, guarded)
			}
		}
	}
}

// asBool makes a column that is used as a condition false where it is missing.
func asBool(n *ast.Node) {
	if isColumn(*n) {
		ast.Patch(n, &ast.BinaryNode{Operator: "==", Left: *n, Right: &ast.BoolNode{Value: true}})
	}
}

// testsNil reports COLUMN == nil and its like.
func testsNil(n *ast.BinaryNode) bool {
	return (n.Operator == "==" || n.Operator == "!=") && (isNil(n.Left) || isNil(n.Right))
}

// columnsIn lists the columns that the value of an operand comes from, through
// arithmetic and lists. A comparison within has its own answer.
func columnsIn(n ast.Node, to []ast.Node) []ast.Node {
	switch node := n.(type) {
	case *ast.UnaryNode:
		if node.Operator == "-" || node.Operator == "+" {
			return columnsIn(node.Node, to)
		}
	case *ast.BinaryNode:
		switch node.Operator {
		case "+", "-", "*", "/", "%", "**", "^":
			return columnsIn(node.Right, columnsIn(node.Left, to))
		}
	case *ast.ArrayNode:
		for _, x := range node.Nodes {
			to = columnsIn(x, to)
		}
	default:
		if isColumn(n) {
			return append(to, n)
		}
	}
	return to
}
