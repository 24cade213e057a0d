// Package report writes the pages of c2s: one self-contained HTML file that works
// from a disk without a network, in light and dark, on a phone and in print.
//
// Start with a [Page], add sections of text, tables and figures, and
// [Page.Write] it. Everything is escaped; the page may run only its own script,
// which sorts and filters tables and works by keyboard.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// Page is a report.
type Page struct {
	Title string
	// Lead is the answer in a sentence or two.
	Lead     string
	Warnings []string
	Sections []Section
	// Made says how the page came to be: the version, the command, the inputs.
	Made []Fact
	// Data, if set, goes into the page as JSON under the id data.
	Data any
	// Downloads are files that the page carries.
	Downloads []Download
}

// Download is a file that a reader may save from the page.
type Download struct {
	Name string // of the file
	Type string // its media type, such as text/tab-separated-values
	Data []byte
}

// Section is a part of a page under a heading.
type Section struct {
	Title   string
	Text    []string // paragraphs
	Facts   []Fact
	Figures []Figure
	Tables  []Table
	Cards   []Card
	Code    string // shown as it is
	Links   []Link
}

// Link leads to another page or file, by a path relative to this page.
type Link struct{ Text, Path string }

// Fact is a name and its value.
type Fact struct{ Name, Value string }

// Figure is a picture with what it shows. One of SVG and PNG is set.
type Figure struct {
	SVG, PNG []byte
	Caption  string
	// Alt says what is seen, for those who do not see it; "" takes the caption.
	Alt string
}

// Card is a fold-out block about one thing, for long lists of them.
type Card struct {
	ID, Title, Note string
	Section         Section
}

// Table is rows under headings. A column of numbers is aligned and sorted as such.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string
	// Filter adds a search field; FilterBy names a column whose values become a
	// choice beside it.
	Filter   bool
	FilterBy string
	// Links leads from the text of a first column to the id of a [Card].
	Links map[string]string
}

// Column is a heading, with an explanation that shows on demand.
type Column struct {
	Name   string
	Help   string
	Number bool
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// Write renders the page.
func (p *Page) Write(w io.Writer) error {
	data := []byte("null")
	if p.Data != nil {
		var err error
		if data, err = json.Marshal(p.Data); err != nil { // which escapes <, > and &
			return fmt.Errorf("data of the page: %w", err)
		}
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"image":  image,
		"file":   file,
		"choice": choices,
		"lower":  strings.ToLower,
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		*Page
		CSS    template.CSS
		JS     template.JS
		Policy string
		JSON   template.JS
	}{
		p, template.CSS(pageCSS), template.JS(pageJS), //nolint:gosec // files of this package
		"default-src 'none'; img-src data:; style-src " + source(pageCSS) + "; script-src " + source(pageJS) + "; base-uri 'none'; form-action 'none'",
		template.JS(data), //nolint:gosec // encoding/json escapes what could end the element
	})
	if err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// source allows exactly this text in a content security policy.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// file is a download as the address of a link.
func file(d Download) template.URL {
	return template.URL("data:" + d.Type + ";base64," + base64.StdEncoding.EncodeToString(d.Data)) //nolint:gosec // a file to be saved, by its type
}

// image is a picture as the address of an img element.
func image(f Figure) template.URL {
	kind, data := "image/svg+xml", f.SVG
	if data == nil {
		kind, data = "image/png", f.PNG
	}
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)) //nolint:gosec // an image, by its type
}

// choices lists the different values of the column by which a table is filtered.
func choices(t Table) []string {
	at := -1
	for i, c := range t.Columns {
		if c.Name == t.FilterBy {
			at = i
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, r := range t.Rows {
		if at >= 0 && at < len(r) && !seen[r[at]] {
			seen[r[at]] = true
			out = append(out, r[at])
		}
	}
	return out
}
