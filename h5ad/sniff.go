package h5ad

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// foreign recognises files that are not HDF5 and says what they are and what to
// do. It gives nil for what may well be HDF5.
func foreign(path string) error {
	bad := func(what, tip string) error {
		return &Error{File: path, Err: errors.New(what), Tip: tip}
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return foreignDir(path, bad)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	has := func(s string) bool { return bytes.HasPrefix(head, []byte(s)) }
	switch {
	case n == 0:
		return bad("the file is empty", "copy or download it again")
	case has("version https://git-lfs"):
		return bad("this is a Git LFS pointer, not the data", "run `git lfs pull` in its repository")
	case has("PK\x03\x04"):
		return foreignZip(path, bad)
	case has("\x1f\x8b"), has("BZh"), has("\xfd7zXZ"), has("\x28\xb5\x2f\xfd"):
		if strings.EqualFold(filepath.Ext(path), ".rds") {
			return bad("this is an R object (.rds)", "convert it in R with zellkonverter::writeH5AD or anndataR::write_h5ad")
		}
		return bad("this is a compressed file", "decompress it first (gunzip, bunzip2, unxz or unzstd)")
	case has("X\n\x00\x00\x00"), has("RDX"), has("A\n"):
		return bad("this is an R object", "convert it in R with zellkonverter::writeH5AD or anndataR::write_h5ad")
	case has("%%MatrixMarket"):
		return bad("this is a Matrix Market file", "name the folder that holds it, with its barcodes and features")
	case has("PAR1"):
		return bad("this is a Parquet file", "an .h5ad or a 10x .h5 is expected here")
	case bytes.Contains(bytes.ToLower(head[:min(n, 512)]), []byte("<html")):
		return bad("this is a web page, perhaps an error of the server that was asked for the file", "download it again and look at the answer")
	case bytes.Contains(head, []byte("\x89HDF\r\n\x1a\n")), st.Size() > 512 && !utf8.Valid(head[:min(n, 256)]):
		return nil
	case utf8.Valid(head[:max(0, n-utf8.UTFMax)]) && !bytes.ContainsRune(head, 0):
		return bad("this is a text file", "an .h5ad or a 10x .h5 is expected here")
	}
	return nil
}

func foreignDir(path string, bad func(what, tip string) error) error {
	exists := func(names ...string) bool {
		for _, n := range names {
			if _, err := os.Stat(filepath.Join(path, n)); err == nil {
				return true
			}
		}
		return false
	}
	switch {
	case exists(".zgroup", ".zattrs", "zarr.json", ".zmetadata"):
		return bad("this is a Zarr store", "convert it in Python: anndata.read_zarr(…).write_h5ad(…)")
	}
	return bad("this is a folder without a matrix.mtx", "name an .h5ad, a 10x .h5 file or a 10x folder")
}

func foreignZip(path string, bad func(what, tip string) error) error {
	z, err := zip.OpenReader(path)
	if err == nil {
		defer z.Close()
		for _, f := range z.File {
			switch filepath.Base(f.Name) {
			case ".zgroup", ".zattrs", "zarr.json", ".zmetadata":
				return bad("this is a zipped Zarr store", "convert it in Python: anndata.read_zarr(…).write_h5ad(…)")
			}
		}
	}
	return bad("this is a zip file", "unpack it and name the .h5ad within")
}
