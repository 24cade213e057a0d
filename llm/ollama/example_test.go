package ollama_test

import (
	"context"
	"fmt"
	"log"
	"net/url"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/ollama"
)

// A raw completion by the model of Ollama on this machine, every option stated.
func ExampleNew() {
	base, err := url.Parse("http://127.0.0.1:11434")
	if err != nil {
		log.Fatal(err)
	}
	b, err := ollama.New(base, ollama.Config{})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := b.Generate(context.Background(), "The cell type corresponding to these genes is", llm.Options{MaxTokens: 8}, nil)
	if err != nil {
		log.Fatal(err) // a *llm.UnreachableError names what to start
	}
	fmt.Println(answer.Text, answer.Stop)
}
