package deflate

// width finds out how many bytes the elements of src have: 1, 2, 4 or 8. It is the
// distance at which clearly more bytes are equal, in samples from all over src,
// than at any shorter one of these and at those beside it.
func width(src []byte) int {
	const sample, every, most = 256, 16384, 9
	var equal [most + 1]int // by distance
	all := 0
	for from := most; from < len(src); from += every {
		part := src[from-most : min(from+sample, len(src))]
		for i := most; i < len(part); i++ {
			c := part[i]
			for _, d := range [...]int{1, 2, 3, 4, 5, 7, 8, 9} {
				if part[i-d] == c {
					equal[d]++
				}
			}
			all++
		}
	}
	best := 1
	for _, w := range [...]int{2, 4, 8} {
		if equal[w] > all/32+max(equal[best], equal[w-1], equal[w+1]) {
			best = w
		}
	}
	return best
}
