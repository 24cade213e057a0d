package deflate

// Lengths are those of the words of a prefix code.
func Lengths(lens []uint8, count []uint32, limit int) { new(tree).lengths(lens, count, limit) }

// Width is that of the elements.
func Width(src []byte) int { return width(src) }
