package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	matrix      matrixFlags
	compression string
	level       int
	to          string
	drop        []string
}

func newConvert(g *globals) *cobra.Command {
	o := new(convertFlags)
	cmd := &cobra.Command{
		Use: "convert IN OUT", Short: "Convert, subset and recompress AnnData and 10x files", GroupID: groupData, Args: need(1, 2),
		Example: "  c2s convert testdata/demo.h5ad demo_csc.h5ad --to csc",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConvert(cmd.Context(), g, o, args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.compression, "compression", "", "")
	f.StringVar(&o.to, "to", "", "")
	f.IntVar(&o.level, "level", 0, "")
	return cmd
}

func runConvert(ctx context.Context, g *globals, o *convertFlags, in, out string) (err error) {
	f, err := h5ad.Open(ctx, in, h5ad.Options{Workers: g.workers()})
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := h5ad.Create(out, h5ad.WriteOptions{Compression: h5ad.Compression{Method: o.compression, Level: o.level}, Workers: g.workers(), Force: g.force, Inputs: []string{in}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	enc := map[string]string{"": "", "csr": h5ad.CSR, "csc": h5ad.CSC, "dense": h5ad.Dense}[o.to]
	r, err := w.CopyFrom(ctx, f, h5ad.CopyOptions{Encoding: enc})
	if err != nil {
		return err
	}
	fmt.Println(r, strings.ToLower(filepath.Base(out)))
	return w.Close()
}
