package pairs_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/pairs"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// Two typed cells become two prompts with their responses.
func ExampleBuild() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "pairs")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cells := filepath.Join(dir, "cells.jsonl")
	text := `{"cell_name":"a","cell_sentence":"GNLY NKG7","cell_type":"NK cell"}
{"cell_name":"b","cell_sentence":"MS4A1 CD79A","cell_type":"B cell"}
`
	if err := os.WriteFile(cells, []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	src, err := pairs.Open(ctx, cells, dataset.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	words, err := prompt.Default("cell_type_prediction")
	if err != nil {
		log.Fatal(err)
	}
	r, err := pairs.Build(ctx, src, filepath.Join(dir, "pairs.jsonl"), pairs.Config{
		Templates: words, Prompt: prompt.Config{TopK: 2}, Constants: map[string]string{"organism": "Homo sapiens"},
	}, dataset.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Pairs, "pairs,", r.LeftOut.String())
	// Output: 2 pairs, no row left out
}
