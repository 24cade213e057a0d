package cellsentence

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Collisions says what becomes of genes whose names are the same word: those
// that are equal, or become equal once upper-cased.
type Collisions uint8

const (
	// CollisionsError is the zero value; it refuses such names with a
	// [CollisionError].
	CollisionsError Collisions = iota
	// CollisionsFirst leaves the word to the first gene of each group. The values
	// of the others do not reach the sentence; they are counted in
	// [Collision.Dropped].
	CollisionsFirst
	// CollisionsSuffix names the genes of a group NAME, NAME-1, NAME-2 …, as
	// AnnData's var_names_make_unique does: a number whose name is taken already
	// is passed over.
	CollisionsSuffix
)

// String is the name on the command line: error, first or suffix.
func (c Collisions) String() string {
	switch c {
	case CollisionsError:
		return "error"
	case CollisionsFirst:
		return "first"
	case CollisionsSuffix:
		return "suffix"
	}
	return fmt.Sprintf("Collisions(%d)", uint8(c))
}

// ParseCollisions is the inverse of [Collisions.String].
func ParseCollisions(s string) (Collisions, error) {
	for c := CollisionsError; c <= CollisionsSuffix; c++ {
		if s == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("unknown rule for collisions %q: choose error, first or suffix", s)
}

// Collision is a group of genes whose names are the same word.
type Collision struct {
	Word    string   // the word that they share
	Columns []int    // their positions in var, rising
	Names   []string // their names as given, beside Columns
	// Dropped counts the stored positive values that lost their word, which only
	// happens under [CollisionsFirst].
	Dropped int64
}

// What a column is to the encoder.
const (
	worded   uint8 = iota // has a word
	excluded              // counts as absent from the matrix
	shadowed              // collided, and left its word to an earlier column
)

// words is the words of all columns, laid out for writing.
type words struct {
	names      []string
	list       []string // the word of each column, "" where it has none
	role       []uint8  // worded, excluded or shadowed; nil if all are worded
	collisions []Collision
	group      map[int]int // of a shadowed column: its place in collisions

	// short holds the words that fit, each with the delimiter behind it and its
	// length in the last byte, so that writing one is a copy of fixed size. Longer
	// words have the length 0 and are written from list.
	short     [][16]byte
	delimiter string
	mean      float64 // bytes of a word and its delimiter, on average
}

func newWords(genes []string, cfg *Config) (*words, error) {
	if len(genes) > math.MaxInt32 {
		return nil, fmt.Errorf("%d genes: a matrix has at most %d", len(genes), math.MaxInt32)
	}
	if cfg.Exclude != nil && len(cfg.Exclude) != len(genes) {
		return nil, fmt.Errorf("the mask of excluded genes has %d entries, the matrix %d genes", len(cfg.Exclude), len(genes))
	}
	delimiter := cfg.delimiter()
	if strings.ContainsAny(delimiter, "\r\n") || !utf8.ValidString(delimiter) {
		return nil, fmt.Errorf("delimiter %q: a sentence is one line of UTF-8, so that it cannot hold a line break or other bytes", delimiter)
	}
	w := &words{names: genes, list: make([]string, len(genes)), delimiter: delimiter}
	if cfg.Exclude != nil {
		w.role = make([]uint8, len(genes))
	}
	bad := &NameError{}
	for i, name := range genes {
		if cfg.Exclude != nil && cfg.Exclude[i] {
			w.role[i] = excluded
			continue
		}
		word := name
		if !cfg.KeepCase {
			word = upperName(name)
		}
		p := nameProblem(name)
		if p == "" && strings.Contains(word, delimiter) {
			p = "holds the delimiter"
		}
		if p != "" {
			if bad.Count++; len(bad.First) < shown {
				bad.First = append(bad.First, BadName{Column: i, Name: name, Problem: p})
			}
		}
		w.list[i] = word
	}
	if bad.Count > 0 {
		return nil, bad
	}
	if err := w.resolve(cfg.Collisions); err != nil {
		return nil, err
	}
	w.layOut()
	return w, nil
}

// maxName bounds a name. What is longer is no name, and would make sentences of
// a size that no reader expects.
const maxName = 1024

// nameProblem says why a name cannot be a word, or nothing.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case strings.ContainsFunc(name, unicode.IsSpace):
		return "holds white space"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "holds a control character"
	}
	return ""
}

// resolve finds the groups of equal words and applies the rule for them.
func (w *words) resolve(rule Collisions) error {
	first := make(map[string]int, len(w.list))
	group := make(map[string]int)
	for i, word := range w.list {
		if w.role != nil && w.role[i] == excluded {
			continue
		}
		f, seen := first[word]
		if !seen {
			first[word] = i
			continue
		}
		g, known := group[word]
		if !known {
			g = len(w.collisions)
			group[word] = g
			w.collisions = append(w.collisions, Collision{Word: word, Columns: []int{f}, Names: []string{w.names[f]}})
		}
		c := &w.collisions[g]
		c.Columns = append(c.Columns, i)
		c.Names = append(c.Names, w.names[i])
	}
	if len(w.collisions) == 0 {
		return nil
	}
	switch rule {
	case CollisionsFirst:
		w.shadow()
	case CollisionsSuffix:
		return w.suffix(first)
	case CollisionsError:
		return &CollisionError{Collisions: w.collisions}
	default:
		return fmt.Errorf("unknown rule for collisions %d", rule)
	}
	return nil
}

// shadow takes their words from all but the first column of each group.
func (w *words) shadow() {
	if w.role == nil {
		w.role = make([]uint8, len(w.list))
	}
	w.group = make(map[int]int)
	for g, c := range w.collisions {
		for _, col := range c.Columns[1:] {
			w.role[col] = shadowed
			w.list[col] = ""
			w.group[col] = g
		}
	}
}

// suffix numbers all but the first column of each group, in the order of the
// columns over all groups, since a new name may be in the way of another group's.
func (w *words) suffix(taken map[string]int) error {
	again := make(map[int]bool)
	last := make(map[string]int, len(w.collisions))
	for _, c := range w.collisions {
		for _, col := range c.Columns[1:] {
			again[col] = true
		}
	}
	for col, word := range w.list {
		if !again[col] {
			continue
		}
		for {
			last[word]++
			name := word + "-" + strconv.Itoa(last[word])
			if _, used := taken[name]; used {
				continue
			}
			if strings.Contains(name, w.delimiter) {
				return fmt.Errorf("the numbered name %s of column %d holds the delimiter %q: choose another delimiter", quote(name), col, w.delimiter)
			}
			taken[name] = col
			w.list[col] = name
			break
		}
	}
	return nil
}

// layOut fills the table of short words.
func (w *words) layOut() {
	w.short = make([][16]byte, len(w.list))
	total := 0
	for i, word := range w.list {
		n := len(word) + len(w.delimiter)
		total += n
		if s := &w.short[i]; n < len(s) {
			copy(s[copy(s[:], word):], w.delimiter)
			s[len(s)-1] = byte(n)
		}
	}
	w.mean = float64(total) / float64(max(1, len(w.list)))
}

// write appends the words of the columns in the low bits of order (those under
// mask), without a delimiter at the end.
func (w *words) write(dst []byte, order []uint64, mask uint64) []byte {
	if len(order) == 0 {
		return dst
	}
	p, buf := len(dst), dst[:cap(dst)]
	for _, it := range order {
		s := &w.short[it&mask]
		n := int(s[len(s)-1])
		if n == 0 || p+len(s) > len(buf) {
			buf = append(append(buf[:p], w.list[it&mask]...), w.delimiter...)
			p, buf = len(buf), buf[:cap(buf)]
			continue
		}
		// What is copied beyond the word is overwritten by the next.
		*(*[16]byte)(buf[p:]) = *s
		p += n
	}
	return buf[:p-len(w.delimiter)]
}
