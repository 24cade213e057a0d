package dataset

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// textSink writes txt and jsonl.
type textSink struct {
	inOrder[[]byte]
	w       io.Writer
	format  Format
	keys    []string // `"name": ` of each column
	column  int      // that of txt
	zstd    *zstd.Encoder
	written bool
}

func newTextSink(w io.Writer, format Format, schema Schema, jobs int) *textSink {
	t := &textSink{w: w, format: format, column: schema.Index(ColumnSentence)}
	t.inOrder = inOrder[[]byte]{jobs: max(jobs, 1), make: t.encode, emit: t.put}
	for _, f := range schema {
		t.keys = append(t.keys, string(appendString(nil, []byte(f.Name)))+": ")
	}
	if format.Compression == "zstd" {
		// The options are valid, so that there is no error.
		t.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(t.jobs))
	}
	return t
}

func (t *textSink) put(_ *Batch, text []byte) error {
	t.written = true
	_, err := t.w.Write(text)
	return err
}

func (t *textSink) close() error {
	err := t.flush()
	if err == nil && !t.written && t.format.Compression != "" {
		// An empty file of these formats is not empty.
		empty, err := t.pack(nil)
		if err != nil {
			return err
		}
		if err := t.put(nil, empty); err != nil {
			return err
		}
	}
	if t.zstd != nil {
		_ = t.zstd.Close() // it compresses whole blocks and has nothing left
	}
	return err
}

// encode makes the bytes of a block.
func (t *textSink) encode(b *Batch) ([]byte, error) {
	out := make([]byte, 0, b.size()+b.size()/8)
	for i := range b.Rows() {
		if t.format.Kind == "txt" {
			out = append(out, b.Columns[t.column].TextAt(i)...)
		} else {
			out = t.appendObject(out, b, i)
		}
		out = append(out, '\n')
	}
	return t.pack(out)
}

// pack compresses a block as a gzip member or zstd frame of its own.
func (t *textSink) pack(b []byte) ([]byte, error) {
	switch t.format.Compression {
	case "gzip":
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		if _, err := z.Write(b); err != nil {
			return nil, err
		}
		err := z.Close()
		return out.Bytes(), err
	case "zstd":
		return t.zstd.EncodeAll(b, nil), nil
	}
	return b, nil
}

func (t *textSink) appendObject(b []byte, batch *Batch, row int) []byte {
	b = append(b, '{')
	for i := range batch.Columns {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, t.keys[i]...)
		c := &batch.Columns[i]
		switch {
		case c.Missing[row]:
			b = append(b, "null"...)
		case c.Kind.IsText():
			b = appendString(b, c.TextAt(row))
		case c.Kind == Float:
			b = appendFloat(b, c.Floats[row])
		default:
			b = c.Print(b, row)
		}
	}
	return append(b, '}')
}

// appendFloat writes a JSON number that cannot be taken for an integer. JSON has no
// NaN and no infinity: they become null.
func appendFloat(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'g', -1, 64)
	if !bytes.ContainsAny(b[start:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// appendString writes a JSON string. What is not valid UTF-8 becomes U+FFFD.
func appendString(b, s []byte) []byte {
	b = append(b, '"')
	start := 0 // what is behind it needs no escape
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(s[i:])
			// U+2028 and U+2029 end a line in JavaScript.
			if r == 0x2028 || r == 0x2029 {
				b = appendEscape(b, r)
			} else {
				b = utf8.AppendRune(b, r)
			}
			i += n
		} else {
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, `\n`...)
			case '\t':
				b = append(b, `\t`...)
			default:
				b = appendEscape(b, rune(c))
			}
			i++
		}
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
