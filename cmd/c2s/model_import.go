package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/checkpoint"
	"github.com/cellsentence/c2s/llm/ollama"
)

// importFlags are the flags of model import.
type importFlags struct {
	name, quantize, to, pooling, quantizer string
}

func newModelImport(g *globals) *cobra.Command {
	o := new(importFlags)
	cmd := &cobra.Command{
		Use: "import DIR|FILE --name N -o FILE.gguf", Short: "Bring a checkpoint to a server", Args: need(1, 1),
		Long: `import turns a Hugging Face folder (Gemma-2, or GPT-NeoX as Pythia is; safetensors and
tokenizer) or a GGUF into a GGUF that llama.cpp and Ollama load, without Python and in
little memory. --to ollama://HOST:PORT sends it to Ollama under its name, with the
bare template and the parameters that a C2S model was trained under. f32, f16, bf16
and q8_0 are made by c2s, other quantisations by llama-quantize where it is installed.`,
		Example: "  c2s model import C2S-Scale-Gemma-2-2B --name c2s-2b --quantize q8_0 -o c2s-2b.gguf",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runModelImport(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "`NAME` of the model, on Ollama and in the file")
	f.StringVar(&o.quantize, "quantize", "", "store the weights as `f32|f16|bf16|q8_0|…` (default: as they are)")
	f.StringVar(&o.to, "to", "", "send it to a server, `ollama://HOST:PORT` (or ollama+https://…)")
	f.StringVar(&o.pooling, "pooling", "", "write `mean|last` into the file, for Ollama to embed with it; it does not generate then")
	f.StringVar(&o.quantizer, "llama-quantize", "", "`PATH` of llama-quantize (default: in PATH)")
	return cmd
}

func (o *importFlags) check(g *globals) error {
	switch {
	case o.name == "":
		return errors.New("--name is missing")
	case g.out == "" && o.to == "":
		return errors.New("-o FILE.gguf or --to ollama://HOST:PORT is missing")
	case g.out == "-" || g.out != "" && !strings.HasSuffix(g.out, ".gguf"):
		return fmt.Errorf("%s: expected a name that ends in .gguf", g.out)
	case o.pooling != "" && o.pooling != "mean" && o.pooling != "last":
		return fmt.Errorf("--pooling %q is neither mean nor last", o.pooling)
	}
	_, err := o.server()
	return err
}

// server is the address of --to, nil without it.
func (o *importFlags) server() (*url.URL, error) {
	if o.to == "" {
		return nil, nil
	}
	u, err := url.Parse(o.to)
	if err != nil || u.Host == "" || u.Scheme != "ollama" && u.Scheme != "ollama+https" {
		return nil, fmt.Errorf("--to %q: expected ollama://HOST:PORT or ollama+https://HOST", o.to)
	}
	if u.Scheme = "http"; strings.HasSuffix(strings.SplitN(o.to, ":", 2)[0], "+https") {
		u.Scheme = "https"
	}
	return u, nil
}

// importResult is what model import reports, and prints with --json.
type importResult struct {
	*checkpoint.Result
	To        string `json:"to"`        // the server, "" for none
	Modelfile string `json:"modelfile"` // for ollama create -f
}

func runModelImport(ctx context.Context, g *globals, o *importFlags, from string) (err error) {
	server, err := o.server()
	if err != nil {
		return err
	}
	if server != nil {
		if err := ollama.Reach(ctx, server, g.getenv("C2S_API_KEY")); err != nil {
			return err
		}
	}
	target := g.out
	if target == "" {
		// Beside the checkpoint there is room for such files.
		dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(from)), ".c2s-import-*")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		target = filepath.Join(dir, "model.gguf")
	}
	bar := g.start("importing "+from, "bytes", 0)
	defer bar.Stop()
	last, stage := int64(0), ""
	r, err := checkpoint.Import(ctx, from, target, checkpoint.Options{
		Type: o.quantize, Pooling: llm.Pooling(o.pooling), Name: o.name, Quantizer: o.quantizer, Force: g.force,
		Progress: func(what string, done, _ int64) {
			if what != stage {
				stage, last = what, 0
			}
			bar.Add(done - last)
			last = done
		},
	})
	if err != nil {
		return err
	}
	log := g.logger()
	for _, n := range r.Notes {
		log.Warn(n)
	}
	result := importResult{Result: r, To: o.to, Modelfile: r.Modelfile()}
	if server != nil {
		reg := r.Registration(o.name)
		m := ollama.Model{Name: o.name, Path: target, Digest: r.Digest, Template: reg.Template, Parameters: reg.Parameters}
		for name := range reg.Files {
			m.File = name
		}
		if err := ollama.Register(ctx, server, g.getenv("C2S_API_KEY"), m, func(status string) { log.Debug(status) }); err != nil {
			return err
		}
		log.Info(fmt.Sprintf("ask it with --backend %s --model %s", o.to, o.name))
	}
	if g.json {
		return printJSON(g.stdout, result)
	}
	log.Info(fmt.Sprintf("%s, %d million parameters as %s, %d bytes", r.Architecture, r.Parameters/1e6, r.Type, r.Size))
	return nil
}
