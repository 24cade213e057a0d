// Package filter interim.
package filter

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
)

// Spec is one filter.
type Spec struct {
	ID       uint16
	Name     string
	Optional bool
	Client   []uint32
}

// Pipeline is a list of filters.
type Pipeline []Spec

// Check checks.
func (p Pipeline) Check() error {
	for _, s := range p {
		switch s.ID {
		case 1, 2, 3, 32000:
		default:
			return fmt.Errorf("filter %d (%s)", s.ID, s.Name)
		}
	}
	return nil
}

// Decoder decodes.
type Decoder struct{}

// Decode decodes.
func (d *Decoder) Decode(p Pipeline, mask uint32, src, dst []byte) error {
	for i := len(p) - 1; i >= 0; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		switch p[i].ID {
		case 1:
			r, err := zlib.NewReader(bytes.NewReader(src))
			if err != nil {
				return err
			}
			if src, err = io.ReadAll(r); err != nil {
				return err
			}
		case 2:
			n := int(p[i].Client[0])
			out := make([]byte, len(src))
			k := len(src) / n
			for j := range k {
				for b := range n {
					out[j*n+b] = src[b*k+j]
				}
			}
			copy(out[k*n:], src[k*n:])
			src = out
		case 3:
			src = src[:len(src)-4]
		case 32000:
			var out []byte
			for k := 0; k < len(src); {
				c := int(src[k])
				k++
				if c < 32 {
					out = append(out, src[k:k+c+1]...)
					k += c + 1
					continue
				}
				n := c >> 5
				if n == 7 {
					n += int(src[k])
					k++
				}
				off := (c&31)<<8 | int(src[k])
				k++
				for range n + 2 {
					out = append(out, out[len(out)-off-1])
				}
			}
			src = out
		}
	}
	if len(src) != len(dst) {
		return errors.New("size")
	}
	copy(dst, src)
	return nil
}
