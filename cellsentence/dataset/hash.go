package dataset

// FNV-1a, 64 bits (Fowler, Noll and Vo; draft-eastlake-fnv).
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hashBytes goes on from a hash with some bytes.
func hashBytes(h uint64, s []byte) uint64 {
	for _, c := range s {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): without it
// the high bits of FNV hardly depend on the last characters.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hashText is a hash of a string with all bits of use.
func hashText(s []byte) uint64 { return mix(hashBytes(fnvOffset, s)) }

// hashSeeded is a hash that another seed makes another one.
func hashSeeded(seed uint64, s []byte) uint64 {
	return mix(hashText(s) + mix(seed+0x9e3779b97f4a7c15))
}

// unit is a number from 0 to below 1.
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// hashRow is the hash of some columns of a row; a missing value is none that text
// can be.
func hashRow(b *Batch, columns []int, row int) uint64 {
	h := uint64(fnvOffset)
	var buf []byte
	for _, i := range columns {
		c := &b.Columns[i]
		if c.Missing[row] {
			h = hashBytes(h, []byte{0xff})
		} else {
			buf = c.Print(buf[:0], row)
			h = hashBytes(h, buf)
		}
		h = hashBytes(h, []byte{0xfe}) // no byte of UTF-8
	}
	return h
}
