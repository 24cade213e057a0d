package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
)

// layKey is where a part of an .h5ad keeps how it is laid into the whole.
const layKey = "c2s_shard"

// lay is what c2s merge must know of a part of an .h5ad. Such a part has some cells of
// a source and what the command made of them; the whole is a copy of the source with
// what was made of all cells. Whatever the command does not make is thus carried over
// as by a run without shards, bit for bit.
type lay struct {
	Source      string           `json:"source"`
	Modality    string           `json:"modality"`
	Matrix      string           `json:"matrix"`
	Encoding    string           `json:"encoding"`
	Compression h5ad.Compression `json:"compression"`
	Cells       bool             `json:"cells"`  // cells were chosen, be it all
	Genes       bool             `json:"genes"`  // genes were
	Values      bool             `json:"values"` // X has other values than the source's
	// Set and Deleted are the keys that the command writes and leaves out, in its order;
	// Later those that it writes behind the copy.
	Set     []string `json:"set"`
	Deleted []string `json:"deleted"`
	Later   []string `json:"later"`
}

// cut narrows what is copied of a source of n cells to the part, and leaves in it what
// merge needs; for the whole it does nothing. The caller has set what opts do not tell
// of l.
func (p *partFlags) cut(n int, l lay, opts *h5ad.CopyOptions) error {
	if p.Whole() {
		return nil
	}
	l.Matrix, l.Encoding = opts.Matrix, opts.Encoding
	l.Genes, l.Values = opts.Genes != nil, opts.Transform != nil
	for _, c := range opts.Changes {
		switch c.Element.(type) {
		case nil:
			l.Deleted = append(l.Deleted, c.Key)
		case h5ad.Later:
			l.Later = append(l.Later, c.Key)
		default:
			l.Set = append(l.Set, c.Key)
		}
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	opts.Cells = p.cells(n, opts.Cells)
	rows := make([]int64, len(opts.Cells))
	for i, r := range opts.Cells {
		rows[i] = int64(r)
	}
	about := h5ad.Dict{"lay": textOf(string(text)), "rows": &h5ad.Array{Dims: []int{len(rows)}, Values: rows}}
	if l.Genes {
		genes := make([]int64, len(opts.Genes))
		for i, g := range opts.Genes {
			genes[i] = int64(g)
		}
		about["genes"] = &h5ad.Array{Dims: []int{len(genes)}, Values: genes}
	}
	opts.Changes = append(slices.Clone(opts.Changes), h5ad.Change{Key: "uns/" + layKey, Element: about})
	return nil
}

// cells is those of the part among the chosen ones, nil standing for all of n.
func (p *partFlags) cells(n int, chosen []int) []int {
	if p.Whole() {
		return chosen
	}
	r := p.rows(n)
	if chosen != nil {
		lo, _ := slices.BinarySearch(chosen, r.From)
		hi, _ := slices.BinarySearch(chosen, r.To)
		return chosen[lo:hi:hi]
	}
	all := make([]int, 0, r.To-r.From)
	for i := r.From; i < r.To; i++ {
		all = append(all, i)
	}
	return all
}

// perCell reports whether an element has a row for each cell.
func perCell(key string) bool {
	return strings.HasPrefix(key, "obs/") || strings.HasPrefix(key, "obsm/")
}

var errNoLay = errors.New("it is no part of a sharded run: uns/" + layKey + " is missing")
