package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// checksummed verifies the four bytes at the end and takes them off. Files of
// HDF5 up to 1.6.2 hold the checksum with the bytes of its halves swapped: both
// are good, as in the library.
func checksummed(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errors.New("no room for the checksum")
	}
	body := b[:len(b)-4]
	stored := binary.LittleEndian.Uint32(b[len(b)-4:])
	sum := fletcher32(body)
	swapped := sum&0x00ff00ff<<8 | sum>>8&0x00ff00ff
	if stored != sum && stored != swapped {
		return nil, fmt.Errorf("checksum is %08x, the file says %08x", sum, stored)
	}
	return body, nil
}

// AppendFletcher32 appends src and its checksum to dst.
func AppendFletcher32(dst, src []byte) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, src...), fletcher32(src))
}

// fletcher32 is the HDF5 library's checksum: the sums of big-endian 16-bit words
// (an odd last byte is the upper half of one) and of all values that this sum
// takes, both modulo 65,535, with 65,535 instead of a zero that is not a sum of
// zeros. Four words at a time, in lanes of 32 bits.
func fletcher32(b []byte) uint32 {
	// Lanes of sums of sums stay below 2^32: 65,535 * (1+2+...+256).
	const step = 256
	var s1, s2 uint64
	for len(b) >= 8 {
		n := min(len(b)/8, step)
		var even, odd, evens, odds uint64 // sums, and sums of sums
		for block := b[:8*n]; len(block) >= 8; block = block[8:] {
			v := binary.BigEndian.Uint64(block)
			odd += v & evenPairs // the second and the fourth word
			even += v >> 16 & evenPairs
			odds += odd
			evens += even
		}
		b = b[8*n:]
		// Word j of the 4 in group g of n counts 4(n-g)-j times in s2; the sums of
		// sums count it n-g times.
		w0, w1, w2, w3 := even>>32, odd>>32, even&0xffffffff, odd&0xffffffff
		all := evens>>32 + odds>>32 + evens&0xffffffff + odds&0xffffffff
		s2 += 4*uint64(n)*s1 + 4*all - w1 - 2*w2 - 3*w3
		s1 += w0 + w1 + w2 + w3
		s1, s2 = fold(s1), fold(s2)
	}
	for ; len(b) > 0; b = b[min(2, len(b)):] {
		v := uint64(b[0]) << 8
		if len(b) > 1 {
			v |= uint64(b[1])
		}
		s1 += v
		s2 += s1
	}
	return uint32(fold(s2)<<16 | fold(s1))
}

// fold takes v modulo 65,535, but leaves 65,535 for what is not 0.
func fold(v uint64) uint64 {
	for v > 0xffff {
		v = v&0xffff + v>>16
	}
	return v
}
