package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/cellsentence/c2s/perturb/reward"
)

// form is how one trainer asks and wants to be answered.
type form struct {
	name string
	// parse makes items of a body of at most most answers.
	parse func(body []byte, most int) ([]reward.Item, error)
	// answer makes what is sent back.
	answer func([]reward.Result) any
}

// contentError is a request that is JSON but makes no sense.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.err.Error() }

func (e *contentError) Unwrap() error { return e.err }

func content(format string, args ...any) error { return &contentError{fmt.Errorf(format, args...)} }

func forms() map[string]form {
	return map[string]form{
		"POST /get_reward": {"openrlhf", openrlhf, openrlhfAnswer},
		"POST /trl":        {"trl", trl, trlAnswer},
		"POST /verl":       {"verl", verl, func(r []reward.Result) any { return verlAnswer(r)[0] }},
		"POST /verl/batch": {"verl-batch", verlBatch, func(r []reward.Result) any { return map[string]any{"scores": verlAnswer(r)} }},
	}
}

// items checks lengths and reads truths. An absent truth is an empty one.
func items(most int, prompts, answers []string, truths []json.RawMessage) ([]reward.Item, error) {
	switch {
	case len(answers) == 0:
		return nil, content("there is no answer to score")
	case len(answers) > most:
		return nil, content("%d answers, at most %d are taken at once", len(answers), most)
	case len(prompts) != len(answers):
		return nil, content("%d answers have %d prompts", len(answers), len(prompts))
	case truths != nil && len(truths) != len(answers):
		return nil, content("%d answers have %d truths", len(answers), len(truths))
	}
	list := make([]reward.Item, len(answers))
	// The answers to one prompt repeat its truth, which may hold many cells.
	seen := map[string]reward.Truth{}
	for i := range list {
		list[i] = reward.Item{Prompt: prompts[i], Answer: answers[i]}
		if truths == nil {
			continue
		}
		t, ok := seen[string(truths[i])]
		if !ok {
			var err error
			if t, err = reward.ParseTruth(truths[i]); err != nil {
				return nil, content("answer %d: %w", i, err)
			}
			seen[string(truths[i])] = t
		}
		list[i].Truth = t
	}
	return list, nil
}

// openrlhf reads OpenRLHF's remote reward model request. A query is the prompt and the
// answer, as decoded with special tokens.
func openrlhf(body []byte, most int) ([]reward.Item, error) {
	var in struct {
		Query   []string          `json:"query"`
		Prompts []string          `json:"prompts"`
		Labels  []json.RawMessage `json:"labels"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if len(in.Prompts) != len(in.Query) {
		return nil, content("%d queries have %d prompts: the prompt must be known to be cut off", len(in.Query), len(in.Prompts))
	}
	for i, q := range in.Query {
		at := strings.Index(q, in.Prompts[i])
		if at < 0 {
			return nil, content("query %d does not hold its prompt", i)
		}
		in.Query[i] = q[at+len(in.Prompts[i]):]
	}
	return items(most, in.Prompts, in.Query, in.Labels)
}

func openrlhfAnswer(results []reward.Result) any {
	n := len(results)
	rewards, scores, undefined, valid := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, r := range results {
		// A tensor holds no null. The whole prompt is undefined, so that its advantages
		// are 0 whatever number stands here.
		if math.IsNaN(r.Reward) {
			undefined[i] = 1
		} else {
			rewards[i] = r.Reward
		}
		scores[i] = r.Score
		if r.Valid {
			valid[i] = 1
		}
	}
	return map[string]any{"rewards": rewards, "scores": scores, "extra_logs": map[string]any{"undefined": undefined, "valid": valid}}
}

// turn is a text or a conversation, whose last message counts.
type turn string

// UnmarshalJSON reads a string or a list of messages.
func (t *turn) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = turn(s)
		return nil
	}
	var messages []struct {
		Content string `json:"content"`
	}
	if err := json.Unmarshal(data, &messages); err != nil {
		return err
	}
	if len(messages) == 0 {
		return content("a conversation has no message")
	}
	*t = turn(messages[len(messages)-1].Content)
	return nil
}

// trl reads the arguments of a TRL reward function; truth is the dataset's column.
func trl(body []byte, most int) ([]reward.Item, error) {
	var in struct {
		Prompts     []json.RawMessage `json:"prompts"`
		Completions []turn            `json:"completions"`
		Truth       []json.RawMessage `json:"truth"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	prompts, answers := make([]string, len(in.Prompts)), make([]string, len(in.Completions))
	for i, p := range in.Prompts {
		prompts[i] = string(p) // only to tell prompts apart
	}
	for i, c := range in.Completions {
		answers[i] = string(c)
	}
	return items(most, prompts, answers, in.Truth)
}

func trlAnswer(results []reward.Result) any {
	rewards := make([]*float64, len(results))
	for i := range results {
		if !math.IsNaN(results[i].Reward) {
			rewards[i] = &results[i].Reward
		}
	}
	return map[string]any{"rewards": rewards}
}

// extra is what tells verl's prompts apart.
type extra struct {
	Index json.RawMessage `json:"index"`
}

func verl(body []byte, most int) ([]reward.Item, error) {
	var in struct {
		DataSource  string          `json:"data_source"`
		Solution    *string         `json:"solution_str"`
		GroundTruth json.RawMessage `json:"ground_truth"`
		Extra       *extra          `json:"extra_info"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if in.Solution == nil {
		return nil, content("solution_str is missing")
	}
	return items(most, []string{verlPrompt(in.DataSource, in.Extra, in.GroundTruth)}, []string{*in.Solution}, []json.RawMessage{in.GroundTruth})
}

func verlBatch(body []byte, most int) ([]reward.Item, error) {
	var in struct {
		DataSources  []string          `json:"data_sources"`
		Solutions    []string          `json:"solution_strs"`
		GroundTruths []json.RawMessage `json:"ground_truths"`
		Extras       []*extra          `json:"extra_infos"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	n := len(in.Solutions)
	if len(in.DataSources) != n || len(in.GroundTruths) != n || (in.Extras != nil && len(in.Extras) != n) {
		return nil, content("%d solution_strs have %d data_sources, %d ground_truths and %d extra_infos", n, len(in.DataSources), len(in.GroundTruths), len(in.Extras))
	}
	prompts := make([]string, n)
	for i := range prompts {
		var e *extra
		if in.Extras != nil {
			e = in.Extras[i]
		}
		prompts[i] = verlPrompt(in.DataSources[i], e, in.GroundTruths[i])
	}
	return items(most, prompts, in.Solutions, in.GroundTruths)
}

// verlPrompt tells prompts apart, of which verl sends none: by source, index and truth.
func verlPrompt(source string, e *extra, truth json.RawMessage) string {
	var index []byte
	if e != nil {
		index = e.Index
	}
	return source + "\x00" + string(index) + "\x00" + string(bytes.TrimSpace(truth))
}

type verlScore struct {
	Score     float64 `json:"score"`
	Valid     bool    `json:"valid"`
	Undefined bool    `json:"undefined"` // score is 0 for want of a reward
}

func verlAnswer(results []reward.Result) []verlScore {
	out := make([]verlScore, len(results))
	for i, r := range results {
		out[i] = verlScore{Score: r.Reward, Valid: r.Valid}
		if math.IsNaN(r.Reward) {
			out[i].Score, out[i].Undefined = 0, true
		}
	}
	return out
}
