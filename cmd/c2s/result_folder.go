package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
)

// resultFolder is the folder of --out of a command that measures, if one was asked for:
// its figures, tables, page and manifest.
type resultFolder struct {
	dir    *atomicfile.Dir // nil: none
	inputs []string
}

func newResultFolder(g *globals, inputs []string) (*resultFolder, error) {
	out := &resultFolder{inputs: inputs}
	if g.out == "" {
		return out, nil
	}
	var err error
	out.dir, err = atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: inputs})
	return out, err
}

// abort, deferred, leaves nothing behind of a folder that was not finished.
func (f *resultFolder) abort() error {
	if f.dir == nil {
		return nil
	}
	return f.dir.Abort()
}

// file writes a file of the folder.
func (f *resultFolder) file(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.dir.Path(), name), b.Bytes(), 0o666)
}

// json writes a value to a file of the folder.
func (f *resultFolder) json(name string, v any) error {
	return f.file(name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// figure writes a figure as PNG and SVG, and gives it for the page.
func (f *resultFolder) figure(name, caption string, fig *figure.Figure) (report.Figure, error) {
	for ending, write := range map[string]func(io.Writer) error{".png": fig.PNG, ".svg": fig.SVG} {
		if err := f.file(name+ending, write); err != nil {
			return report.Figure{}, err
		}
	}
	return picture(caption, fig)
}

// picture is a figure for the page.
func picture(caption string, fig *figure.Figure) (report.Figure, error) {
	var svg bytes.Buffer
	err := fig.SVG(&svg)
	return report.Figure{SVG: svg.Bytes(), Caption: caption}, err
}

// finish writes the page, which says what it was made of, and the manifest, and gives
// the folder its name. The manifest's version, inputs and seed are filled in.
func (f *resultFolder) finish(ctx context.Context, g *globals, page *report.Page, about manifest.Manifest) error {
	inputs, err := manifest.Inputs(ctx, f.inputs, g.workers())
	if err != nil {
		return err
	}
	for _, in := range inputs {
		page.Made = append(page.Made, report.Fact{Name: "Input " + in.Path, Value: "SHA-256 " + in.SHA256})
	}
	page.Made = append(page.Made, report.Fact{Name: "Seed", Value: fmt.Sprint(g.seed)}, report.Fact{Name: "Made by", Value: "c2s " + version})
	if err := f.file("index.html", page.Write); err != nil {
		return err
	}
	about.Version, about.Inputs, about.Seed = version, inputs, g.seed
	if err := about.Write(f.dir.Path()); err != nil {
		return err
	}
	return f.dir.Commit()
}
