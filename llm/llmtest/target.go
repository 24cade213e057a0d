package llmtest

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

// Target is a backend under test.
type Target struct {
	// Backend runs the model of the reference. A context of some hundred tokens keeps
	// the test of a full context short.
	Backend llm.Backend
	// Reference is what torch makes of the model.
	Reference *Reference
	// Tolerance is the largest difference of a log-probability from torch's, and
	// ScoreTolerance that of a whole answer (0: 1e-4, and 1e-3).
	Tolerance, ScoreTolerance float64
	// Kill, if not nil, ends the server at once, as kill -9 does. It is called last.
	Kill func()
}

// Reference is what torch computed from a model file.
type Reference struct {
	// SHA256 is the hash of that file, in hexadecimal.
	SHA256     string      `json:"sha256"`
	Prompts    []Greedy    `json:"prompts"`
	Scores     []Labels    `json:"scores"`
	Embeddings []Embedding `json:"embeddings"`
}

// Greedy is the most probable answer, token by token.
type Greedy struct {
	Prompt string `json:"prompt"`
	IDs    []int  `json:"ids"` // of the prompt, with the beginning of text
	Tokens []int  `json:"tokens"`
	Text   string `json:"text"`
	// Logprobs are those of Tokens, then that of the end of text if Stop is "eos".
	Logprobs []float64 `json:"logprobs"`
	Stop     string    `json:"stop"` // "eos" or "limit"
}

// Labels is the log-probability of each of some answers. An answer is a blank, the
// label and the end of text.
type Labels struct {
	Prompt string             `json:"prompt"`
	Labels map[string]float64 `json:"labels"`
}

// Embedding is the states after the last norm, of any length.
type Embedding struct {
	Text string    `json:"text"`
	IDs  []int     `json:"ids"`
	Last []float64 `json:"last"`
	Mean []float64 `json:"mean"`
}

// Load reads a reference.
func Load(path string) (*Reference, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Reference)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(r.Prompts) == 0 || len(r.Scores) == 0 || len(r.Embeddings) == 0 {
		return nil, fmt.Errorf("%s: a reference needs prompts, scores and embeddings", path)
	}
	return r, nil
}

// suite is a target with what the tests need to know of it.
type suite struct {
	Target
	info *llm.Info
	// open is the prompt whose best answer is least certain: a long one, which other
	// seeds do not give.
	open *Greedy
}

func leastCertain(prompts []Greedy) *Greedy {
	best, lowest := &prompts[0], math.Inf(1)
	for i := range prompts {
		sum := 0.0
		for _, p := range prompts[i].Logprobs {
			sum += p
		}
		if len(prompts[i].Tokens) >= 4 && sum < lowest {
			best, lowest = &prompts[i], sum
		}
	}
	return best
}

// Run runs all tests.
func Run(t *testing.T, target Target) {
	t.Helper()
	if target.Tolerance == 0 {
		target.Tolerance = 1e-4
	}
	if target.ScoreTolerance == 0 {
		target.ScoreTolerance = 1e-3
	}
	info, err := target.Backend.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{target, info, leastCertain(target.Reference.Prompts)}
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"info", s.testInfo},
		{"greedy", s.testGreedy},
		{"stream", s.testStream},
		{"alternatives", s.testAlternatives},
		{"sampling", s.testSampling},
		{"stop strings", s.testStop},
		{"limits", s.testLimits},
		{"tally", s.testTally},
		{"bad options", s.testOptions},
		{"full context", s.testContext},
		{"unicode", s.testUnicode},
		{"score", s.testScore},
		{"embed", s.testEmbed},
		{"grammar", s.testGrammar},
		{"concurrent", s.testConcurrent},
		{"cancel", s.testCancel},
		{"callback", s.testCallback},
		{"death", s.testDeath},
	} {
		t.Run(c.name, c.run)
	}
}
