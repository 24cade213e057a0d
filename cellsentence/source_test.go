package cellsentence

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

func TestSliceSource(t *testing.T) {
	m := dense([]int16{1, 2}, []int16{0, 3}, []int16{0, 0}, []int16{4, 0}, []int16{5, 6})
	m.Start = 100
	var b h5ad.Batch
	src := NewSliceSource(m, 2)
	type got struct {
		start int
		ptr   []int64
		cols  []int32
		vals  []int16
	}
	for i, want := range []got{
		{100, []int64{0, 2, 3}, []int32{0, 1, 1}, []int16{1, 2, 3}},
		{102, []int64{0, 0, 1}, []int32{0}, []int16{4}},
		{104, []int64{0, 2}, []int32{0, 1}, []int16{5, 6}},
	} {
		if err := src.Next(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if b.Start != want.start || !slices.Equal(b.Indptr, want.ptr) || !slices.Equal(b.Indices, want.cols) || !slices.Equal(b.Values.([]int16), want.vals) {
			t.Errorf("batch %d: %+v, want %+v", i, b, want)
		}
	}
	for range 2 {
		if err := src.Next(t.Context(), &b); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: error %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewSliceSource(m, 0).Next(ctx, &b); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	// What was filled is the batch's own.
	if m.Values.([]int16)[0] = 9; b.Values.([]int16)[0] != 5 {
		t.Error("the batch shares memory with the matrix")
	}
}
