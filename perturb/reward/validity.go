package reward

import (
	"strings"
	"unicode"
)

// Validity is what makes an answer a cell sentence.
type Validity struct {
	Known *Panel // the genes there are
	// Least and Most are the words that a sentence may have; Most 0 is no limit.
	Least, Most int
	// MinKnown is the share of words that must be genes not named before, for
	// [Check.Valid]; 0 takes 0.95.
	MinKnown float64
}

// Check is what was found in an answer.
type Check struct {
	Words   int  `json:"words"`
	Unknown int  `json:"unknown"` // words that are no gene
	Repeats int  `json:"repeats"` // genes named again
	Format  bool `json:"format"`  // one line of words with single spaces, nothing else
	Length  bool `json:"length"`  // the number of words is allowed
	// Score is (Words − Unknown − Repeats) / Words, and 0 where the format is wrong; a
	// wrong length scales it by the ratio to the nearer limit.
	Score float64 `json:"score"`
	Valid bool    `json:"valid"` // format and length are right, and enough words are new genes
}

// Check looks at an answer, as the model gave it.
func (v Validity) Check(answer string) Check {
	words := Words(answer)
	c := Check{Words: len(words), Format: wellFormed(answer)}
	seen := make(map[int32]bool, len(words))
	for _, w := range words {
		i, ok := v.Known.index[w]
		switch {
		case !ok:
			c.Unknown++
		case seen[i]:
			c.Repeats++
		default:
			seen[i] = true
		}
	}
	n := float64(c.Words)
	c.Length = c.Words >= max(1, v.Least) && (v.Most <= 0 || c.Words <= v.Most)
	if c.Words == 0 || !c.Format {
		return c
	}
	share := float64(len(seen)) / n
	c.Score = share
	switch {
	case c.Words < v.Least:
		c.Score *= n / float64(v.Least)
	case v.Most > 0 && c.Words > v.Most:
		c.Score *= float64(v.Most) / n
	}
	least := v.MinKnown
	if least == 0 {
		least = 0.95
	}
	c.Valid = c.Length && share >= least
	return c
}

// wellFormed says whether an answer is words with single spaces between them. Special
// tokens, and white space around them and at both ends, belong to the template.
func wellFormed(answer string) bool {
	s := strings.TrimSpace(withoutSpecial(answer))
	return s != "" && !strings.Contains(s, "  ") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && (unicode.IsSpace(r) || !unicode.IsPrint(r)) })
}
