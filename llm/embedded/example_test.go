package embedded_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// Which type is a cell of? Each label is scored as a whole answer, so that the
// scores are those of exclusive events.
func Example() {
	b, err := embedded.Demo(embedded.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	ctx := context.Background()
	prompt := world.Prompt(world.TaskCellType, "num_genes", "12",
		"cell_sentence", "GNLY NKG7 MALAT1 KLRD1 MT-CO1 PRF1 RPS18 ACTB FGFBP2 B2M KLRF1 TMSB4X")
	labels := []string{" CD8 T cell.", " NK cell.", " B cell."}
	scores, err := b.Score(ctx, prompt, labels)
	if err != nil {
		fmt.Println(err)
		return
	}
	best := 0
	for i := range scores {
		if scores[i].Logprob > scores[best].Logprob {
			best = i
		}
	}
	info, err := b.Info(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(labels[best], "--", info.Notice)
	// Output: NK cell. -- demo model on simulated cells
}
