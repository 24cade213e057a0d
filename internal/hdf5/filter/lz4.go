package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errShort = errors.New("the data end too early")
	errBack  = errors.New("a reference reaches before the start")
)

// lz4 undoes the filter LZ4: eight bytes that say how much there is, four for the
// size of a block, both big-endian, then each block behind its length, stored as
// it is if it did not shrink (HDF5_LZ4.pdf of the HDF Group).
func lz4(dst, src []byte) (int, error) {
	if len(src) < 12 {
		return 0, errShort
	}
	total, block := binary.BigEndian.Uint64(src), int64(binary.BigEndian.Uint32(src[8:]))
	src = src[12:]
	switch {
	case total > uint64(len(dst)):
		return 0, fmt.Errorf("%w: %d bytes for %d", ErrSize, total, len(dst))
	case total > 0 && block == 0:
		return 0, errors.New("blocks of no bytes")
	}
	dst = dst[:total]
	for op := 0; op < len(dst); {
		out := dst[op:][:min(block, int64(len(dst)-op))]
		var in []byte
		var err error
		if in, src, err = prefixed(src, binary.BigEndian); err != nil {
			return op, err
		}
		if err := lz4Exactly(out, in); err != nil {
			return op, err
		}
		op += len(out)
	}
	return len(dst), nil
}

// prefixed takes what stands behind its length of four bytes at the beginning of
// src, and returns the rest too.
func prefixed(src []byte, order binary.ByteOrder) (data, rest []byte, err error) {
	if len(src) < 4 {
		return nil, nil, errShort
	}
	n := uint64(order.Uint32(src))
	if n > uint64(len(src)-4) {
		return nil, nil, fmt.Errorf("%w: a block of %d bytes, %d are left", errShort, n, len(src)-4)
	}
	return src[4:][:n], src[4+n:], nil
}

// lz4Exactly fills dst with the block src, which is stored if it is as long.
func lz4Exactly(dst, src []byte) error {
	if len(src) == len(dst) {
		copy(dst, src)
		return nil
	}
	n, err := lz4Block(dst, src)
	if err == nil && n != len(dst) {
		err = fmt.Errorf("%w: a block of %d bytes, expected %d", ErrSize, n, len(dst))
	}
	return err
}

// lz4Fast is the room on either side within which lz4Block need not look at the
// ends for a sequence of few literals.
const lz4Fast = 32

// lz4Block undoes a block of LZ4 and returns how many bytes there are; of dst,
// what lies behind is unspecified. The block is sequences: a token, of which the
// upper half counts literals and the lower half, plus four, the bytes that are
// repeated; the literals; and the distance, in two bytes. A half of 15 goes on in
// bytes that are added up, to the first that is not 255. The last sequence ends
// with its literals. (lz4_Block_format.md of the LZ4 project.)
func lz4Block(dst, src []byte) (int, error) {
	ip, op := 0, 0
	for {
		var token, n int
		if ip <= len(src)-lz4Fast && op <= len(dst)-lz4Fast && src[ip] < 0xf0 {
			in, out := (*[lz4Fast]byte)(src[ip:]), (*[lz4Fast]byte)(dst[op:])
			token = int(in[0])
			put(out[:], 0, row(in[:], 1))
			put(out[:], 8, row(in[:], 9))
			ip += 1 + token>>4
			op += token >> 4
		} else {
			if ip >= len(src) {
				return op, errShort
			}
			token = int(src[ip])
			var err error
			if n, ip, err = lz4Length(src, ip+1, token>>4); err != nil {
				return op, err
			}
			switch {
			case n > len(src)-ip:
				return op, errShort
			case n > len(dst)-op:
				return op, ErrSize
			}
			op += copy(dst[op:], src[ip:ip+n])
			if ip += n; ip == len(src) {
				return op, nil
			}
		}
		if len(src)-ip < 2 {
			return op, errShort
		}
		back := int(src[ip]) | int(src[ip+1])<<8
		ip += 2
		if n = token & 15; n == 15 {
			var err error
			if n, ip, err = lz4Length(src, ip, n); err != nil {
				return op, err
			}
		}
		n += 4
		switch {
		case back < 1 || back > op:
			return op, errBack
		case n > len(dst)-op:
			return op, ErrSize
		}
		repeat(dst, op, back, n)
		op += n
	}
}

// lz4Length goes on with a length of 15 in the bytes at ip.
func lz4Length(src []byte, ip, n int) (int, int, error) {
	if n < 15 {
		return n, ip, nil
	}
	for ip < len(src) {
		c := src[ip]
		ip++
		n += int(c)
		if c < 255 {
			return n, ip, nil
		}
	}
	return n, ip, errShort
}
