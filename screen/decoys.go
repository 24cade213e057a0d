package screen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode"

	"github.com/cellsentence/c2s/screen/record"
)

// The families of decoys.
const (
	familyInvented = "invented" // names as long as real ones
	familyStem     = "stem"     // with the stem of a real class
	familyShuffled = "shuffled" // real names with their letters in another order
)

// stems end the names of drugs of one mechanism: stems of the WHO's International
// Nonproprietary Names.
const stems = "tinib sertib ciclib parib rafenib zomib degib denib stat inostat mab olol pril sartan dipine statin gliptin " +
	"gliflozin glitazone prazole setron triptan oxacin cillin mycin azole vir buvir previr tegravir caine lukast fibrate " +
	"coxib grel xaban gatran pant tide platin rubicin taxel trexed"

// decoys invents n compounds of a family, whose names are none of the list and none of
// each other. A name depends on the seed, its family and its number alone, and on the
// list.
func decoys(seed uint64, family string, n int, list []Compound) ([]record.Item, error) {
	taken := map[string]bool{}
	for _, c := range list {
		taken[strings.ToLower(c.Name)] = true
	}
	// Stems that the list has, so that the decoys are dressed as its compounds are.
	var ends []string
	for stem := range strings.FieldsSeq(stems) {
		for _, c := range list {
			if strings.HasSuffix(strings.ToLower(c.Name), stem) {
				ends = append(ends, stem)
				break
			}
		}
	}
	if ends == nil {
		ends = strings.Fields(stems)
	}
	items := make([]record.Item, 0, n)
	for i := range n {
		r := source(seed, "decoy", family, fmt.Sprint(i))
		name := ""
		for try := 0; name == "" || taken[strings.ToLower(name)]; try++ {
			if try == 1000 {
				return nil, wrong("controls.decoys."+family, "lower the number", "only %d different names can be made from this list", i)
			}
			model := list[r.IntN(len(list))]
			switch family {
			case familyInvented:
				name = invent(r, model.Name)
			case familyStem:
				name = invent(r, "ba"+strings.Repeat("ba", r.IntN(2))+"b"[:r.IntN(2)]) + ends[r.IntN(len(ends))]
			case familyShuffled:
				name = shuffle(r, model.Name)
			}
		}
		taken[strings.ToLower(name)] = true
		items = append(items, record.Item{Name: name, Kind: record.Decoy, Family: family})
	}
	return items, nil
}

// invent replaces the letters of a name by others of their kind and case, and digits by
// digits, so that the name keeps its length and sounds like one.
func invent(r *rand.Rand, name string) string {
	const vowels, consonants = "aeiou", "bcdfglmnprstvz"
	return strings.Map(func(c rune) rune {
		low := unicode.ToLower(c)
		from := ""
		switch {
		case c >= '0' && c <= '9':
			return rune('0' + r.IntN(10))
		case strings.ContainsRune("aeiouy", low):
			from = vowels
		case low >= 'a' && low <= 'z':
			from = consonants
		default:
			return c
		}
		n := rune(from[r.IntN(len(from))])
		if c != low {
			n = unicode.ToUpper(n)
		}
		return n
	}, name)
}

// shuffle puts the letters of a name into another order, and the digits into another
// order; signs and the case of each place stay.
func shuffle(r *rand.Rand, name string) string {
	out := []rune(name)
	for _, is := range []func(rune) bool{unicode.IsLetter, unicode.IsDigit} {
		var places []int
		for i, c := range out {
			if is(c) {
				places = append(places, i)
			}
		}
		r.Shuffle(len(places), func(a, b int) {
			x, y := places[a], places[b]
			cx, cy := out[x], out[y]
			out[x], out[y] = likeCase(cy, cx), likeCase(cx, cy)
		})
	}
	return string(out)
}

// likeCase is c in the case of another letter.
func likeCase(c, like rune) rune {
	switch {
	case unicode.IsUpper(like):
		return unicode.ToUpper(c)
	case unicode.IsLower(like):
		return unicode.ToLower(c)
	}
	return c
}
