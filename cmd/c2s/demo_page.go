package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
)

// demoPage leads through what the demo did in a folder that will have a name.
func demoPage(chapters []demoChapter, folder, name string) (*report.Page, error) {
	first, err := firstLine(filepath.Join(folder, "demo.jsonl"))
	if err != nil {
		return nil, err
	}
	p := &report.Page{
		Title:    "c2s, from cells to answers",
		Lead:     "Each question below was answered by the commands beneath it, on this machine and without a network. Put your own file in their place.",
		Warnings: []string{"Cells, drugs and effects on this page are simulated, and the model knows nothing else: no statement about a real cell may rest on it."},
		Made:     []report.Fact{{Name: "Made by", Value: "c2s " + version}, {Name: "Command", Value: "c2s demo -o " + name}},
	}
	for i := range chapters {
		c := &chapters[i]
		s := report.Section{Title: c.title, Text: []string{c.question}}
		if c.text != "" {
			s.Text = append(s.Text, c.text)
		}
		var text strings.Builder
		for k := range c.steps {
			text.WriteString("$ " + c.steps[k].shown(name) + "\n")
			text.Write(c.steps[k].printed)
		}
		if c.title == "Sentences" {
			text.WriteString("$ head -n 1 " + filepath.Join(name, "demo.jsonl") + "\n" + first + "\n")
		}
		s.Code = strings.TrimSuffix(text.String(), "\n")
		for _, f := range c.figures {
			svg, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(f.path)+".svg"))
			if err != nil {
				return nil, err
			}
			s.Figures = append(s.Figures, report.Figure{SVG: svg, Caption: f.caption})
		}
		for _, page := range c.pages {
			s.Links = append(s.Links, report.Link{Text: "The whole report", Path: page + "/index.html"})
		}
		p.Sections = append(p.Sections, s)
	}
	return p, nil
}
