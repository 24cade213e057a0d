package ollama

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/ollama/ollama/api"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

var nan = math.NaN()

// atOnce is the number of texts of one request.
const atOnce = 32

// remedy is what makes the new generation embed.
const remedy = "import the model a second time with a pooling, or use llama-server with --embeddings --pooling none"

// Score is not to be had from Ollama: it tells neither tokens nor the probability
// of the end.
func (b *Backend) Score(context.Context, string, []string) ([]llm.Score, error) {
	return nil, &llm.UnsupportedError{What: "scoring on Ollama", Remedy: "use llama-server (llamacpp://) or the built-in engine, which score exactly"}
}

// Embed implements [llm.Backend]. Which pooling there is, the model's file decides.
func (b *Backend) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	s, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	if s.pooling != pooling {
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("embedding by %q with %s", pooling, s.model), Remedy: remedy}
	}
	no := false
	var out [][]float32
	for from := 0; from < len(texts); from += atOnce {
		part := texts[from:min(from+atOnce, len(texts))]
		var got *api.EmbedResponse
		err := b.work(ctx, part, func(ctx context.Context) (err error) {
			got, err = b.api.Embed(ctx, &api.EmbedRequest{
				Model: s.model, Input: part, Truncate: &no, Options: b.options(s, &llm.Options{}),
			})
			return err
		})
		if err != nil {
			if e := tooLong(err, s.context); e != nil {
				err = e
			}
			var status *endpoint.StatusError
			if errors.As(err, &status) && status.Status == http.StatusNotImplemented {
				err = &llm.UnsupportedError{What: "embedding with " + s.model, Remedy: remedy}
			}
			return nil, err
		}
		llm.Tally(ctx, got.PromptEvalCount)
		if len(got.Embeddings) != len(part) {
			return nil, &endpoint.Error{What: fmt.Sprintf("%s sends %d vectors of %d texts", b.e, len(got.Embeddings), len(part))}
		}
		for i, v := range got.Embeddings {
			if !unit(v) {
				return nil, &endpoint.Error{What: fmt.Sprintf("%s sends a vector without a direction for text %d", b.e, from+i+1)}
			}
		}
		out = append(out, got.Embeddings...)
	}
	return out, nil
}

// unit makes a vector as long as one; false if it has no direction.
func unit(v []float32) bool {
	square := 0.0
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if !(square > 0) || math.IsInf(square, 1) {
		return false
	}
	for i, x := range v {
		v[i] = float32(float64(x) / math.Sqrt(square))
	}
	return true
}
