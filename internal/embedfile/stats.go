package embedfile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// MaxStatsDim is the largest dimension of statistics that are read: a covariance of
// 2 GiB.
const MaxStatsDim = 16384

// maxRatio is how much smaller deflate can make data (RFC 1951: 258 bytes take two
// bits at best); a member that claims more is lying about its size.
const maxRatio = 1032

// Stats is the mean and the covariance of embeddings.
type Stats struct {
	N     int       // cells, 0 if the file does not say
	Mu    []float64 // one number a dimension
	Sigma []float64 // covariance, row by row
}

// ReadStats reads mu and sigma, and n if there is one, from the .npz file at path.
func ReadStats(ctx context.Context, path string) (*Stats, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return NewStats(ctx, f, st.Size(), path)
}

// NewStats reads the .npz file of size bytes behind r; name stands for it in errors.
func NewStats(ctx context.Context, r io.ReaderAt, size int64, name string) (*Stats, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, bad(name, "not an .npz file: %w", err)
	}
	members := map[string]*zip.File{}
	var names []string
	for _, f := range z.File {
		key := strings.TrimSuffix(f.Name, ".npy")
		members[key] = f
		names = append(names, fmt.Sprintf("%.40q", key))
	}
	if members["mu"] == nil || members["sigma"] == nil {
		return nil, &Error{
			name, fmt.Errorf("it holds %s, but no mu and sigma", strings.Join(names[:min(10, len(names))], ", ")),
			"statistics are saved with numpy.savez(file, mu=…, sigma=…)",
		}
	}
	s := &Stats{}
	var shape []int
	if shape, s.Mu, err = readMember(ctx, members["mu"], name, func(shape []int) bool { return len(shape) == 1 && shape[0] >= 1 && shape[0] <= MaxStatsDim }); err != nil {
		return nil, err
	}
	d := shape[0]
	if _, s.Sigma, err = readMember(ctx, members["sigma"], name, func(shape []int) bool { return len(shape) == 2 && shape[0] == d && shape[1] == d }); err != nil {
		return nil, err
	}
	if members["n"] != nil {
		_, n, err := readMember(ctx, members["n"], name, func(shape []int) bool { return len(shape) == 0 })
		if err != nil {
			return nil, err
		}
		if !(n[0] >= 0 && n[0] < 1<<53) {
			return nil, bad(name, "n is %g", n[0])
		}
		s.N = int(n[0])
	}
	return s, nil
}

// readMember reads an array whose shape fits.
func readMember(ctx context.Context, f *zip.File, file string, fits func(shape []int) bool) ([]int, []float64, error) {
	name := fmt.Sprintf("%s: %.40s", file, f.Name)
	r, err := f.Open()
	if err != nil {
		return nil, nil, bad(name, "%w", err)
	}
	defer r.Close()
	h, at, err := readHeader(r)
	switch {
	case err != nil:
		return nil, nil, bad(name, "%w", err)
	case !fits(h.shape):
		return nil, nil, bad(name, "its shape %s does not fit (mu: (d), sigma: (d d), n: (), d at most %d)", shapeText(h.shape), MaxStatsDim)
	case f.UncompressedSize64 < uint64(at+h.size), f.UncompressedSize64/maxRatio > f.CompressedSize64:
		return nil, nil, bad(name, "the archive has too few bytes for a shape of %s", shapeText(h.shape))
	}
	count := int(h.size) / h.dtype.size
	x := make([]float64, count)
	buf := make([]byte, min(bufferSize, int(h.size)))
	for done := 0; done < count; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		n := min(count-done, len(buf)/h.dtype.size)
		if _, err := io.ReadFull(r, buf[:n*h.dtype.size]); err != nil {
			return nil, nil, bad(name, "%w", err)
		}
		h.dtype.decode(x[done:done+n], buf)
		done += n
	}
	// The checksum is looked at when the member ends.
	if _, err := io.CopyN(io.Discard, r, 1); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, bad(name, "%w", err)
	}
	if h.fortran && len(h.shape) == 2 {
		d := h.shape[0]
		for i := range d {
			for j := range i {
				x[i*d+j], x[j*d+i] = x[j*d+i], x[i*d+j]
			}
		}
	}
	return h.shape, x, nil
}

// WriteStats writes an .npz file with mu, sigma and, if it is known, n.
func WriteStats(w io.Writer, s *Stats) error {
	if len(s.Sigma) != len(s.Mu)*len(s.Mu) {
		return fmt.Errorf("a mean of %d numbers and a covariance of %d", len(s.Mu), len(s.Sigma))
	}
	z := zip.NewWriter(w)
	if err := writeMember(z, "mu", s.Mu, len(s.Mu)); err != nil {
		return err
	}
	if err := writeMember(z, "sigma", s.Sigma, len(s.Mu), len(s.Mu)); err != nil {
		return err
	}
	if s.N > 0 {
		if err := writeMember(z, "n", []float64{float64(s.N)}); err != nil {
			return err
		}
	}
	return z.Close()
}

func writeMember(z *zip.Writer, name string, x []float64, shape ...int) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := writeHeader(&b, "<f8", shape...); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return (&Writer[float64]{w: w, left: len(x)}).Write(x)
}
