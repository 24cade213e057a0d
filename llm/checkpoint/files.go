package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// Bounds of files that are read as a whole. Those of real models reach about a
// tenth of them.
const (
	maxConfig    = 1 << 20
	maxIndex     = 16 << 20
	maxTokenizer = 128 << 20
)

// openRegular opens a file. Where there is none, f is nil without an error.
func openRegular(path string) (f *os.File, size int64, err error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, badf(path, "", "no regular file")
	}
	f, err = os.Open(path)
	return f, st.Size(), err
}

// slurp reads a file of limited size; nil where there is none.
func slurp(path string, most int64) ([]byte, error) {
	f, size, err := openRegular(path)
	if f == nil || err != nil {
		return nil, err
	}
	defer f.Close()
	if size > most {
		return nil, badf(path, "", "%d bytes, where %d are the most that make sense", size, most)
	}
	data := make([]byte, size)
	if err := readFull(f, data, 0, path); err != nil {
		return nil, err
	}
	if err := pointer(path, data); err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, badf(path, "", "the file is empty")
	}
	return data, nil
}

// pointer recognises what git leaves in place of a large file that was not fetched.
func pointer(path string, head []byte) error {
	if bytes.HasPrefix(head, []byte("version https://git-lfs")) {
		return badf(path, "", "a pointer of Git LFS and not the file itself").tip("fetch the large files: git lfs pull")
	}
	return nil
}

// readJSON reads a file into v; found is false where there is none.
func readJSON(path string, most int64, v any) (found bool, err error) {
	data, err := slurp(path, most)
	if data == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, badf(path, "", "no JSON of the expected form: %w", err)
	}
	return true, nil
}
