// Command c2s turns single-cell data into cell sentences for language models.
//
// Start with `c2s help`; `c2s demo` shows it on data of its own.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/cellsentence/c2s/internal/blas"
)

func main() { os.Exit(mainCode()) }

// mainCode runs the command with the machine's streams. The first Ctrl-C ends
// it cleanly, the second at once.
func mainCode() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		// Garbage may fill the budget and no more: it is collected earlier near it.
		limitMemory: func(n int64) { debug.SetMemoryLimit(n / 10 * 9) }, // the rest is not on the heap
		useKernels:  func(n int) { blas64.Use(blas.Implementation{Workers: n}) },
		terminal:    func() bool { return term.IsTerminal(int(os.Stderr.Fd())) },
		columns: func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 0 // no terminal
			}
			return width
		},
	})
}
