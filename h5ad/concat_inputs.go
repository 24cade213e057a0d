package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// mostOpen is how many files a concatenation holds open.
const mostOpen = 64

// inputs opens files when they are needed and closes those that were not used for
// the longest time, so that any number can be joined.
type inputs struct {
	paths []string
	opts  Options
	shape map[int][2]int
	open  map[int]*File
	used  []int // those that are open, the one used last at the end
}

func newInputs(paths []string, opts Options) *inputs {
	return &inputs{paths: paths, opts: opts, shape: map[int][2]int{}, open: map[int]*File{}}
}

// file is the file of that number. It stays open until mostOpen others were asked
// for.
func (in *inputs) file(ctx context.Context, i int) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if k := slices.Index(in.used, i); k >= 0 {
		in.used = append(slices.Delete(in.used, k, k+1), i)
		return in.open[i], nil
	}
	if len(in.used) >= mostOpen {
		oldest := in.used[0]
		in.used = in.used[1:]
		f := in.open[oldest]
		delete(in.open, oldest)
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	f, err := Open(ctx, in.paths[i], in.opts)
	if err != nil {
		return nil, err
	}
	in.open[i] = f
	in.used = append(in.used, i)
	now := [2]int{f.NObs(), f.NVars()}
	if before, ok := in.shape[i]; ok && before != now {
		return nil, f.fail("", fmt.Errorf("changed while it was read: %d cells × %d genes became %d × %d", before[0], before[1], now[0], now[1]))
	}
	in.shape[i] = now
	return f, nil
}

func (in *inputs) close() (err error) {
	for _, f := range in.open {
		err = errors.Join(err, f.Close())
	}
	clear(in.open)
	in.used = nil
	return err
}
