// Package where chooses the rows of a data frame by an expression over its
// columns, such as
//
//	cell_type in ["B cell", "T cell"] && n_genes > 200 && $env["percent.mt"] < 5
//
// Start with [Rows]. [Compile] gives a [Filter] for rows from elsewhere.
//
// The language is that of github.com/expr-lang/expr, cut down to what cannot
// loop or grow: columns, literals, lists, and the operators
//
//	== != < <= > >=   in, not in   contains startsWith endsWith matches
//	&& || !  (and or not)   + - * / % **
//
// matches takes a regular expression in quotes (RE2: linear time) on its right.
// A column whose name is no identifier, or is a word of the language, is
// written $env["percent.mt"]. Unknown columns and kinds that do not go together
// are errors before any row is read.
//
// A column is text, bool, whole numbers or floating-point numbers; a
// categorical is what its categories are, so that age > 40 works on a
// categorical of whole numbers. Numbers of float32 columns are compared as they
// are stored: 0.1 in such a column is not equal to 0.1.
//
// Missing values (code -1 of a categorical, a set mask, NaN in floats) are nil.
// A comparison with a missing value is false, != among them, and so is a missing
// bool: a row is kept only by what is known of it. Negation turns that round, as
// in pandas: !(n > 5) and n not in [1, 2] are true where n is missing. n == nil
// is true where n is missing, n != nil where it is not.
package where
