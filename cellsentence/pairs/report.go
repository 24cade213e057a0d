package pairs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// Report tells what pairs were made. Rows are those of the source: Pairs times the
// cells of a prompt, and those left out.
type Report struct {
	Task string `json:"task"`
	// Prompts is the file of the templates, Fingerprint their [prompt.Templates.Fingerprint],
	// and C2S whether C2S models were trained on these words.
	Prompts     string  `json:"prompts"`
	Fingerprint string  `json:"fingerprint"`
	C2S         bool    `json:"c2s"`
	Rows        int64   `json:"rows"`
	Cells       int     `json:"cells"` // rows of a pair
	Pairs       int64   `json:"pairs"`
	LeftOut     LeftOut `json:"left_out"`
	// Short counts sentences with fewer genes than the prompts say that they have.
	Short int64 `json:"short"`
	// Tokens of all pairs, and of the longest, by [dataset.EstimateTokens].
	InputTokens    int64    `json:"input_tokens"`
	ResponseTokens int64    `json:"response_tokens"`
	LongestTokens  int64    `json:"longest_tokens"`
	Warnings       []string `json:"warnings"`
}

// LeftOut counts rows that are in no pair, each once.
type LeftOut struct {
	Missing  map[string]int64 `json:"missing"`  // without a value, by the first such column
	Empty    int64            `json:"empty"`    // with a sentence without a gene
	Leftover int64            `json:"leftover"` // too few for a prompt of their group
}

// Total is the number of rows left out.
func (l *LeftOut) Total() int64 {
	n := l.Empty + l.Leftover
	for _, m := range l.Missing {
		n += m
	}
	return n
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// count adds the tokens of a batch of pairs.
func (r *Report) count(b *dataset.Batch) {
	in, out := b.Columns[len(b.Columns)-2].Ints, b.Columns[len(b.Columns)-1].Ints
	for i := range in {
		r.InputTokens += in[i]
		r.ResponseTokens += out[i]
		r.LongestTokens = max(r.LongestTokens, in[i]+out[i])
	}
	r.Pairs += int64(len(in))
}

// String says how many rows were left out and why, or that none were.
func (l *LeftOut) String() string {
	var why []string
	for _, column := range slices.Sorted(maps.Keys(l.Missing)) {
		why = append(why, fmt.Sprintf("%d without %s", l.Missing[column], column))
	}
	if l.Empty > 0 {
		why = append(why, fmt.Sprintf("%d with an empty sentence", l.Empty))
	}
	if l.Leftover > 0 {
		why = append(why, fmt.Sprintf("%d too few for another prompt of their group", l.Leftover))
	}
	if len(why) == 0 {
		return "no row left out"
	}
	return strings.Join(why, ", ")
}
