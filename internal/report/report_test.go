package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestPageEscapesWhatItIsGiven(t *testing.T) {
	const bad = `</script><script>alert(1)</script>"'<b>&`
	p := Page{
		Downloads: []Download{{Name: bad, Type: "text/plain", Data: []byte(bad)}},
		Title:     bad, Lead: bad, Warnings: []string{bad}, Made: []Fact{{bad, bad}}, Data: map[string]string{bad: bad},
		Sections: []Section{{
			Title: bad, Text: []string{bad}, Facts: []Fact{{bad, bad}}, Code: bad,
			Figures: []Figure{{SVG: []byte("<svg/>"), Caption: bad}, {PNG: []byte{1}, Alt: bad}},
			Tables:  []Table{{Caption: bad, Columns: []Column{{Name: bad, Help: bad}, {Name: "n", Number: true}}, Rows: [][]string{{bad, "1"}}, Filter: true, FilterBy: bad, Links: map[string]string{bad: bad}}},
			Links:   []Link{{bad, bad}, {"a", "javascript:alert(1)"}},
			Cards:   []Card{{ID: bad, Title: bad, Note: bad, Section: Section{Text: []string{bad}}}},
		}},
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	if n := strings.Count(html, "<script"); n != 2 {
		t.Errorf("%d script elements, expected the page's own two", n)
	}
	for _, found := range []string{"<b>", "alert(1)</script>", "http:", "https:", "javascript:"} {
		if strings.Contains(html, found) {
			t.Errorf("the page holds %q", found)
		}
	}
	if n := strings.Count(html, "ZgotmplZ"); n != 1 {
		t.Errorf("%d values were made harmless, expected the address that would run a script", n)
	}
	data := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(html)
	var got map[string]string
	if err := json.Unmarshal([]byte(data[1]), &got); err != nil || got[bad] != bad {
		t.Errorf("data: %v %q", err, got)
	}
}

func TestPageAllowsOnlyItsOwnScriptAndStyle(t *testing.T) {
	var b bytes.Buffer
	if err := (&Page{Title: "t"}).Write(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	script := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindStringSubmatch(html)[1]
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(html)[1]
	policy := regexp.MustCompile(`Content-Security-Policy" content="(.*?)"`).FindStringSubmatch(html)[1]
	policy = strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy)
	for _, want := range []string{source(script), source(style), "default-src 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
}

func TestChoicesAreTheValuesOfTheColumn(t *testing.T) {
	got := choices(Table{Columns: []Column{{Name: "a"}, {Name: "call"}}, FilterBy: "call", Rows: [][]string{{"1", "hit"}, {"2", "no"}, {"3", "hit"}}})
	if len(got) != 2 || got[0] != "hit" || got[1] != "no" {
		t.Errorf("%q", got)
	}
}
