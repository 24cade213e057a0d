package llamacpp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

const embedRemedy = "start llama-server with --embeddings --pooling none to embed as well"

// Embed implements [llm.Backend]. A server started with --pooling none sends one
// state a token, which are pooled here.
func (b *Backend) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	s, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	p, err := b.probe(ctx, s)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.pooling, pooling) {
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("embedding by %q on %s", pooling, b.e), Remedy: embedRemedy}
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		rows, err := b.vectors(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("text %d of %d: %w", i+1, len(texts), explainEmbed(err))
		}
		if !p.raw && len(rows) != 1 {
			return nil, &endpoint.Error{What: fmt.Sprintf("%s sends %d vectors for a text, and sent one before", b.e, len(rows))}
		}
		if pooling == llm.PoolLast {
			rows = rows[len(rows)-1:]
		}
		if out[i] = mean(rows); out[i] == nil {
			return nil, &endpoint.Error{What: fmt.Sprintf("%s sends vectors of no length for text %d", b.e, i+1)}
		}
	}
	return out, nil
}

// vectors asks for the states of one text, one row or a row for each token.
func (b *Backend) vectors(ctx context.Context, text string) ([][]float64, error) {
	ids, err := b.prompt(ctx, text)
	if err != nil {
		return nil, err
	}
	// -1: as the model has them. A mean of normalised states is not that of the states.
	var out []struct {
		Embedding json.RawMessage `json:"embedding"`
	}
	if err := b.e.Post(ctx, "/embedding", map[string]any{"content": ids, "embd_normalize": -1}, &out); err != nil {
		return nil, err
	}
	llm.Tally(ctx, len(ids))
	if len(out) != 1 {
		return nil, &endpoint.Error{What: fmt.Sprintf("%s sends %d embeddings of one text", b.e, len(out))}
	}
	var rows [][]float64
	if json.Unmarshal(out[0].Embedding, &rows) != nil {
		var row []float64 // as older servers send it
		if err := json.Unmarshal(out[0].Embedding, &row); err != nil {
			return nil, &endpoint.Error{What: fmt.Sprintf("%s sends no vector: %v", b.e, err)}
		}
		rows = [][]float64{row}
	}
	if len(rows) != 1 && len(rows) != len(ids) || len(rows[0]) == 0 {
		return nil, &endpoint.Error{What: fmt.Sprintf("%s sends %d vectors for %d tokens", b.e, len(rows), len(ids))}
	}
	for _, row := range rows {
		if len(row) != len(rows[0]) {
			return nil, &endpoint.Error{What: b.e.String() + " sends vectors of different lengths"}
		}
	}
	return rows, nil
}

// mean is the mean of rows, made as long as one; nil if it has no direction.
func mean(rows [][]float64) []float32 {
	sum := make([]float64, len(rows[0]))
	for _, row := range rows {
		for i, v := range row {
			sum[i] += v
		}
	}
	square := 0.0
	for _, v := range sum {
		square += v * v
	}
	if !(square > 0) || math.IsInf(square, 1) {
		return nil
	}
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v / math.Sqrt(square))
	}
	return out
}

// explainEmbed names the remedy where a text is longer than what the server reads at
// once.
func explainEmbed(err error) error {
	var status *endpoint.StatusError
	if errors.As(err, &status) && status.Status == http.StatusInternalServerError {
		return &endpoint.Error{What: err.Error(), Tip: "an embedded text must fit the server's batch: start it with -b and -ub as large as -c"}
	}
	return err
}
