package grpo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math"
)

// Keys name the fields of a log of rollouts; an empty one takes the default.
type Keys struct {
	Step      string // "step": lines of one step are a batch; lines without it are one, too
	Group     string // "group": tells prompts apart; any JSON value, such as the prompt itself
	Reward    string // "reward": a number or null
	Advantage string // "advantage": what the trainer took; may be absent
	Tokens    string // "tokens": the number of them in the answer; may be absent
}

// Rollout is an answer as a trainer logged it.
type Rollout struct {
	Line      int
	Step      string // as JSON
	Group     string // as JSON
	Reward    float64
	Advantage float64 // NaN if it was not logged
	Tokens    int     // −1 if it is not known
	// LogProb, Old and Ref are the fields logprobs, old_logprobs and ref_logprobs.
	LogProb, Old, Ref []float64
}

// maxLine is the longest line of a log: an answer of a million tokens with its
// log-probabilities.
const maxLine = 64 << 20

// ReadRollouts reads a log of one JSON object a line.
func ReadRollouts(r io.Reader, keys Keys) ([]Rollout, error) {
	name := func(key, usual string) string {
		if key == "" {
			return usual
		}
		return key
	}
	keys = Keys{name(keys.Step, "step"), name(keys.Group, "group"), name(keys.Reward, "reward"), name(keys.Advantage, "advantage"), name(keys.Tokens, "tokens")}
	var out []Rollout
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		v, err := parseRollout(lines.Bytes(), keys)
		if err != nil {
			return nil, badInput("line %d: %w", n, err)
		}
		v.Line = n
		out = append(out, v)
	}
	if err := lines.Err(); err != nil {
		return nil, badInput("line %d: %w", n+1, err)
	}
	if len(out) == 0 {
		return nil, badInput("there are no rollouts")
	}
	return out, nil
}

func parseRollout(line []byte, keys Keys) (v Rollout, err error) {
	var f map[string]json.RawMessage
	if err := json.Unmarshal(line, &f); err != nil {
		return v, err
	}
	group, ok := f[keys.Group]
	if !ok {
		return v, badInput("there is no field %q, which tells prompts apart", keys.Group)
	}
	if _, ok := f[keys.Reward]; !ok {
		return v, badInput("there is no field %q", keys.Reward)
	}
	v.Step, v.Group = string(f[keys.Step]), string(group)
	v.Reward, v.Advantage, v.Tokens = math.NaN(), math.NaN(), -1
	for key, to := range map[string]any{
		keys.Reward: &v.Reward, keys.Advantage: &v.Advantage, keys.Tokens: &v.Tokens,
		"logprobs": &v.LogProb, "old_logprobs": &v.Old, "ref_logprobs": &v.Ref,
	} {
		// Null leaves what is there.
		if raw, ok := f[key]; ok {
			if err := json.Unmarshal(raw, to); err != nil {
				return v, badInput("field %q: %w", key, err)
			}
		}
	}
	if v.Tokens < 0 && v.LogProb != nil {
		v.Tokens = len(v.LogProb)
	}
	return v, nil
}
