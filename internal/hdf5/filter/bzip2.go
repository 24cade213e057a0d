package filter

import (
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
)

// bunzip2 undoes bzip2 and returns how many bytes there are. It takes 4 MB for a
// while.
func bunzip2(dst, src []byte) (int, error) {
	r := bzip2.NewReader(bytes.NewReader(src))
	n := 0
	for n < len(dst) {
		k, err := r.Read(dst[n:])
		n += k
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	// The end brings the checksum.
	if k, err := r.Read(make([]byte, 1)); k > 0 {
		return n, fmt.Errorf("%w: more than %d bytes", ErrSize, n)
	} else if err != nil && err != io.EOF {
		return n, err
	}
	return n, nil
}
