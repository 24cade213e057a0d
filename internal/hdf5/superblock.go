package hdf5

import (
	"bytes"
	"fmt"
)

// undefined is the address of something that was never allocated.
const undefined = ^uint64(0)

const signature = "\x89HDF\r\n\x1a\n"

// superblock is what the start of a file says about the rest.
type superblock struct {
	version    uint8
	base       uint64 // where the superblock lies: all addresses count from here
	offsetSize int    // bytes of an address
	lengthSize int    // bytes of a length
	root       uint64 // address of the root group's object header
	eof        uint64 // end of the file
}

// findSuperblock looks for the signature at 0, 512, 1024, 2048 …: a file may
// begin with a user block, as every .h5mu does.
func findSuperblock(s *source) (superblock, error) {
	for off := uint64(0); off+8 <= uint64(s.size); {
		b, err := s.at(off, 8)
		if err != nil {
			return superblock{}, err
		}
		if string(b) == signature {
			return readSuperblock(s, off)
		}
		if off == 0 {
			off = 512
		} else {
			off *= 2
		}
	}
	return superblock{}, ErrNotHDF5
}

func readSuperblock(s *source, base uint64) (superblock, error) {
	sb := superblock{base: base}
	raw, err := s.at(base, min(128, uint64(s.size)-base))
	if err != nil {
		return sb, err
	}
	c := &cursor{b: raw, pos: len(signature)}
	sb.version = c.u8()
	var stored uint64
	switch sb.version {
	case 0, 1:
		c.skip(4) // versions of free space, root group and shared headers, reserved
		sb.offsetSize, sb.lengthSize = int(c.u8()), int(c.u8())
		c.skip(1 + 2 + 2 + 4) // reserved, leaf and internal K, flags
		if sb.version == 1 {
			c.skip(4)
		}
		if err := sb.checkSizes(); err != nil && !c.bad {
			return sb, err
		}
		stored = c.addr(sb.offsetSize)
		c.skip(sb.offsetSize) // free space
		sb.eof = c.addr(sb.offsetSize)
		c.skip(2 * sb.offsetSize) // driver information; name of the root entry
		sb.root = c.addr(sb.offsetSize)
	case 2, 3:
		sb.offsetSize, sb.lengthSize = int(c.u8()), int(c.u8())
		c.skip(1)
		if err := sb.checkSizes(); err != nil && !c.bad {
			return sb, err
		}
		stored = c.addr(sb.offsetSize)
		c.skip(sb.offsetSize) // superblock extension
		sb.eof = c.addr(sb.offsetSize)
		sb.root = c.addr(sb.offsetSize)
		if !c.bad && len(raw) >= c.pos+4 {
			if _, err := verify(raw[:c.pos+4], "superblock"); err != nil {
				return sb, err
			}
		}
		c.skip(4)
	default:
		if !c.bad {
			return sb, unsupportedf("superblock version %d", sb.version)
		}
	}
	if c.bad {
		return sb, fmt.Errorf("%w: the file ends within its superblock", ErrTruncated)
	}
	// The end is stored as if the superblock lay at the stored base address: a
	// user block that was put in front, or taken away, moved both.
	if end := sb.eof - stored + base; sb.eof != undefined && (sb.eof < stored || end > uint64(s.size)) {
		return sb, fmt.Errorf("%w: the superblock announces %d bytes, the file has %d; copy or download it again", ErrTruncated, end, s.size)
	}
	return sb, nil
}

func (sb superblock) checkSizes() error {
	for _, n := range []int{sb.offsetSize, sb.lengthSize} {
		if n != 2 && n != 4 && n != 8 {
			return corruptf("superblock: addresses of %d bytes", n)
		}
	}
	return nil
}

// sameMagic reports whether b begins with magic, the four letters that open
// most structures.
func sameMagic(b []byte, magic string) bool { return bytes.HasPrefix(b, []byte(magic)) }
