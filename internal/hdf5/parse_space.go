package hdf5

import (
	"math/bits"
	"slices"
)

// maxRank is the most dimensions that HDF5 allows.
const maxRank = 32

// Space is the extent of a dataset or an attribute.
type Space struct {
	Null    bool     // no elements at all, not even one
	Dims    []uint64 // empty for a scalar
	MaxDims []uint64 // nil when the extent is fixed; Unlimited where it may grow
}

// Unlimited is a maximum dimension without a limit.
const Unlimited = ^uint64(0)

// Elements is the number of elements; ok is false when it overflows.
func (s Space) Elements() (n uint64, ok bool) {
	if s.Null {
		return 0, true
	}
	return product(s.Dims)
}

// product multiplies; ok is false on overflow.
func product(v []uint64) (p uint64, ok bool) {
	if slices.Contains(v, 0) {
		return 0, true
	}
	p = 1
	for _, d := range v {
		hi, lo := bits.Mul64(p, d)
		if hi != 0 {
			return 0, false
		}
		p = lo
	}
	return p, true
}

// parseSpace reads a dataspace message.
func (f *File) parseSpace(b []byte) (Space, error) {
	c := &cursor{b: b}
	version, rank, flags := c.u8(), int(c.u8()), c.u8()
	var s Space
	switch version {
	case 1:
		c.skip(5)
	case 2:
		s.Null = c.u8() == 2
	default:
		return s, unsupportedf("dataspace message version %d", version)
	}
	if rank > maxRank {
		return s, corruptf("dataspace of %d dimensions", rank)
	}
	for range rank {
		s.Dims = append(s.Dims, c.uint(f.sb.lengthSize))
	}
	if flags&1 != 0 {
		for range rank {
			s.MaxDims = append(s.MaxDims, c.addr(f.sb.lengthSize))
		}
	}
	if err := c.err("dataspace message"); err != nil {
		return s, err
	}
	if _, ok := s.Elements(); !ok {
		return s, corruptf("dataspace %v overflows", s.Dims)
	}
	return s, nil
}
