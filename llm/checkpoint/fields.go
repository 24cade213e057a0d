package checkpoint

import (
	"encoding/json"
	"math"
)

// fields reads the entries of a JSON object and keeps the first error. An entry
// that is null is absent.
type fields struct {
	file  string
	where string // "" for the file's top
	raw   map[string]json.RawMessage
	err   *error
}

// readFields reads an object from a file; nil where there is none.
func readFields(path string) (*fields, error) {
	f := &fields{file: path, err: new(error)}
	found, err := readJSON(path, maxConfig, &f.raw)
	if !found || err != nil {
		return nil, err
	}
	return f, nil
}

// failed is the first error.
func (f *fields) failed() error { return *f.err }

func (f *fields) fail(key, format string, args ...any) {
	if *f.err == nil {
		*f.err = badf(f.file, f.where+key, format, args...)
	}
}

// read reports whether the entry is there, in v's form.
func (f *fields) read(key string, v any) bool {
	raw := f.raw[key]
	if raw == nil || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		f.fail(key, "%w", err)
		return false
	}
	return true
}

// null says that the entry is there and null.
func (f *fields) null(key string) bool { return string(f.raw[key]) == "null" }

// size is a count from 1 to most that must be there.
func (f *fields) size(key string, most int64) int64 {
	v := int64(0)
	if !f.read(key, &v) {
		f.fail(key, "missing")
	}
	return f.within(key, v, most)
}

// sizeOr is a count from 1 to most.
func (f *fields) sizeOr(key string, most, instead int64) int64 {
	if v := int64(0); f.read(key, &v) {
		return f.within(key, v, most)
	}
	return instead
}

func (f *fields) within(key string, v, most int64) int64 {
	if v < 1 || v > most {
		f.fail(key, "%d, not between 1 and %d", v, most)
		return 1 // what is computed from it before the error is looked at is harmless
	}
	return v
}

// number is a positive number.
func (f *fields) number(key string, instead float64) float64 {
	v := 0.0
	if !f.read(key, &v) {
		return instead
	}
	if !(v > 0 && v <= math.MaxFloat32) {
		f.fail(key, "%g, not a positive number", v)
		return instead
	}
	return v
}

func (f *fields) flag(key string, instead bool) bool {
	if v := false; f.read(key, &v) {
		return v
	}
	return instead
}

func (f *fields) text(key string) string {
	v := ""
	f.read(key, &v)
	return v
}

// object is an entry that is an object itself, empty where it is absent.
func (f *fields) object(key string) *fields {
	o := &fields{file: f.file, where: f.where + key + ".", err: f.err}
	f.read(key, &o.raw)
	return o
}

// ids reads one id or a list of them.
func (f *fields) ids(key string) []int64 {
	raw := f.raw[key]
	if len(raw) > 0 && raw[0] == '[' {
		var list []int64
		f.read(key, &list)
		return list
	}
	if id := int64(0); f.read(key, &id) {
		return []int64{id}
	}
	return nil
}
