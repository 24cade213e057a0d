package cellsentence

import (
	"fmt"
	"math"
	"strings"
)

// shown is how many examples an error or a warning lists.
const shown = 3

// ScaledError reports a negative value. Expression is never negative, so the
// matrix was centred (z-scores) or corrected, and its order says nothing about
// which gene a cell expresses most.
type ScaledError struct {
	Row    int     // the cell, counted from 0 in the whole matrix
	Column int     // the gene's position in var
	Gene   string  // the gene's name as given
	Value  float64 // the first negative value in the stored order of the cell
}

func (e *ScaledError) Error() string {
	return fmt.Sprintf("row %d, gene %s: negative value %g: the matrix looks scaled (z-scores), which has no order of expression; "+
		"choose counts or log-normalised values with --layer NAME or --raw", e.Row, quote(e.Gene), e.Value)
}

// NonFiniteError reports a value that is NaN or infinite.
type NonFiniteError struct {
	Row    int     // the cell, counted from 0 in the whole matrix
	Column int     // the gene's position in var
	Gene   string  // the gene's name as given
	Value  float64 // NaN, +Inf or -Inf
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("row %d, gene %s: the value is %g; choose another matrix with --layer NAME or --raw, or repair this one",
		e.Row, quote(e.Gene), e.Value)
}

// badValue makes the error for a value that is neither zero nor positive and
// finite.
func badValue(row, col int, gene string, v float64) error {
	if v < 0 && !math.IsInf(v, 0) {
		return &ScaledError{Row: row, Column: col, Gene: gene, Value: v}
	}
	return &NonFiniteError{Row: row, Column: col, Gene: gene, Value: v}
}

// NameError reports gene names that cannot be words of a sentence.
type NameError struct {
	Count int       // how many genes have such a name
	First []BadName // the first few of them
}

// BadName is one gene name that cannot be a word.
type BadName struct {
	Column  int    // the gene's position in var
	Name    string // the name as given
	Problem string // such as "is empty" or "holds white space"
}

func (e *NameError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s cannot be words of a sentence: ", plural(e.Count, "gene name"))
	for i, n := range e.First {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "column %d %s %s", n.Column, quote(n.Name), n.Problem)
	}
	if e.Count > len(e.First) {
		b.WriteString(", …")
	}
	b.WriteString("; take the names from another column with --gene-names COLUMN")
	return b.String()
}

// CollisionError reports gene names that are the same word. It is returned
// under [CollisionsError].
type CollisionError struct {
	Collisions []Collision
}

func (e *CollisionError) Error() string {
	var b strings.Builder
	b.WriteString(collisionText(e.Collisions))
	b.WriteString("; keep the first of each with --collisions first, number the others with --collisions suffix, " +
		"or take the names from another column with --gene-names COLUMN")
	return b.String()
}

// collisionText lists the first few of some collisions.
func collisionText(cs []Collision) string {
	genes := 0
	for _, c := range cs {
		genes += len(c.Columns)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s share %s: ", plural(genes, "gene"), plural(len(cs), "word"))
	for i, c := range cs[:min(shown, len(cs))] {
		if i > 0 {
			b.WriteString("; ")
		}
		for k, col := range c.Columns[:min(shown, len(c.Columns))] {
			if k > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s (column %d)", quote(c.Names[k]), col)
		}
		if len(c.Columns) > shown {
			b.WriteString(", …")
		}
	}
	if len(cs) > shown {
		b.WriteString("; …")
	}
	return b.String()
}

// quote shows a name so that control characters in it do not reach a terminal.
func quote(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:64], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// plural is "1 gene", "2 genes".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
