package endpoint

import (
	"slices"
	"testing"
)

func TestHide(t *testing.T) {
	const prompt = "The genes of a cell.\nCell sentence: MALAT1 B2M CD3D \"CD3E\" LYZ.\nType:"
	for text, want := range map[string]string{
		"model is loading": "model is loading",
		"bad prompt: The genes of a cell.\nCell sentence: MALAT1 B2M CD3D \"CD3E\" LYZ.\nType:": "bad prompt: […]:",
		`cannot read "MALAT1   B2M CD3D" at 12`:                                                 `cannot read "[…]" at 12`,
		`{"input": "Cell sentence: MALAT1 B2M CD3D \\\"CD3E\\\" LYZ.\\nType:"}`:                 `{"input": "[…]:"}`,
		"a cell of B2M":             "a cell of B2M", // three words, in another order
		"B2M CD3D and CD3D CD3E":    "B2M CD3D and CD3D CD3E",
		"x B2M CD3D CD3E y LYZ. z":  "x […] y LYZ. z",
		"MALAT1 B2M CD3D, B2M CD3D": "[…], B2M CD3D",
		"":                          "",
	} {
		if got := hide(text, []string{"other", prompt}); got != want {
			t.Errorf("%q becomes %q, expected %q", text, got, want)
		}
	}
}

func TestTextsOf(t *testing.T) {
	for request, want := range map[string][]string{
		`{"model": "m", "prompt": "a b"}`:   {"a b"},
		`{"prompt": [1, 2], "stop": ["x"]}`: nil,
		`{"content": "a", "add": true}`:     {"a"},
		`{"input": ["a", "b"], "model": 3}`: {"a", "b"},
		`{"prompt": [[1, 2]], "input": {}}`: nil,
		`not JSON`:                          nil,
	} {
		if got := textsOf([]byte(request)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, expected %q", request, got, want)
		}
	}
}
