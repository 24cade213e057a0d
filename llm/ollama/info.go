package ollama

import (
	"context"

	"github.com/cellsentence/c2s/llm"
)

// Info implements [llm.Backend].
func (b *Backend) Info(ctx context.Context) (*llm.Info, error) {
	s, err := b.ask(ctx)
	if err != nil {
		return nil, err
	}
	b.known.Set(s)
	info := &llm.Info{
		Backend: "ollama", Endpoint: b.e.String(), Version: s.version, Model: s.model, Digest: s.digest,
		Context: s.context, Slots: max(1, b.cfg.Slots), Logprobs: !s.embeds, Repeats: true,
	}
	if s.major == 0 {
		info.Context++ // the last token of an answer needs no place in its context
	}
	if !s.embeds {
		info.TopLogprobs = maxTop
	}
	if s.pooling != "" {
		info.Pooling = []llm.Pooling{s.pooling}
	}
	return info, nil
}
