package simulate

import (
	"errors"
	"fmt"
	"slices"
)

// ErrSpec is the error for a [CellSpec] that points outside its world.
var ErrSpec = errors.New("cell specification")

// CellSpec says what a cell is, by positions in the lists of its [World].
type CellSpec struct {
	CellType, Donor, Context int
	// Perturbation 0 is the control. Dose is a position in Doses; controls ignore it.
	Perturbation, Dose int
}

// Control says that the cell is not perturbed.
func (s CellSpec) Control() bool { return s.Perturbation == 0 }

// Truth is what is known of a simulated cell.
type Truth struct {
	Row  int
	Spec CellSpec
	// Library is the expected total count.
	Library float64
	// Partner is the cell type of the second cell of a doublet, else −1.
	Partner int
}

// Cell is the counts of one cell and its truth. The slices are reused when a Cell
// is filled again.
type Cell struct {
	// Indices are the genes with a count, rising; Counts, beside them, are positive.
	Indices []int32
	Counts  []int32
	Truth   Truth

	profile, partner []float64
}

// Spec returns what the cell of a row is: a cell type by the shares, then a donor
// and a context with equal chances, then the control or a perturbation and a dose
// with equal chances. Rows count from 0.
func (w *World) Spec(row int) CellSpec {
	s := newStream(w.Config.Seed, forDesign, uint64(row))
	spec := CellSpec{
		CellType: w.pickType(s.at(0)),
		Donor:    below(s.at(1), len(w.Donors)),
		Context:  below(s.at(2), len(w.Contexts)),
	}
	if n := len(w.Perturbations) - 1; n > 0 && uniform(s.at(3)) >= w.Config.ControlShare {
		spec.Perturbation = 1 + below(s.at(4), n)
		spec.Dose = below(s.at(5), len(w.Doses))
	}
	return spec
}

func (w *World) pickType(x uint64) int {
	u := uniform(x)
	for i, share := range w.shares {
		if u < share {
			return i
		}
	}
	return len(w.shares) - 1
}

// Cell draws the cell of a row into c. The specification is usually w.Spec(row);
// another one gives a cell with the same luck, so that two cells of one row and two
// specifications differ only by what the specifications say. The error wraps
// [ErrSpec].
func (w *World) Cell(row int, spec CellSpec, c *Cell) error {
	if row < 0 {
		return fmt.Errorf("%w: row %d is negative", ErrSpec, row)
	}
	if err := w.checkSpec(spec); err != nil {
		return err
	}
	w.cell(row, spec, c)
	return nil
}

func (w *World) checkSpec(s CellSpec) error {
	for _, f := range []struct {
		what  string
		at, n int
	}{
		{"cell type", s.CellType, len(w.CellTypes)},
		{"donor", s.Donor, len(w.Donors)},
		{"context", s.Context, len(w.Contexts)},
		{"perturbation", s.Perturbation, len(w.Perturbations)},
		{"dose", s.Dose, len(w.Doses)},
	} {
		if f.at < 0 || f.at >= f.n {
			return fmt.Errorf("%w: %s %d of %d", ErrSpec, f.what, f.at, f.n)
		}
	}
	return nil
}

// maxLibrary keeps library sizes of extreme settings within what counts can hold.
const maxLibrary = 1e8

// cell draws a cell whose row and specification are known to be good.
func (w *World) cell(row int, spec CellSpec, c *Cell) {
	cfg := &w.Config
	lib := newStream(cfg.Seed, forLibrary, uint64(row))
	luck := exp(float64(off(cfg.DepthSD) * normal(lib.at(0))))
	c.Truth = Truth{Row: row, Spec: spec, Partner: -1}
	c.Truth.Library = w.CellTypes[spec.CellType].Size * cfg.Depth * luck
	c.profile = w.proportions(spec, c.profile)

	if cfg.DoubletShare > 0 {
		s := newStream(cfg.Seed, forDoublet, uint64(row))
		if uniform(s.at(0)) < cfg.DoubletShare {
			w.addPartner(&s, spec, c)
		}
	}
	library := min(c.Truth.Library, maxLibrary)
	c.Truth.Library = library
	own := library * (1 - cfg.AmbientShare)
	var ambient []float64
	soup := library * cfg.AmbientShare
	if w.ambient != nil {
		ambient = w.ambient[spec.Context]
	}

	words := newStream(cfg.Seed, forCounts, uint64(row))
	c.Indices, c.Counts = c.Indices[:0], c.Counts[:0]
	for i, p := range c.profile {
		mu := float64(own * p)
		if ambient != nil {
			mu += float64(soup * ambient[i])
		}
		if n := negativeBinomial(words.at(uint64(i)), mu, w.Genes[i].Dispersion); n > 0 {
			c.Indices = append(c.Indices, int32(i))
			c.Counts = append(c.Counts, n)
		}
	}
}

// addPartner makes c a doublet: a second cell of the same donor, context and
// perturbation, of any type, with a library of its own.
func (w *World) addPartner(s *stream, spec CellSpec, c *Cell) {
	cfg := &w.Config
	spec.CellType = w.pickType(s.at(1))
	luck := exp(float64(off(cfg.DepthSD) * normal(s.at(2))))
	second := float64(w.CellTypes[spec.CellType].Size * cfg.Depth * luck)
	c.partner = w.proportions(spec, c.partner)
	total := c.Truth.Library + second
	a, b := c.Truth.Library/total, second/total
	for i, p := range c.partner {
		c.profile[i] = float64(a*c.profile[i]) + float64(b*p)
	}
	c.Truth.Partner = spec.CellType
	c.Truth.Library = total
}

// proportions returns the profile of a specification, summing to one, in dst if that is long
// enough. Ambient RNA is not in it. Donor −1 is the mean donor.
func (w *World) proportions(spec CellSpec, dst []float64) []float64 {
	n := len(w.Genes)
	dst = slices.Grow(dst[:0], n)[:n]
	row := w.weight[spec.CellType*len(w.Contexts)+spec.Context]
	if spec.Donor < 0 {
		copy(dst, row)
	} else {
		for i, f := range w.donor[spec.Donor][:n] {
			dst[i] = row[i] * f
		}
	}
	if e := &w.effects[spec.Perturbation]; len(e.genes) > 0 {
		strength := w.potency(spec.Perturbation, spec.Dose) * w.response(spec.Perturbation, spec.Donor)
		for k, g := range e.genes {
			dst[g] *= exp(float64(strength * e.logFC[spec.Context][k]))
		}
	}
	total := 0.0
	for _, v := range dst {
		total += float64(v)
	}
	for i := range dst {
		dst[i] /= total
	}
	return dst
}

// Barcode names the cell of a row as droplet barcodes are written: 16 bases and a
// number. No two rows share one.
func (w *World) Barcode(row int) string {
	// Multiplications by odd numbers and shifted exclusive ors can be undone, so
	// different rows have different bases.
	key := uint32(newStream(w.Config.Seed, forBarcodes, 0).at(0))
	z := uint32(row) ^ key
	z = (z ^ z>>16) * 0x7feb352d
	z = (z ^ z>>15) * 0x846ca68b
	z ^= z >> 16
	var bases [16]byte
	for i := range bases {
		bases[i] = "ACGT"[z&3]
		z >>= 2
	}
	return fmt.Sprintf("%s-%d", bases[:], uint64(row)>>32+1)
}
