package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decompress looks at the beginning of r and undoes gzip or zstd; where one of them
// is expected, nothing else is taken. The second value ends what runs for it.
func decompress(r io.Reader, expected string) (io.Reader, func(), error) {
	in := bufio.NewReaderSize(r, 1<<20)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, err
		}
		return z, func() {}, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case expected != "" && len(magic) < 4:
		return nil, nil, io.ErrUnexpectedEOF
	case expected != "":
		return nil, nil, fmt.Errorf("the file is not compressed with %s, as its name says", expected)
	}
	return in, func() {}, nil
}

// openText opens txt or jsonl. A regular jsonl file is read twice: first to learn
// its columns.
func (r *Reader) openText(ctx context.Context, f *os.File, format Format, regular bool, opts *ReadOptions) error {
	var all *inference
	jsonl := format.Kind == "jsonl"
	if jsonl && regular {
		in, end, err := decompress(f, format.Compression)
		if err != nil {
			return err
		}
		all = new(inference)
		err = all.read(ctx, newLines(in, opts))
		end()
		if err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	in, end, err := decompress(f, format.Compression)
	if err != nil {
		return err
	}
	closer := func() error {
		end()
		return f.Close()
	}
	if err := r.textSource(in, all, jsonl, opts); err != nil {
		r.source = nil
		end()
		return err
	}
	switch s := r.source.(type) {
	case *textSource:
		s.end = closer
	case *jsonSource:
		s.end = closer
	}
	return nil
}

// textSource starts reading; all is nil where the columns are not known.
func (r *Reader) textSource(in io.Reader, all *inference, jsonl bool, opts *ReadOptions) error {
	l := newLines(in, opts)
	if !jsonl {
		r.source = &textSource{lines: l, rows: opts.rows()}
		_, err := r.choose(Schema{{ColumnSentence, Text}}, opts)
		return err
	}
	s := &jsonSource{lines: l, rows: opts.rows()}
	r.source = s
	if all == nil {
		all = new(inference)
		if err := s.lookAhead(all); err != nil {
			return err
		}
	}
	schema, skipped := all.schema()
	columns, err := r.choose(schema, opts)
	if err != nil {
		return err
	}
	r.skipped = skipped
	s.bind(all, schema, columns)
	return nil
}

// maxBatchBytes ends a batch of long lines early.
const maxBatchBytes = 64 << 20

// lines reads lines and knows their numbers.
type lines struct {
	r    *bufio.Reader
	most int
	long []byte // a line that is longer than the buffer
	n    int
}

func newLines(r io.Reader, opts *ReadOptions) *lines {
	return &lines{r: bufio.NewReaderSize(r, 1<<16), most: int(min(opts.budget(), 1<<30))}
}

// next is the next line, valid until the one behind it is read.
func (l *lines) next() ([]byte, error) {
	l.n++
	l.long = l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if err == nil && len(l.long) == 0 {
			return trimEnd(part), nil
		}
		if len(l.long)+len(part) > l.most {
			return nil, l.fail(errors.New("the line is too long for the memory set aside"))
		}
		l.long = append(l.long, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil || errors.Is(err, io.EOF) && len(l.long) > 0: // the last line may lack its end
			return trimEnd(l.long), nil
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, l.fail(errors.New("the compressed file is cut short"))
		default:
			return nil, l.fail(err)
		}
	}
}

// trimEnd removes the end of a line, of Windows as well.
func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}

func (l *lines) fail(err error) error {
	return &Error{Place: fmt.Sprintf("line %d", l.n), Err: err}
}

// textSource reads a sentence a line.
type textSource struct {
	lines *lines
	rows  int
	end   func() error
}

func (s *textSource) next(b *Batch) error {
	c := &b.Columns[0]
	for b.Rows() < s.rows && len(c.Text) < maxBatchBytes {
		line, err := s.lines.next()
		if errors.Is(err, io.EOF) && b.Rows() > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		c.AppendText(line)
	}
	return nil
}

func (s *textSource) close() error {
	if s.end == nil {
		return nil
	}
	return s.end()
}
