package shard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/cellsentence/c2s/internal/manifest"
)

// Plan is how a run is spread, written down once.
type Plan struct {
	Version string `json:"c2s_version"`
	Files   []File `json:"files"`
	Parts   []Part `json:"parts"` // one a shard, in order
	// Global is what needs all cells, such as a median or a gene filter, in the form
	// of the command that made it.
	Global json.RawMessage `json:"global"`
}

// File is an input with its number of rows.
type File struct {
	manifest.Input
	Rows int `json:"rows"`
	// Modified is when the file was last written, in nanoseconds since 1970: a file of
	// the same size and time need not be hashed again.
	Modified int64 `json:"modified"`
}

// Part is what a shard reads.
type Part struct {
	Ranges []Range `json:"ranges"`
	Rows   int     `json:"rows"`
	// Bytes is its part of the files, by rows.
	Bytes int64 `json:"bytes"`
}

// Error says what is wrong with a plan or with parts that are to be joined.
type Error struct {
	File string
	Err  error
	Tip  string // what to do, "" when nothing can be said
}

// Error is "file: reason".
func (e *Error) Error() string { return e.File + ": " + e.Err.Error() }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput reports that the file is at fault.
func (e *Error) BadInput() bool { return true }

// NewPlan spreads files over n shards. global, which may be nil, must marshal.
func NewPlan(version string, files []File, n int, global any) (*Plan, error) {
	if n < 1 || n > maxShards {
		return nil, fmt.Errorf("%d shards: give 1 to %d", n, maxShards)
	}
	p := &Plan{Version: version, Files: files}
	var err error
	if p.Global, err = json.Marshal(global); err != nil {
		return nil, err
	}
	rows := p.rows()
	for i := range n {
		part := Part{Ranges: Shard{i, n}.Ranges(rows)}
		for _, r := range part.Ranges {
			f := files[r.File]
			part.Rows += r.To - r.From
			part.Bytes += int64(float64(f.Bytes) * (float64(r.To-r.From) / float64(f.Rows)))
		}
		p.Parts = append(p.Parts, part)
	}
	return p, nil
}

func (p *Plan) rows() []int {
	rows := make([]int, len(p.Files))
	for i, f := range p.Files {
		rows[i] = f.Rows
	}
	return rows
}

// Inputs is the files with their hashes.
func (p *Plan) Inputs() []manifest.Input {
	in := make([]manifest.Input, len(p.Files))
	for i, f := range p.Files {
		in[i] = f.Input
	}
	return in
}

// Encode is the JSON of the plan, with a newline at its end.
func (p *Plan) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	return append(b, '\n'), err
}

// maxPlan bounds what ReadPlan takes: 250 bytes a shard and as much a file.
const maxPlan = 512 << 20

// ReadPlan reads what Encode wrote; name is for errors, which are of the type
// [*Error]. The ranges must be those that the files and the number of shards give.
func ReadPlan(r io.Reader, name string) (*Plan, error) {
	bad := func(err error) error {
		return &Error{File: name, Err: fmt.Errorf("this is no plan: %w", err), Tip: "make it again with c2s plan"}
	}
	b, err := io.ReadAll(io.LimitReader(r, maxPlan))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := new(Plan)
	if err := d.Decode(p); err != nil {
		return nil, bad(err)
	}
	total := 0
	for _, f := range p.Files {
		if f.Rows < 0 || f.Rows > 1<<48 {
			return nil, bad(fmt.Errorf("%s has %d rows", f.Path, f.Rows))
		}
		total += f.Rows
	}
	if len(p.Parts) == 0 || len(p.Files) == 0 || total < 0 {
		return nil, bad(errors.New("it has no parts or no files"))
	}
	again, err := NewPlan(p.Version, p.Files, len(p.Parts), nil)
	if err != nil {
		return nil, bad(err)
	}
	for i := range p.Parts {
		one, err := json.Marshal(p.Parts[i].Ranges)
		if err != nil {
			return nil, err
		}
		two, err := json.Marshal(again.Parts[i].Ranges)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(one, two) {
			return nil, bad(fmt.Errorf("the ranges of part %d do not follow the block rule", i))
		}
	}
	return p, nil
}
