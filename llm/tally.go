package llm

import "context"

type tallyKey struct{}

// WithTally gives requests under ctx somebody to tell how many tokens the model has
// worked on, read or written: those of prompts that it still knew are not among them,
// nor is what a journal answered. It is called from many goroutines, for each
// token or once a request, as the backend learns of them, also of requests that fail in
// the end. It must be fast.
func WithTally(ctx context.Context, tell func(tokens int)) context.Context {
	return context.WithValue(ctx, tallyKey{}, tell)
}

// Tally is for backends: it tells that the model has worked on some tokens for the
// request of ctx.
func Tally(ctx context.Context, tokens int) {
	if tell, ok := ctx.Value(tallyKey{}).(func(int)); ok && tokens > 0 {
		tell(tokens)
	}
}
