package filter

import "slices"

// unshuffle puts the bytes of elements together again: src has the first bytes
// of all, then the second bytes, and so on. What is left over at the end was
// never moved. dst is as long as src.
func unshuffle(dst, src []byte, size int) {
	n := len(src) / size
	done := 0 // elements
	switch {
	case size == 1 || n < 2: // an element may claim a billion bytes
		copy(dst, src)
		return
	case size == 2:
		done = unshuffle2(dst, src, n)
	case size == 4:
		done = unshuffle4(dst, src, n)
	case size == 8:
		done = unshuffle8(dst, src, n)
	}
	for k := range size {
		at := done*size + k
		for _, v := range src[k*n+done : (k+1)*n] {
			dst[at] = v
			at += size
		}
	}
	copy(dst[n*size:], src[n*size:])
}

// AppendShuffled appends src to dst with the first bytes of all elements of size
// bytes first, then their second bytes, and so on; what is left after the last
// whole element stays as it is. A size below 1 is taken as 1. dst and src must not
// overlap.
func AppendShuffled(dst, src []byte, size int) []byte {
	at := len(dst)
	dst = slices.Grow(dst, len(src))[:at+len(src)]
	out := dst[at:]
	size = max(size, 1)
	n := len(src) / size
	done := 0
	switch {
	case size == 1 || n < 2:
		copy(out, src)
		return dst
	case size == 2:
		done = shuffle2(out, src, n)
	case size == 4:
		done = shuffle4(out, src, n)
	case size == 8:
		done = shuffle8(out, src, n)
	}
	for k := range size {
		at := done*size + k
		column := out[k*n+done : (k+1)*n]
		for i := range column {
			column[i] = src[at]
			at += size
		}
	}
	copy(out[n*size:], src[n*size:])
	return dst
}
