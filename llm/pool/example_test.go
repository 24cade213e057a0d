package pool_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/journal"
	"github.com/cellsentence/c2s/llm/pool"
)

// A task asks a journal, which asks a pool for what it does not know.
func Example() {
	task := func(ctx context.Context, servers []pool.Endpoint, prompts iter.Seq[string]) error {
		p, err := pool.New(ctx, servers, pool.Config{})
		if err != nil {
			return err
		}
		defer p.Close()
		j, err := journal.Open(ctx, "answers.db")
		if err != nil {
			return err
		}
		defer j.Close()
		b, err := j.Wrap(ctx, p)
		if err != nil {
			return err
		}
		info, err := b.Info(ctx)
		if err != nil {
			return err
		}
		for answer, err := range batch.Map(ctx, info.Slots, prompts, func(ctx context.Context, prompt string) (*llm.Answer, error) {
			return b.Generate(ctx, prompt, llm.Options{MaxTokens: 400}, nil)
		}) {
			if err != nil {
				return err
			}
			fmt.Println(answer.Text)
		}
		return nil
	}
	_ = task
}
