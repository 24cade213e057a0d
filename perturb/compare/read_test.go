package compare_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/compare"
)

// wrong checks that an error is about input and says what.
func wrong(t *testing.T, name string, err error, want string) {
	t.Helper()
	var bad interface{ BadInput() bool }
	if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &bad) || !bad.BadInput() {
		t.Errorf("%s: %v, expected bad input with %q", name, err, want)
	}
}

const metric = `{"name":"mae","lower_is_better":true,"score":1,"control":2,"mean_response":null,"ceiling":0.5,"baseline":"control","normalised":0.6,"low":null,"high":null,"diagnostic":false,"values":[1,null],"baseline_values":[2,2],"ceiling_values":[]}`

func TestReadScores(t *testing.T) {
	text := `{"preset":"cell-eval","perturbations":["A","B"],"genes":3,"metrics":[` + metric + `],"flags":[{"name":"control-paste","message":"m"}],"tricks":null,"warnings":[]}`
	s, err := compare.ReadScores(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if m := s.Metrics[0]; s.Preset != "cell-eval" || !m.Lower || m.Values[0] != 1 || !m.Values[1].Missing() || !m.MeanResponse.Missing() || s.Flags[0].Name != "control-paste" {
		t.Errorf("%+v", s)
	}
	replace := func(old, with string) string { return strings.Replace(text, old, with, 1) }
	for _, c := range []struct{ name, text, want string }{
		{"cut", text[:len(text)-20], "no scores"},
		{"another file", `{"c2s_version":"1"}`, "the preset is missing"},
		{"no perturbation", replace(`["A","B"]`, `[]`), "no perturbation"},
		{"no metric", replace(metric, ``), "no metric"},
		{"twice", replace(`["A","B"]`, `["A","A"]`), `"A" is there twice`},
		{"metric twice", replace(metric, metric+","+metric), `"mae" is there twice`},
		{"values", replace(`[1,null]`, `[1]`), "1 values for 2 perturbations"},
		{"values of an anchor", replace(`[2,2]`, `[2]`), "1 values for 2 perturbations"},
		{"no ceiling", replace(`"ceiling":0.5,`, ``), `no "ceiling"`},
		{"text", replace(`"ceiling":0.5`, `"ceiling":"0.5"`), "a metric"},
		{"baseline", replace(`"baseline":"control"`, `"baseline":"none"`), `baseline "none"`},
		{"no name", replace(`"name":"mae",`, ``), "no name"},
	} {
		_, err := compare.ReadScores(strings.NewReader(c.text))
		wrong(t, c.name, err, c.want)
	}
}

func TestReadRecord(t *testing.T) {
	r, err := compare.ReadRecord(strings.NewReader(`{"model":"m","mixture":"junk-020.parquet","cells":2,"prompt_tokens":5,"cached_tokens":1,"answer_tokens":3,"seconds":1.5}`))
	if err != nil || r.Tokens() != 8 || r.Mixture != "junk-020.parquet" {
		t.Errorf("%+v, %v", r, err)
	}
	for name, text := range map[string]string{
		"but not of cells":  `{"model":"m","answer_tokens":3}`,
		"4 cached tokens":   `{"cells":1,"prompt_tokens":3,"cached_tokens":4}`,
		"unknown field":     `{"cells":1,"token":3}`,
		"a negative number": `{"cells":1,"seconds":-1}`,
		"no record":         `[]`,
	} {
		_, err := compare.ReadRecord(strings.NewReader(text))
		wrong(t, name, err, name)
	}
	// What predict printed fills what run.json leaves open.
	p, err := compare.ReadPredicted(strings.NewReader(`{"predictor":"llm","model":"c2s","predicted":7,"prompt_tokens":5,"cached_tokens":1,"answer_tokens":3,"units":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	r = &compare.Record{Mixture: "x", Seconds: 3}
	r.Add(p)
	if want := (compare.Record{Model: "c2s", Mixture: "x", Cells: 7, PromptTokens: 5, CachedTokens: 1, AnswerTokens: 3, Seconds: 3}); *r != want {
		t.Errorf("%+v", *r)
	}
	p, err = compare.ReadPredicted(strings.NewReader(`{"predictor":"additive","model":"ref.h5ad","predicted":7,"prompt_tokens":0,"cached_tokens":0,"answer_tokens":0}`))
	if err != nil || p.Model != "additive" {
		t.Errorf("%+v, %v", p, err)
	}
	_, err = compare.ReadPredicted(strings.NewReader(`{"model":"c2s","predicted":7}`))
	wrong(t, "another report", err, "no report of c2s predict")
}

func TestPrices(t *testing.T) {
	p, err := compare.ReadPrices(strings.NewReader(`{"date":"2026-11-01","currency":"USD","models":{
		"all":{"prompt":1,"cached":0.5,"answer":4},"fresh":{"prompt":1,"answer":4},"local":{"hour":3.6},"both":{"hour":3.6,"answer":1},"none":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	record := func(model string, cached int64) *compare.Record {
		return &compare.Record{Model: model, Cells: 1, PromptTokens: 1e6, CachedTokens: cached, AnswerTokens: 5e5, Seconds: 1000}
	}
	for model, want := range map[string]float64{"all": 2.9, "local": 1} {
		got, err := p.Of(record(model, 2e5))
		if err != nil {
			t.Errorf("%s: %v", model, err)
		}
		about(t, model, got, want, 1e-12)
	}
	got, err := p.Of(record("fresh", 0))
	if err != nil || got != 3 {
		t.Errorf("without cached tokens: %g, %v", got, err)
	}
	for model, want := range map[string]string{
		"unheard": `no model "unheard"`, "fresh": `no price of "cached" tokens`, "both": `no price of "prompt" tokens`, "none": `no price of "prompt"`,
	} {
		_, err := p.Of(record(model, 2e5))
		wrong(t, model, err, want)
	}
	_, err = p.Of(&compare.Record{Model: "none", Cells: 1})
	wrong(t, "nothing spent", err, `no price of "none"`)
	_, err = p.Of(&compare.Record{Model: "local", Cells: 1, AnswerTokens: 5})
	wrong(t, "no time", err, "does not tell its seconds")
	for name, text := range map[string]string{
		"the date": `{"date":"yesterday","currency":"USD","models":{}}`,
		"currency": `{"date":"2026-11-01","models":{}}`,
		"is -1":    `{"date":"2026-11-01","currency":"USD","models":{"m":{"hour":-1}}}`,
		"unknown":  `{"date":"2026-11-01","currency":"USD","models":{"m":{"output":1}}}`,
	} {
		_, err := compare.ReadPrices(strings.NewReader(text))
		wrong(t, name, err, name)
	}
}

func TestReadAnswers(t *testing.T) {
	b, s, err := compare.ReadAnswers(context.Background(), strings.NewReader(`{"item":"A/0","words":10,"unknown":1,"repeats":2,"valid":true,"copy":false,"stop":"end"}

{"item":"A/1","words":20,"unknown":0,"repeats":0,"valid":false,"copy":true,"stop":"limit"}
`))
	if err != nil || s != nil {
		t.Fatal(s, err)
	}
	want := compare.Behaviour{Answers: 2, Words: 30, UnknownWords: 1, RepeatedWords: 2, UnknownAnswers: 1, RepeatedAnswers: 1, Invalid: 1, Copies: 1, LengthStops: 1}
	if *b != want {
		t.Errorf("%+v", *b)
	}
	// Two items; the first is right in 1 of 4, the second in 2 of 3.
	text := `{"item":"a","valid":true,"correct":true,"vote":"x"}
{"item":"a","valid":true,"correct":false,"vote":"y"}
{"item":"a","valid":true,"correct":false,"vote":"z"}
{"item":"a","valid":true,"correct":false,"vote":"z"}
{"item":"b","valid":true,"correct":true,"vote":"x"}
{"item":"b","valid":true,"correct":true,"vote":"x"}
{"item":"b","valid":true,"correct":false,"vote":"y"}
`
	_, s, err = compare.ReadAnswers(context.Background(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	about(t, "average", s.Average, (1.0/4+2.0/3)/2, 1e-15)
	if s.Items != 2 || s.Samples != 3 || len(s.At) != 3 || s.At[2].K != 3 {
		t.Fatalf("%+v", s)
	}
	about(t, "pass@1", s.At[0].Pass, s.Average, 1e-15)
	about(t, "pass@2", s.At[1].Pass, (.5+1)/2, 1e-15)
	// Of the six pairs of the first three hold the right answer, each in a tie; of the
	// three of the second one is x x and two are ties.
	about(t, "maj@2", float64(s.At[1].Majority), (.25+(1+.5+.5)/3)/2, 1e-15)
	silent := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(text, `,"vote":"x"`, ``), `,"vote":"y"`, ``), `,"vote":"z"`, ``)
	if _, s, err = compare.ReadAnswers(context.Background(), strings.NewReader(silent)); err != nil || !s.At[0].Majority.Missing() {
		t.Errorf("%+v, %v", s, err)
	}
	for _, c := range []struct{ want, text string }{
		{"no answer in it", "\n"},
		{"line 2: no answer", text[:strings.Index(text, "\n")] + "\n{\n"},
		{"line 1: no answer", `{"item":"a","word":3}`},
		{"has no item", `{"words":3}`},
		{"no count is negative", `{"item":"a","words":3,"unknown":4}`},
		{"a vote, but not", `{"item":"a","vote":"x"}`},
		{"others do not", text + `{"item":"c"}`},
		{"and not in another", text + `{"item":"b","correct":false,"vote":"x"}`},
	} {
		_, _, err := compare.ReadAnswers(context.Background(), strings.NewReader(c.text))
		wrong(t, c.want, err, c.want)
	}
}
