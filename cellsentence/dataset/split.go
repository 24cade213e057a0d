package dataset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Side is a part that a dataset is split into.
type Side struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"` // of the rows, relative to the other sides
}

// SplitConfig says how a dataset is split. The zero value gives train, validation
// and test the shares 0.8, 0.1 and 0.1 of the rows, at random.
type SplitConfig struct {
	Sides []Side
	// Key are the columns that tell a row from others (nil: cell_name, or where there
	// is none the sentence or the prompt). Rows of equal key are on one side.
	Key []string
	// Group is a column whose rows of one value stay together, such as the donor, the
	// cell type or the perturbation ("": none). Rows without a value are a group.
	Group string
	// Stratify is a column in each value of which the sides get their shares ("":
	// none). It does not go with Group.
	Stratify string
	// Hold gives values of Group a side by name.
	Hold map[string]string
	// Seed picks another split.
	Seed uint64
}

// Splitter gives each row its side: a function of the seed and the row's key, or its
// group, and never of the order of the rows.
//
// Without Group and Stratify it is a function of these alone, so that a row is on
// the same side in any dataset. With Stratify a row's side depends on its hash among
// those of its stratum, with Group on the sizes of the groups.
type Splitter struct {
	cfg     SplitConfig
	columns []string // that Side needs
	bounds  []float64
	strata  map[string][]float64
	groups  map[string]int
}

func (c *SplitConfig) check() error {
	if c.Sides == nil {
		c.Sides = []Side{{"train", 0.8}, {"validation", 0.1}, {"test", 0.1}}
	}
	seen := map[string]bool{}
	total := 0.0
	for _, s := range c.Sides {
		if s.Name == "" || seen[s.Name] || !(s.Share > 0) || math.IsInf(s.Share, 0) {
			return fmt.Errorf("side %q with a share of %g: give each side a name of its own and a share above 0", s.Name, s.Share)
		}
		seen[s.Name] = true
		total += s.Share
	}
	if len(c.Sides) < 2 {
		return errors.New("a split needs two sides")
	}
	c.Sides = slices.Clone(c.Sides)
	for i := range c.Sides {
		c.Sides[i].Share /= total
	}
	if c.Group != "" && c.Stratify != "" {
		return errors.New("groups that stay together cannot be stratified: choose one of the two")
	}
	if len(c.Hold) > 0 && c.Group == "" {
		return errors.New("sides are given to values of no column: name the group")
	}
	for value, side := range c.Hold {
		if !seen[side] {
			return fmt.Errorf("%q is to be on the side %q, which there is not", value, side)
		}
	}
	return nil
}

// key chooses the columns of the row key.
func (c *SplitConfig) key(schema Schema, file string) error {
	if c.Key != nil {
		return schema.Require(file, c.Key...)
	}
	for _, name := range []string{ColumnCell, ColumnSentence, ColumnInput} {
		if schema.Index(name) >= 0 {
			c.Key = []string{name}
			return nil
		}
	}
	return inputError(file, "", "name the columns that tell rows apart", "it has none of the columns %s, %s and %s", ColumnCell, ColumnSentence, ColumnInput)
}

// NewSplitter prepares the split of the dataset at path. It reads it, but for a
// plain random split. Stratifying takes eight bytes of memory a row.
func NewSplitter(ctx context.Context, path string, cfg SplitConfig, opts ReadOptions) (*Splitter, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r, err := Open(ctx, path, ReadOptions{Stdin: opts.Stdin, Budget: opts.Budget})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it is only read
	if err := cfg.key(r.Schema(), path); err != nil {
		return nil, err
	}
	s := &Splitter{cfg: cfg, columns: cfg.Key}
	sum := 0.0
	for _, side := range cfg.Sides {
		sum += side.Share
		s.bounds = append(s.bounds, sum)
	}
	s.bounds[len(s.bounds)-1] = 1
	by := cfg.Group + cfg.Stratify
	if by == "" {
		return s, nil
	}
	if err := r.Schema().Require(path, by); err != nil {
		return nil, err
	}
	s.columns = append(slices.Clone(cfg.Key), by)
	opts.Columns = uniqueNames(s.columns)
	return s, at(path, "", s.learn(ctx, path, opts, by))
}

func uniqueNames(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// learn counts the rows of each group, or finds the bounds in each stratum.
func (s *Splitter) learn(ctx context.Context, path string, opts ReadOptions, by string) error {
	sizes := map[string]int64{}
	hashes := map[string][]uint64{}
	var buf []byte
	for b, err := range Read(ctx, path, opts) {
		if err != nil {
			return err
		}
		c := b.Column(by)
		for i := range b.Rows() {
			buf = valueOf(buf[:0], c, i)
			sizes[string(buf)]++
			if s.cfg.Stratify != "" {
				hashes[string(buf)] = append(hashes[string(buf)], s.hash(b, i))
			}
		}
	}
	if s.cfg.Group != "" {
		return s.deal(sizes)
	}
	s.strata = map[string][]float64{}
	for value, list := range hashes {
		slices.Sort(list)
		// Between the last hash of a side and the first of the next; equal hashes stay
		// together.
		bounds := make([]float64, len(s.bounds))
		for k, share := range s.bounds[:len(s.bounds)-1] {
			n := int(math.Round(share * float64(len(list))))
			if n < len(list) {
				bounds[k] = unit(list[n])
			} else {
				bounds[k] = 1
			}
		}
		bounds[len(bounds)-1] = 1
		s.strata[value] = bounds
	}
	return nil
}

// missing stands for the group or stratum of rows without a value.
const missing = "\xff"

func valueOf(dst []byte, c *Column, i int) []byte {
	if c.Missing[i] {
		return append(dst, missing...)
	}
	return c.Print(dst, i)
}

// deal gives groups to sides: in an order that the seed decides, each to the side
// that lacks the greatest part of its share, but none to the largest side while
// another is empty and groups are few.
func (s *Splitter) deal(sizes map[string]int64) error {
	sides := s.cfg.Sides
	s.groups = map[string]int{}
	total, filled := 0.0, make([]float64, len(sides))
	for _, n := range sizes {
		total += float64(n)
	}
	give := func(value string, side int) {
		s.groups[value] = side
		filled[side] += float64(sizes[value])
	}
	for value, name := range s.cfg.Hold {
		if _, ok := sizes[value]; !ok {
			return inputError("", "", "", "column %q has no value %q, which is to be on the side %q", s.cfg.Group, value, name)
		}
		give(value, slices.IndexFunc(sides, func(x Side) bool { return x.Name == name }))
	}
	free := slices.DeleteFunc(slices.Sorted(maps.Keys(sizes)), func(v string) bool {
		_, held := s.groups[v]
		return held
	})
	if len(sizes) < len(sides) {
		return inputError("", "", "choose another column, or fewer sides", "column %q has %d values for %d sides", s.cfg.Group, len(sizes), len(sides))
	}
	slices.SortFunc(free, func(a, b string) int {
		if c := cmpUint(hashSeeded(s.cfg.Seed, []byte(a)), hashSeeded(s.cfg.Seed, []byte(b))); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	for _, value := range free {
		best, lack := 0, math.Inf(-1)
		for k, side := range sides {
			want := side.Share * total
			if l := (want - filled[k]) / want; l > lack || l == lack && side.Share < sides[best].Share {
				best, lack = k, l
			}
		}
		give(value, best)
	}
	return nil
}

func cmpUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// hash is that of the key of a row.
func (s *Splitter) hash(b *Batch, row int) uint64 {
	columns := make([]int, len(s.cfg.Key))
	for i, name := range s.cfg.Key {
		columns[i] = b.Schema.Index(name)
	}
	return mix(hashRow(b, columns, row) + mix(s.cfg.Seed+0x9e3779b97f4a7c15))
}

// Columns are those that Side looks at.
func (s *Splitter) Columns() []string { return uniqueNames(s.columns) }

// Side is the side of a row, by its position in the configuration. The batch must
// have the splitter's columns. A group or stratum that the splitter has not seen
// goes by the hash.
func (s *Splitter) Side(b *Batch, row int) int {
	bounds := s.bounds
	if by := s.cfg.Group + s.cfg.Stratify; by != "" {
		value := string(valueOf(nil, b.Column(by), row))
		if side, ok := s.groups[value]; ok {
			return side
		}
		if own, ok := s.strata[value]; ok {
			bounds = own
		}
		if s.cfg.Group != "" {
			u := unit(hashSeeded(s.cfg.Seed, []byte(value)))
			return slices.IndexFunc(bounds, func(x float64) bool { return u < x })
		}
	}
	u := unit(s.hash(b, row))
	return slices.IndexFunc(bounds, func(x float64) bool { return u < x })
}

// SplitReport counts what a split gave.
type SplitReport struct {
	Rows  int64        `json:"rows"`
	Sides []SideReport `json:"sides"`
}

// SideReport counts the rows of a side.
type SideReport struct {
	Side
	Path string `json:"path"`
	Rows int64  `json:"rows"`
	// Values counts the rows of each value of Group or Stratify; those without a value
	// are under "(missing)".
	Values map[string]int64 `json:"values,omitempty"`
}

// Split writes each side of the dataset at path to where out says, which must be a
// place of its own for each.
func Split(ctx context.Context, path string, out func(side string) string, cfg SplitConfig, opts Options) (report *SplitReport, err error) {
	s, err := NewSplitter(ctx, path, cfg, ReadOptions{})
	if err != nil {
		return nil, err
	}
	r, err := Open(ctx, path, ReadOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it is only read
	if len(r.skipped) > 0 {
		return nil, inputError(path, "", "", "column %q is of a kind that cannot be written", r.skipped[0])
	}
	opts.Inputs = append(slices.Clone(opts.Inputs), path)
	report = new(SplitReport)
	var writers []*Writer
	defer func() {
		for _, w := range writers {
			err = errors.Join(err, w.Abort())
		}
	}()
	for _, side := range s.cfg.Sides {
		w, err := Create(out(side.Name), r.Schema(), opts)
		if err != nil {
			return nil, err
		}
		writers = append(writers, w)
		report.Sides = append(report.Sides, SideReport{Side: side, Path: out(side.Name)})
	}
	by := s.cfg.Group + s.cfg.Stratify
	rows := make([][]int, len(writers))
	for k := range rows {
		rows[k] = []int{} // nil would stand for all rows
	}
	for b, err := range r.All(ctx) {
		if err != nil {
			return nil, err
		}
		for k := range rows {
			rows[k] = rows[k][:0]
		}
		for i := range b.Rows() {
			k := s.Side(b, i)
			rows[k] = append(rows[k], i)
			if by != "" {
				report.Sides[k].count(b.Column(by), i)
			}
		}
		for k, w := range writers {
			if err := w.Append(b, rows[k]); err != nil {
				return nil, err
			}
		}
		report.Rows += int64(b.Rows())
	}
	for k, w := range writers {
		if err := w.Commit(); err != nil {
			return nil, err
		}
		report.Sides[k].Rows = w.Rows()
	}
	return report, nil
}

func (s *SideReport) count(c *Column, i int) {
	if s.Values == nil {
		s.Values = map[string]int64{}
	}
	value := "(missing)"
	if !c.Missing[i] {
		value = string(c.Print(nil, i))
	}
	s.Values[value]++
}
