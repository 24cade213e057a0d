package inflate

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// What the fast loop may touch in a round without a look at the ends: of dst, a
// literal and 24 bytes of a match, or what lies as far behind the source of one;
// of src, eight bytes.
const (
	dstMargin = 64
	srcMargin = 8
)

// fast decodes while both sides have room and until something special comes. It
// leaves the position before the first symbol that it did not decode.
//
// The chain of dependent loads is what limits a decoder: entry, distance, entry
// and so on. So the next entry is looked up in the bits that are at hand, while
// the load that replaces them is under way: of 57 bits, a round uses up to 12 for
// a literal and a length and 9+13 for a distance, which leaves the 12 that index
// the table. The branches are those that are easy to foresee.
func (d *Decoder) fast() {
	src, dst := d.src, slices.Clip(d.dst)
	pos, op := d.pos, d.op
	ipEnd, opEnd := len(src)-srcMargin, len(dst)-dstMargin
	ip := int(pos >> 3)
	if ip > ipEnd {
		return
	}
	bb := binary.LittleEndian.Uint64(src[ip:]) >> (pos & 7)
	e := d.lit[bb&(1<<litBits-1)]
	for op <= opEnd {
		out := (*[dstMargin]byte)(dst[op:])
		if e&(isMatch|isSpecial) == 0 {
			out[0] = byte(e >> 16)
			out[1] = byte(e >> 24) // not counted if there is one literal
			op += e.literals()
			pos += e.bits()
			e = d.lit[bb>>(e&63)&(1<<litBits-1)]
			ip = int(pos >> 3)
			if ip > ipEnd {
				break
			}
			bb = binary.LittleEndian.Uint64(src[ip:]) >> (pos & 7)
			continue
		}
		if e&isSpecial != 0 {
			break
		}
		out[0] = byte(e >> 16) // overwritten if there is no literal
		lits := int(e >> 12 & 1)
		n := int(e >> 24) // less minMatch
		bb >>= e & 63
		e2 := d.dist[bb&(1<<distBits-1)]
		if e2&isSpecial != 0 {
			break
		}
		back := int(e2>>16) + int(bb&(1<<(e2&63)-1)>>(e2>>8&63))
		from := op + lits - back
		// The second condition never holds; with it, the compiler leaves out its own.
		if from < 0 || from > opEnd {
			break
		}
		used := e.bits() + e2.bits()
		pos += used
		e = d.lit[bb>>(e2&63)&(1<<litBits-1)]

		// The first eight bytes are multiplied out of what lies there, if that is
		// fewer; from then on, any distance is as good as a longer one. Sixteen bytes
		// are copied at least: most matches are not longer, and how much shorter one
		// is would be hard to foresee.
		in := (*[dstMargin]byte)(dst[from:])
		k := back - 8
		k = (8 + k&(k>>(bits.UintSize-1))) & 15 // min(back, 8), without a branch
		v := binary.LittleEndian.Uint64(in[:]) & d.reps.mask[k] * d.reps.times[k]
		binary.LittleEndian.PutUint64(out[lits:], v)
		next := d.reps.next[k] & 15
		binary.LittleEndian.PutUint64(out[lits+8:], binary.LittleEndian.Uint64(in[next:]))
		if n > 16-minMatch {
			binary.LittleEndian.PutUint64(out[lits+16:], binary.LittleEndian.Uint64(in[next+8:]))
			if n > 24-minMatch {
				end := op + lits + n + minMatch
				if end > opEnd {
					pos -= used
					break
				}
				from += int(next) + 16
				for at := op + lits + 24; at < end; at += 8 {
					binary.LittleEndian.PutUint64(dst[at:], binary.LittleEndian.Uint64(dst[from:]))
					from += 8
				}
			}
		}
		op += lits + n + minMatch
		ip = int(pos >> 3)
		if ip > ipEnd {
			break
		}
		bb = binary.LittleEndian.Uint64(src[ip:]) >> (pos & 7)
	}
	d.pos, d.op = pos, op
}
