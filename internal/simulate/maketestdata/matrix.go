package main

// matrix is compressed sparse rows.
type matrix struct {
	rows, cols int
	indptr     []int32
	indices    []int32
	values     []float32
}

func newMatrix(cols int) *matrix { return &matrix{cols: cols, indptr: []int32{0}} }

// add appends a row.
func (m *matrix) add(indices []int32, values []float32) {
	m.rows++
	m.indices = append(m.indices, indices...)
	m.values = append(m.values, values...)
	m.indptr = append(m.indptr, int32(len(m.indices)))
}

func (m *matrix) row(i int) ([]int32, []float32) {
	lo, hi := m.indptr[i], m.indptr[i+1]
	return m.indices[lo:hi], m.values[lo:hi]
}

func (m *matrix) full() []float32 {
	out := make([]float32, m.rows*m.cols)
	for i := range m.rows {
		indices, values := m.row(i)
		for k, c := range indices {
			out[i*m.cols+int(c)] = values[k]
		}
	}
	return out
}

func (m *matrix) transpose() *matrix {
	t := newMatrix(m.rows)
	rows := make([][]int32, m.cols)
	values := make([][]float32, m.cols)
	for i := range m.rows {
		indices, v := m.row(i)
		for k, c := range indices {
			rows[c] = append(rows[c], int32(i))
			values[c] = append(values[c], v[k])
		}
	}
	for c := range m.cols {
		t.add(rows[c], values[c])
	}
	return t
}

// each is the matrix with its values changed.
func (m *matrix) each(change func(row int, v float32) float32) *matrix {
	out := newMatrix(m.cols)
	for i := range m.rows {
		indices, values := m.row(i)
		changed := make([]float32, len(values))
		for k, v := range values {
			changed[k] = change(i, v)
		}
		out.add(indices, changed)
	}
	return out
}

// totals are the sums of the rows.
func (m *matrix) totals() []float32 {
	out := make([]float32, m.rows)
	for i := range out {
		_, values := m.row(i)
		for _, v := range values {
			out[i] += v
		}
	}
	return out
}
