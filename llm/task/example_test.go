package task_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/task"
)

// The type of a cell, among three that may be.
func ExampleAnnotator() {
	ctx := context.Background()
	model, err := embedded.Demo(embedded.Config{}) // or llamacpp.New, ollama.New, openai.New
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	info, err := model.Info(ctx)
	if err != nil {
		log.Fatal(err)
	}
	words, _, err := task.Wording(task.CellType, info, nil)
	if err != nil {
		log.Fatal(err)
	}
	annotator, err := task.NewAnnotator(ctx, model, task.AnnotateConfig{
		Templates: words, TopK: 12, Labels: []string{"B cell", "CD8 T cell", "NK cell"},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := annotator.Annotate(ctx, task.Cell{Sentence: "GNLY NKG7 MALAT1 KLRD1 MT-CO1 PRF1 RPS18 ACTB FGFBP2 B2M KLRF1 TMSB4X"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %.2f of the probability of the three\n", a.Label, a.Confidence)
	// Output: NK cell, 1.00 of the probability of the three
}
