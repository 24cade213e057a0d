package prompt

import (
	"math"
	"strconv"
	"strings"
)

// TokensPerGene is what a gene of a sentence costs in tokens of Gemma-2: a prompt
// of cell type prediction with 200 genes is 722 tokens.
const TokensPerGene = 3.4

// bytesPerToken is the usual figure for other text in English. For that prompt,
// which has 42 tokens besides its genes, it gives about 60: on the safe side.
const bytesPerToken = 4

// buffer is a text in the making, with the genes in it counted.
type buffer struct {
	b         []byte
	genes     int // genes written
	geneBytes int // their bytes, with the blanks between them
}

// tokens estimates the tokens of the text.
func (w *buffer) tokens() int {
	return int(math.Ceil(TokensPerGene*float64(w.genes) + float64(len(w.b)-w.geneBytes)/bytesPerToken))
}

func (w *buffer) text(s string) { w.b = append(w.b, s...) }

func (w *buffer) number(n int) { w.b = strconv.AppendInt(w.b, int64(n), 10) }

// top writes the first k words of a sentence, whose words have one blank between
// them.
func (w *buffer) top(s string, k int) {
	if s == "" {
		return
	}
	end := 0
	for range k {
		w.genes++
		i := strings.IndexByte(s[end:], ' ')
		if i < 0 {
			end = len(s) + 1
			break
		}
		end += i + 1
	}
	w.geneBytes += end - 1
	w.text(s[:end-1])
}

// cell writes the start of entry i, from 0, of a list of cells.
func (w *buffer) cell(i int) {
	w.text("Cell ")
	w.number(i + 1)
	w.text(":")
}

// cells writes the sentences of some cells in the Python package's form: for each
// "Cell 1:", a line end, the genes, a period and a line end.
func (w *buffer) cells(sentences []string, k int) {
	for i, s := range sentences {
		w.cell(i)
		w.text("\n")
		w.top(s, k)
		w.text(".\n")
	}
}

// types writes the types of some cells, a line each.
func (w *buffer) types(types []string) {
	for i, t := range types {
		if i > 0 {
			w.text("\n")
		}
		w.cell(i)
		w.text(" ")
		w.text(t)
	}
}
