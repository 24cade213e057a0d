package filter

import "encoding/binary"

// The functions below move the bytes of n elements of 2, 4 or 8 bytes, eight
// elements at a time as long as there are so many, and return how many they did.
// Squares of bytes are transposed in registers.

// Masks of every second field, from the lowest on.
const (
	evenBytes = 0x00ff00ff00ff00ff
	evenPairs = 0x0000ffff0000ffff
	evenFours = 0x00000000ffffffff
)

// cross swaps the odd fields of x with the even ones of y, where mask has the
// even ones and width is theirs. Doing it twice changes nothing.
func cross(x, y, mask uint64, width uint) (uint64, uint64) {
	return x&mask | y&mask<<width, x>>width&mask | y&^mask
}

// row reads the eight bytes of b at i.
func row(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// put writes them.
func put(b []byte, i int, v uint64) { binary.LittleEndian.PutUint64(b[i:], v) }

func unshuffle2(dst, src []byte, n int) int {
	a, b := src[:n], src[n:][:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		x, y := cross(row(a, i), row(b, i), evenBytes, 8) // elements 0 2 4 6, 1 3 5 7
		x, y = cross(x, y, evenPairs, 16)                 // 0 1 4 5, 2 3 6 7
		x, y = cross(x, y, evenFours, 32)
		out := (*[16]byte)(dst[2*i:])
		put(out[:], 0, x)
		put(out[:], 8, y)
	}
	return i
}

func shuffle2(dst, src []byte, n int) int {
	a, b := dst[:n], dst[n:][:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		in := (*[16]byte)(src[2*i:])
		x, y := cross(row(in[:], 0), row(in[:], 8), evenFours, 32)
		x, y = cross(x, y, evenPairs, 16)
		x, y = cross(x, y, evenBytes, 8)
		put(a, i, x)
		put(b, i, y)
	}
	return i
}

func unshuffle4(dst, src []byte, n int) int {
	a, b, c, d := src[:n], src[n:][:n], src[2*n:][:n], src[3*n:][:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		w, x := cross(row(a, i), row(b, i), evenBytes, 8)
		y, z := cross(row(c, i), row(d, i), evenBytes, 8)
		w, y = cross(w, y, evenPairs, 16) // elements 0 and 4, 2 and 6
		x, z = cross(x, z, evenPairs, 16) // 1 and 5, 3 and 7
		w, x = cross(w, x, evenFours, 32) // 0 and 1, 4 and 5
		y, z = cross(y, z, evenFours, 32) // 2 and 3, 6 and 7
		out := (*[32]byte)(dst[4*i:])
		put(out[:], 0, w)
		put(out[:], 8, y)
		put(out[:], 16, x)
		put(out[:], 24, z)
	}
	return i
}

func shuffle4(dst, src []byte, n int) int {
	a, b, c, d := dst[:n], dst[n:][:n], dst[2*n:][:n], dst[3*n:][:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		in := (*[32]byte)(src[4*i:])
		w, x := cross(row(in[:], 0), row(in[:], 16), evenFours, 32)
		y, z := cross(row(in[:], 8), row(in[:], 24), evenFours, 32)
		w, y = cross(w, y, evenPairs, 16)
		x, z = cross(x, z, evenPairs, 16)
		w, x = cross(w, x, evenBytes, 8)
		y, z = cross(y, z, evenBytes, 8)
		put(a, i, w)
		put(b, i, x)
		put(c, i, y)
		put(d, i, z)
	}
	return i
}

// transpose exchanges rows and columns of a square of eight bytes by eight.
func transpose(r *[8]uint64) {
	r0, r1 := cross(r[0], r[1], evenBytes, 8)
	r2, r3 := cross(r[2], r[3], evenBytes, 8)
	r4, r5 := cross(r[4], r[5], evenBytes, 8)
	r6, r7 := cross(r[6], r[7], evenBytes, 8)
	r0, r2 = cross(r0, r2, evenPairs, 16)
	r1, r3 = cross(r1, r3, evenPairs, 16)
	r4, r6 = cross(r4, r6, evenPairs, 16)
	r5, r7 = cross(r5, r7, evenPairs, 16)
	r[0], r[4] = cross(r0, r4, evenFours, 32)
	r[1], r[5] = cross(r1, r5, evenFours, 32)
	r[2], r[6] = cross(r2, r6, evenFours, 32)
	r[3], r[7] = cross(r3, r7, evenFours, 32)
}

func unshuffle8(dst, src []byte, n int) int {
	i := 0
	for ; i+8 <= n; i += 8 {
		var r [8]uint64
		for k := range r {
			r[k] = row(src, k*n+i)
		}
		transpose(&r)
		out := (*[64]byte)(dst[8*i:])
		for k := range r {
			put(out[:], 8*k, r[k])
		}
	}
	return i
}

func shuffle8(dst, src []byte, n int) int {
	i := 0
	for ; i+8 <= n; i += 8 {
		in := (*[64]byte)(src[8*i:])
		var r [8]uint64
		for k := range r {
			r[k] = row(in[:], 8*k)
		}
		transpose(&r)
		for k := range r {
			put(dst, k*n+i, r[k])
		}
	}
	return i
}
