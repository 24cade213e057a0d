package compare

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/cellsentence/c2s/llm"
)

// Answer is what is known of one answer of a model: a line of answers.jsonl, or a cell
// of what c2s predict wrote.
type Answer struct {
	// Item is what was asked, such as a perturbation and a cell. Answers of one item are
	// samples of it.
	Item string `json:"item"`
	// Words counts those of the answer, Unknown those that are no genes, Repeats those
	// that came before.
	Words   int `json:"words"`
	Unknown int `json:"unknown"`
	Repeats int `json:"repeats"`
	// Valid is an answer that is a cell sentence, Copy one that repeats the control.
	Valid bool `json:"valid"`
	Copy  bool `json:"copy"`
	// Stop is why the model ended, as llm.Stop: "limit" is the limit of tokens.
	Stop string `json:"stop"`
	// Correct is what a verifier found; nil where none was asked.
	Correct *bool `json:"correct"`
	// Vote is the answer as the majority counts it, such as a label; "" if there is none.
	Vote string `json:"vote"`
}

// Behaviour counts what a run's answers are like.
type Behaviour struct {
	Answers int64 `json:"answers"`
	Words   int64 `json:"words"`
	// UnknownWords and RepeatedWords are of Words; UnknownAnswers and RepeatedAnswers are
	// the answers that have such a word.
	UnknownWords    int64 `json:"unknown_words"`
	RepeatedWords   int64 `json:"repeated_words"`
	UnknownAnswers  int64 `json:"unknown_answers"`
	RepeatedAnswers int64 `json:"repeated_answers"`
	Invalid         int64 `json:"invalid"` // answers that are no cell sentence
	Copies          int64 `json:"copies"`  // answers that repeat the control
	LengthStops     int64 `json:"length_stops"`
}

// Add counts an answer.
func (b *Behaviour) Add(a *Answer) {
	b.Answers++
	b.Words += int64(a.Words)
	b.UnknownWords += int64(a.Unknown)
	b.RepeatedWords += int64(a.Repeats)
	for _, f := range []struct {
		yes bool
		to  *int64
	}{
		{a.Unknown > 0, &b.UnknownAnswers},
		{a.Repeats > 0, &b.RepeatedAnswers},
		{!a.Valid, &b.Invalid},
		{a.Copy, &b.Copies},
		{a.Stop == string(llm.StopLimit), &b.LengthStops},
	} {
		if f.yes {
			*f.to++
		}
	}
}

// Sampling is how often sampled answers are right.
type Sampling struct {
	Items   int `json:"items"`
	Samples int `json:"samples"` // of the item with the fewest
	// Average is the mean over items of the share of right answers: average@k for any k.
	Average float64 `json:"average"`
	// At is pass@k and maj@k for k = 1, 2, 4 … and Samples.
	At []SampledAt `json:"at"`
}

// SampledAt is what k answers to each item reach, on average over items.
type SampledAt struct {
	K        int     `json:"k"`
	Pass     float64 `json:"pass"`
	Majority Number  `json:"majority"` // missing where answers have no vote
}

// maxLine bounds a line of answers.jsonl.
const maxLine = 1 << 20

const answersTip = `a line is such as {"item": "AKT1/12", "words": 200, "unknown": 1, "repeats": 0, "valid": true, "copy": false, "stop": "end"}, with "correct" and "vote" where answers were sampled`

// ReadAnswers counts the answers of an answers.jsonl. sampling is nil where no answer
// says whether it is correct. A field that is not known is an error.
func ReadAnswers(ctx context.Context, r io.Reader) (*Behaviour, *Sampling, error) {
	b := new(Behaviour)
	s := new(sampler)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for line := 1; lines.Scan(); line++ {
		if line%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var a Answer
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&a); err != nil {
			return nil, nil, badInput(answersTip, "line %d: no answer: %w", line, err)
		}
		if err := a.check(); err != nil {
			return nil, nil, badInput(answersTip, "line %d: %w", line, err)
		}
		b.Add(&a)
		s.add(&a)
	}
	if err := lines.Err(); err != nil {
		return nil, nil, badInput(answersTip, "line %d: %w", b.Answers+1, err)
	}
	if b.Answers == 0 {
		return nil, nil, badInput(answersTip, "there is no answer in it")
	}
	found, err := s.sampling()
	return b, found, err
}

func (a *Answer) check() error {
	switch {
	case a.Item == "":
		return errors.New("the answer has no item")
	case min(a.Words, a.Unknown, a.Repeats) < 0 || a.Words > maxLine || a.Unknown > a.Words-a.Repeats:
		return errors.New("of the words of an answer some are unknown, some are repeats: no count is negative, and both are at most all, which are a million at most")
	case a.Vote != "" && a.Correct == nil:
		return errors.New("the answer has a vote, but not whether it is correct")
	}
	return nil
}

// sampler gathers the samples of items.
type sampler struct {
	items map[string]*item
	order []*item
	plain bool // an answer without a verdict
	mute  bool // a verdict without a vote
}

type item struct {
	n, right int
	votes    map[string]int // places in counts
	counts   []int
	correct  []bool
	torn     bool // one vote was both right and wrong
}

func (s *sampler) add(a *Answer) {
	if a.Correct == nil {
		s.plain = true
		return
	}
	s.mute = s.mute || a.Vote == ""
	it := s.items[a.Item]
	if it == nil {
		it = &item{votes: map[string]int{}}
		if s.items == nil {
			s.items = map[string]*item{}
		}
		s.items[a.Item] = it
		s.order = append(s.order, it)
	}
	it.n++
	if *a.Correct {
		it.right++
	}
	at, known := it.votes[a.Vote]
	if !known {
		at = len(it.counts)
		it.votes[a.Vote] = at
		it.counts, it.correct = append(it.counts, 0), append(it.correct, *a.Correct)
	}
	it.counts[at]++
	it.torn = it.torn || it.correct[at] != *a.Correct
}

// sampling estimates, nil without a verdict.
func (s *sampler) sampling() (*Sampling, error) {
	switch {
	case len(s.order) == 0:
		return nil, nil
	case s.plain:
		return nil, badInput(answersTip, "some answers say whether they are correct, others do not")
	}
	out := &Sampling{Items: len(s.order), Samples: math.MaxInt}
	for _, it := range s.order {
		out.Samples = min(out.Samples, it.n)
		out.Average += float64(it.right) / float64(it.n)
		if !s.mute && it.torn {
			return nil, badInput(answersTip, "one vote for an item is correct in one answer and not in another")
		}
	}
	items := float64(len(s.order))
	out.Average /= items
	var ks []int
	for k := 1; k <= out.Samples; k *= 2 {
		ks = append(ks, k)
	}
	if !slices.Contains(ks, out.Samples) {
		ks = append(ks, out.Samples)
	}
	for _, k := range ks {
		at := SampledAt{K: k, Majority: missing()}
		if !s.mute {
			at.Majority = 0
		}
		for _, it := range s.order {
			at.Pass += PassAtK(it.n, it.right, k)
			if !s.mute {
				at.Majority += Number(MajorityAtK(it.counts, it.correct, k))
			}
		}
		at.Pass /= items
		at.Majority /= Number(items)
		out.At = append(out.At, at)
	}
	return out, nil
}
