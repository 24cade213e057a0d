package hdf5

// wLZF compresses in the format of LibLZF, version 3 (Marc Lehmann), which is
// that of h5py's filter: runs of literals (a byte n < 32 and n+1 bytes) and
// back references (3 bits of length, 13 bits of distance, a length of 7 goes on
// in one more byte).
type wLZF struct {
	table [1 << 14]int32 // position + 1 of the last 3 bytes with this hash
}

const (
	wLZFLiterals = 32   // longest run of literals
	wLZFWindow   = 8192 // furthest back reference
	wLZFMatch    = 264  // longest back reference
)

func (z *wLZF) compress(dst, src []byte) ([]byte, error) {
	clear(z.table[:])
	limit := len(dst) + len(src)
	lit := 0 // start of the literals that are not written yet
	literals := func(end int) {
		for lit < end {
			n := min(end-lit, wLZFLiterals)
			dst = append(dst, byte(n-1))
			dst = append(dst, src[lit:lit+n]...)
			lit += n
		}
	}
	for i := 0; i+3 < len(src); {
		if len(dst)+i-lit >= limit {
			break // no gain: the caller stores the chunk as it is
		}
		word := uint32(src[i])<<16 | uint32(src[i+1])<<8 | uint32(src[i+2])
		h := word * 0x9e3779b1 >> 18
		at := int(z.table[h]) - 1
		z.table[h] = int32(i + 1)
		if at < 0 || i-at > wLZFWindow || src[at] != src[i] || src[at+1] != src[i+1] || src[at+2] != src[i+2] {
			i++
			continue
		}
		n := 3
		for n < wLZFMatch && i+n < len(src) && src[at+n] == src[i+n] {
			n++
		}
		literals(i)
		off := i - at - 1
		if n-2 < 7 {
			dst = append(dst, byte((n-2)<<5|off>>8))
		} else {
			dst = append(dst, byte(7<<5|off>>8), byte(n-2-7))
		}
		dst = append(dst, byte(off))
		i += n
		lit = i
	}
	literals(len(src))
	return dst, nil
}
