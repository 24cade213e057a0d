package filter

import (
	"errors"
	"math/bits"
)

var (
	errLZFShort = errors.New("the data end within an instruction")
	errLZFBack  = errors.New("a reference reaches before the start")
)

// The format is that of liblzf. A byte below 32 begins a run of one literal more
// than it says. Another begins a reference: its upper three bits are the length
// less 2 (if all are set, the next byte is to be added), its lower five the upper
// bits of the distance less 1, the last byte the lower eight.
const (
	lzfRun      = 32
	lzfMaxMatch = 7 + 255 + 2
	lzfMaxBack  = 1 << 13
)

// lzfMargin is what the fast part of lzfDecode may read of src, and write to dst,
// without a look at the end.
const lzfMargin = 64

// lzfDecode undoes LZF and returns how many bytes there are. Of dst, what lies
// behind is unspecified.
func lzfDecode(dst, src []byte) (int, error) {
	ip, op := 0, 0
	ipEnd, opEnd := len(src)-lzfMargin, len(dst)-lzfMargin
	for ip < len(src) {
		// With room on both sides, too much is moved: how little would do is hard to
		// foresee.
		for ip <= ipEnd && op <= opEnd {
			in, out := (*[lzfMargin]byte)(src[ip:]), (*[lzfMargin]byte)(dst[op:])
			c := int(in[0])
			if c < lzfRun {
				put(out[:], 0, row(in[:], 1))
				put(out[:], 8, row(in[:], 9))
				if c >= 16 {
					put(out[:], 16, row(in[:], 17))
					put(out[:], 24, row(in[:], 25))
				}
				ip += c + 2
				op += c + 1
				continue
			}
			n, used := c>>5+2, 2
			back := c&31<<8 + int(in[1]) + 1
			if n == 9 {
				n += int(in[1])
				back = c&31<<8 + int(in[2]) + 1
				used = 3
			}
			from := op - back
			// The second condition never holds; with it, the compiler leaves out its own.
			if from < 0 || from > opEnd {
				return op, errLZFBack
			}
			near := (*[lzfMargin]byte)(dst[from:])
			k := back - 8
			r := &repeats[(8+k&(k>>(bits.UintSize-1)))&15] // min(back, 8), without a branch
			put(out[:], 0, row(near[:], 0)&r.mask*r.times)
			next := r.next & 15
			put(out[:], 8, row(near[:], next))
			end := op + n
			if n > 16 {
				if end > opEnd {
					break
				}
				from += next + 8
				for at := op + 16; at < end; at += 8 {
					put(dst, at, row(dst, from))
					from += 8
				}
			}
			ip += used
			op = end
		}
		var err error
		if ip, op, err = lzfStep(dst, src, ip, op); err != nil {
			return op, err
		}
	}
	return op, nil
}

// lzfStep does one instruction and checks everything.
func lzfStep(dst, src []byte, ip, op int) (int, int, error) {
	c := int(src[ip])
	ip++
	if c < lzfRun {
		n := c + 1
		switch {
		case n > len(src)-ip:
			return ip, op, errLZFShort
		case n > len(dst)-op:
			return ip, op, ErrSize
		}
		return ip + n, op + copy(dst[op:], src[ip:ip+n]), nil
	}
	n := c>>5 + 2
	if n == 9 && ip < len(src) {
		n += int(src[ip])
		ip++
	}
	if ip >= len(src) {
		return ip, op, errLZFShort
	}
	from := op - (c&31<<8 + int(src[ip]) + 1)
	switch {
	case from < 0:
		return ip, op, errLZFBack
	case n > len(dst)-op:
		return ip, op, ErrSize
	}
	repeat(dst, op, op-from, n)
	return ip + 1, op + n, nil
}
