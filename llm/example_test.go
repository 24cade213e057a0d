package llm_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded"
)

// Whatever runs the model, it is asked in the same way.
func ExampleBackend() {
	ask := func(ctx context.Context, b llm.Backend) (string, error) {
		info, err := b.Info(ctx)
		if err != nil {
			return "", err
		}
		if !info.Score {
			return "", fmt.Errorf("%s gives no log-probabilities", info.Model)
		}
		scores, err := b.Score(ctx, "GNLY NKG7 KLRD1 PRF1 FGFBP2", []string{" KLRF1", " MS4A1"})
		if err != nil {
			return "", err
		}
		if scores[0].Logprob > scores[1].Logprob {
			return "KLRF1 is more probable than MS4A1", nil
		}
		return "MS4A1 is more probable than KLRF1", nil
	}

	demo, err := embedded.Demo(embedded.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer demo.Close()
	answer, err := ask(context.Background(), demo)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	// Output: KLRF1 is more probable than MS4A1
}
