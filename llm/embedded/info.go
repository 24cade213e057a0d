package embedded

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/cellsentence/c2s/internal/kernel"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/gguf"
)

// DemoNotice stands on everything that the demo model makes.
const DemoNotice = "demo model on simulated cells"

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
