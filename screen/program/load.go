package program

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cellsentence/c2s/internal/spelling"
)

// Limits on files. All of MSigDB takes 40 MB.
const (
	maxFile  = 256 << 20
	maxLine  = 4 << 20
	maxGenes = 20_000
)

// Load returns a program: a built-in one by its name, or that of a file.
//
// FILE.gmt#SET is a set of a file in the GMT format of MSigDB (a set a line: name,
// description and genes with tabs between them); the set need not be named where the
// file has one only. Another file is a list: a gene a line, and, if it is signed, a tab
// and one of + - 1 -1 up down behind it; lines that begin with # are comments. In both
// a sign may stand at the end of a gene as UCell writes it (GZMB-). Genes get upper case
// as in sentences. dir is where relative names of files begin.
func Load(dir, name string) (*Program, error) {
	if p := builtin(name); p != nil {
		return p, nil
	}
	path, set, _ := strings.Cut(name, "#")
	if !strings.ContainsAny(path, `./\`) {
		tip := "the programs are " + strings.Join(Names(), ", ") + "; or name a file: list.txt, sets.gmt#SET"
		if near := spelling.Nearest(name, Names(), 1); len(near) > 0 {
			tip = fmt.Sprintf("did you mean %s? %s", near[0], tip)
		}
		return nil, wrong("program", tip, "there is no program %.60q", name)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{"program", err, ""}
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > maxFile {
		return nil, wrong(path, "", "%d bytes are too many for gene sets", st.Size())
	}
	if strings.HasSuffix(strings.ToLower(path), ".gmt") {
		return readGMT(f, path, set)
	}
	if set != "" {
		return nil, wrong(path, "only a .gmt has sets: leave out #"+set, "a list has no set %.60q", set)
	}
	return readList(f, path)
}

// lines scans a file with limits, and calls each with the number of the line.
func lines(r io.Reader, path string, each func(n int, line string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		if err := each(n, strings.TrimRight(s.Text(), "\r\n\t ")); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return wrong(path, "", "a line has more than %d bytes", maxLine)
	}
	return s.Err()
}

// readGMT takes one set of a file.
func readGMT(r io.Reader, path, set string) (*Program, error) {
	var found *Program
	var names []string
	err := lines(r, path, func(n int, line string) error {
		if line == "" {
			return nil
		}
		place := fmt.Sprintf("%s: line %d", path, n)
		fields := strings.Split(line, "\t")
		if len(fields) < 3 || strings.TrimSpace(fields[0]) == "" {
			return wrong(place, "a .gmt has a set a line: its name, a description and genes, separated by tabs", "no name, description and genes")
		}
		name := strings.TrimSpace(fields[0])
		names = append(names, name)
		if set != "" && name != set || found != nil && set == "" {
			return nil
		}
		if found != nil {
			return wrong(place, "", "there are two sets of the name %s", name)
		}
		found = &Program{Name: name}
		for _, word := range fields[2:] {
			if err := found.add(place, word, "", "gene set "+name); err != nil {
				return err
			}
		}
		return found.check(place)
	})
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0:
		return nil, wrong(path, "", "there is no gene set")
	case set == "" && len(names) > 1:
		return nil, wrong(path, fmt.Sprintf("name one: %s#%s", filepath.Base(path), names[0]), "there are %d gene sets", len(names))
	case found == nil:
		tip := ""
		if near := spelling.Nearest(set, names, 1); len(near) > 0 {
			tip = "did you mean #" + near[0] + "?"
		}
		return nil, wrong(path, tip, "none of the %d gene sets is %.60q", len(names), set)
	}
	return found, nil
}

// readList takes all of a file.
func readList(r io.Reader, path string) (*Program, error) {
	base := filepath.Base(path)
	p := &Program{Name: strings.TrimSuffix(base, filepath.Ext(base))}
	err := lines(r, path, func(n int, line string) error {
		if line == "" || strings.HasPrefix(line, "#") {
			return nil
		}
		word, sign, _ := strings.Cut(line, "\t")
		return p.add(fmt.Sprintf("%s: line %d", path, n), word, strings.TrimSpace(sign), "gene list "+base)
	})
	if err != nil {
		return nil, err
	}
	return p, p.check(path)
}

// add takes a gene as a file has it.
func (p *Program) add(place, word, sign, source string) error {
	word = strings.ToUpper(strings.TrimSpace(word))
	down := false
	switch {
	case word == "":
		return nil
	case strings.HasSuffix(word, "+"):
		word = word[:len(word)-1]
	case strings.HasSuffix(word, "-"):
		word, down = word[:len(word)-1], true
	}
	switch sign {
	case "":
	case "+", "1", "+1", "up":
		down = false
	case "-", "-1", "down":
		down = true
	default:
		return wrong(place, "", "the sign %.20q of %.40s is none of + - 1 -1 up down", sign, word)
	}
	if word == "" || len(word) > 64 || strings.ContainsAny(word, " ,;\t") {
		return wrong(place, "one gene a line, or tabs between the genes of a .gmt", "%.40q is no gene", word)
	}
	for _, g := range p.Genes {
		if g.Symbol == word && g.Down == down {
			return nil // named again
		}
		if g.Symbol == word {
			return wrong(place, "", "%s is both up and down", word)
		}
	}
	if len(p.Genes) == maxGenes {
		return wrong(place, "", "more than %d genes", maxGenes)
	}
	p.Genes = append(p.Genes, Gene{Symbol: word, Down: down, Source: source})
	return nil
}

func (p *Program) check(place string) error {
	if len(p.Genes) == 0 {
		return wrong(place, "", "there is no gene")
	}
	return nil
}
