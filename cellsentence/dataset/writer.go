package dataset

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/cellsentence/c2s/cellsentence"
)

// Writer writes sentences in one format. Close must be called; it does not
// close what is underneath.
type Writer struct {
	format Format
	buf    *bufio.Writer
	gz     *gzip.Writer
	line   []byte

	// Cells is how many sentences were written.
	Cells int
	// Bytes is how many bytes were written, before compression.
	Bytes int64
}

// NewWriter writes to w.
func NewWriter(w io.Writer, format Format) *Writer {
	out := &Writer{format: format}
	if format.Gzip {
		out.gz = gzip.NewWriter(w)
		w = out.gz
	}
	out.buf = bufio.NewWriterSize(w, 1<<20)
	return out
}

// Write writes the sentences of rows for which keep is true; a nil keep keeps
// all. names and labels are looked up by row.
func (w *Writer) Write(s *cellsentence.Sentences, names []string, labels []Label, keep func(i int) bool) error {
	for i := range s.Len() {
		if keep != nil && !keep(i) {
			continue
		}
		w.line = w.line[:0]
		sentence := s.At(i)
		if w.format.Kind == "jsonl" {
			w.line = appendObject(w.line, s, i, names, labels)
			w.line = append(w.line, '\n')
			sentence = w.line
		}
		if _, err := w.buf.Write(sentence); err != nil {
			return fmt.Errorf("write sentence %d: %w", s.Start+i, err)
		}
		w.Bytes += int64(len(sentence))
		if w.format.Kind == "txt" {
			if err := w.buf.WriteByte('\n'); err != nil {
				return fmt.Errorf("write sentence %d: %w", s.Start+i, err)
			}
			w.Bytes++
		}
		w.Cells++
	}
	return nil
}

// Close flushes what is buffered.
func (w *Writer) Close() error {
	err := w.buf.Flush()
	if w.gz != nil {
		err = errors.Join(err, w.gz.Close())
	}
	return err
}

func appendObject(b []byte, s *cellsentence.Sentences, i int, names []string, labels []Label) []byte {
	row := s.Start + i
	key := func(name string) {
		b = appendString(b, name)
		b = append(b, ": "...)
	}
	b = append(b, '{')
	key(ColumnCell)
	b = appendString(b, names[row])
	b = append(b, ", "...)
	key(ColumnSentence)
	b = appendString(b, string(s.At(i)))
	for _, l := range labels {
		b = append(b, ", "...)
		key(l.Name)
		switch v, ok := l.Value(row); {
		case !ok:
			b = append(b, "null"...)
		case l.Bare:
			b = append(b, v...)
		default:
			b = appendString(b, v)
		}
	}
	b = append(b, ", "...)
	key(ColumnGenes)
	b = strconv.AppendInt(b, int64(s.NGenes[i]), 10)
	b = append(b, ", "...)
	key(ColumnTotal)
	if t := s.Total[i]; math.IsNaN(t) || math.IsInf(t, 0) {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendFloat(b, t, 'g', -1, 64)
	}
	return append(b, '}')
}

// appendString writes a JSON string. What is not valid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			// U+2028 and U+2029 end a line in JavaScript.
			if r == 0x2028 || r == 0x2029 {
				b = append(b, fmt.Sprintf(`\u%04x`, r)...)
			} else {
				b = utf8.AppendRune(b, r)
			}
			i += n
			continue
		}
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, fmt.Sprintf(`\u%04x`, c)...)
		}
		i++
	}
	return append(b, '"')
}
