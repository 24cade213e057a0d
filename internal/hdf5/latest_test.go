package hdf5_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// latest is what testdata/latest.py says: digests of the names in each group,
// of the values of attributes and of the bytes of datasets, as h5py reads them.
type latest struct {
	Groups map[string]string
	Attrs  map[string]map[string]string
	Data   map[string]string
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// makeLatest writes a file of the newer format with h5py.
func makeLatest(t testing.TB, python, bound string, userBlock int, size string) (string, latest) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latest.h5")
	cmd := exec.Command(python, filepath.Join("testdata", "latest.py"), path, bound, fmt.Sprint(userBlock), size)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("latest.py: %v\n%s", err, stderr.Bytes())
	}
	var want latest
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	return path, want
}

// TestLatestFormat compares fractal heaps and all chunk indexes with h5py:
// groups and attributes in dense storage, and the five indexes in up to three
// dimensions, plain and compressed, resized, sparse and with pages.
func TestLatestFormat(t *testing.T) {
	for _, python := range pythons(t) {
		for _, v := range []struct {
			bound     string
			userBlock int
		}{{"v110", 0}, {"latest", 1024}} {
			t.Run(v.bound, func(t *testing.T) {
				path, want := makeLatest(t, python, v.bound, v.userBlock, "whole")
				f, err := hdf5.Open(path, hdf5.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if len(want.Groups) < 20 || len(want.Attrs) != 2 || len(want.Data) < 58 {
					t.Fatalf("latest.py made %d groups, %d with attributes, %d datasets", len(want.Groups), len(want.Attrs), len(want.Data))
				}
				compareLatest(t, f, want)
			})
		}
	}
}

func compareLatest(t *testing.T, f *hdf5.File, want latest) {
	t.Helper()
	for path, sum := range want.Groups {
		o, err := f.Lookup(path)
		if err != nil {
			t.Error(err)
			continue
		}
		names, err := o.(*hdf5.Group).Names()
		if err != nil {
			t.Error(err)
		} else if digest([]byte(strings.Join(names, "\n"))) != sum {
			t.Errorf("%s: %d names differ from those h5py lists", path, len(names))
		}
	}
	for path, attrs := range want.Attrs {
		o, err := f.Lookup(path)
		if err != nil {
			t.Error(err)
			continue
		}
		all, err := o.Attrs()
		if err != nil || len(all) != len(attrs) {
			t.Errorf("%s: %d attributes, h5py lists %d: %v", path, len(all), len(attrs), err)
			continue
		}
		for _, a := range all {
			text, err := attrText(a)
			if err != nil || digest([]byte(text)) != attrs[a.Name] {
				t.Errorf("%s: attribute %q differs: %.60q, %v", path, a.Name, text, err)
			}
		}
	}
	var paths []string
	for path := range want.Data {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		o, err := f.Lookup(path)
		if err != nil {
			t.Error(err)
			continue
		}
		v, err := o.(*hdf5.Dataset).Read(context.Background())
		if err != nil {
			t.Error(err)
		} else if digest(v.Raw()) != want.Data[path] {
			t.Errorf("%s: values of shape %v differ from those h5py reads", path, v.Space.Dims)
		}
	}
}

func attrText(a *hdf5.Attr) (string, error) {
	if a.Err == nil && (a.Type.IsString || a.Type.Class == hdf5.ClassString) {
		s, err := a.Strings()
		return strings.Join(s, "\n"), err
	}
	n, err := a.Ints()
	var s []string
	for _, x := range n {
		s = append(s, fmt.Sprint(x))
	}
	return strings.Join(s, "\n"), err
}

// TestLatestFormatDamaged damages the blocks of heaps and indexes and makes
// their checksums right again: errors or values, no panics and no endless walks.
func TestLatestFormatDamaged(t *testing.T) {
	path, _ := makeLatest(t, pythons(t)[0], "v110", 0, "small")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	magics := []string{"FRHP", "FHIB", "FHDB", "FAHD", "FADB", "EAHD", "EAIB", "EASB", "EADB", "BTHD", "BTIN", "BTLF"}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, magic := range magics {
		blocks := checkedBlocks(whole, magic)
		if len(blocks) == 0 {
			t.Errorf("the file has no %s block", magic)
			continue
		}
		rounds := 12
		if testing.Short() {
			rounds = 3
		}
		for range rounds {
			at := blocks[rng.IntN(len(blocks))]
			b := bytes.Clone(whole)
			block := b[at[0]:at[1]]
			for range 1 + rng.IntN(3) {
				i := 5 + rng.IntN(min(len(block), 200)-5)
				switch rng.IntN(4) {
				case 0:
					block[i] ^= 1 << rng.IntN(8)
				case 1:
					block[i] = 0xff
				case 2:
					copy(block[i:], "\xff\xff\xff\xff\xff\xff\xff\x7f")
				case 3: // an address of something else
					copy(block[i:min(i+8, len(block))], block[6+rng.IntN(min(len(block), 60)-6):])
				}
			}
			if magic != "FHDB" {
				binary.LittleEndian.PutUint32(b[at[1]:], hdf5.Lookup3(block))
			}
			readAll(b, nil)
		}
	}
}

// checkedBlocks finds where blocks begin and where their checksums are; a
// direct block of a heap, which has none, is taken for 512 bytes.
func checkedBlocks(b []byte, magic string) (found [][2]int) {
	for at := 0; len(found) < 6; at++ {
		i := bytes.Index(b[at:], []byte(magic))
		if i < 0 {
			break
		}
		at += i
		if magic == "FHDB" {
			found = append(found, [2]int{at, min(at+512, len(b))})
			continue
		}
		for n := 10; n <= 4096 && at+n+4 <= len(b); n++ {
			if binary.LittleEndian.Uint32(b[at+n:]) == hdf5.Lookup3(b[at:at+n]) {
				found = append(found, [2]int{at, at + n})
				break
			}
		}
	}
	return found
}
