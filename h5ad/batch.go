package h5ad

// Number is the types that a matrix holds in memory. Each is the file's own
// dtype, except that float16 and bfloat16 widen to float32, which holds all of
// their values.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Batch is a run of consecutive cells in compressed sparse rows. The caller
// owns it: a [RowReader] fills the slices it finds, growing them where they are
// too short, so that one Batch serves a whole file.
type Batch struct {
	// Start is the row of the first cell, counted from 0 in the whole matrix.
	Start int
	// Indptr has one entry more than the batch has cells: the stored values of
	// cell i are [Indptr[i], Indptr[i+1]). Indptr[0] is 0.
	Indptr []int64
	// Indices holds the column (the position in var) of each stored value, in the
	// order of the file, which need not be sorted. A column occurs at most once
	// a cell.
	Indices []int32
	// Values holds the stored values beside Indices: a []float32, []float64,
	// []int8 … []int64 or []uint8 … []uint64. Values stored as zero are kept when
	// the file is sparse; a dense matrix gives its non-zero values (NaN included).
	Values any
}

// NObs is the number of cells in the batch.
func (b *Batch) NObs() int { return max(0, len(b.Indptr)-1) }

// narrow keeps the cells at the given places in the batch, rising, and maps the
// columns: keep[c] is the new column of c, −1 to drop it. nil keeps all. Start
// stays. buf is memory to use, returned for the next batch.
func (b *Batch) narrow(rows []int, keep []int32, buf []int32) []int32 {
	n := b.NObs()
	if rows != nil {
		n = len(rows)
	}
	at := buf[:0]      // positions of the values that stay
	old := b.Indptr[0] // what Indptr[i] was
	for i := range n {
		row := i
		if rows != nil {
			row = rows[i]
		}
		from, to := b.Indptr[row], b.Indptr[row+1]
		if row == i {
			from = old
		}
		for j := from; j < to; j++ {
			c := b.Indices[j]
			if keep != nil {
				if c = keep[c]; c < 0 {
					continue
				}
			}
			b.Indices[len(at)] = c
			at = append(at, int32(j))
		}
		old = b.Indptr[i+1]
		b.Indptr[i+1] = int64(len(at))
	}
	b.Indptr = b.Indptr[:n+1]
	b.Indices = b.Indices[:len(at)]
	b.Values = gather(b.Values, at)
	return at
}
