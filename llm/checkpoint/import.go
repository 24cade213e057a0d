package checkpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/atomicfile"
)

// Result is a file that Import wrote.
type Result struct {
	Path string
	// Digest is "sha256:" and the hash of the file, by which Ollama knows it.
	Digest string
	Size   int64 // in bytes
	// Type is how the matrices are stored, as in "Q8_0".
	Type         string
	Architecture string
	Name         string
	Parameters   int64
	Context      int
	// Notes are differences between the checkpoint and the file, for the user.
	Notes []string
}

// Import converts a checkpoint, a folder or a GGUF file, to a GGUF file that
// appears at to when it is complete. Types other than Write's take llama-quantize
// and, while it runs, room for a second file beside the first.
func Import(ctx context.Context, from, to string, opt Options) (*Result, error) {
	var program, typ string
	if _, own := ownType(opt.Type); !own && opt.Type != "" {
		var err error
		if program, typ, err = quantizer(opt.Quantizer, opt.Type); err != nil {
			return nil, err
		}
		opt.Type = ""
	}
	m, err := Open(from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.Close() }() // it was only read
	if program != "" {
		if err := m.checkWhole(); err != nil {
			return nil, err
		}
	}
	out, err := atomicfile.Create(to, atomicfile.Options{Force: opt.Force, Inputs: m.inputs()})
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Abort() }()
	r := &Result{
		Path: to, Type: cmp.Or(typ, strings.ToUpper(opt.Type), m.Type), Architecture: m.Architecture, Name: cmp.Or(opt.Name, m.Name),
		Parameters: m.Parameters, Context: m.Context, Notes: m.Notes,
	}
	if program == "" {
		err = m.direct(ctx, out, r, opt)
	} else {
		err = m.quantised(ctx, out, r, opt, program)
	}
	if err != nil {
		return nil, err
	}
	return r, out.Commit()
}

// inputs are the paths that the output must not replace.
func (m *Model) inputs() []string {
	var out []string
	for _, t := range m.tensors {
		out = append(out, t.file)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// direct writes the file in one go.
func (m *Model) direct(ctx context.Context, out io.Writer, r *Result, opt Options) error {
	h := sha256.New()
	var count counter
	if err := m.Write(ctx, io.MultiWriter(out, h, &count), opt); err != nil {
		return err
	}
	r.Digest, r.Size = fmt.Sprintf("sha256:%x", h.Sum(nil)), int64(count)
	return nil
}

type counter int64

// Write is an io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// quantised writes the file through another one and llama-quantize.
func (m *Model) quantised(ctx context.Context, out *atomicfile.File, r *Result, opt Options, program string) (err error) {
	whole, err := atomicfile.Create(r.Path+".whole", atomicfile.Options{Force: true, Inputs: m.inputs()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, whole.Abort()) }()
	if err := m.Write(ctx, whole, opt); err != nil {
		return err
	}
	if err := quantise(ctx, program, whole.Name(), out.Name(), r.Type, opt.Progress); err != nil {
		return err
	}
	// llama-quantize wrote under the name, not through the open file.
	f, err := os.Open(out.Name())
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if r.Size, err = io.Copy(h, f); err != nil {
		return err
	}
	r.Digest = fmt.Sprintf("sha256:%x", h.Sum(nil))
	return ctx.Err()
}
