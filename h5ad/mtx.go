package h5ad

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// FormatMTX is a 10x Genomics folder: matrix.mtx with barcodes.tsv and
// features.tsv (or genes.tsv) beside it, each gzipped or not.
const FormatMTX Format = "mtx"

// mtxFolder is the files of such a folder.
type mtxFolder struct {
	path                       string
	matrix, barcodes, features string
}

// findMTX looks for the files of a 10x folder, whose names may have a prefix; ok
// is false when it has no matrix.
func findMTX(dir string) (m mtxFolder, ok bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return m, false, err
	}
	var names []string
	for _, e := range entries {
		if n := strings.TrimSuffix(e.Name(), ".gz"); strings.HasSuffix(n, "matrix.mtx") && !e.IsDir() {
			m.matrix = e.Name()
			names = append(names, e.Name())
		}
	}
	bad := func(what, tip string) (mtxFolder, bool, error) {
		return m, false, &Error{File: dir, Err: errors.New(what), Tip: tip}
	}
	switch len(names) {
	case 0:
		return m, false, nil
	case 1:
	default:
		return bad("the folder has several matrices: "+list(names), "put each into a folder of its own, with its barcodes and features")
	}
	prefix := strings.TrimSuffix(strings.TrimSuffix(m.matrix, ".gz"), "matrix.mtx")
	find := func(wanted ...string) string {
		for _, w := range wanted {
			for _, e := range entries {
				if strings.TrimSuffix(e.Name(), ".gz") == prefix+w {
					return e.Name()
				}
			}
		}
		return ""
	}
	m.path = dir
	m.barcodes, m.features = find("barcodes.tsv"), find("features.tsv", "genes.tsv")
	if m.barcodes == "" || m.features == "" {
		return bad(fmt.Sprintf("there is no %sbarcodes.tsv or no %sfeatures.tsv (or genes.tsv) beside %s", prefix, prefix, m.matrix), "put the three files, gzipped or not, into one folder")
	}
	return m, true, nil
}

// openMTX reads a 10x folder into a temporary file, which goes when the File is
// closed.
func openMTX(ctx context.Context, m mtxFolder, opts Options) (f *File, err error) {
	tmp, err := os.CreateTemp("", "c2s-mtx-*")
	if err != nil {
		return nil, err
	}
	// Where an open file can lose its name, nothing is left of a killed process.
	named := os.Remove(tmp.Name()) != nil
	done := func() error {
		err := tmp.Close()
		if named {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, done())
		}
	}()
	t, err := m.tables()
	if err != nil {
		return nil, err
	}
	// The rows of most folders are in order; those of the others are sorted.
	sorted := true
	err = m.spool(ctx, tmp, t, opts, false)
	if errors.Is(err, errUnsorted) {
		sorted = false
		if err = tmp.Truncate(0); err == nil {
			err = m.spool(ctx, tmp, t, opts, true)
		}
	}
	if err != nil {
		return nil, err
	}
	st, err := tmp.Stat()
	if err != nil {
		return nil, err
	}
	if f, err = NewReader(ctx, tmp, st.Size(), m.path, Options{Workers: opts.Workers}); err != nil {
		return nil, err
	}
	f.format, f.closer = FormatMTX, done
	if t.dropped > 0 {
		f.warn("%d of %d features are not genes (feature type) and were left out", t.dropped, len(t.keep))
	}
	if !sorted {
		f.warn("the entries of %s were not sorted by barcode: their order within a cell is that of the genes' rows in the file", m.matrix)
	}
	return f, nil
}

// mtxTables is the barcodes and features of a folder.
type mtxTables struct {
	barcodes                   []string
	ids, names, types          []string // of the features that are genes
	keep                       []int32  // feature → gene, −1 for none
	dropped                    int
	barcodesFrom, featuresFrom string
}

// tables reads the two lists.
func (m mtxFolder) tables() (*mtxTables, error) {
	t := &mtxTables{barcodesFrom: m.barcodes, featuresFrom: m.features}
	err := m.lines(m.barcodes, func(n int, fields []string) error {
		t.barcodes = append(t.barcodes, fields[0])
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = m.lines(m.features, func(n int, fields []string) error {
		id, name, kind := fields[0], fields[0], ""
		if len(fields) > 1 {
			name = fields[1]
		}
		if len(fields) > 2 {
			kind = fields[2]
		}
		if kind != "" && kind != geneExpression {
			t.keep = append(t.keep, -1)
			t.dropped++
			return nil
		}
		t.keep = append(t.keep, int32(len(t.ids)))
		t.ids, t.names, t.types = append(t.ids, id), append(t.names, name), append(t.types, kind)
		return nil
	})
	if err == nil && len(t.ids) == 0 {
		err = m.fail(m.features, 0, fmt.Errorf("none of the %d features is a gene (%q)", len(t.keep), geneExpression))
	}
	return t, err
}

// lines calls fn with the fields of each line of a TSV.
func (m mtxFolder) lines(name string, fn func(n int, fields []string) error) error {
	r, err := m.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	n := 0
	for s.Scan() {
		n++
		line := strings.TrimSuffix(s.Text(), "\r")
		if line == "" {
			return m.fail(name, n, errors.New("the line is empty"))
		}
		if err := fn(n, strings.Split(line, "\t")); err != nil {
			return m.fail(name, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return m.fail(name, n, err)
	}
	return nil
}

// fail is an error about a line of one of the files; 0 is the file as a whole.
func (m mtxFolder) fail(name string, line int, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) || errors.Is(err, errUnsorted) || errors.Is(err, context.Canceled) {
		return err
	}
	if line > 0 {
		err = fmt.Errorf("line %d: %w", line, err)
	}
	tip := ""
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		tip = "the file is cut off or damaged: copy or download it again"
	}
	return &Error{File: filepath.Join(m.path, name), Err: err, Tip: tip}
}

// open opens a file of the folder, decompressing what is gzip by its content.
func (m mtxFolder) open(name string) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(m.path, name))
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(f, 1<<20)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, f.Close())
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return struct {
			io.Reader
			io.Closer
		}{b, f}, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, errors.Join(m.fail(name, 0, err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}

// annotations writes obs and var.
func (t *mtxTables) annotations(ctx context.Context, w *Writer) error {
	obs, err := NewDataFrame(t.barcodes)
	if err != nil {
		return err
	}
	columns := []*Column{{Name: "gene_ids", Array: stringArray(t.ids)}}
	if slices.ContainsFunc(t.types, func(s string) bool { return s != "" }) {
		columns = append(columns, &Column{Name: "feature_types", Array: stringArray(t.types)})
	}
	vr, err := NewDataFrame(t.names, columns...)
	if err != nil {
		return err
	}
	return errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr))
}

func stringArray(s []string) *Array {
	return &Array{DType: "string", Dims: []int{len(s)}, Values: s}
}

// NewDataFrame makes a data frame in memory, to be written.
func NewDataFrame(index []string, columns ...*Column) (*DataFrame, error) {
	f := &File{path: "data frame"}
	df := &DataFrame{file: f, Length: len(index), read: map[string]func(context.Context) (*Column, error){}}
	a := stringArray(index)
	df.index = func(context.Context) (*Array, error) { return a, nil }
	for _, c := range columns {
		if c.Rows() != len(index) {
			return nil, fmt.Errorf("the column %q has %d values for %d rows", c.Name, c.Rows(), len(index))
		}
		if df.Has(c.Name) {
			return nil, fmt.Errorf("two columns are called %q", c.Name)
		}
		df.Names = append(df.Names, c.Name)
		df.read[c.Name] = func(context.Context) (*Column, error) { return c, nil }
	}
	return df, nil
}
