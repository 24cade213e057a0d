package embedded

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// TestQualityFile types the cells of testdata/demo.h5ad, which come from the same
// world but are a third as deep as those of training.
func TestQualityFile(t *testing.T) {
	s := newSubject(t)
	f, err := h5ad.Open(t.Context(), "../../testdata/demo.h5ad", h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	genes, err := f.Var().Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	truth, err := f.Obs().Column(t.Context(), "cell_type")
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.Rows(t.Context(), h5ad.RowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := cellsentence.NewEncoder(genes, cellsentence.Config{TopK: world.Genes})
	if err != nil {
		t.Fatal(err)
	}
	var sentences []string
	for b, err := range e.Encode(t.Context(), rows) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Len() {
			sentences = append(sentences, string(b.At(i)))
		}
	}
	var labels []string
	for _, c := range s.w.CellTypes {
		labels = append(labels, " "+c.Name+".")
	}
	right := make([]bool, len(sentences))
	s.each(t, len(sentences), func(ctx context.Context, i int) error {
		n := len(strings.Fields(sentences[i]))
		scores, err := s.b.Score(ctx, world.Prompt(world.TaskCellType, "num_genes", fmt.Sprint(n), "cell_sentence", sentences[i]), labels)
		best := 0
		for j := range scores {
			if scores[j].Logprob > scores[best].Logprob {
				best = j
			}
		}
		want, _ := truth.Text(i)
		right[i] = s.w.CellTypes[best].Name == want
		return err
	})
	n := 0
	for _, ok := range right {
		if ok {
			n++
		}
	}
	t.Logf("demo.h5ad: %d of %d cells typed rightly", n, len(right))
	if n < len(right)*98/100 {
		t.Errorf("%d of %d cells typed rightly", n, len(right))
	}
}
