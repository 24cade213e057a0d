package filter

import (
	"encoding/binary"
	"math/bits"
)

// lzfHashBits is the size of the table of places seen: 256 KiB. More would
// compress a little better and take longer to clear.
const lzfHashBits = 16

// lzfHash is the place in the table for the lower three bytes of v.
func lzfHash(v uint32) uint32 { return v << 8 * 0x9e3779b1 >> (32 - lzfHashBits) }

// LZFEncoder compresses for the filter lzf, as h5py's does. Its zero value is
// ready; it serves one goroutine at a time. What it writes depends on src alone.
type LZFEncoder struct {
	seen [1 << lzfHashBits]uint32 // the last place of three bytes, plus 1
}

// Append appends the compressed src to dst. ok is false if that is not smaller
// than src (below 4 GiB, as a chunk is): then dst is returned as it was, and the
// chunk is to be stored without the filter and its bit set in the mask.
func (e *LZFEncoder) Append(dst, src []byte) (out []byte, ok bool) {
	clear(e.seen[:])
	out = dst
	limit := len(dst) + len(src) // must stay below
	start, i := 0, 0             // of the literals that are not written; the next place
	for i <= len(src)-4 {
		v := binary.LittleEndian.Uint32(src[i:])
		h := lzfHash(v)
		from := int(e.seen[h]) - 1
		e.seen[h] = uint32(i + 1)
		if from < 0 || i-from > lzfMaxBack || (binary.LittleEndian.Uint32(src[from:])^v)<<8 != 0 {
			i++
			continue
		}
		n := 3 + common(src[from+3:], src[i+3:min(len(src), i+lzfMaxMatch)])
		out = lzfLiterals(out, src[start:i])
		back := i - from - 1
		if n < 9 { // of three bits, 7 says that a byte follows
			out = append(out, byte((n-2)<<5|back>>8), byte(back))
		} else {
			out = append(out, byte(7<<5|back>>8), byte(n-9), byte(back))
		}
		if len(out) >= limit {
			return dst, false
		}
		// The last places of the match are seen, too: what follows often begins there.
		for at := i + n - 2; at < i+n && at <= len(src)-4; at++ {
			e.seen[lzfHash(binary.LittleEndian.Uint32(src[at:]))] = uint32(at + 1)
		}
		i += n
		start = i
	}
	if out = lzfLiterals(out, src[start:]); len(out) >= limit {
		return dst, false
	}
	return out, true
}

// lzfLiterals appends runs of literals.
func lzfLiterals(dst, b []byte) []byte {
	for len(b) > 0 {
		n := min(len(b), lzfRun)
		dst = append(append(dst, byte(n-1)), b[:n]...)
		b = b[n:]
	}
	return dst
}

// common is how many bytes a begins with as b, which is not longer, does.
func common(a, b []byte) int {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
