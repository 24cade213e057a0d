package pairs

import (
	"encoding/binary"
	"fmt"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// group is the cells of a group that wait for more.
type group struct {
	rows  *dataset.Batch
	bytes int64
}

// columnBytes is about what the values of a row and the column itself take besides
// text, for each column of a group.
const columnBytes = 64

// gather adds a row to its group, and makes a pair of the group when it is full.
func (b *builder) gather(rows *dataset.Batch, i int, row int64) error {
	p := b.plan
	b.key = b.key[:0]
	for _, column := range p.group {
		start := len(b.key)
		b.key = rows.Columns[column].Print(b.key, i)
		b.key = binary.BigEndian.AppendUint32(b.key, uint32(len(b.key)-start)) // tells the values apart, read from behind
	}
	g := b.groups[string(b.key)]
	if g == nil {
		g = &group{rows: dataset.NewBatch(rows.Schema)}
		b.groups[string(b.key)] = g
		b.grow(g, int64(len(b.key))+columnBytes*int64(len(rows.Schema)))
	}
	size := int64(0)
	for k := range rows.Columns {
		c := &g.rows.Columns[k]
		before := len(c.Text)
		if k == p.sentence {
			c.AppendString(b.cut(b.words(rows.Columns[k].TextAt(i))))
		} else {
			c.Append(&rows.Columns[k], i)
		}
		size += columnBytes/2 + int64(len(c.Text)-before)
	}
	b.grow(g, size)
	if n := g.rows.Rows(); n == p.size {
		if err := b.pair(g.rows, 0, n, row, int(b.report.Pairs)+b.out.Rows()); err != nil {
			return err
		}
		b.pending -= g.bytes
		delete(b.groups, string(b.key))
		return nil
	}
	if b.pending > b.cfg.Budget {
		return &dataset.Error{
			File: b.file, Err: fmt.Errorf("the cells of %d groups that are not full take more than %d bytes", len(b.groups), b.cfg.Budget),
			Tip: "sort the dataset by group, make groups of fewer columns, or allow more memory",
		}
	}
	return nil
}

func (b *builder) grow(g *group, bytes int64) {
	g.bytes += bytes
	b.pending += bytes
}

// cut keeps the genes that a prompt shows; a pseudobulk is made of all.
func (b *builder) cut(sentence string) string {
	if b.plan.pool {
		return sentence
	}
	left := b.cfg.Prompt.TopK
	for i := range len(sentence) {
		if sentence[i] == ' ' {
			if left--; left == 0 {
				return sentence[:i]
			}
		}
	}
	return sentence
}
