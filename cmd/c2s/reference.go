package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/reference"
)

//go:generate go run . reference markdown -o ../../docs/reference --force

// newReference is for those who package c2s, and is not shown among the commands.
func newReference(g *globals) *cobra.Command {
	forms := []string{"markdown", "man"}
	return &cobra.Command{
		Use: "reference markdown|man -o DIR", Short: "Write the reference of all commands", GroupID: groupOther, Hidden: true,
		Long:    `reference writes a page for each command into a folder: Markdown, or pages of man.`,
		Example: "  c2s reference man -o man1",
		Args:    only(forms...), ValidArgs: forms,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if g.out == "" || g.out == "-" {
				return &usageError{errors.New("-o DIR is missing"), cmd.CommandPath()}
			}
			manual := reference.Manual{Root: cmd.Root(), Version: version, ExitCodes: exitCodes}
			pages, marker := manual.Markdown(), "README.md"
			if args[0] == "man" {
				pages, marker = manual.Man(), "c2s.1"
			}
			dir, err := atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: marker})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, dir.Abort()) }()
			for name, page := range pages {
				if err := os.WriteFile(filepath.Join(dir.Path(), name), []byte(page), 0o666); err != nil {
					return err
				}
			}
			return dir.Commit()
		},
	}
}
