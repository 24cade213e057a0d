package analysis

import (
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/screen/record"
)

// cellKey is a cell of a context, or of the unchanged cells of the baseline.
type cellKey struct {
	cell     int32
	context  record.Context
	baseline bool
}

// vehicleCell is what the vehicle draws of a cell say.
type vehicleCell struct {
	cluster, kind int32
	mean          float64
	draws         int32
}

// vehicle is the cells of a screen without a compound.
type vehicle struct {
	cells map[cellKey]int32 // place in list
	list  []vehicleCell
	// copies and draws count answers by context.
	valid, copies, draws [2]int
	// units are the draws by context and cluster, for the synergy.
	units [][]float64
	// mean is that of the units, which centres them.
	mean []float64
}

// unit is the place of a context and cluster.
func (s *screen) unit(context record.Context, cluster int32) int {
	return int(context)*len(s.t.Header.Clusters) + int(cluster)
}

// value is the score of a row that is analysed; ok is false for answers that were no
// cell, or have no such score.
func (s *screen) value(t *record.Table, i int) (v float64, ok bool) {
	v = float64(t.U[i])
	if s.cfg.Score == Expr {
		v = float64(t.Expr[i])
	}
	return v, t.Valid[i] && !math.IsNaN(v)
}

// readVehicle goes through the vehicle rows.
func (s *screen) readVehicle() error {
	t := s.t
	v := &s.vehicle
	v.cells = make(map[cellKey]int32)
	v.units = make([][]float64, 2*len(t.Header.Clusters))
	for i := range t.Len() {
		if t.Arm[i] != record.Vehicle {
			continue
		}
		key := cellKey{t.Cell[i], t.Context[i], t.Item[i] >= 0}
		score, ok := s.value(t, i)
		if !key.baseline {
			v.draws[key.context]++
			v.copies[key.context] += count(t.Copy[i])
			v.valid[key.context] += count(t.Valid[i])
		}
		if !ok {
			continue
		}
		at, known := v.cells[key]
		if !known {
			at = int32(len(v.list))
			v.cells[key] = at
			v.list = append(v.list, vehicleCell{cluster: t.Cluster[i], kind: t.CellType[i]})
		}
		c := &v.list[at]
		if err := sameCell(t, i, c); err != nil {
			return err
		}
		c.draws++
		c.mean += (score - c.mean) / float64(c.draws)
		if !key.baseline {
			u := s.unit(key.context, c.cluster)
			v.units[u] = append(v.units[u], score)
		}
	}
	if len(v.list) == 0 {
		return bad("run the vehicle arm first", "no valid vehicle row: there is nothing to compare compounds with")
	}
	v.mean = make([]float64, len(v.units))
	for u, list := range v.units {
		sum := 0.0
		for _, x := range list {
			sum += x
		}
		v.mean[u] = sum / float64(len(list))
	}
	return nil
}

// sameCell checks that a cell is where it was in other rows.
func sameCell(t *record.Table, i int, c *vehicleCell) error {
	if t.Cluster[i] == c.cluster && t.CellType[i] == c.kind {
		return nil
	}
	return bad("the rows are of two plans", "row %d (counted from 0): cell %d is of another donor or type than in its vehicle rows", i, t.Cell[i])
}

func count(v bool) int {
	if v {
		return 1
	}
	return 0
}

// weigh finds the weights of the cell types: those of the header, or the shares that
// both contexts have in common, the smaller of the two for each type.
func (s *screen) weigh() error {
	h := &s.t.Header
	n := len(h.CellTypes)
	cells := make([][]float64, 2*len(h.Clusters)) // by unit and type
	for u := range cells {
		cells[u] = make([]float64, n)
	}
	for key, at := range s.vehicle.cells {
		if c := s.vehicle.list[at]; !key.baseline {
			cells[s.unit(key.context, c.cluster)][c.kind]++
		}
	}
	var shares [2][]float64
	for context := range shares {
		shares[context] = make([]float64, n)
		for cluster := range h.Clusters {
			u := s.unit(record.Context(context), int32(cluster))
			total := 0.0
			for _, k := range cells[u] {
				total += k
			}
			if total == 0 {
				continue
			}
			s.clusters[context]++
			for k, v := range cells[u] {
				shares[context][k] += v / total
			}
		}
		for k := range shares[context] {
			shares[context][k] /= float64(max(s.clusters[context], 1))
		}
	}
	for context, k := range s.clusters {
		if k == 0 {
			return bad("", "no vehicle row in the %s context", contextName(record.Context(context)))
		}
	}
	s.weights = slices.Clone(h.Weights)
	if s.weights == nil {
		s.weights = make([]float64, n)
		for k := range s.weights {
			s.weights[k] = min(shares[0][k], shares[1][k])
		}
	}
	total := 0.0
	for _, w := range s.weights {
		total += w
	}
	if !(total > 0) {
		return bad("match cells by another column, or by none", "the contexts have no cell type in common")
	}
	for k := range s.weights {
		s.weights[k] /= total
	}
	s.warnTypes(cells)
	return nil
}

// warnTypes tells of donors whose mean is over fewer types than that of others, and of
// cells that do not count.
func (s *screen) warnTypes(cells [][]float64) {
	h := &s.t.Header
	var lacking, ignored int
	first := ""
	for context := range 2 {
		for cluster := range h.Clusters {
			row := cells[s.unit(record.Context(context), int32(cluster))]
			if !slices.ContainsFunc(row, func(v float64) bool { return v > 0 }) {
				continue
			}
			for k, w := range s.weights {
				switch {
				case w > 0 && row[k] == 0:
					if lacking++; first == "" {
						first = fmt.Sprintf("%s has no %q in the %s context", h.Clusters[cluster].Name, h.CellTypes[k], contextName(record.Context(context)))
					}
				case w == 0:
					ignored += int(row[k])
				}
			}
		}
	}
	if lacking > 0 {
		s.warn("%d donor means are over fewer cell types than others (%s): composition may add to effects", lacking, first)
	}
	if ignored > 0 {
		s.warn("%d cells are of types that one context lacks, and do not count", ignored)
	}
}

func contextName(c record.Context) string {
	if c == record.Positive {
		return "positive"
	}
	return "neutral"
}
