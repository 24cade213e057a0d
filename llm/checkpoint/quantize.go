package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// quantizerTypes are the types of llama-quantize that need no importance matrix.
var quantizerTypes = []string{
	"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M",
	"Q5_K_S", "Q5_K_M", "Q6_K", "IQ3_M", "IQ4_NL", "IQ4_XS",
}

// QuantizerError says that a type needs llama-quantize, which is not there.
type QuantizerError struct {
	Type string
	Err  error
}

// Error says so.
func (e *QuantizerError) Error() string {
	return fmt.Sprintf("%s is made by llama-quantize: %v", e.Type, e.Err)
}

// Unwrap is the reason.
func (e *QuantizerError) Unwrap() error { return e.Err }

// Hint is what can be done.
func (e *QuantizerError) Hint() string {
	return "install llama.cpp and name its llama-quantize, or take Q8_0, BF16 or F16, which need no other program"
}

// quantizer finds the program for a type.
func quantizer(path, typ string) (program, name string, err error) {
	name = strings.ToUpper(typ)
	if !slices.Contains(quantizerTypes, name) {
		return "", "", fmt.Errorf("the type %q is not known; F32, F16, BF16 and Q8_0 are, and, with llama-quantize, %s",
			typ, strings.Join(quantizerTypes, ", "))
	}
	if path == "" {
		path = "llama-quantize"
	}
	if program, err = exec.LookPath(path); err != nil {
		return "", "", &QuantizerError{Type: name, Err: err}
	}
	return program, name, nil
}

// quantise runs llama-quantize on a file. It writes into another, which exists.
func quantise(ctx context.Context, program, from, to, typ string, progress func(stage string, done, total int64)) error {
	cmd := exec.CommandContext(ctx, program, from, to, typ)
	cmd.WaitDelay = 5 * time.Second
	out := &watcher{progress: progress}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(out.tail)))
		}
		return fmt.Errorf("%s: %w", program, err)
	}
	return nil
}

// watcher keeps the end of what llama-quantize prints and reads its progress: a
// line "[ 12/ 288] blk.0..." for each tensor.
type watcher struct {
	progress func(stage string, done, total int64)
	line     []byte
	tail     []byte
}

const maxTail = 1 << 10

// Write is an io.Writer.
func (w *watcher) Write(b []byte) (int, error) {
	w.tail = append(w.tail, b[max(0, len(b)-maxTail):]...)
	w.tail = w.tail[max(0, len(w.tail)-maxTail):]
	for part := range bytes.Lines(b) {
		w.line = append(w.line, part[:min(len(part), maxTail)]...)
		if part[len(part)-1] != '\n' {
			continue
		}
		var done, total int64
		if n, _ := fmt.Sscanf(string(w.line), "[%d/%d]", &done, &total); n == 2 && w.progress != nil {
			w.progress("quantise", done, total)
		}
		w.line = w.line[:0]
	}
	if len(w.line) > maxTail {
		w.line = w.line[:0]
	}
	return len(b), nil
}
