package filter

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// zstandard undoes Zstandard, one frame or several, and returns how many bytes
// there are.
func (d *Decoder) zstandard(dst, src []byte) (int, error) {
	if d.zstd == nil {
		// With one of them at a time it works on the caller's goroutine.
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return 0, err
		}
		d.zstd = z
	}
	out, err := d.zstd.DecodeAll(src, dst[:0:len(dst)])
	switch {
	case err != nil:
		return 0, err
	case len(out) > len(dst):
		return 0, fmt.Errorf("%w: %d bytes for %d", ErrSize, len(out), len(dst))
	case len(out) > 0 && &out[0] != &dst[0]:
		copy(dst, out)
	}
	return len(out), nil
}
