package dataset

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonKind is what a JSON value is.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonBool
	jsonInt // fits 64 bits
	jsonFloat
	jsonString
	jsonNested // an array or object
)

// String names the kind in messages.
func (k jsonKind) String() string {
	return [...]string{"null", "true or false", "an integer", "a number", "a string", "a list or object"}[k]
}

// jsonParser reads objects of one line each. A general decoder takes several times
// as long, most of it on allocations. It follows RFC 8259.
type jsonParser struct {
	b    []byte
	at   int
	text []byte // the string that was read last
}

var errJSON = errors.New("this is no JSON object")

func (p *jsonParser) fail(what string) error {
	return fmt.Errorf("%w: %s expected at byte %d", errJSON, what, p.at+1)
}

func (p *jsonParser) blank() {
	for p.at < len(p.b) && (p.b[p.at] == ' ' || p.b[p.at] == '\t' || p.b[p.at] == '\r' || p.b[p.at] == '\n') {
		p.at++
	}
}

// take passes over c and blanks behind it.
func (p *jsonParser) take(c byte) bool {
	if p.at < len(p.b) && p.b[p.at] == c {
		p.at++
		p.blank()
		return true
	}
	return false
}

// object calls member for each name, which must call value once.
func (p *jsonParser) object(line []byte, member func(name []byte) error) error {
	p.b, p.at = line, 0
	p.blank()
	if !p.take('{') {
		return p.fail("{")
	}
	if !p.take('}') {
		for {
			name, err := p.string()
			if err != nil {
				return err
			}
			p.blank()
			if !p.take(':') {
				return p.fail(":")
			}
			if err := member(name); err != nil {
				return err
			}
			p.blank()
			if p.take('}') {
				break
			}
			if !p.take(',') {
				return p.fail(", or }")
			}
		}
	}
	if p.at < len(p.b) {
		return p.fail("the end of the line")
	}
	return nil
}

// value reads a value; its text is the string, or the number as it stands there.
// It is valid until the next is read.
func (p *jsonParser) value() (jsonKind, []byte, error) {
	if p.at == len(p.b) {
		return 0, nil, p.fail("a value")
	}
	switch c := p.b[p.at]; c {
	case '"':
		s, err := p.string()
		return jsonString, s, err
	case '{', '[':
		return jsonNested, nil, p.skip(0)
	case 't', 'f', 'n':
		for word, kind := range map[string]jsonKind{"true": jsonBool, "false": jsonBool, "null": jsonNull} {
			if word[0] == c && len(p.b)-p.at >= len(word) && string(p.b[p.at:p.at+len(word)]) == word {
				text := p.b[p.at : p.at+len(word)]
				p.at += len(word)
				return kind, text, nil
			}
		}
		return 0, nil, p.fail("a value")
	}
	return p.number()
}

func (p *jsonParser) digits() bool {
	start := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

func (p *jsonParser) number() (jsonKind, []byte, error) {
	start, kind := p.at, jsonInt
	if p.at < len(p.b) && p.b[p.at] == '-' {
		p.at++
	}
	first := p.at
	if !p.digits() || p.b[first] == '0' && p.at > first+1 {
		p.at = start
		return 0, nil, p.fail("a value")
	}
	if p.at < len(p.b) && p.b[p.at] == '.' {
		kind = jsonFloat
		p.at++
		if !p.digits() {
			return 0, nil, p.fail("a digit")
		}
	}
	if p.at < len(p.b) && p.b[p.at]|0x20 == 'e' {
		kind = jsonFloat
		p.at++
		if p.at < len(p.b) && (p.b[p.at] == '+' || p.b[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return 0, nil, p.fail("a digit")
		}
	}
	text := p.b[start:p.at]
	if kind == jsonInt && len(text) > 18 {
		if _, err := strconv.ParseInt(string(text), 10, 64); err != nil {
			kind = jsonFloat
		}
	}
	return kind, text, nil
}

// string reads a string; one without escapes is not copied.
func (p *jsonParser) string() ([]byte, error) {
	if p.at == len(p.b) || p.b[p.at] != '"' {
		return nil, p.fail(`"`)
	}
	p.at++
	start := p.at
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '"':
			s := p.b[start:p.at]
			p.at++
			return s, nil
		case c == '\\':
			p.text = append(p.text[:0], p.b[start:p.at]...)
			return p.escaped()
		case c < 0x20:
			return nil, p.fail("no control character")
		}
		p.at++
	}
	return nil, p.fail(`"`)
}

// escaped reads on from the first escape of a string.
func (p *jsonParser) escaped() ([]byte, error) {
	for p.at < len(p.b) {
		c := p.b[p.at]
		p.at++
		switch {
		case c == '"':
			return p.text, nil
		case c < 0x20:
			return nil, p.fail("no control character")
		case c != '\\':
			p.text = append(p.text, c)
			continue
		}
		if p.at == len(p.b) {
			break
		}
		c = p.b[p.at]
		p.at++
		switch c {
		case '"', '\\', '/':
			p.text = append(p.text, c)
		case 'b':
			p.text = append(p.text, '\b')
		case 'f':
			p.text = append(p.text, '\f')
		case 'n':
			p.text = append(p.text, '\n')
		case 'r':
			p.text = append(p.text, '\r')
		case 't':
			p.text = append(p.text, '\t')
		case 'u':
			r, ok := p.hex()
			if !ok {
				return nil, p.fail("four hexadecimal digits")
			}
			if utf16.IsSurrogate(r) {
				// The other half follows; a half alone is no character.
				mark := p.at
				low := rune(-1)
				if p.at+1 < len(p.b) && p.b[p.at] == '\\' && p.b[p.at+1] == 'u' {
					p.at += 2
					if low, ok = p.hex(); !ok {
						return nil, p.fail("four hexadecimal digits")
					}
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					p.at = mark
				}
			}
			p.text = utf8.AppendRune(p.text, r)
		default:
			p.at--
			return nil, p.fail("an escape")
		}
	}
	return nil, p.fail(`"`)
}

func (p *jsonParser) hex() (rune, bool) {
	if len(p.b)-p.at < 4 {
		return 0, false
	}
	n := rune(0)
	for _, c := range p.b[p.at : p.at+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	p.at += 4
	return n, true
}

// maxDepth bounds nested values.
const maxDepth = 100

// skip passes over a nested value.
func (p *jsonParser) skip(depth int) error {
	if depth == maxDepth {
		return fmt.Errorf("%w: its values are nested too deeply", errJSON)
	}
	object := p.b[p.at] == '{'
	end := byte(']')
	if object {
		end = '}'
	}
	p.at++
	p.blank()
	if p.at < len(p.b) && p.b[p.at] == end {
		p.at++
		return nil
	}
	for {
		if object {
			if _, err := p.string(); err != nil {
				return err
			}
			p.blank()
			if !p.take(':') {
				return p.fail(":")
			}
		}
		if p.at < len(p.b) && (p.b[p.at] == '{' || p.b[p.at] == '[') {
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		} else if _, _, err := p.value(); err != nil {
			return err
		}
		p.blank()
		if p.at < len(p.b) && p.b[p.at] == end {
			p.at++
			return nil
		}
		if !p.take(',') {
			return p.fail(string([]byte{',', ' ', 'o', 'r', ' ', end}))
		}
	}
}
