package llamacpp_test

import (
	"context"
	"fmt"
	"log"
	"net/url"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/llamacpp"
)

// A raw completion by the model of llama-server on this machine, every option stated.
func ExampleNew() {
	base, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	b, err := llamacpp.New(base, llamacpp.Config{})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := b.Generate(context.Background(), "The cell type corresponding to these genes is", llm.Options{MaxTokens: 8}, nil)
	if err != nil {
		log.Fatal(err) // a *llm.UnreachableError names what to start
	}
	fmt.Println(answer.Text, answer.Stop)
}
