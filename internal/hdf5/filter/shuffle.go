package filter

import "encoding/binary"

// unshuffle puts the bytes of elements together again: src has the first bytes
// of all, then the second bytes, and so on. What is left over at the end was
// never moved.
func unshuffle(dst, src []byte, size int) {
	n := len(src) / size
	dst = dst[:len(src)]
	switch {
	case size == 1 || n == 0: // an element may claim a billion bytes
		copy(dst, src)
		return
	case size == 4:
		a, b, c, e := src[:n], src[n:2*n], src[2*n:3*n], src[3*n:4*n]
		for i := range a {
			v := uint32(a[i]) | uint32(b[i])<<8 | uint32(c[i])<<16 | uint32(e[i])<<24
			binary.LittleEndian.PutUint32(dst[4*i:], v)
		}
	case size == 8:
		// Twice as four: the streams of the lower and of the upper halves.
		for half := range 2 {
			s := src[4*half*n:]
			a, b, c, e := s[:n], s[n:2*n], s[2*n:3*n], s[3*n:4*n]
			for i := range a {
				v := uint32(a[i]) | uint32(b[i])<<8 | uint32(c[i])<<16 | uint32(e[i])<<24
				binary.LittleEndian.PutUint32(dst[8*i+4*half:], v)
			}
		}
	default:
		for k := range size {
			from := src[k*n : (k+1)*n]
			for i, v := range from {
				dst[i*size+k] = v
			}
		}
	}
	copy(dst[n*size:], src[n*size:])
}
