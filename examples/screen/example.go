// Package screen is the files of a screen that needs nothing but c2s: the demo model,
// simulated cells, and drugs whose effects are known. Package main's demo runs it.
package screen

import _ "embed"

// Config is screen.yaml. It names the cells as ../../testdata/demo.h5ad.
//
//go:embed screen.yaml
var Config string

// Compounds is compounds.tsv.
//
//go:embed compounds.tsv
var Compounds string
