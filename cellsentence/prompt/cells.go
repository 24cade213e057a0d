package prompt

import (
	"strconv"
	"strings"
)

// CellAnswer is the part of an answer that is about one cell.
type CellAnswer struct {
	Cell int    // the number that the answer gives it, from 1
	Text string // what it says, for [GeneParser] or [LabelParser]
}

// SplitCells splits an answer about several cells at the lines that begin with
// "Cell 1:", "Cell 2:" and so on, in the order and with the numbers of the answer,
// which a model may get wrong. What comes before the first of them is left out.
// Stops are as in [GeneConfig]. The texts hold no control characters besides line
// ends and tabs.
func SplitCells(answer string, stops ...string) ([]CellAnswer, Cleaning, error) {
	stops, err := stopsOf(stops)
	if err != nil {
		return nil, Cleaning{}, err
	}
	text, cleaning := clean(answer, stops)
	var out []CellAnswer
	start := 0
	for at := 0; at < len(text); {
		line, _, _ := strings.Cut(text[at:], "\n")
		if n, size := cellStart(line); size > 0 {
			if len(out) > 0 {
				out[len(out)-1].Text = strings.Trim(text[start:at], blanks)
			}
			out = append(out, CellAnswer{Cell: n})
			start = at + size
		}
		at += len(line) + 1
	}
	if len(out) > 0 {
		out[len(out)-1].Text = strings.Trim(text[min(start, len(text)):], blanks)
	}
	return out, cleaning, nil
}

// cellStart reads "Cell 12:" at the start of a line and returns its length, 0 if it
// is not there.
func cellStart(line string) (n, size int) {
	rest, ok := strings.CutPrefix(line, "Cell ")
	number, _, colon := strings.Cut(rest, ":")
	if !ok || !colon || len(number) > 9 {
		return 0, 0
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || number[0] == '+' {
		return 0, 0
	}
	return n, len("Cell ") + len(number) + 1
}
