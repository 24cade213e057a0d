package journal_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/journal"
)

// The same question twice: the model is asked once.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	model, err := embedded.Demo(embedded.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	j, err := journal.Open(ctx, filepath.Join(dir, "answers.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer j.Close()
	b, err := j.Wrap(ctx, model)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		if _, err := b.Generate(ctx, "GNLY NKG7", llm.Options{MaxTokens: 4}, nil); err != nil {
			log.Fatal(err)
		}
	}
	known, asked := b.Counts()
	fmt.Println("known:", known, "asked:", asked)
	// Output: known: 1 asked: 1
}
