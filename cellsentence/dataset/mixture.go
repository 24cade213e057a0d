package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// ColumnJunk tells, in a mixture, which rows are junk.
const ColumnJunk = "c2s_junk"

// MixConfig says how mixtures of good and junk rows are made. The zero value makes
// the doses of Xing et al. ("LLMs Can Get Brain Rot", arXiv 2510.13928): 0, 20, 50,
// 80 and 100 percent of the tokens, and as many tokens as the rows allow.
type MixConfig struct {
	// Doses are the shares of junk, in percent of the tokens.
	Doses []int
	// Text is the columns whose tokens count, by [EstimateTokens] (nil: cell_sentence,
	// or model_input and response).
	Text []string
	// Tokens is how many a mixture has (0: as many as all doses can have). It may have
	// fewer by less than two rows.
	Tokens int64
	// Seed picks other rows.
	Seed uint64
}

// MixReport tells what the mixtures hold.
type MixReport struct {
	Tokens   int64     `json:"tokens"` // that each mixture was to have
	Good     MixSource `json:"good"`
	Junk     MixSource `json:"junk"`
	LeftOut  int64     `json:"left_out"` // rows that are neither: duplicates, leaks and conflicts
	Mixtures []Mixture `json:"mixtures"`
}

// MixSource is the rows that mixtures are made of.
type MixSource struct {
	Path   string `json:"path"`
	Rows   int64  `json:"rows"`
	Tokens int64  `json:"tokens"`
}

// Mixture is one dose.
type Mixture struct {
	Dose       int    `json:"dose"` // percent
	Path       string `json:"path"`
	Rows       int64  `json:"rows"`
	JunkRows   int64  `json:"junk_rows"`
	Tokens     int64  `json:"tokens"`
	JunkTokens int64  `json:"junk_tokens"`
}

func (c *MixConfig) check() error {
	if c.Doses == nil {
		c.Doses = []int{0, 20, 50, 80, 100}
	}
	seen := map[int]bool{}
	for _, d := range c.Doses {
		if d < 0 || d > 100 || seen[d] {
			return fmt.Errorf("a dose of %d %%: give each once, from 0 to 100", d)
		}
		seen[d] = true
	}
	if len(c.Doses) == 0 || c.Tokens < 0 {
		return errors.New("a mixture needs a dose and a number of tokens that is not negative")
	}
	return nil
}

// mixRow is what is kept of a row: 16 bytes.
type mixRow struct {
	hash   uint64
	tokens int32
	side   int8 // 0 good, 1 junk, −1 neither
}

// mixer makes mixtures.
type mixer struct {
	cfg     MixConfig
	paths   []string // one, or the good and the junk
	columns Schema
	rows    [][]mixRow // of each path
	bounds  [][2]uint64
	report  MixReport
}

// Mix writes, for each dose, a dataset of the same number of tokens of which that
// share is junk, to where out says. The column [ColumnJunk] behind the others tells
// which rows are. Rows are drawn by the seed and their number alone, so that a
// higher dose has all junk of a lower one; they keep their order, and good and junk
// take turns.
//
// With junk "", the dataset at good must be an audited one ([AuditResult.Write]): its
// rows without flags are good, those with a flag of [FlagsJunk] are junk. Otherwise
// both datasets must have the same columns.
func Mix(ctx context.Context, good, junk string, out func(dose int) string, cfg MixConfig, opts Options) (report *MixReport, err error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &mixer{cfg: cfg, paths: []string{good}}
	m.report.Good.Path, m.report.Junk.Path = good, good
	if junk != "" {
		m.paths = append(m.paths, junk)
		m.report.Junk.Path = junk
	}
	if err := m.open(ctx); err != nil {
		return nil, err
	}
	for i := range m.paths {
		if err := m.weigh(ctx, i); err != nil {
			return nil, err
		}
	}
	if err := m.choose(); err != nil {
		return nil, err
	}
	opts.Inputs = append(slices.Clone(opts.Inputs), m.paths...)
	schema := append(slices.Clone(m.columns), Field{ColumnJunk, Bool})
	var writers []*Writer
	defer func() {
		for _, w := range writers {
			err = errors.Join(err, w.Abort())
		}
	}()
	for _, dose := range cfg.Doses {
		w, err := Create(out(dose), schema, opts)
		if err != nil {
			return nil, err
		}
		writers = append(writers, w)
		m.report.Mixtures = append(m.report.Mixtures, Mixture{Dose: dose, Path: out(dose)})
	}
	if err := m.pour(ctx, writers, schema); err != nil {
		return nil, err
	}
	for _, w := range writers {
		if err := w.Commit(); err != nil {
			return nil, err
		}
	}
	return &m.report, nil
}

// open checks the columns.
func (m *mixer) open(ctx context.Context) error {
	for i, path := range m.paths {
		r, err := Open(ctx, path, ReadOptions{})
		if err != nil {
			return err
		}
		schema := r.Schema()
		if err := r.Close(); err != nil {
			return err
		}
		switch {
		case len(r.skipped) > 0:
			return inputError(path, "", "", "column %q is of a kind that cannot be written", r.skipped[0])
		case schema.Index(ColumnJunk) >= 0:
			return inputError(path, "", "remove it", "there is a column %q already", ColumnJunk)
		case i == 1 && !slices.Equal(schema.Names(), m.columns.Names()):
			return inputError(path, "", "", "its columns (%s) differ from those of %s (%s)", strings.Join(schema.Names(), ", "), m.paths[0], strings.Join(m.columns.Names(), ", "))
		case len(m.paths) == 1:
			if err := schema.Require(path, ColumnFlags); err != nil {
				return err
			}
		}
		if i == 0 {
			m.columns = schema
		}
	}
	if m.cfg.Text == nil {
		m.cfg.Text = []string{ColumnSentence}
		if m.columns.Index(ColumnSentence) < 0 {
			m.cfg.Text = []string{ColumnInput, ColumnResponse}
		}
	}
	return m.columns.Require(m.paths[0], m.cfg.Text...)
}

// weigh counts the tokens of each row of a source.
func (m *mixer) weigh(ctx context.Context, source int) error {
	columns := m.cfg.Text
	if len(m.paths) == 1 {
		columns = append(slices.Clone(columns), ColumnFlags)
	}
	var rows []mixRow
	for b, err := range Read(ctx, m.paths[source], ReadOptions{Columns: uniqueNames(columns)}) {
		if err != nil {
			return err
		}
		flags := b.Column(ColumnFlags)
		for i := range b.Rows() {
			r := mixRow{side: int8(source)}
			if len(m.paths) == 1 {
				r.side = sideOf(flags, i)
			}
			tokens := 0
			for _, name := range m.cfg.Text {
				if c := b.Column(name); !c.Missing[i] && c.Kind.IsText() {
					tokens += EstimateTokens(c.TextAt(i))
				}
			}
			r.tokens = int32(min(tokens, math.MaxInt32))
			// Different for each row of a source: mix is one to one.
			r.hash = mix(mix(m.cfg.Seed+uint64(source)<<32+0x9e3779b97f4a7c15) + uint64(len(rows)))
			side := &m.report.Good
			switch r.side {
			case 1:
				side = &m.report.Junk
			case -1:
				side = new(MixSource)
				m.report.LeftOut++
			}
			side.Rows++
			side.Tokens += int64(r.tokens)
			rows = append(rows, r)
		}
	}
	m.rows = append(m.rows, rows)
	return nil
}

// sideOf reads the flags of a row.
func sideOf(flags *Column, row int) int8 {
	if flags.Missing[row] {
		return 0
	}
	side := int8(-1)
	for name := range strings.SplitSeq(string(flags.TextAt(row)), ",") {
		if k := slices.Index(flagNames[:], name); k >= 0 && FlagsJunk>>k&1 != 0 {
			side = 1
		}
	}
	return side
}

// choose finds, for each dose, the hashes below which rows are taken.
func (m *mixer) choose() error {
	most := int64(math.MaxInt64)
	for _, d := range m.cfg.Doses {
		if d > 0 {
			most = min(most, m.report.Junk.Tokens*100/int64(d))
		}
		if d < 100 {
			most = min(most, m.report.Good.Tokens*100/int64(100-d))
		}
	}
	tokens := m.cfg.Tokens
	if tokens == 0 {
		tokens = most
	}
	if tokens > most || most == 0 {
		return inputError(m.paths[len(m.paths)-1], "", "ask for fewer tokens, or other doses",
			"mixtures of %d tokens cannot be made of %d good and %d junk tokens; the most is %d",
			tokens, m.report.Good.Tokens, m.report.Junk.Tokens, most)
	}
	m.report.Tokens = tokens
	var sorted [2][]mixRow
	for _, rows := range m.rows {
		for _, r := range rows {
			if r.side >= 0 {
				sorted[r.side] = append(sorted[r.side], r)
			}
		}
	}
	for side := range sorted {
		slices.SortFunc(sorted[side], func(a, b mixRow) int { return cmpUint(a.hash, b.hash) })
	}
	for _, d := range m.cfg.Doses {
		var bound [2]uint64
		for side, share := range []int{100 - d, d} {
			left := tokens * int64(share) / 100
			bound[side] = math.MaxUint64
			for _, r := range sorted[side] {
				if left -= int64(r.tokens); left < 0 {
					bound[side] = r.hash
					break
				}
			}
			if share == 0 {
				bound[side] = 0
			}
		}
		m.bounds = append(m.bounds, bound)
	}
	return nil
}

// turn is how many rows of a source go before the other has its turn.
const turn = 64

// pour reads the sources again and deals their rows out.
func (m *mixer) pour(ctx context.Context, writers []*Writer, schema Schema) (err error) {
	readers := make([]*Reader, len(m.paths))
	defer func() {
		for _, r := range readers {
			if r != nil {
				err = errors.Join(err, r.Close())
			}
		}
	}()
	batches := make([]*Batch, len(m.paths))
	for i, path := range m.paths {
		if readers[i], err = Open(ctx, path, ReadOptions{Columns: m.columns.Names(), Rows: turn}); err != nil {
			return err
		}
		batches[i] = NewBatch(readers[i].Schema())
	}
	at := make([]int, len(m.paths))
	for {
		// The source of which the smaller part was read.
		next, part := -1, 1.0
		for i := range m.paths {
			if p := float64(at[i]) / float64(max(len(m.rows[i]), 1)); at[i] < len(m.rows[i]) && p < part {
				next, part = i, p
			}
		}
		if next < 0 {
			return nil
		}
		b := batches[next]
		err := readers[next].Next(ctx, b)
		if errors.Is(err, io.EOF) || err == nil && at[next]+b.Rows() > len(m.rows[next]) {
			return inputError(m.paths[next], "", "mix it when nothing writes to it", "it changed while it was read")
		}
		if err != nil {
			return err
		}
		if err := m.deal(b, m.rows[next][at[next]:at[next]+b.Rows()], writers, schema); err != nil {
			return err
		}
		at[next] += b.Rows()
	}
}

// deal adds the rows of a batch to the mixtures that take them.
func (m *mixer) deal(b *Batch, rows []mixRow, writers []*Writer, schema Schema) error {
	wide := &Batch{Schema: schema, Columns: append(slices.Clone(b.Columns), Column{Kind: Bool})}
	for _, r := range rows {
		wide.Columns[len(b.Columns)].AppendBool(r.side == 1)
	}
	taken := make([]int, 0, len(rows))
	for k, w := range writers {
		taken = taken[:0]
		mixture := &m.report.Mixtures[k]
		for i, r := range rows {
			if r.side < 0 || r.hash >= m.bounds[k][r.side] {
				continue
			}
			taken = append(taken, i)
			mixture.Rows++
			mixture.Tokens += int64(r.tokens)
			if r.side == 1 {
				mixture.JunkRows++
				mixture.JunkTokens += int64(r.tokens)
			}
		}
		if err := w.Append(wide, taken); err != nil {
			return err
		}
	}
	return nil
}
