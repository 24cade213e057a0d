package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"unsafe"

	"github.com/klauspost/compress/gzip"
)

const (
	// maxHeader is the most that a header may have, in bytes: 64 MiB are those of some
	// 100,000 compounds with their cards.
	maxHeader = 64 << 20
	// maxLine is the most that a row may have; the longest row that is written has 120.
	maxLine = 4096
)

// ReadFile reads what [WriteFile] or a [Writer] wrote. What is wrong with a file is an
// [*Error] that names the line and the column.
func ReadFile(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a table from r; name is for errors.
func Read(r io.Reader, name string) (*Table, error) {
	zip, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, &Error{File: name, Err: fmt.Errorf("no gzip file: %w", err)}
	}
	in := &reader{name: name, in: bufio.NewReaderSize(zip, 1<<16)}
	t := new(Table)
	if err := in.header(&t.Header); err != nil {
		return nil, err
	}
	for {
		line, err := in.next(maxLine)
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		row, column, err := parse(line)
		if err == nil {
			column, err = t.Header.checkRow(row)
		}
		if err != nil {
			return nil, in.fail(fmt.Errorf("%s: %w", column, err))
		}
		t.Append(row)
	}
}

// reader counts lines.
type reader struct {
	name string
	in   *bufio.Reader
	line int
	long []byte // of a line that is longer than the buffer
}

func (r *reader) fail(err error) error {
	return &Error{File: r.name, Line: r.line, Err: err}
}

// next is the next line without its end, valid until the next call, or io.EOF.
func (r *reader) next(most int) ([]byte, error) {
	r.line++
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.long = r.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) && len(r.long) <= most {
			r.long = append(r.long, line...)
			line, err = r.in.ReadSlice('\n')
		}
		r.long = append(r.long, line...)
		line = r.long
	}
	switch {
	case len(line) > most+1:
		return nil, r.fail(fmt.Errorf("a line of more than %d bytes", most))
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case errors.Is(err, io.EOF):
		return nil, r.fail(errors.New("the last line is cut off"))
	case err != nil:
		return nil, r.fail(err)
	}
	return line[:len(line)-1], nil
}

// header reads the first two lines.
func (r *reader) header(h *Header) error {
	line, err := r.next(maxHeader)
	if errors.Is(err, io.EOF) {
		err = r.fail(errors.New("the file is empty"))
	}
	if err != nil {
		return err
	}
	text, ok := bytes.CutPrefix(line, []byte("# "))
	if !ok {
		return r.fail(errors.New(`no table of a screen: the first line does not begin with "# {"`))
	}
	if err := json.Unmarshal(text, h); err != nil {
		return r.fail(fmt.Errorf("the header: %w", err))
	}
	if err := h.check(); err != nil {
		return r.fail(fmt.Errorf("the header: %w", err))
	}
	if line, err = r.next(maxLine); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(line) != columns {
		return r.fail(fmt.Errorf("the columns are %.200q, expected %q", line, columns))
	}
	return nil
}

// parse reads a row, or names the column that is wrong.
func parse(line []byte) (r Row, column string, err error) {
	rest, more := line, true
	field := func(name string) []byte {
		if err != nil {
			return nil
		}
		if column = name; !more {
			err = errors.New("the line ends before it")
			return nil
		}
		var f []byte
		f, rest, more = bytes.Cut(rest, []byte{'\t'})
		return f
	}
	word := func(name string, known []string) int {
		f := field(name)
		for i, k := range known {
			if string(f) == k {
				return i
			}
		}
		if err == nil {
			err = fmt.Errorf("%q is not known", f)
		}
		return 0
	}
	whole := func(name string, most int64) int64 {
		f := field(name)
		v, ok := integer(f)
		if err == nil && (!ok || v < -1 || v > most) {
			err = fmt.Errorf("%q is no number up to %d", f, most)
		}
		return v
	}
	real := func(name string) float32 {
		f := field(name)
		if err != nil || len(f) == 0 {
			return float32(math.NaN())
		}
		// The text lives only during the call.
		v, e := strconv.ParseFloat(unsafe.String(&f[0], len(f)), 32)
		if e != nil || v-v != 0 {
			err = fmt.Errorf("%q is no finite number", f)
		}
		return float32(v)
	}
	contexts, arms := contextNames(), armNames()
	r.Context = Context(word("context", contexts[:]))
	r.Arm = Arm(word("arm", arms[:]))
	r.Item = int32(whole("item", math.MaxInt32))
	r.Dose = int16(whole("dose", math.MaxInt16))
	r.Cluster = int32(whole("cluster", math.MaxInt32))
	r.CellType = int32(whole("cell_type", math.MaxInt32))
	r.Cell = int32(whole("cell", math.MaxInt32))
	r.Draw = int16(whole("draw", math.MaxInt16))
	r.U, r.Expr = real("u"), real("expr")
	bits := []string{"0", "1"}
	r.Valid = word("valid", bits) == 1
	r.Copy = word("copy", bits) == 1
	if err == nil && more {
		column, err = "copy", errors.New("the line goes on behind it")
	}
	return r, column, err
}

// integer reads a decimal number as it is written, without a plus sign or zeros
// before it, so that every row has one form.
func integer(f []byte) (int64, bool) {
	digits := f
	negative := len(f) > 1 && f[0] == '-'
	if negative {
		digits = f[1:]
	}
	if len(digits) == 0 || len(digits) > 10 || digits[0] == '0' && len(f) > 1 {
		return 0, false
	}
	v := int64(0)
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		v = v*10 + int64(d-'0')
	}
	if negative {
		v = -v
	}
	return v, true
}
