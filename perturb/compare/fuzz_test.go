package compare_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/cellsentence/c2s/perturb/compare"
)

// Whatever is read is refused, or can be compared with itself.
func FuzzReadScores(f *testing.F) {
	f.Add([]byte(`{"preset":"cell-eval","perturbations":["A","B"],"genes":3,"metrics":[` + metric + `],"flags":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := compare.ReadScores(bytes.NewReader(data))
		if err != nil {
			return
		}
		runs := []compare.Run{{Name: "a", Scores: s}, {Name: "b", Scores: s}}
		r, err := compare.Compare(context.Background(), runs, compare.Config{})
		if err != nil {
			var bad interface{ BadInput() bool }
			if !errors.As(err, &bad) || !bad.BadInput() {
				t.Fatal(err)
			}
			return
		}
		for _, p := range r.Pairs {
			if p.Apart {
				t.Errorf("a run is told apart from itself: %+v", p)
			}
		}
		_ = r.Verdict()
	})
}

func FuzzReadAnswers(f *testing.F) {
	f.Add([]byte(`{"item":"a","words":10,"unknown":1,"repeats":2,"valid":true,"copy":false,"stop":"end","correct":true,"vote":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, s, err := compare.ReadAnswers(context.Background(), bytes.NewReader(data))
		if err != nil {
			return
		}
		if b.Answers < 1 || b.Invalid > b.Answers || b.UnknownWords > b.Words {
			t.Errorf("%+v", *b)
		}
		if s != nil && (s.Average < 0 || s.Average > 1 || s.At[len(s.At)-1].K != s.Samples) {
			t.Errorf("%+v", *s)
		}
	})
}
