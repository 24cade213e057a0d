package predictor

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/perturb"
)

// Separator stands between the parts of a combination in most files: A+B.
const Separator = "+"

// Parse reads a label as a file has it: names with separator ("": [Separator]) between
// them. A part that is the control, as in A+control, is left out, so that the control
// itself has no part. doses are those of the parts, or one for all, separated likewise;
// both doses and time may be "".
func Parse(label, separator, control, doses, time string) perturb.Perturbation {
	if separator == "" {
		separator = Separator
	}
	p := perturb.Perturbation{Time: time}
	if label == control {
		return perturb.Perturbation{}
	}
	names, amounts := strings.Split(label, separator), strings.Split(doses, separator)
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" || name == control {
			continue
		}
		dose := strings.TrimSpace(doses)
		if len(amounts) == len(names) {
			dose = strings.TrimSpace(amounts[i])
		}
		p.Parts = append(p.Parts, perturb.Part{Name: name, Dose: dose})
	}
	return p
}

// Label is the names of the parts, in their order, with [Separator] between them.
func Label(p perturb.Perturbation) string {
	names := make([]string, len(p.Parts))
	for i, part := range p.Parts {
		names[i] = part.Name
	}
	return strings.Join(names, Separator)
}

// guide is the number that screens append to the name of a target, as in ABCA1-1.
var guide = regexp.MustCompile(`[-_.]\d+$`)

// Target is a name without the number of a guide. It does not know whether the number is
// one: that of IL-6 is not.
func Target(name string) string { return guide.ReplaceAllString(name, "") }

// Targets is a perturbation whose parts have the names of their targets, each once.
func Targets(p perturb.Perturbation) perturb.Perturbation {
	var parts []perturb.Part
	for _, part := range p.Parts {
		part.Name = Target(part.Name)
		if !slices.ContainsFunc(parts, func(q perturb.Part) bool { return q.Name == part.Name }) {
			parts = append(parts, part)
		}
	}
	p.Parts = parts
	return p
}

// Keys of perturbations do not depend on the order of the parts. Control characters
// stand between their pieces, since names may hold anything else.
const (
	betweenParts = "\x1e"
	beforeDose   = "\x1f"
	beforeTime   = "\x1d"
)

// key tells perturbations apart, by doses and time as well.
func key(p perturb.Perturbation) string {
	parts := make([]string, len(p.Parts))
	for i, part := range p.Parts {
		parts[i] = part.Name + beforeDose + part.Dose
	}
	slices.Sort(parts)
	return strings.Join(parts, betweenParts) + beforeTime + p.Time
}

// names is the key of the names alone.
func names(p perturb.Perturbation) string {
	parts := make([]string, len(p.Parts))
	for i, part := range p.Parts {
		parts[i] = part.Name
	}
	slices.Sort(parts)
	return strings.Join(parts, betweenParts)
}

// text is the names of a key of names, for people.
func text(names string) string { return strings.ReplaceAll(names, betweenParts, Separator) }
