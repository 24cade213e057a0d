package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The compressions of Bitshuffle, as its fifth parameter numbers them.
const (
	bitshuffleNone = 0
	bitshuffleLZ4  = 2
	bitshuffleZstd = 3
)

// bitshuffleMode is the compression of a Bitshuffle filter.
func bitshuffleMode(s Spec) uint32 {
	if len(s.Client) > 4 {
		return s.Client[4]
	}
	return bitshuffleNone
}

// bitshuffle undoes Bitshuffle (the paper of Masui et al., 2015, and its package).
// Its parameters are two of its version, the size of an element, how many elements
// a block has (a multiple of eight; none for the usual 8 KiB) and a compression.
// Blocks are shuffled one by one; so is what is left, by eights of elements, and
// up to seven elements stay as they are. Compressed, they stand behind their
// lengths, and first of all are eight bytes that say how much there is and four
// with the bytes of a block. All these numbers have their highest byte first.
func (d *Decoder) bitshuffle(s Spec, dst, src []byte) (int, error) {
	if len(s.Client) < 3 || s.Client[2] < 1 {
		return 0, errors.New("the size of an element is missing")
	}
	mode := bitshuffleMode(s)
	total, size, block := uint64(len(src)), uint64(s.Client[2]), uint64(0)
	if len(s.Client) > 3 {
		block = uint64(s.Client[3])
	}
	if mode != bitshuffleNone {
		if len(src) < 12 {
			return 0, errShort
		}
		total, block = binary.BigEndian.Uint64(src), uint64(binary.BigEndian.Uint32(src[8:]))/size
		src = src[12:]
	}
	if block == 0 {
		block = max(8192/size/8*8, 128)
	}
	switch {
	case total > uint64(len(dst)):
		return 0, fmt.Errorf("%w: %d bytes for %d", ErrSize, total, len(dst))
	case total%size != 0:
		return 0, fmt.Errorf("%d bytes in elements of %d", total, size)
	case block%8 != 0:
		return 0, fmt.Errorf("blocks of %d elements", block)
	}
	dst = dst[:total]
	for at := uint64(0); ; {
		n := min(block, (total-at)/size/8*8) * size
		if n == 0 {
			rest := dst[at:]
			if len(src) < len(rest) {
				return int(at), errShort
			}
			copy(rest, src)
			return len(dst), nil
		}
		var in []byte
		if mode == bitshuffleNone { // total is the length of src
			in, src = src[:n], src[n:]
		} else {
			var err error
			if in, src, err = prefixed(src, binary.BigEndian); err != nil {
				return int(at), err
			}
			if in, err = d.bitshuffleBlock(in, int(n), mode); err != nil {
				return int(at), err
			}
		}
		d.unbitshuffle(dst[at:][:n], in, int(size))
		at += n
	}
}

// bitshuffleBlock undoes the compression of a block of n bytes.
func (d *Decoder) bitshuffleBlock(src []byte, n int, mode uint32) ([]byte, error) {
	out := d.temporary(n)
	var got int
	var err error
	switch mode {
	case bitshuffleLZ4:
		got, err = lz4Block(out, src)
	case bitshuffleZstd:
		got, err = d.zstandard(out, src)
	default:
		return nil, fmt.Errorf("compression %d", mode)
	}
	if err == nil && got != n {
		err = fmt.Errorf("%w: a block of %d bytes, expected %d", ErrSize, got, n)
	}
	return out, err
}

// unbitshuffle puts the bits of elements of some bytes together again, of which
// there are a multiple of eight: src has the lowest bits of the first bytes of
// all, then their next bits, and so on to the highest bits of the last bytes. dst
// is as long as src.
func (d *Decoder) unbitshuffle(dst, src []byte, size int) {
	stride := len(src) / size / 8 // bytes in a row of bits, eight elements in each
	// Up to 64 elements at a time: bytes out of bits, then elements out of bytes.
	if need := size * 8 * min(8, stride); cap(d.planes) < need {
		d.planes = make([]byte, need)
	}
	for g := 0; g < stride; g += 8 {
		w := min(8, stride-g)
		planes := d.planes[:size*8*w]
		for j := range size {
			var r [8]uint64
			rows := src[8*j*stride+g:]
			for b := range r {
				if w == 8 {
					r[b] = row(rows, b*stride)
					continue
				}
				for k, c := range rows[b*stride:][:w] {
					r[b] |= uint64(c) << (8 * k)
				}
			}
			transpose(&r)
			for k := range w {
				put(planes, 8*(j*w+k), transposeBits(r[k]))
			}
		}
		unshuffle(dst[8*g*size:][:len(planes)], planes, size)
	}
}

// transposeBits exchanges rows and columns of a square of eight bits by eight.
func transposeBits(x uint64) uint64 {
	x = x&0xaa55aa55aa55aa55 | x&0x00aa00aa00aa00aa<<7 | x>>7&0x00aa00aa00aa00aa
	x = x&0xcccc3333cccc3333 | x&0x0000cccc0000cccc<<14 | x>>14&0x0000cccc0000cccc
	return x&0xf0f0f0f00f0f0f0f | x&0x00000000f0f0f0f0<<28 | x>>28&0x00000000f0f0f0f0
}
