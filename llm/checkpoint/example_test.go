package checkpoint_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cellsentence/c2s/llm/checkpoint"
)

// A downloaded checkpoint of Hugging Face becomes a file that llama.cpp and Ollama
// load.
func ExampleImport() {
	r, err := checkpoint.Import(context.Background(), "C2S-Scale-Gemma-2-2B", "c2s-2b-q8_0.gguf", checkpoint.Options{Type: "Q8_0"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Registration("c2s-2b").Template)
}
