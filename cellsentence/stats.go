package cellsentence

import "fmt"

// Stats counts what an [Encoder] has yielded so far, over all its calls of
// Encode.
type Stats struct {
	Cells      int64 `json:"cells"`
	EmptyCells int64 `json:"empty_cells"` // cells without an expressed gene; their sentences are empty
	CutCells   int64 `json:"cut_cells"`   // cells with more expressed genes than TopK
	Values     int64 `json:"values"`      // stored values read
	Zeros      int64 `json:"zeros"`       // of them, stored as zero and skipped
	Dropped    int64 `json:"dropped"`     // of them, without a word under CollisionsFirst
	Words      int64 `json:"words"`       // words written
	Bytes      int64 `json:"bytes"`       // bytes of all sentences
}

// Add adds the counts of another encoder.
func (s *Stats) Add(o Stats) {
	s.Cells += o.Cells
	s.EmptyCells += o.EmptyCells
	s.CutCells += o.CutCells
	s.Values += o.Values
	s.Zeros += o.Zeros
	s.Dropped += o.Dropped
	s.Words += o.Words
	s.Bytes += o.Bytes
}

// tally counts the cell that r holds.
func (j *job) tally(w *words, r *ranker, stored, topK int) {
	s := &j.stats
	s.Cells++
	if r.n == 0 {
		s.EmptyCells++
	}
	if r.n > topK {
		s.CutCells++
	}
	s.Values += int64(stored)
	s.Zeros += int64(r.zeros)
	s.Words += int64(min(r.n, topK))
	s.Dropped += int64(len(r.dropped))
	for _, col := range r.dropped {
		j.lost[w.group[col]]++
	}
}

// count adds up a job that is about to be yielded.
func (e *Encoder) count(j *job) {
	j.stats.Bytes = int64(len(j.out.Text))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats.Add(j.stats)
	for i, n := range j.lost {
		e.dropped[i] += n
	}
}

// Stats returns the counts of all batches yielded so far.
func (e *Encoder) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// Collisions returns the groups of genes whose names are the same word, in the
// order of their second columns, with what they have lost so far.
func (e *Encoder) Collisions() []Collision {
	e.mu.Lock()
	defer e.mu.Unlock()
	cs := make([]Collision, len(e.words.collisions))
	for i, c := range e.words.collisions {
		c.Dropped = e.dropped[i]
		cs[i] = c
	}
	return cs
}

// Warnings returns, for people, what about the cells yielded so far they might
// not expect, a sentence each. Under [TiesPython] they say where the result
// differs from that of the Python package. There are none for clean input.
func (e *Encoder) Warnings() []string {
	s := e.Stats()
	python := e.cfg.Ties == TiesPython
	var out []string
	note := func(differs, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if python && differs != "" {
			text += " (" + differs + ")"
		}
		out = append(out, text)
	}
	if s.EmptyCells > 0 {
		note("", "%s without an expressed gene: an empty sentence each", plural(int(s.EmptyCells), "cell"))
	}
	if s.Zeros > 0 {
		note("the Python package lists them as expressed; all other words are in its order",
			"%s stored as zero skipped", plural(int(s.Zeros), "value"))
	}
	if cs := e.Collisions(); len(cs) > 0 {
		differs := "the Python package gives the genes behind them the names of others"
		switch e.cfg.Collisions {
		case CollisionsFirst:
			note(differs, "%s; the first of each keeps the word, and %s of the others dropped",
				collisionText(cs), plural(int(s.Dropped), "value"))
		default:
			note(differs, "%s; all but the first of each are numbered", collisionText(cs))
		}
	}
	return out
}
