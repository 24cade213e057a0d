package deflate

// lengths has the symbol of each length less 3, and the bits behind it (RFC 1951,
// section 3.2.5).
var lengths = makeLengths()

type lengthSymbol struct {
	symbol uint16
	extra  uint8 // bits behind the symbol
	bits   uint8 // those
}

func makeLengths() (t [256]lengthSymbol) {
	n := 0
	for s := range 28 {
		extra := max(0, s/4-1)
		for k := range 1 << extra {
			t[n] = lengthSymbol{uint16(257 + s), uint8(extra), uint8(k)}
			n++
		}
	}
	t[255] = lengthSymbol{symbol: 285} // the longest has one of its own
	return t
}

// distances has what each symbol of a distance stands for.
var distances = makeDistances()

type distance struct {
	base  uint32 // the least one, less 1
	extra uint8  // bits behind the symbol
}

func makeDistances() (t [distSymbols]distance) {
	base := uint32(0)
	for s := range t {
		t[s] = distance{base, uint8(max(0, s/2-1))}
		base += 1 << t[s].extra
	}
	return t
}

// nearSymbols and farSymbols have the symbols of distances less 1: of those below
// 256, and of each 128 together.
var nearSymbols, farSymbols = makeDistSymbols()

func makeDistSymbols() (near, far [256]uint8) {
	for s, d := range distances {
		for k := range uint32(1) << d.extra {
			if at := d.base + k; at < 256 {
				near[at] = uint8(s)
			} else {
				far[at/128] = uint8(s)
			}
		}
	}
	return near, far
}

// distSymbol is the symbol of a distance less 1.
func distSymbol(d uint32) uint8 {
	if d < 256 {
		return nearSymbols[d]
	}
	return farSymbols[d>>7&255]
}
