package reward

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Truth is what an answer is held against. As JSON it is an object of these fields, or
// the text of one (trainers pass strings), or a plain sentence, which is Real alone.
type Truth struct {
	// Real are real cells of the answer's label, as sentences; one may be given as a
	// string. Answers to one prompt are paired with them at random.
	Real Sentences `json:"real"`
	// Control is the cell that the prompt showed.
	Control string `json:"control"`
	// Replicate is another real cell of the same label, whose tau is the ceiling.
	Replicate string `json:"replicate"`
	// Ceiling is that tau itself, where it is known from many cells.
	Ceiling *float64 `json:"ceiling"`
	// Label tells prompts of one text apart, if need be.
	Label string `json:"label"`
}

// Sentences is a list that may be a lone string in JSON.
type Sentences []string

// UnmarshalJSON reads a string or a list of strings.
func (s *Sentences) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*s = nil
		if one != "" {
			*s = Sentences{one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// ParseTruth reads a truth from JSON; null and nothing are an empty one.
func ParseTruth(raw json.RawMessage) (t Truth, err error) {
	raw = bytes.TrimSpace(raw)
	var text string
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return t, badInput("the truth: %w", err)
		}
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			if text != "" {
				t.Real = Sentences{text}
			}
			return t, nil
		}
		raw = json.RawMessage(text)
	}
	if len(raw) == 0 {
		return t, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields() // a misspelt field would silently change the reward
	if err := d.Decode(&t); err != nil {
		return t, badInput("the truth: %w; it has real, control, replicate, ceiling and label", err)
	}
	return t, nil
}
