package prompt

import (
	"fmt"
	"slices"
	"strings"
)

// Match says how an answer matched a label.
type Match uint8

// What an answer may have in common with a label, closest first after NoMatch.
const (
	NoMatch      Match = iota // it is none of the labels
	ExactMatch                // to the letter, but for a period at its end
	FoldedMatch               // but for case and white space
	SpeciesMatch              // but for these and for ", human" or ", mouse" at the end of either
)

// LabelParser reads answers that are one of a closed list of labels. It may be used
// concurrently.
type LabelParser struct {
	labels []string
	stops  []string
	keys   [4]map[string]int // by Match: labels in that form; ambiguous if two share it
}

// ambiguous marks a form that several labels have: it tells none of them.
const ambiguous = -1

// LabelAnswer is what an answer says.
type LabelAnswer struct {
	Label  string // the label as listed, "" if none matched
	Index  int    // its place in the list, -1 if none matched
	Match  Match
	Text   string // the answer's first line, without control characters
	Counts LabelCounts
}

// LabelCounts counts what was met in answers. Answers = Exact + Folded + Species +
// Unmatched.
type LabelCounts struct {
	Cleaning
	Exact     int // see [ExactMatch]
	Folded    int // see [FoldedMatch]
	Species   int // see [SpeciesMatch]
	Unmatched int // answers that are none of the labels
	Period    int // answers with a period at the end of their line
	MoreLines int // answers that went on after their first line
}

// Add adds the counts of other answers.
func (c *LabelCounts) Add(o LabelCounts) {
	c.add(o.Cleaning)
	c.Exact += o.Exact
	c.Folded += o.Folded
	c.Species += o.Species
	c.Unmatched += o.Unmatched
	c.Period += o.Period
	c.MoreLines += o.MoreLines
}

// NewLabelParser returns a parser for a list of labels, which must be different lines
// without control characters. Stops are as in [GeneConfig].
func NewLabelParser(labels []string, stops ...string) (*LabelParser, error) {
	stops, err := stopsOf(stops)
	if err != nil {
		return nil, err
	}
	if len(labels) == 0 {
		return nil, &Error{File: "labels", Problem: "the list is empty: no answer could match"}
	}
	p := &LabelParser{labels: slices.Clone(labels), stops: stops}
	for m := ExactMatch; m <= SpeciesMatch; m++ {
		p.keys[m] = make(map[string]int, len(labels))
	}
	for i, label := range labels {
		if _, bad := badRune(label, false); bad || strings.TrimSpace(label) == "" {
			return nil, &Error{File: "labels", Where: fmt.Sprintf("number %d", i+1), Problem: fmt.Sprintf("%s is empty or holds control characters", quote(label))}
		}
		for m := ExactMatch; m <= SpeciesMatch; m++ {
			key := fold(label, m)
			at, taken := p.keys[m][key]
			switch {
			case !taken:
				p.keys[m][key] = i
			case m == ExactMatch:
				return nil, &Error{File: "labels", Where: fmt.Sprintf("number %d", i+1), Problem: fmt.Sprintf("%s is number %d already", quote(label), at+1)}
			default:
				p.keys[m][key] = ambiguous
			}
		}
	}
	return p, nil
}

// fold is a label in the form that is compared for a kind of match.
func fold(s string, m Match) string {
	if m == ExactMatch {
		return s
	}
	s = strings.ToLower(strings.Join(strings.Fields(s), " "))
	if m == SpeciesMatch {
		for _, species := range []string{", human", ", mouse"} {
			if rest, ok := strings.CutSuffix(s, species); ok && rest != "" {
				return rest
			}
		}
	}
	return s
}

// Parse reads an answer: its first line that is not empty. Synonyms are not
// guessed; a form that two labels share matches neither of them.
func (p *LabelParser) Parse(answer string) LabelAnswer {
	text, cleaning := clean(answer, p.stops)
	out := LabelAnswer{Index: -1, Counts: LabelCounts{Cleaning: cleaning}}
	c := &out.Counts
	text, more, _ := strings.Cut(text, "\n")
	if strings.TrimSpace(more) != "" {
		c.MoreLines = 1
	}
	text = strings.TrimRight(text, blanks)
	out.Text = text
	bare, period := strings.CutSuffix(text, ".")
	if period {
		c.Period = 1
	}
	for m := ExactMatch; m <= SpeciesMatch; m++ {
		for _, s := range []string{text, bare} {
			if i, ok := p.keys[m][fold(s, m)]; ok && i != ambiguous {
				out.Label, out.Index, out.Match = p.labels[i], i, m
				c.count(m)
				return out
			}
		}
	}
	c.Unmatched = 1
	return out
}

func (c *LabelCounts) count(m Match) {
	switch m {
	case ExactMatch:
		c.Exact++
	case FoldedMatch:
		c.Folded++
	case SpeciesMatch:
		c.Species++
	}
}
