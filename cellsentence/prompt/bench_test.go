package prompt_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// randomAnswers makes answers of 200 words of a vocabulary of 20,000: 2 in 100 repeat
// an earlier word, 1 is unknown, 1 in lower case.
func randomAnswers(n int) []string {
	r := rand.New(rand.NewPCG(7, 8))
	out := make([]string, n)
	for i := range out {
		var words []string
		for len(words) < 200 {
			switch r.IntN(100) {
			case 0, 1:
				words = append(words, words[max(0, len(words)-1-r.IntN(20)):][:min(1, len(words))]...)
			case 2:
				words = append(words, "NOTGENE")
			case 3:
				words = append(words, fmt.Sprintf("gene%d", r.IntN(20_000)))
			default:
				words = append(words, fmt.Sprintf("GENE%d", r.IntN(20_000)))
			}
		}
		out[i] = strings.Join(words, " ")
	}
	return out
}

func BenchmarkAnswers(b *testing.B) {
	answers := randomAnswers(100)
	p := geneParser(b, vocabularyOf(20_000), prompt.GeneConfig{})
	for name, parse := range map[string]func(string){
		"Parse":       func(a string) { p.Parse(a) },
		"ParsePython": func(a string) { p.ParsePython(a) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				parse(answers[i%len(answers)])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cells/s")
		})
	}
	b.Run("cell2sentence", func(b *testing.B) {
		python(b)
		for range b.N {
			var seconds float64
			ask(b, map[string]any{"do": "time", "vocabulary": wordsOf(vocabularyOf(20_000)), "answers": answers}, &seconds)
			b.ReportMetric(float64(len(answers))/seconds, "cells/s")
		}
	})
}

func BenchmarkPair(b *testing.B) {
	templates, err := prompt.Default("cell_type_prediction")
	if err != nil {
		b.Fatal(err)
	}
	f, err := prompt.NewFormatter(templates, prompt.Config{TopK: 200, Seed: 42})
	if err != nil {
		b.Fatal(err)
	}
	sentence := strings.Repeat("GENE12345 ", 2000)
	values := map[string]string{"cell_sentence": sentence[:len(sentence)-1], "organism": "Homo sapiens", "cell_type": "B cell"}
	b.ReportAllocs()
	for i := range b.N {
		if _, err := f.Pair(prompt.Sample{Row: i, Values: values}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cells/s")
}

// TestAnswersAreFast holds the reading of answers to a hundred times the speed of the
// Python package, measured side by side. It is far above that, so that a busy
// machine does not matter.
func TestAnswersAreFast(t *testing.T) {
	if os.Getenv("C2S_CI") != "1" {
		t.Skip("compares speeds in CI only (C2S_CI=1)")
	}
	answers := randomAnswers(20)
	v := vocabularyOf(20_000)
	var seconds float64
	ask(t, map[string]any{"do": "time", "vocabulary": wordsOf(v), "answers": answers}, &seconds)
	p := geneParser(t, v, prompt.GeneConfig{})
	const rounds = 50 // long enough that losing the processor for a moment does not count
	start := time.Now()
	for range rounds {
		for _, a := range answers {
			p.Parse(a)
		}
	}
	ratio := seconds * rounds / time.Since(start).Seconds()
	t.Logf("%.0f times the package's speed", ratio)
	if ratio < 100 {
		t.Errorf("%.0f times the package's speed, expected 100", ratio)
	}
}
