package screen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cellsentence/c2s/internal/spelling"
)

// Compound is a line of the list of compounds.
type Compound struct {
	Name      string
	SMILES    string
	InChIKey  string
	Mechanism string
	Targets   []string // symbols of genes, upper case
	Dose      string
	Known     string // "inducer", "inert" or ""
	Evidence  string // where that is known from, such as a PMID
}

// The limits of a list of compounds.
const (
	maxCompounds    = 200_000
	maxCompoundLine = 1 << 20
	maxName         = 200 // bytes
)

// ReadCompounds reads a TSV of compounds: a line with the names of the columns, of which
// only name is needed, and a line a compound. warnings say what might be a mistake.
func ReadCompounds(path string) (list []Compound, warnings []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return readCompounds(f, path)
}

func readCompounds(r io.Reader, path string) (list []Compound, warnings []string, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxCompoundLine)
	names := []string{"name", "smiles", "inchikey", "mechanism", "targets", "dose", "known", "known_evidence"}
	var columns []int // of names, one for each field of a line; −1 for others
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(strings.TrimPrefix(lines.Text(), "\ufeff"), "\r\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place := fmt.Sprintf("%s: line %d", path, n)
		values := strings.Split(line, "\t")
		if columns == nil {
			for _, v := range values {
				v = strings.ToLower(strings.TrimSpace(v))
				at := slices.Index(names, v)
				if at >= 0 && slices.Contains(columns, at) {
					return nil, nil, wrong(place, "", "two columns are called %s", v)
				}
				if at < 0 {
					note := fmt.Sprintf("%s: the column %q is not used", path, v)
					if near := spelling.Nearest(v, names, 1); len(near) > 0 {
						note += fmt.Sprintf("; was %s meant?", near[0])
					}
					warnings = append(warnings, note)
				}
				columns = append(columns, at)
			}
			if !slices.Contains(columns, 0) {
				return nil, nil, wrong(place, "the first line names the columns, with tabs between them", "no column is called name")
			}
			continue
		}
		if len(values) > len(columns) {
			return nil, nil, wrong(place, "columns are separated by tabs", "%d columns, the first line has %d", len(values), len(columns))
		}
		var c Compound
		for i, v := range values {
			v = strings.TrimSpace(v)
			switch columns[i] {
			case 0:
				c.Name = v
			case 1:
				c.SMILES = v
			case 2:
				c.InChIKey = strings.TrimPrefix(v, "InChIKey=")
			case 3:
				c.Mechanism = v
			case 4:
				for _, gene := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(";,| ", r) }) {
					c.Targets = append(c.Targets, strings.ToUpper(gene))
				}
			case 5:
				c.Dose = v
			case 6:
				c.Known = strings.ToLower(v)
			case 7:
				c.Evidence = v
			}
		}
		if err := c.check(place); err != nil {
			return nil, nil, err
		}
		if c.Known != "" && c.Evidence == "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s is known as %s without evidence", path, c.Name, c.Known))
		}
		if len(list) == maxCompounds {
			return nil, nil, wrong(place, "", "more than %d compounds", maxCompounds)
		}
		list = append(list, c)
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return nil, nil, wrong(path, "", "a line has more than %d bytes", maxCompoundLine)
	case lines.Err() != nil:
		return nil, nil, lines.Err()
	case len(list) == 0:
		return nil, nil, wrong(path, "", "there is no compound")
	}
	more, err := collisions(path, list)
	return list, append(warnings, more...), err
}

func (c *Compound) check(place string) error {
	switch {
	case c.Name == "":
		return wrong(place, "", "a compound without a name")
	case len(c.Name) > maxName:
		return wrong(place, "", "a name of %d bytes, more than %d", len(c.Name), maxName)
	case !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, unicode.IsControl):
		return wrong(place, "", "the name %q has characters that no name has", c.Name)
	case c.Known != "" && c.Known != "inducer" && c.Known != "inert":
		return wrong(place, "leave it empty where nothing is published", "known is %.40q, neither inducer nor inert", c.Known)
	}
	return nil
}

// collisions refuses names that are given twice, or differ by case alone, and reports
// those that are probably one compound: salts of each other, or of one structure.
func collisions(path string, list []Compound) (warnings []string, err error) {
	byName, bySalt, byKey := map[string]string{}, map[string]string{}, map[string]string{}
	var twice []string
	for _, c := range list {
		name, salt := strings.ToLower(c.Name), withoutSalt(c.Name)
		if other, ok := byName[name]; ok {
			twice = append(twice, fmt.Sprintf("%s and %s", other, c.Name))
			continue
		}
		byName[name] = c.Name
		if other, ok := bySalt[salt]; ok {
			warnings = append(warnings, fmt.Sprintf("%s: %s and %s look like forms of one compound: they are asked about as two", path, other, c.Name))
		} else {
			bySalt[salt] = c.Name
		}
		if c.InChIKey == "" {
			continue
		}
		if other, ok := byKey[c.InChIKey]; ok {
			warnings = append(warnings, fmt.Sprintf("%s: %s and %s have one structure (%s): they are asked about as two", path, other, c.Name, c.InChIKey))
		} else {
			byKey[c.InChIKey] = c.Name
		}
	}
	if len(twice) > 0 {
		more := ""
		if n := len(twice); n > 5 {
			twice, more = twice[:5], fmt.Sprintf(" and %d more", n-5)
		}
		return nil, wrong(path, "keep one line each; several doses are set by leading.doses", "compounds that are named twice: %s%s", strings.Join(twice, "; "), more)
	}
	return warnings, nil
}

// salts are the words that a name has for its counter-ion or crystal water.
const salts = " hydrochloride dihydrochloride hcl 2hcl hydrobromide hbr mesylate dimesylate methanesulfonate tosylate besylate" +
	" maleate fumarate tartrate citrate phosphate sulfate sulphate acetate succinate malate lactate nitrate sodium" +
	" disodium potassium calcium magnesium bromide chloride iodide trifluoroacetate tfa salt hydrate monohydrate" +
	" dihydrate hemihydrate anhydrous free base "

// withoutSalt is a name in lower case without the words for a salt and without signs.
func withoutSalt(name string) string {
	var kept []string
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" ()[],;", r) }) {
		if len(kept) == 0 || !strings.Contains(salts, " "+word+" ") { // sodium butyrate keeps its first word
			kept = append(kept, word)
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, strings.Join(kept, " "))
}
