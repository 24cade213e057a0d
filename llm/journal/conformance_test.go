package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/llmtest"
)

func shared(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("no shared data: ", err)
	}
	return path
}

// TestConformance: a backend with a journal is a backend like any other, when it asks
// and when it knows.
func TestConformance(t *testing.T) {
	ref, err := llmtest.Load(shared(t, "llm/tiny-trained-ref.json"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := embedded.Open(shared(t, "llm/tiny-trained-f16.gguf"), embedded.Config{Context: 512, Slots: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	j := start(t, temp(t))
	b := wrap(t, j, e)
	t.Run("asks", func(t *testing.T) { llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref}) })
	_, asked := b.Counts()
	t.Run("knows", func(t *testing.T) { llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref}) })
	known, all := b.Counts()
	t.Logf("%d requests asked in the first run, %d in the second; %d known", asked, all-asked, known)
	// What is cancelled, refused or wrong is asked every time.
	if all-asked > asked/2 {
		t.Errorf("the second run asked %d times, the first %d", all-asked, asked)
	}
}

// BenchmarkJournal is what keeping and finding an answer of 200 tokens cost, alone and
// with 64 requests at a time, which share transactions.
func BenchmarkJournal(b *testing.B) {
	a := &llm.Answer{Text: strings.Repeat(" MALAT1", 200), Stop: llm.StopEnd, AnswerTokens: 200}
	for i := range 200 {
		a.Tokens = append(a.Tokens, llm.Token{ID: i, Text: " MALAT1", Logprob: -1 / float64(i+3)})
	}
	for _, local := range []bool{true, false} {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("store, local %v, %d at a time", local, n), func(b *testing.B) {
				j, err := open(b.Context(), temp(b), local)
				if err != nil {
					b.Fatal(err)
				}
				defer j.Close()
				var wg sync.WaitGroup
				limit := make(chan struct{}, n)
				for i := 0; b.Loop(); i++ {
					limit <- struct{}{}
					wg.Go(func() {
						defer func() { <-limit }()
						k, _ := generateKey("m", fmt.Sprint(i), llm.Options{})
						r := &row{key: k, kind: kindGenerate, model: "m"}
						if err := r.encodeAnswer(a); err != nil {
							b.Error(err)
						}
						if err := j.store(r); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			})
		}
	}
	b.Run("find", func(b *testing.B) {
		j := start(b, temp(b))
		const many = 5000
		var keys []key
		for i := range many {
			k, _ := generateKey("m", fmt.Sprint(i), llm.Options{})
			r := &row{key: k, kind: kindGenerate, model: "m"}
			if err := r.encodeAnswer(a); err != nil {
				b.Fatal(err)
			}
			if err := j.store(r); err != nil {
				b.Fatal(err)
			}
			keys = append(keys, k)
		}
		for i := 0; b.Loop(); i++ {
			r, err := j.find(keys[i*7919%many])
			if err != nil || r == nil {
				b.Fatal(err)
			}
			if _, err := r.answer(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
