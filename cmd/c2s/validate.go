package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
)

func newValidate(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "validate FILE...", Short: "Check every element of AnnData, MuData and 10x files for flaws", GroupID: groupData, Args: need(1, -1),
		Long: `validate walks every element of each file (or 10x folder) and prints one line for each flaw: what
contradicts the format, what anndata refuses to open, and what it opens but is
wrong, such as column indices beyond var or values that are not finite. With
several files, each line begins with the file's name.

What is worth knowing but no flaw (indices out of order, names that occur twice,
files of an old version) is a warning on stderr. With --json, stdout is one object:
problems and notes, each a list of {file, key, what}.

A file with a problem, or one that is no such file at all, gives exit code 3.`,
		Example: "  c2s validate testdata/demo.h5ad",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runValidate(cmd.Context(), g, args)
		},
	}
}

// finding is a line of validate --json.
type finding struct {
	File string `json:"file"`
	Key  string `json:"key"`
	What string `json:"what"`
}

func runValidate(ctx context.Context, g *globals, paths []string) (err error) {
	out, err := g.create(paths...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	problems, notes := []finding{}, []finding{}
	flawed := 0
	for _, path := range paths {
		found, err := validateFile(ctx, g, path)
		if err != nil {
			return err
		}
		before := len(problems)
		for _, p := range found {
			f := finding{path, p.Key, p.What}
			line := printable(p.String())
			switch {
			case p.Note:
				notes = append(notes, f)
				g.logger().Warn(path + ": " + p.String())
				continue
			case len(paths) > 1:
				line = printable(path) + ": " + line
			}
			problems = append(problems, f)
			if !g.json {
				if _, err := fmt.Fprintln(out, line); err != nil {
					return err
				}
			}
		}
		if len(problems) > before {
			flawed++
		} else {
			g.logger().Info(path + ": no problem found")
		}
	}
	if g.json {
		err := printJSON(out, struct {
			Problems []finding `json:"problems"`
			Notes    []finding `json:"notes"`
		}{problems, notes})
		if err != nil {
			return err
		}
	}
	if err := out.Commit(); err != nil {
		return err
	}
	switch {
	case flawed == 0:
		return nil
	case len(paths) == 1:
		return &inputError{fmt.Errorf("%s: problems found: %d", paths[0], len(problems)), ""}
	}
	return &inputError{fmt.Errorf("problems found: %d, in %d of %d files", len(problems), flawed, len(paths)), ""}
}

func validateFile(ctx context.Context, g *globals, path string) ([]h5ad.Problem, error) {
	bar := g.start("validating "+path, "bytes", 0)
	defer bar.Stop()
	return h5ad.Validate(ctx, path, h5ad.ValidateOptions{Workers: g.workers(), Progress: bar.Add})
}
