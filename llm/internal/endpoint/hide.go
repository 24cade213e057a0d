package endpoint

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Servers quote what they were sent when they refuse it, whole or in part, in other
// white space or as JSON. Prompts are data of patients, and errors are printed and kept
// in logs: a message loses every run of hiddenRun words that it shares with the request.
const hiddenRun = 3

// hide replaces what a text shares with others by "[…]".
func hide(text string, private []string) string {
	grams := map[[hiddenRun]string]bool{}
	for _, p := range private {
		words := strings.FieldsFunc(p, between)
		for i := range len(words) - hiddenRun + 1 {
			grams[[hiddenRun]string(words[i:])] = true
		}
	}
	type place struct{ from, to int }
	var at []place // of the words of the text
	from := -1
	rest := escaped.ReplaceAllString(text, "  ") // as long as the text
	for i, r := range rest + " " {
		switch {
		case between(r) && from >= 0:
			at = append(at, place{from, i})
			from = -1
		case !between(r) && from < 0:
			from = i
		}
	}
	hidden := make([]bool, len(at))
	for i := range len(at) - hiddenRun + 1 {
		var gram [hiddenRun]string
		for k := range gram {
			gram[k] = text[at[i+k].from:at[i+k].to]
		}
		if grams[gram] {
			for k := range gram {
				hidden[i+k] = true
			}
		}
	}
	var out strings.Builder
	last := 0
	for i := 0; i < len(at); i++ {
		if !hidden[i] {
			continue
		}
		end := i
		for end+1 < len(at) && hidden[end+1] {
			end++
		}
		out.WriteString(text[last:at[i].from])
		out.WriteString("[…]")
		last, i = at[end].to, end
	}
	out.WriteString(text[last:])
	return out.String()
}

// escaped is white space within JSON.
var escaped = regexp.MustCompile(`\\[ntr]`)

// between is what stands between words, in a text or in JSON that holds it.
func between(r rune) bool { return strings.ContainsRune(" \t\r\n\\\"'`,;:[]{}()", r) }

// textsOf are the texts that a request is about: of all kinds of servers, a text or a list.
func textsOf(request []byte) (out []string) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(request, &fields) != nil {
		return nil
	}
	for _, name := range []string{"prompt", "content", "input"} {
		var one string
		var list []string
		if json.Unmarshal(fields[name], &one) == nil {
			out = append(out, one)
		} else if json.Unmarshal(fields[name], &list) == nil {
			out = append(out, list...)
		}
	}
	return out
}
