// Package testdata holds small simulated files that the project's own generator
// makes, for the demo, the tests and the examples.
package testdata

import _ "embed"

//go:generate go run ../internal/simulate/maketestdata .

// Demo is demo.h5ad: cells of known types, donors and contexts.
//
//go:embed demo.h5ad
var Demo []byte

// Drugs is drugs.h5ad: cells of known response to drugs that the demo model knows.
//
//go:embed drugs.h5ad
var Drugs []byte
