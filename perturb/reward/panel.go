package reward

import (
	"bufio"
	"io"
	"math"
	"strings"
	"unicode"
)

// Panel is an ordered set of genes. Names are compared in upper case, as cell sentences
// have them. It is safe for concurrent use.
type Panel struct {
	genes []string
	index map[string]int32
}

// NewPanel is the panel of genes; an empty or repeated name, or white space in one, is
// bad input.
func NewPanel(genes []string) (*Panel, error) {
	p := &Panel{genes: make([]string, len(genes)), index: make(map[string]int32, len(genes))}
	for i, g := range genes {
		name := strings.ToUpper(g)
		if name == "" || strings.ContainsFunc(name, unicode.IsSpace) {
			return nil, badInput("gene %d of the panel, %q, is no word", i+1, g)
		}
		if _, ok := p.index[name]; ok {
			return nil, badInput("gene %q is twice in the panel", name)
		}
		p.genes[i] = name
		p.index[name] = int32(i)
	}
	if len(genes) == 0 {
		return nil, badInput("the panel has no gene")
	}
	return p, nil
}

// maxPanel is the most genes that a panel file may have: more than any organism has.
const maxPanel = 1 << 20

// ReadPanel reads a panel, a gene a line: the first word counts, so that a vocabulary
// (name and number of cells) is a panel. Empty lines and those that begin with # are
// skipped.
func ReadPanel(r io.Reader) (*Panel, error) {
	var genes []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if genes = append(genes, f[0]); len(genes) > maxPanel {
			return nil, badInput("more than %d genes: this is no list of genes", maxPanel)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, badInput("line %d: %w", len(genes)+1, err)
	}
	return NewPanel(genes)
}

// Len is the number of genes.
func (p *Panel) Len() int { return len(p.genes) }

// Words are the words of a model's answer: special tokens such as </s> or <|im_end|> and
// a full stop at the end are taken off, names are upper case.
func Words(answer string) []string {
	words := strings.Fields(strings.ToUpper(withoutSpecial(answer)))
	if n := len(words); n > 0 {
		if words[n-1] = strings.TrimSuffix(words[n-1], "."); words[n-1] == "" {
			words = words[:n-1]
		}
	}
	return words
}

// longestSpecial is the longest special token that is recognised, in bytes.
const longestSpecial = 32

// withoutSpecial replaces <…> without white space in it, which no gene name holds, by a
// space.
func withoutSpecial(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var b strings.Builder
	for s != "" {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		b.WriteString(s[:open])
		s = s[open:]
		end := strings.IndexAny(s[:min(len(s), longestSpecial)], "> \t\r\n")
		if end < 0 || s[end] != '>' {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		b.WriteByte(' ')
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String()
}

// Order is the expression of each gene of the panel as far as a sentence tells: the
// first of the panel's genes in it has Len, the next one less, and those that are not in
// it share 0, the lowest. Of a repeated word the first place counts.
func (p *Panel) Order(words []string) []float64 {
	out := make([]float64, len(p.genes))
	next := float64(len(p.genes))
	for _, w := range words {
		if i, ok := p.index[w]; ok && out[i] == 0 {
			out[i] = next
			next--
		}
	}
	return out
}

// Vector is a cell as a point with a coordinate for each gene of the panel:
// 1 − ln(1+r)/ln(1+Len) for the r-th of its genes in the sentence, counted from 0, and 0
// for those not in it. Expression falls about linearly with the logarithm of the rank.
func (p *Panel) Vector(words []string) []float64 {
	out := p.Order(words)
	n := float64(len(out))
	for i, v := range out {
		if v > 0 {
			out[i] = 1 - math.Log1p(n-v)/math.Log1p(n)
		}
	}
	return out
}

// Overlap is the share of the first k genes of the panel in the real sentence that are
// among the first k in the predicted one. k is at most the number of the panel's genes in
// the real sentence; 0 takes them all. It is NaN where the real sentence has none.
func (p *Panel) Overlap(predicted, real []string, k int) float64 {
	want := p.Order(real)
	n := 0
	for _, v := range want {
		if v > 0 {
			n++
		}
	}
	if k <= 0 || k > n {
		k = n
	}
	if k == 0 {
		return math.NaN()
	}
	least := float64(len(p.genes) - k)
	both := 0
	for i, v := range p.Order(predicted) {
		if v > least && want[i] > least {
			both++
		}
	}
	return float64(both) / float64(k)
}

// AUC is the chance that a gene of the program comes before another gene of the panel in
// a sentence, a tie being one half: the activity of the program, whatever the length of
// the sentence. It is NaN where the program holds none of the panel's genes or all.
func (p *Panel) AUC(words []string, program *Panel) float64 {
	order := p.Order(words)
	// present[r] is whether the gene of rank r, the lowest first, is of the program.
	n := len(order)
	rank := make([]int8, n+1)
	var in, absentIn, absent int
	for i, v := range order {
		_, ok := program.index[p.genes[i]]
		if ok {
			in++
		}
		switch {
		case v == 0:
			absent++
			if ok {
				absentIn++
			}
		case ok:
			rank[int(v)] = 1
		default:
			rank[int(v)] = -1
		}
	}
	out := n - in
	if in == 0 || out == 0 {
		return math.NaN()
	}
	below := absent - absentIn // others passed so far
	u := float64(absentIn) * float64(below) / 2
	for _, r := range rank {
		switch r {
		case 1:
			u += float64(below)
		case -1:
			below++
		}
	}
	return u / float64(in) / float64(out)
}

// Direction says whether a prediction moves a gene program from where it is in the
// control to the side where it is in the real cell, by [Panel.AUC]: 1 if it does, 0 if
// it moves it the other way, ½ if it leaves it. It is NaN where the real cell does not
// move it.
func (p *Panel) Direction(predicted, real, control []string, program *Panel) float64 {
	from := p.AUC(control, program)
	want, got := p.AUC(real, program)-from, p.AUC(predicted, program)-from
	switch {
	case math.IsNaN(want) || want == 0:
		return math.NaN()
	case got == 0:
		return 0.5
	case (got > 0) == (want > 0):
		return 1
	}
	return 0
}
