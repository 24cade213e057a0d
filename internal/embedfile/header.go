package embedfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

const magic = "\x93NUMPY"

// maxHeader is the longest header that is read: NumPy's own are below 200 bytes
// unless dtypes have fields, which are refused here.
const maxHeader = 1 << 16

// header is what precedes the numbers of an .npy file.
type header struct {
	dtype   dtype
	fortran bool
	shape   []int
	size    int64 // bytes of the numbers
}

// errPickled means that the array holds Python objects.
var errPickled = errors.New("the array holds pickled Python objects, which are code and are not read")

// readHeader parses the header at the start of r and gives its length.
func readHeader(r io.Reader) (h header, length int64, err error) {
	var fixed [12]byte
	if _, err := io.ReadFull(r, fixed[:10]); err != nil || string(fixed[:6]) != magic {
		return h, 0, errors.New("not an .npy file: it does not begin with \\x93NUMPY")
	}
	var n int
	length = 10
	switch version := fixed[6]; version {
	case 1:
		n = int(binary.LittleEndian.Uint16(fixed[8:]))
	case 2, 3:
		if _, err := io.ReadFull(r, fixed[10:12]); err != nil {
			return h, 0, fmt.Errorf("the header ends early: %w", err)
		}
		if v := binary.LittleEndian.Uint32(fixed[8:]); v <= maxHeader {
			n = int(v)
		} else {
			return h, 0, fmt.Errorf("a header of %d bytes, more than %d", v, maxHeader)
		}
		length = 12
	default:
		return h, 0, fmt.Errorf("version %d of the .npy format is not known (1 to 3 are)", version)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, 0, fmt.Errorf("the header ends early: %w", err)
	}
	length += int64(n)
	return h, length, h.parse(string(text))
}

// parse reads the dictionary literal of a header.
func (h *header) parse(text string) error {
	p := literal{rest: text}
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.accept("}") {
		key := p.text()
		p.expect(":")
		if seen[key] {
			return fmt.Errorf("the header names %q twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.peek() == '[' {
				return errors.New("the array has named fields; an embedding is a matrix of numbers")
			}
			descr := p.text()
			if p.err == nil {
				if err := h.dtype.parse(descr); err != nil {
					return err
				}
			}
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			return fmt.Errorf("the header has an unknown key %q", key)
		}
		if !p.accept(",") && p.peek() != '}' {
			p.fail("a comma or }")
		}
	}
	switch {
	case p.err != nil:
		return p.err
	case strings.TrimSpace(p.rest) != "":
		return errors.New("the header goes on after its end")
	case !seen["descr"] || !seen["fortran_order"] || !seen["shape"]:
		return errors.New("the header lacks one of descr, fortran_order and shape")
	}
	count := uint64(h.dtype.size)
	for _, n := range h.shape {
		over, low := bits.Mul64(count, uint64(n))
		if over != 0 || low > 1<<62 {
			return fmt.Errorf("a shape of %v is larger than any file", h.shape)
		}
		count = low
	}
	h.size = int64(count)
	return nil
}

// literal reads the few Python literals that a header is made of.
type literal struct {
	rest string
	err  error
}

func (p *literal) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *literal) fail(want string) {
	if p.err == nil {
		p.err = fmt.Errorf("the header is damaged: expected %s before %.20q", want, p.rest)
	}
}

func (p *literal) accept(s string) bool {
	p.peek()
	if p.err != nil || !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

func (p *literal) expect(s string) {
	if !p.accept(s) {
		p.fail(s)
	}
}

// text is a string literal without escapes, of which dtypes have none.
func (p *literal) text() string {
	q := p.peek()
	if q != '\'' && q != '"' {
		p.fail("a string")
		return ""
	}
	s, rest, ok := strings.Cut(p.rest[1:], string(q))
	if !ok || strings.ContainsRune(s, '\\') {
		p.fail("a string")
		return ""
	}
	p.rest = rest
	return s
}

func (p *literal) boolean() bool {
	if p.accept("True") {
		return true
	}
	p.expect("False")
	return false
}

// tuple is the shape: at most 32 whole numbers, NumPy's own limit.
func (p *literal) tuple() []int {
	shape := []int{}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		p.peek()
		end := strings.IndexFunc(p.rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(p.rest)
		}
		n, err := strconv.ParseInt(p.rest[:end], 10, 63)
		if err != nil || len(shape) == 32 {
			p.fail("a size")
			return nil
		}
		p.rest = p.rest[end:]
		p.accept("L") // written by Python 2
		shape = append(shape, int(n))
		if !p.accept(",") && p.peek() != ')' {
			p.fail("a comma or )")
		}
	}
	return shape
}

// writeHeader writes a header of version 1.0 for little-endian numbers in C order,
// padded so that they start at a multiple of 64 bytes, as NumPy does.
func writeHeader(w io.Writer, descr string, shape ...int) error {
	dims := make([]string, len(shape))
	for i, n := range shape {
		dims[i] = strconv.Itoa(n)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	total := (10 + len(dict) + 1 + 63) / 64 * 64
	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	_ = binary.Write(&b, binary.LittleEndian, uint16(total-10)) // a buffer does not fail
	b.WriteString(dict + strings.Repeat(" ", total-10-len(dict)-1) + "\n")
	_, err := w.Write(b.Bytes())
	return err
}
