package h5ad

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// WriteMTX writes a part of a matrix into an existing folder as 10x Genomics does:
// matrix.mtx.gz (features × barcodes), barcodes.tsv.gz and features.tsv.gz. Zeros
// that are stored are left out. transform may change the values, as in
// [CopyOptions]. It returns the numbers of cells, genes and entries.
func WriteMTX(ctx context.Context, dir string, m *Matrix, obs, vr *DataFrame, sel Selection, transform func(*Batch) error) (nObs, nVars int, entries int64, err error) {
	fail := func(err error) (int, int, int64, error) { return 0, 0, 0, err }
	barcodes, err := obs.Index(ctx)
	if err != nil {
		return fail(err)
	}
	features, err := features(ctx, vr)
	if err != nil {
		return fail(err)
	}
	barcodes, features = picked(barcodes, sel.Cells), picked(features, sel.Genes)
	for name, list := range map[string][]string{"barcodes.tsv.gz": barcodes, "features.tsv.gz": features} {
		if err := writeLines(filepath.Join(dir, name), list); err != nil {
			return fail(err)
		}
	}
	// The head of the file tells what is only known at the end.
	whole := true
	each := func(fn func(b *Batch, values []float64) error) error {
		var values []float64
		return m.Each(ctx, sel, func(b *Batch) error {
			if transform != nil {
				if err := transform(b); err != nil {
					return err
				}
			}
			values = Floats(values[:0], b.Values)
			return fn(b, values)
		})
	}
	err = each(func(_ *Batch, values []float64) error {
		for _, v := range values {
			if v != 0 {
				entries++
			}
			whole = whole && v == float64(int64(v))
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	err = writeGzip(filepath.Join(dir, "matrix.mtx.gz"), func(w *bufio.Writer) error {
		kind, bits := "integer", 64
		if !whole {
			kind = "real"
		}
		if m.DType == "float32" || transform != nil {
			bits = 32
		}
		fmt.Fprintf(w, "%%%%MatrixMarket matrix coordinate %s general\n%%\n%d %d %d\n", kind, len(features), len(barcodes), entries)
		var line []byte
		return each(func(b *Batch, values []float64) error {
			for i := range b.NObs() {
				for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
					v := values[k]
					if v == 0 {
						continue
					}
					line = strconv.AppendInt(line[:0], int64(b.Indices[k])+1, 10)
					line = append(line, ' ')
					line = strconv.AppendInt(line, int64(b.Start+i)+1, 10)
					line = append(line, ' ')
					if whole {
						line = strconv.AppendInt(line, int64(v), 10)
					} else {
						line = strconv.AppendFloat(line, v, 'g', -1, bits)
					}
					if _, err := w.Write(append(line, '\n')); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	return len(barcodes), len(features), entries, err
}

// picked is the lines at the given positions, all when there are none.
func picked(list []string, at []int) []string {
	if at == nil {
		return list
	}
	return takeRows(list, at, 1)
}

// features is the lines of features.tsv: id, name, type. 10x files keep ids in
// the column gene_ids; files whose index is Ensembl ids keep names in a column.
func features(ctx context.Context, vr *DataFrame) ([]string, error) {
	index, err := vr.Index(ctx)
	if err != nil {
		return nil, err
	}
	texts := func(names ...string) (func(i int) string, error) {
		for _, n := range names {
			if !vr.Has(n) {
				continue
			}
			c, err := vr.Column(ctx, n)
			if err != nil {
				return nil, err
			}
			return func(i int) string {
				s, ok := c.Text(i)
				if !ok {
					return index[i]
				}
				return s
			}, nil
		}
		return nil, nil
	}
	same := func(i int) string { return index[i] }
	id, err := texts("gene_ids", "gene_id", "ensembl_id", "ENSEMBL", "Ensembl")
	if err != nil {
		return nil, err
	}
	name := same
	if id == nil {
		id = same
		if n, err := texts("feature_name", "gene_name", "gene_names", "gene_symbol", "gene_symbols", "symbol", "SYMBOL"); err != nil {
			return nil, err
		} else if n != nil {
			name = n
		}
	}
	kind, err := texts("feature_types", "feature_type")
	if err != nil {
		return nil, err
	}
	if kind == nil {
		kind = func(int) string { return geneExpression }
	}
	lines := make([]string, len(index))
	for i := range lines {
		fields := []string{id(i), name(i), kind(i)}
		for _, f := range fields {
			if strings.ContainsAny(f, "\t\r\n") || f == "" {
				return nil, vr.file.fail(vr.key, fmt.Errorf("%q, of row %d, cannot be a field of features.tsv", f, i))
			}
		}
		lines[i] = strings.Join(fields, "\t")
	}
	return lines, nil
}

func writeLines(path string, lines []string) error {
	return writeGzip(path, func(w *bufio.Writer) error {
		for _, l := range lines {
			if strings.ContainsAny(l, "\r\n") {
				return fmt.Errorf("%q cannot be a line of %s", l, filepath.Base(path))
			}
			fmt.Fprintln(w, l)
		}
		return nil
	})
}

// writeGzip writes a compressed file, without a time in it.
func writeGzip(path string, fn func(*bufio.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.DefaultCompression)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(z, 1<<20)
	if err := fn(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return z.Close()
}
