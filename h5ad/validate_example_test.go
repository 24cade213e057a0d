package h5ad_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/h5ad"
)

// A gene name that occurs twice is worth a note, and no flaw.
func ExampleValidate() {
	found, err := h5ad.Validate(context.Background(), "../testdata/collide.h5ad", h5ad.ValidateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range found {
		fmt.Println(p.Note, p)
	}
	// Output:
	// true /var/_index: 1 name occurred before, the first in row 4: "DUP"
}
