package inflate

import "encoding/binary"

// Adler32 is the checksum of RFC 1950: from the sums s1 of the bytes plus one and
// s2 of all values that s1 takes, modulo 65,521. It is more than twice as fast as
// hash/adler32, eight bytes at a time in lanes of 16 bits.
func Adler32(b []byte) uint32 {
	const (
		mod = 65521
		// Lanes of sums of sums stay below 2^16: 255 * (1+2+...+16) = 34,680.
		step   = 16 * 8
		bytes  = 0x00ff00ff00ff00ff // even ones
		halves = 0x0000ffff0000ffff
		sum    = 0x0001000100010001 // times this, the highest lane is the sum of all
		rising = 0x0000000100020003 // the same, with weights 0 to 3
	)
	s1, s2 := uint64(1), uint64(0)
	for len(b) >= step {
		for range min(len(b)/step, 1024) { // s2 stays below 2^43
			block := (*[step]byte)(b)
			b = b[step:]
			var even, odd, evens, odds uint64 // sums, and sums of sums
			for i := 0; i < step; i += 16 {
				v := binary.LittleEndian.Uint64(block[i:])
				even += v & bytes
				odd += v >> 8 & bytes
				evens += even
				odds += odd
				v = binary.LittleEndian.Uint64(block[i+8:])
				even += v & bytes
				odd += v >> 8 & bytes
				evens += even
				odds += odd
			}
			// Byte j of the 8 in word w of 16 counts 128-8w-j times in s2; the sums of
			// sums count it 16-w times.
			all := evens&halves + evens>>16&halves + odds&halves + odds>>16&halves
			s2 += step*s1 + 8*(all&0xffffffff+all>>32)
			s2 -= 2*((even+odd)*rising>>48) + odd*sum>>48
			s1 += (even + odd) * sum >> 48
		}
		s1 %= mod
		s2 %= mod
	}
	for _, c := range b {
		s1 += uint64(c)
		s2 += s1
	}
	return uint32(s2%mod<<16 | s1%mod)
}
