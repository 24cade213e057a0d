package filter

import (
	"encoding/binary"
	"errors"
)

var (
	errLZFShort = errors.New("the data end within an instruction")
	errLZFBack  = errors.New("a reference reaches before the start")
)

// lzfDecode undoes LZF. A byte below 32 begins a run of one literal more than it
// says; another begins a reference: three bits of length and thirteen of
// distance.
func lzfDecode(dst, src []byte) (int, error) {
	op := 0
	for ip := 0; ip < len(src); {
		c := int(src[ip])
		ip++
		if c < 32 {
			n := c + 1
			switch {
			case n > len(src)-ip:
				return op, errLZFShort
			case n > len(dst)-op:
				return op, ErrSize
			}
			copy(dst[op:], src[ip:ip+n])
			op += n
			ip += n
			continue
		}
		n := c>>5 + 2
		if n == 9 {
			if ip >= len(src) {
				return op, errLZFShort
			}
			n += int(src[ip])
			ip++
		}
		if ip >= len(src) {
			return op, errLZFShort
		}
		back := (c&31)<<8 + int(src[ip]) + 1
		ip++
		switch {
		case back > op:
			return op, errLZFBack
		case n > len(dst)-op:
			return op, ErrSize
		}
		from, end := op-back, op+n
		switch {
		case back >= 8 && end+8 <= len(dst):
			for ; op < end; op += 8 {
				binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[from:]))
				from += 8
			}
			op = end
		case back >= n:
			op += copy(dst[op:end], dst[from:])
		default:
			for ; op < end; op++ {
				dst[op] = dst[from]
				from++
			}
		}
	}
	return op, nil
}
