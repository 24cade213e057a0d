package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/cellsentence/c2s/internal/embedfile"
)

const (
	maxVector   = 1 << 20 // numbers of a row
	vectorBatch = 1 << 14 // numbers that are read at a time
)

// Vectors reads a column of lists of numbers of a Parquet file, such as embeddings:
// each row has a list of the same length, of float16, float32 or float64.
type Vectors struct {
	*parquetFile
	name   string
	column string
	at     int   // position of the column in the file
	most   int16 // definition level of a number that is there

	group  int // the next row group
	rows   int64
	ends   int64 // rows at the end of the row group
	chunk  file.ColumnChunkReader
	dim    int
	open   bool      // a row was begun
	done   int       // numbers of buf in complete rows
	buf    []float64 // rows, the last one begun
	levels [2][]int16
	double []float64
	single []float32
	half   []parquet.FixedLenByteArray
}

// OpenVectors opens a column of the Parquet file at path; "" is the only one of
// lists, if there is one. Of opts only the budget counts.
func OpenVectors(ctx context.Context, path, column string, opts ReadOptions) (*Vectors, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	v := &Vectors{name: path}
	if err := guard(func() error { return v.openFile(f, column, &opts) }); err != nil {
		f.Close() // the first error counts
		return nil, at(path, "", err)
	}
	return v, nil
}

func (v *Vectors) openFile(f *os.File, column string, opts *ReadOptions) (err error) {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errors.New("this is no file")
	}
	if v.parquetFile, err = newParquetFile(f, st.Size(), opts.budget()); err != nil {
		return err
	}
	var lists, others []string
	v.at = -1
	for i := range v.meta.Schema.NumColumns() {
		c := v.meta.Schema.Column(i)
		name := c.ColumnPath()[0]
		switch {
		case !isVector(c):
			others = append(others, name)
			continue
		case column == "" || column == name:
			v.at, v.column, v.most = i, name, c.MaxDefinitionLevel()
		}
		lists = append(lists, name)
	}
	tip := "columns of lists of numbers: " + strings.Join(lists, ", ")
	switch {
	case len(lists) == 0:
		return errors.New("no column holds lists of numbers (float16 to float64)")
	case column == "" && len(lists) > 1:
		return &Error{Err: fmt.Errorf("%d columns hold lists of numbers", len(lists)), Tip: tip}
	case v.at < 0 && slices.Contains(others, column):
		return &Error{Err: fmt.Errorf("column %q holds no lists of numbers (float16 to float64)", column), Tip: tip}
	case v.at < 0:
		return &Error{Err: fmt.Errorf("no column %q", column), Tip: tip}
	}
	return nil
}

// isVector reports whether a column is the numbers of lists: COLUMN.list.element,
// whatever the last two are called.
func isVector(c *schema.Column) bool {
	if c.MaxRepetitionLevel() != 1 || len(c.ColumnPath()) > 3 {
		return false
	}
	switch c.PhysicalType() {
	case parquet.Types.Float, parquet.Types.Double:
		return true
	case parquet.Types.FixedLenByteArray:
		_, ok := c.LogicalType().(schema.Float16LogicalType)
		return ok && c.TypeLength() == 2
	}
	return false
}

// Column is the name of the column.
func (v *Vectors) Column() string { return v.column }

// Dim is the length of a list, 0 before the first call of Next.
func (v *Vectors) Dim() int { return v.dim }

// Single reports whether the file holds numbers of at most 32 bits.
func (v *Vectors) Single() bool {
	return v.meta.Schema.Column(v.at).PhysicalType() != parquet.Types.Double
}

// Next reads some rows, one after another; they are valid until the next call. The
// error is io.EOF behind the last row. A row without a list, or whose list lacks a
// number or has another length than that of the first row, is an error; NaN is not.
func (v *Vectors) Next(ctx context.Context) ([]float64, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	v.buf = v.buf[:copy(v.buf, v.buf[v.done:])]
	v.done = 0
	for v.done == 0 {
		err := guard(v.read)
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, at(v.name, fmt.Sprintf("row group %d, column %s", v.group-1, v.column), err)
		}
	}
	return v.buf[:v.done], nil
}

// read reads a batch of numbers, or opens or ends a row group.
func (v *Vectors) read() error {
	if v.chunk == nil {
		if v.group == len(v.meta.RowGroups) {
			return io.EOF
		}
		group := v.meta.RowGroup(v.group)
		v.group++
		v.ends = v.rows + group.NumRows()
		var err error
		v.chunk, _, err = v.parquetFile.chunk(group, v.at)
		return err
	}
	total, n, err := v.batch()
	switch {
	case err != nil:
		return err
	case total == 0:
		if err := v.chunk.Err(); err != nil {
			return err
		}
		v.chunk = nil
		if err := v.endRow(); err != nil {
			return err
		}
		if v.rows != v.ends {
			return fmt.Errorf("it has %d rows less than the footer says", v.ends-v.rows)
		}
		return nil
	}
	return v.assemble(int(total), n)
}

// batch reads numbers and their levels.
func (v *Vectors) batch() (total int64, n int, err error) {
	for k := range v.levels {
		v.levels[k] = room(v.levels[k], vectorBatch)
	}
	v.double = room(v.double, vectorBatch)
	defs, reps := v.levels[0], v.levels[1]
	switch r := v.chunk.(type) {
	case *file.Float64ColumnChunkReader:
		return r.ReadBatch(vectorBatch, v.double, defs, reps)
	case *file.Float32ColumnChunkReader:
		v.single = room(v.single, vectorBatch)
		total, n, err = r.ReadBatch(vectorBatch, v.single, defs, reps)
		for i, x := range v.single[:n] {
			v.double[i] = float64(x)
		}
	case *file.FixedLenByteArrayColumnChunkReader:
		v.half = room(v.half, vectorBatch)
		total, n, err = r.ReadBatch(vectorBatch, v.half, defs, reps)
		for i, x := range v.half[:n] {
			v.double[i] = embedfile.Half(binary.LittleEndian.Uint16(x)) // Arrow's own loses small numbers
		}
	default:
		return 0, 0, errors.New("a column of another type than the schema says")
	}
	return total, n, err
}

// assemble adds n numbers with their levels to the rows.
func (v *Vectors) assemble(total, n int) error {
	defs, reps := v.levels[0][:total], v.levels[1][:total]
	k := 0
	for i, rep := range reps {
		if rep == 0 {
			if err := v.endRow(); err != nil {
				return err
			}
			v.open = true
		}
		switch {
		case !v.open:
			return errors.New("its first row does not begin")
		case defs[i] != v.most:
			return &Error{Err: fmt.Errorf("row %d has no list, or one that lacks a number", v.rows), Tip: "leave such rows out, or fill them with NaN"}
		case k == n:
			return errors.New("it has fewer values than its levels say")
		case len(v.buf)-v.done == maxVector:
			return fmt.Errorf("row %d has more than %d numbers", v.rows, maxVector)
		}
		v.buf = append(v.buf, v.double[k])
		k++
	}
	return nil
}

// endRow completes the row that was begun.
func (v *Vectors) endRow() error {
	if !v.open {
		return nil
	}
	n := len(v.buf) - v.done
	if v.dim == 0 {
		v.dim = n
	}
	if n != v.dim {
		return fmt.Errorf("row %d has %d numbers, the first row %d", v.rows, n, v.dim)
	}
	v.open, v.done, v.rows = false, len(v.buf), v.rows+1
	return nil
}

// Close closes the file.
func (v *Vectors) Close() error { return v.close() }
