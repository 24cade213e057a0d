package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/where"
)

// whereRows lists the cells for which --where holds. A mistake in the expression
// is shown under it.
func whereRows(ctx context.Context, g *globals, f *h5ad.File, expression string) ([]int, error) {
	rows, err := where.Rows(ctx, f.Obs(), expression)
	var wrong *where.Error
	switch {
	case errors.As(err, &wrong):
		for line := range strings.Lines(wrong.Pointer()) {
			fmt.Fprintln(g.stderr, printable(strings.TrimSuffix(line, "\n")))
		}
		return nil, &usageError{fmt.Errorf("--where: %w", err), "c2s convert"}
	case err != nil:
		return nil, err
	case rows == nil:
		rows = []int{}
	}
	return rows, nil
}
