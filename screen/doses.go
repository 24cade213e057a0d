package screen

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// units are those of doses with what they are worth: amounts of substance in mol per
// litre, masses in gram per litre, activities in units per litre.
func units(name string) (dimension string, worth float64) {
	name = strings.NewReplacer("µ", "u", "μ", "u", " ", "").Replace(name)
	switch name { // M and m differ
	case "fM":
		return "mol", 1e-15
	case "pM":
		return "mol", 1e-12
	case "nM":
		return "mol", 1e-9
	case "uM":
		return "mol", 1e-6
	case "mM":
		return "mol", 1e-3
	case "M":
		return "mol", 1
	}
	switch strings.ToLower(name) {
	case "pg/ml":
		return "gram", 1e-9
	case "ng/ml", "ug/l":
		return "gram", 1e-6
	case "ug/ml", "mg/l":
		return "gram", 1e-3
	case "mg/ml", "g/l":
		return "gram", 1
	case "u/l", "iu/l":
		return "unit", 1
	case "u/ml", "iu/ml", "units/ml":
		return "unit", 1e3
	}
	return name, 1
}

// amount reads a dose such as "0.1 uM"; ok is false for other texts.
func amount(dose string) (dimension string, value float64, ok bool) {
	dose = strings.TrimSpace(dose)
	end := strings.IndexFunc(dose, func(r rune) bool { return !strings.ContainsRune("0123456789.", r) })
	if end < 0 {
		end = len(dose)
	}
	value, err := strconv.ParseFloat(dose[:end], 64)
	if err != nil {
		return "", 0, false
	}
	dimension, worth := units(strings.TrimSpace(dose[end:]))
	return dimension, value * worth, true
}

// rising sorts doses, each once: none first, then by dimension and amount, texts that are
// no amount last and as they stand.
func rising(doses []string) []string {
	doses = slices.Clone(doses)
	slices.SortStableFunc(doses, func(a, b string) int {
		ka, va, okA := amount(a)
		kb, vb, okB := amount(b)
		switch {
		case a == "" || b == "":
			return cmp.Compare(len(a), len(b))
		case okA != okB:
			if okA {
				return -1
			}
			return 1
		case !okA:
			return 0
		}
		return cmp.Or(cmp.Compare(ka, kb), cmp.Compare(va, vb))
	})
	var out []string
	for _, d := range doses {
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}
