package filter

// repeatMargin is what a short copy may write behind its end.
const repeatMargin = 16

// repeats says for a distance from 1 to 7, or 8 for any other, how eight bytes
// are made out of what lies there, and how far from there on to go on reading: as
// far back as a multiple of the distance is.
var repeats = [16]struct {
	mask, times uint64
	next        int
}{
	1: {1<<8 - 1, 0x0101010101010101, 1},
	2: {1<<16 - 1, 0x0001000100010001, 2},
	3: {1<<24 - 1, 0x0001000001000001, 2},
	4: {1<<32 - 1, 0x0000000100000001, 4},
	5: {1<<40 - 1, 0x0000010000000001, 3},
	6: {1<<48 - 1, 0x0001000000000001, 2},
	7: {1<<56 - 1, 0x0100000000000001, 1},
	8: {1<<64 - 1, 1, 8},
}

// repeat writes at op the n bytes that lie back before it, which may be among
// those it writes. back is from 1 to op, and n at most what dst has room for.
// Behind them some bytes are unspecified.
func repeat(dst []byte, op, back, n int) {
	from, end := op-back, op+n
	if n > 64 || end > len(dst)-repeatMargin {
		// What was copied is copied again until there is enough.
		for op < end {
			op += copy(dst[op:end], dst[from:op])
		}
		return
	}
	r := &repeats[min(back, 8)&15]
	put(dst, op, row(dst, from)&r.mask*r.times)
	from += r.next
	for op += 8; op < end; op += 8 {
		put(dst, op, row(dst, from))
		from += 8
	}
}
