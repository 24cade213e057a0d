package screen

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
)

var nan = math.NaN()

// key is a number that depends on the seed and on what it is for, and on nothing else.
func key(seed uint64, what ...string) uint64 {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	for _, w := range what {
		binary.LittleEndian.PutUint64(b[:], uint64(len(w)))
		h.Write(b[:])
		h.Write([]byte(w))
	}
	return mix(h.Sum64())
}

// mix spreads the bits of a number, as SplitMix64 ends (G. Steele, D. Lea and
// C. Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func source(seed uint64, what ...string) *rand.Rand {
	return rand.New(rand.NewPCG(key(seed, what...), seed))
}
