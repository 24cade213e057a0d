package reward_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/reward"
)

// FuzzAnswer holds answers and truths of any bytes to the promises of the package.
func FuzzAnswer(f *testing.F) {
	f.Add("A B</s>", `{"real":["A B"],"control":"B"}`)
	f.Add("<|im_end|> A. .", `"A B"`)
	f.Add("<", `"{\"real\":\"A\"}"`)
	v := reward.Validity{Known: panel(f, "A B C D"), Least: 1, Most: 5}
	f.Fuzz(func(t *testing.T, answer, truth string) {
		words := reward.Words(answer)
		for _, w := range words {
			if w == "" || strings.ContainsAny(w, " \t\n") {
				t.Fatalf("%q holds the word %q", answer, w)
			}
		}
		if c := v.Check(answer); c.Score < 0 || c.Score > 1 || c.Unknown+c.Repeats > c.Words || c.Words != len(words) {
			t.Fatalf("%q: %+v", answer, c)
		}
		if _, err := reward.ParseTruth(json.RawMessage(truth)); err != nil && !bad(err) {
			t.Fatalf("%q: %v is not bad input", truth, err)
		}
	})
}
