package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// checksummed verifies the four bytes at the end and takes them off. Files of
// HDF5 up to 1.6.2 hold the checksum with the bytes of its halves swapped:
// both are good, as in the library.
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

// fletcher32 sums big-endian 16-bit words modulo 65,535, as the HDF5 library
// does on any machine; an odd last byte is the upper half of a word.
func fletcher32(b []byte) uint32 {
	var lo, hi uint32
	n := len(b) / 2
	for i := 0; n > 0; {
		run := min(n, 360) // no overflow before the sums are folded
		n -= run
		for range run {
			lo += uint32(binary.BigEndian.Uint16(b[i:]))
			hi += lo
			i += 2
		}
		lo = lo&0xffff + lo>>16
		hi = hi&0xffff + hi>>16
	}
	if len(b)%2 == 1 {
		lo += uint32(b[len(b)-1]) << 8
		hi += lo
		lo = lo&0xffff + lo>>16
		hi = hi&0xffff + hi>>16
	}
	lo = lo&0xffff + lo>>16
	hi = hi&0xffff + hi>>16
	return hi<<16 | lo
}
