package deflate

// width finds out how many bytes the elements of src have: 1, 2, 4 or 8. It is the
// distance at which clearly more bytes are equal than at any shorter one, in samples
// from all over src.
func width(src []byte) int {
	const sample, every = 256, 4096
	best, most := 1, 0
	for _, w := range []int{1, 2, 4, 8} {
		equal, all := 0, 0
		for from := 8; from < len(src); from += every {
			for i := from; i < min(from+sample, len(src)); i++ {
				if src[i] == src[i-w] {
					equal++
				}
				all++
			}
		}
		if w == 1 || equal > most+all/32 { // by chance one is a little ahead
			best, most = w, equal
		}
	}
	return best
}
