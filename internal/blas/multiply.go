package blas

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// The blocks of the loops, for a first-level cache of 32 KiB (12 × 256 numbers of
// b and 4 × 256 of a) and a second level of 512 KiB (128 × 256 of a). A block of b
// is at most 256 × 3,072, 6 MiB, of the third.
const (
	blockK    = 256
	blockRows = 128
	blockCols = 3072
	packCols  = 8 * tileCols // of b, packed at a time
)

// View is a matrix in memory: element (i, j) is Data[i*Row+j*Col]. Swapping Row
// and Col transposes it.
type View struct {
	Data     []float64
	Row, Col int
}

// Rows is a matrix stored row by row, stride numbers apart.
func Rows(data []float64, stride int) View { return View{data, stride, 1} }

// T is the transpose.
func (v View) T() View { return View{v.Data, v.Col, v.Row} }

// Part is the part of a product that is wanted.
type Part int

// The parts: all of it, or one triangle with its diagonal.
const (
	All Part = iota
	Lower
	Upper
)

// wants reports whether any of rows [i0, i1) × columns [j0, j1) is in the part.
func (p Part) wants(i0, i1, j0, j1 int) bool {
	switch p {
	case Lower:
		return j0 < i1
	case Upper:
		return i0 < j1
	}
	return true
}

// holds reports whether all of the block is in the part.
func (p Part) holds(i0, i1, j0, j1 int) bool {
	switch p {
	case Lower:
		return j1-1 <= i0
	case Upper:
		return i1-1 <= j0
	}
	return true
}

// Workers is the number of goroutines that a request for n stands for: 0 is as
// many as there are processors.
func Workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// Multiply adds alpha·a·b to the wanted part of c, where a is m × k, b is k × n and
// c is m × n, stored row by row, ldc apart. It uses up to workers goroutines, 0
// meaning as many as there are processors; their number does not change the
// result. Views that are too short for the shape panic, as slices do.
func Multiply(workers, m, n, k int, alpha float64, a, b View, c []float64, ldc int, part Part) {
	if m <= 0 || n <= 0 || k <= 0 || alpha == 0 {
		return
	}
	workers = Workers(workers)
	if m*n*k < 1<<16 { // below some 10 µs of work goroutines do not pay
		workers = 1
	}
	// Rows are shared out in blocks small enough that each worker has some.
	rows := min(blockRows, max(tileRows, roundUp((m+2*workers-1)/(2*workers), tileRows)))
	kc, nc := min(k, blockK), min(n, blockCols)
	packB := make([]float64, roundUp(nc, tileCols)*kc)
	packA := make([][]float64, workers)
	for i := range packA {
		packA[i] = make([]float64, rows*kc)
	}
	for j0 := 0; j0 < n; j0 += blockCols {
		j1 := min(n, j0+blockCols)
		for k0 := 0; k0 < k; k0 += blockK {
			depth := min(blockK, k-k0)
			Share(workers, (j1-j0+packCols-1)/packCols, func(_, g int) {
				j := j0 + g*packCols
				pack(packB[(j-j0)*depth:], b.T(), j, min(j+packCols, j1), k0, depth, tileCols, 1)
			})
			Share(workers, (m+rows-1)/rows, func(w, block int) {
				i0 := block * rows
				i1 := min(m, i0+rows)
				if !part.wants(i0, i1, j0, j1) {
					return
				}
				pack(packA[w], a, i0, i1, k0, depth, tileRows, alpha)
				inner(packA[w], packB, i0, i1, j0, j1, depth, c, ldc, part)
			})
		}
	}
}

// inner runs the kernel over the tiles of one block of c.
func inner(packA, packB []float64, i0, i1, j0, j1, depth int, c []float64, ldc int, part Part) {
	var edge [tileRows * tileCols]float64
	for j := j0; j < j1; j += tileCols {
		b := packB[(j-j0)*depth:]
		jEnd := min(j1, j+tileCols)
		for i := i0; i < i1; i += tileRows {
			a := packA[(i-i0)*depth:]
			iEnd := min(i1, i+tileRows)
			if !part.wants(i, iEnd, j, jEnd) {
				continue
			}
			if iEnd-i == tileRows && jEnd-j == tileCols && part.holds(i, iEnd, j, jEnd) {
				tile(depth, a, b, c[i*ldc+j:], ldc)
				continue
			}
			edge = [tileRows * tileCols]float64{}
			tile(depth, a, b, edge[:], tileCols)
			for r := i; r < iEnd; r++ {
				from, to := j, jEnd
				switch part {
				case Lower:
					to = min(to, r+1)
				case Upper:
					from = max(from, r)
				}
				for s := from; s < to; s++ {
					c[r*ldc+s] += edge[(r-i)*tileCols+s-j]
				}
			}
		}
	}
}

// Share runs do(worker, i) for i in [0, n) on up to workers goroutines, 0 meaning as
// many as there are processors, and returns when all is done.
func Share(workers, n int, do func(worker, i int)) {
	var next atomic.Int64
	run := func(worker int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(worker, i)
		}
	}
	var wg sync.WaitGroup
	for w := 1; w < min(Workers(workers), n); w++ {
		wg.Go(func() { run(w) })
	}
	run(0) // the caller has begun before the others wake up
	wg.Wait()
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
