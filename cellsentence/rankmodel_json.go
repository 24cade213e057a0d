package cellsentence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// rankFormat marks the files of rank models.
const rankFormat = "c2s-rank-model/1"

type rankFile struct {
	Format string `json:"format"`
	*RankModel
}

// maxRankFile bounds a rank model's file. One of ours has about 100 KB.
const maxRankFile = 256 << 20

// Write writes the model as JSON, the form that [ReadRankModel] reads.
func (m *RankModel) Write(w io.Writer) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("rank model: %w", err)
	}
	text, err := json.Marshal(rankFile{rankFormat, m})
	if err != nil {
		return fmt.Errorf("rank model: %w", err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// ReadRankModel reads and checks a model. Its errors are of bad input, beside
// those of r.
func ReadRankModel(r io.Reader) (*RankModel, error) {
	limited := &io.LimitedReader{R: r, N: maxRankFile}
	f := rankFile{RankModel: &RankModel{}}
	err := json.NewDecoder(limited).Decode(&f)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case limited.N == 0:
		return nil, badInput("rank model: larger than %d bytes", maxRankFile)
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, badInput("rank model: no JSON of one: %w; give the rank.json that fidelity writes", err)
	case err != nil:
		return nil, fmt.Errorf("rank model: %w", err)
	case f.Format != rankFormat:
		return nil, badInput("rank model: the format is %s, expected %q; give the rank.json that fidelity writes", quote(f.Format), rankFormat)
	}
	if err := f.check(); err != nil {
		return nil, badInput("rank model: %w", err)
	}
	return f.RankModel, nil
}
