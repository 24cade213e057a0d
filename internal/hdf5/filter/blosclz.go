package filter

// blosclzFar is the distance beyond which BloscLZ takes two more bytes.
const blosclzFar = 1 << 13

// blosclz undoes BloscLZ, Blosc's own compression, a descendant of FastLZ, and
// returns how many bytes there are; of dst, what lies behind is unspecified. A
// byte below 32 begins a run of one literal more than it says; of the first byte,
// the upper three bits mean nothing. Another begins a reference: its upper three
// bits are the length less 2 (if all are set, bytes are to be added, to the first
// that is not 255), its lower five the upper bits of the distance less 1, whose
// lower eight follow. Should all thirteen be set, two bytes, the higher one first,
// say how much more the distance is than 8192.
func blosclz(dst, src []byte) (int, error) {
	if len(src) == 0 {
		return 0, errShort
	}
	ip, op := 1, 0
	for c := int(src[0] & 31); ; {
		if c < 32 {
			n := c + 1
			switch {
			case n > len(src)-ip:
				return op, errShort
			case n > len(dst)-op:
				return op, ErrSize
			}
			op += copy(dst[op:], src[ip:ip+n])
			ip += n
		} else {
			n := c>>5 + 2
			for more := n == 9; more; ip++ {
				if ip >= len(src) {
					return op, errShort
				}
				n += int(src[ip])
				more = src[ip] == 255
			}
			if ip >= len(src) {
				return op, errShort
			}
			back := c&31<<8 + int(src[ip]) + 1
			ip++
			if back == blosclzFar {
				if len(src)-ip < 2 {
					return op, errShort
				}
				back += int(src[ip])<<8 | int(src[ip+1])
				ip += 2
			}
			switch {
			case back > op:
				return op, errBack
			case n > len(dst)-op:
				return op, ErrSize
			}
			repeat(dst, op, back, n)
			op += n
		}
		if ip >= len(src) {
			return op, nil
		}
		c = int(src[ip])
		ip++
	}
}
