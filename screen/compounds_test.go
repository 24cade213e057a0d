package screen

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/screen/record"
)

func TestCompounds(t *testing.T) {
	list, warnings, err := readCompounds(strings.NewReader("\ufeffname\tinchikey\ttargets\tdose\tknown\tknown_evidence\tnote\n"+
		"# a comment\nsilmitasertib\tInChIKey=MUOKSQABCJCOPU-UHFFFAOYSA-N\tCSNK2A1;csnk2a2\t1 uM\t\t\tx\r\n\nIFN-gamma\t\t\t\tInducer\tPMID 1\n"+
		"short\n"), "c.tsv")
	if err != nil {
		t.Fatal(err)
	}
	want := []Compound{
		{Name: "silmitasertib", InChIKey: "MUOKSQABCJCOPU-UHFFFAOYSA-N", Targets: []string{"CSNK2A1", "CSNK2A2"}, Dose: "1 uM"},
		{Name: "IFN-gamma", Known: "inducer", Evidence: "PMID 1"},
		{Name: "short"},
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("%+v", list)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], `"note" is not used`) {
		t.Errorf("%q", warnings)
	}
}

func TestCompoundsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "no compound",
		"name\n":                            "no compound",
		"compound\nx\n":                     "no column is called name",
		"name\tname\nx\ty\n":                "two columns",
		"name\nA\tB\n":                      "2 columns",
		"name\tdose\n\t1\n":                 "without a name",
		"name\nx\x01y\n":                    "characters",
		"name\tknown\nx\tmaybe\n":           "neither inducer nor inert",
		"name\nx\ny\nx\n":                   "named twice: x and x",
		"name\nx\ny\nX\n":                   "named twice: x and X",
		"name\n" + strings.Repeat("x", 300): "300 bytes",
	} {
		_, _, err := readCompounds(strings.NewReader(text), "c.tsv")
		var bad *Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

func TestSameCompound(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"name\nimatinib\nimatinib mesylate\n", 1},
		{"name\nCX-4945\nCX4945 (sodium salt)\n", 1},
		{"name\nsodium butyrate\nsodium chloride\n", 0},
		{"name\tinchikey\nsilmitasertib\tA\nCX-4945\tA\n", 1},
		{"name\nvorinostat\ndecitabine\n", 0},
	} {
		_, warnings, err := readCompounds(strings.NewReader(c.text), "c.tsv")
		if err != nil || len(warnings) != c.want {
			t.Errorf("%q: %v, %q", c.text, err, warnings)
		}
	}
}

func TestDecoys(t *testing.T) {
	list := []Compound{{Name: "silmitasertib"}, {Name: "CX-4945"}, {Name: "Vorinostat"}, {Name: "DRUG-001"}}
	lengths := map[int]bool{}
	for _, c := range list {
		lengths[len(c.Name)] = true
	}
	for _, family := range []string{familyInvented, familyStem, familyShuffled} {
		made, err := decoys(42, family, 40, list)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decoys(42, family, 10, list)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{"silmitasertib": true, "cx-4945": true, "vorinostat": true, "drug-001": true}
		for i, d := range made {
			name := d.Name
			if d.Kind != record.Decoy || d.Family != family || seen[strings.ToLower(name)] {
				t.Errorf("%+v", d)
			}
			seen[strings.ToLower(name)] = true
			if i < len(again) && again[i].Name != name {
				t.Errorf("%s: name %d depends on how many there are", family, i)
			}
			switch family {
			case familyStem:
				if !strings.HasSuffix(name, "sertib") && !strings.HasSuffix(name, "stat") {
					t.Errorf("%s has no stem of the list", name)
				}
			default:
				if !lengths[len(name)] {
					t.Errorf("%s has the length of no compound", name)
				}
			}
		}
	}
	if _, err := decoys(1, familyShuffled, 10, []Compound{{Name: "aab"}}); err == nil {
		t.Error("ten orders of aab")
	}
}

// FuzzCompounds: no list of compounds breaks the reader, and every one that it takes makes
// decoys or says why not.
func FuzzCompounds(f *testing.F) {
	f.Add("name\tdose\tknown\nsilmitasertib\t1 uM\tinducer\nCX-4945\n")
	f.Add("name\n=cmd\n\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, _, err := readCompounds(strings.NewReader(text), "c.tsv")
		if err != nil {
			return
		}
		for _, c := range list {
			if c.Name == "" || len(c.Name) > maxName {
				t.Errorf("%q", c.Name)
			}
		}
		for _, family := range []string{familyInvented, familyStem, familyShuffled} {
			if made, err := decoys(1, family, 2, list); err == nil && len(made) != 2 {
				t.Errorf("%d decoys", len(made))
			}
		}
	})
}
