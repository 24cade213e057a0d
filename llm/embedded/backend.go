package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"

	"github.com/cellsentence/c2s/internal/kernel"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/gguf"
)

// DemoNotice stands on everything that the demo model makes.
const DemoNotice = "demo model on simulated cells"

// Config says how a model is run. No setting changes an answer.
type Config struct {
	// Slots is the number of requests that are worked on at a time (0: one a
	// processor). Each keeps the last text it read, so that the next request with the
	// same beginning reads on from there.
	Slots int
	// Threads work on each request (0: one for small models, for others one a
	// processor).
	Threads int
	// Context is the number of tokens of prompt and answer (0: the model's).
	Context int
}

// Error says why a file is no model that this package runs.
type Error struct {
	File string
	Err  error
}

// Error is "file: reason".
func (e *Error) Error() string {
	if _, ok := errors.AsType[*gguf.Error](e.Err); ok { // it names the file
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports whether the file, rather than the machine, is at fault.
func (e *Error) BadInput() bool {
	g, ok := errors.AsType[*gguf.Error](e.Err)
	return !ok || g.BadInput()
}

// Backend is a model in this process. It implements [llm.Backend].
type Backend struct {
	m       *model
	file    *gguf.File
	name    string
	context int

	free   chan struct{} // a token for each slot that may be taken
	mu     sync.Mutex
	idle   []*sequence
	closed bool

	digest func() (string, error)
}

// Open loads a GGUF file. The error is an [*Error] or one of the operating system.
func Open(path string, cfg Config) (*Backend, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := load(f, path, cfg)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return b, nil
}

// Load runs a model that lies in memory as a GGUF file. The name is for messages.
func Load(data []byte, name string, cfg Config) (*Backend, error) {
	f, err := gguf.Parse(data, name)
	if err != nil {
		return nil, &Error{File: name, Err: err}
	}
	return load(f, name, cfg)
}

func load(f *gguf.File, name string, cfg Config) (*Backend, error) {
	if cfg.Slots < 0 || cfg.Threads < 0 || cfg.Context < 0 {
		return nil, fmt.Errorf("%d slots, %d threads, a context of %d: give positive numbers, or 0 for what fits", cfg.Slots, cfg.Threads, cfg.Context)
	}
	m, err := loadModel(f, cfg.Threads)
	if err != nil {
		return nil, &Error{File: name, Err: err}
	}
	if cfg.Slots == 0 {
		cfg.Slots = runtime.GOMAXPROCS(0)
	}
	b := &Backend{m: m, file: f, name: name, context: m.context, free: make(chan struct{}, cfg.Slots)}
	if cfg.Context > 0 {
		b.context = min(cfg.Context, m.context)
	}
	if title, err := gguf.Get[string](f, "general.name"); err == nil {
		b.name = title
	}
	for range cfg.Slots {
		b.idle = append(b.idle, newSequence(m))
		b.free <- struct{}{}
	}
	b.digest = sync.OnceValues(func() (string, error) {
		h := sha256.New()
		if _, err := io.Copy(h, f.Reader()); err != nil {
			return "", err
		}
		return fmt.Sprintf("sha256:%x", h.Sum(nil)), nil
	})
	return b, nil
}

// ErrClosed is returned by a backend that was closed.
var ErrClosed = errors.New("the model is closed")

// Close waits for the requests in work and frees the model.
func (b *Backend) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	for range cap(b.free) {
		<-b.free
	}
	close(b.free) // whoever still waits is told
	return b.file.Close()
}

// take gives the idle sequence that shares most with a prompt; release gives it
// back.
func (b *Backend) take(ctx context.Context, prompt []int32) (s *sequence, release func(), err error) {
	select {
	case _, ok := <-b.free:
		if !ok {
			return nil, nil, ErrClosed
		}
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.free <- struct{}{}
		return nil, nil, ErrClosed
	}
	// The beginning of text alone is no reason to overwrite what another prompt left.
	best, most := 0, 1
	for i, idle := range b.idle {
		if n := idle.shared(prompt); n > most {
			best, most = i, n
		}
	}
	s = b.idle[best]
	b.idle = append(b.idle[:best], b.idle[best+1:]...)
	return s, func() {
		b.mu.Lock()
		// The first is the one that was not used for longest.
		b.idle = append(b.idle, s)
		b.mu.Unlock()
		b.free <- struct{}{}
	}, nil
}

// start reads a prompt and gives the sequence with the state at its last token.
func (b *Backend) start(ctx context.Context, prompt string) (s *sequence, state []float32, known int, release func(), err error) {
	ids := b.m.words.encode(prompt, true)
	if len(ids) == 0 {
		// A model without a beginning of text needs something to continue.
		ids = []int32{b.m.words.eos}
	}
	if len(ids) >= b.context {
		return nil, nil, 0, nil, &llm.ContextError{Prompt: len(ids), Context: b.context}
	}
	s, release, err = b.take(ctx, ids)
	if err != nil {
		return nil, nil, 0, nil, err
	}
	known = min(s.shared(ids), len(ids)-1) // the last token's state is needed
	s.truncate(known)
	state, err = s.read(ctx, ids[known:], 1)
	if err != nil {
		release()
		return nil, nil, 0, nil, err
	}
	return s, state, known, release, nil
}

// Generate implements [llm.Backend].
func (b *Backend) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	if opt.Grammar != "" {
		return nil, &llm.UnsupportedError{What: "a grammar", Remedy: "llama-server knows grammars; a closed list of answers can be scored instead"}
	}
	s, state, known, release, err := b.start(ctx, prompt)
	if err != nil {
		return nil, err
	}
	defer release()
	answer := &llm.Answer{Stop: llm.StopLimit, PromptTokens: len(s.tokens), CachedTokens: known}
	limit := b.context - len(s.tokens)
	if opt.MaxTokens > 0 {
		limit = min(limit, opt.MaxTokens)
	}
	draw := sampler{opt: opt}
	out := stream{stops: opt.Stop, onToken: onToken}
	var logits []float32
	for step := range limit {
		if logits, err = b.m.logits(ctx, logits, state); err != nil {
			return nil, err
		}
		draw.look(logits)
		id := draw.pick(logits, step)
		logprob := draw.logprob(logits, id)
		if b.m.words.end(id) {
			answer.Stop, answer.EndLogprob = llm.StopEnd, &logprob
			break
		}
		answer.AnswerTokens++
		token := llm.Token{ID: int(id), Logprob: logprob, Top: draw.most(logits, opt.TopLogprobs, b.m.words)}
		stopped, err := out.add(token, b.m.words.piece(id))
		if err != nil {
			return nil, err
		}
		if stopped {
			answer.Stop = llm.StopString
			break
		}
		if step+1 == limit {
			break
		}
		if state, err = s.read(ctx, []int32{id}, 1); err != nil {
			return nil, err
		}
	}
	if answer.Stop != llm.StopString {
		if err := out.finish(); err != nil {
			return nil, err
		}
	}
	answer.Text, answer.Tokens = string(out.text), out.tokens
	return answer, nil
}

// Score implements [llm.Backend].
func (b *Backend) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	s, state, _, release, err := b.start(ctx, prompt)
	if err != nil {
		return nil, err
	}
	defer release()
	length := len(s.tokens)
	first, err := b.m.logits(ctx, nil, state)
	if err != nil {
		return nil, err
	}
	var atFirst, later sampler
	atFirst.look(first)
	var logits []float32
	out := make([]llm.Score, len(continuations))
	for i, text := range continuations {
		ids := b.m.words.encode(text, false)
		if length+len(ids) >= b.context {
			return nil, fmt.Errorf("continuation %q: %w", text, &llm.ContextError{Prompt: length + len(ids), Context: b.context})
		}
		s.truncate(length)
		states, err := s.read(ctx, ids, len(ids))
		if err != nil {
			return nil, err
		}
		ids = append(ids, b.m.words.eos)
		sum := atFirst.logprob(first, ids[0])
		for j, id := range ids[1:] {
			if logits, err = b.m.logits(ctx, logits, states[j*b.m.width:(j+1)*b.m.width]); err != nil {
				return nil, err
			}
			later.look(logits)
			sum += later.logprob(logits, id)
		}
		out[i] = llm.Score{Logprob: sum, Tokens: len(ids)}
	}
	s.truncate(length)
	return out, nil
}

// Embed implements [llm.Backend]. A mean is over all tokens, the beginning of text
// among them, as llama.cpp takes it.
func (b *Backend) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	if pooling != llm.PoolMean && pooling != llm.PoolLast {
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("the pooling %q", pooling), Remedy: "choose mean or last"}
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		v, err := b.embed(ctx, text, pooling)
		if err != nil {
			return nil, fmt.Errorf("text %d of %d: %w", i+1, len(texts), err)
		}
		out[i] = v
	}
	return out, nil
}

func (b *Backend) embed(ctx context.Context, text string, pooling llm.Pooling) ([]float32, error) {
	ids := b.m.words.encode(text, true)
	if len(ids) == 0 {
		ids = []int32{b.m.words.eos}
	}
	if len(ids) > b.context {
		return nil, &llm.ContextError{Prompt: len(ids), Context: b.context}
	}
	s, release, err := b.take(ctx, ids)
	if err != nil {
		return nil, err
	}
	defer release()
	// The cache holds no states of earlier tokens: a mean reads all of them again.
	known, keep := min(s.shared(ids), len(ids)-1), 1
	if pooling == llm.PoolMean {
		known, keep = 0, len(ids)
	}
	s.truncate(known)
	states, err := s.read(ctx, ids[known:], keep)
	if err != nil {
		return nil, err
	}
	sum := make([]float64, b.m.width)
	for i, v := range states {
		sum[i%b.m.width] += float64(v)
	}
	square := 0.0
	for _, v := range sum {
		square += v * v
	}
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v / math.Sqrt(square))
	}
	return out, nil
}

// Info implements [llm.Backend]. The first call reads the file once for its digest.
func (b *Backend) Info(ctx context.Context) (*llm.Info, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	digest, err := b.digest()
	if err != nil {
		return nil, err
	}
	info := &llm.Info{
		Backend: "embedded", Version: "Go engine " + strings.TrimSpace(runtime.Version()+" "+kernel.Features()),
		Model: b.name, Digest: digest, Context: b.context, Slots: cap(b.free),
		Logprobs: true, TopLogprobs: min(1000, len(b.m.words.tokens)), TokenIDs: true, Score: true,
		Pooling: []llm.Pooling{llm.PoolMean, llm.PoolLast}, Repeats: true,
	}
	if demo, err := gguf.Get[bool](b.file, "c2s.demo"); err == nil && demo {
		info.Notice = DemoNotice
	}
	for _, key := range b.file.Keys() {
		if task, ok := strings.CutPrefix(key, "c2s.prompt."); ok {
			if text, err := gguf.Get[string](b.file, key); err == nil {
				if info.Prompts == nil {
					info.Prompts = map[string]string{}
				}
				info.Prompts[task] = text
			}
		}
	}
	if b.m.large() {
		info.Advice = fmt.Sprintf("this model has %d million parameters: llama-server or Ollama runs it many times faster than the built-in engine", b.m.params/1e6)
	}
	return info, nil
}
