package predictor

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/perturb"
)

// SignatureConfig says how a table of signatures is read. The zero value is good.
type SignatureConfig struct {
	// Name stands for the table in messages.
	Name string
	// Winsor is the largest absolute value; larger ones are cut to it (0: 10; +Inf: none
	// is cut). Consensus z-scores of L1000 reach ±200.
	Winsor float64
	// GeneNames gives the ids of the header the names of genes, such as [ReadNames] reads
	// them; nil: the header has names. Ids without a name are left out.
	GeneNames map[string]string
	// Names gives perturbations further names.
	Names map[string]string
	// Budget is the memory in bytes for the values (0: 1 GiB).
	Budget int64
}

// Signatures are shifts from a table, a row a perturbation and a column a gene, as the
// L1000 consensus of dhimmel/lincs has it. They know no context and no cell type.
type Signatures struct {
	name   string
	genes  []string
	rows   map[string][]float32 // by names of perturbations
	order  []string             // those of the first column, sorted
	alias  map[string]string    // further names
	digest string
	// Unnamed counts genes without a name, Cut the values that were too large.
	Unnamed int
	Cut     int64
}

// ReadSignatures reads a table with tabs, gzipped or not: a header of gene ids behind
// the name of the first column, then a line for each perturbation.
func ReadSignatures(r io.Reader, cfg SignatureConfig) (*Signatures, error) {
	if cfg.Winsor < 0 || math.IsNaN(cfg.Winsor) || cfg.Budget < 0 {
		return nil, errors.New("neither the largest value nor the memory can be negative")
	}
	if cfg.Winsor == 0 {
		cfg.Winsor = 10
	}
	if cfg.Budget == 0 {
		cfg.Budget = 1 << 30
	}
	t, err := newTable(r, cfg.Name)
	if err != nil {
		return nil, err
	}
	s := &Signatures{name: cfg.Name, rows: map[string][]float32{}, alias: map[string]string{}}
	head, err := t.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	columns, err := s.header(head, cfg)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	hash.Write([]byte(strings.Join(s.genes, "\n")))
	err = t.all(func(fields []string) error {
		if len(fields) != len(head) {
			return badInput("", "%s: line %d has %d columns, the header %d", cfg.Name, t.line, len(fields), len(head))
		}
		name := strings.TrimSpace(fields[0])
		if _, twice := s.rows[name]; twice || name == "" {
			return badInput("", "%s: line %d: the name %q is empty or comes twice", cfg.Name, t.line, name)
		}
		if need := int64(len(s.rows)+1) * int64(len(s.genes)) * 4; need > cfg.Budget {
			return badInput("keep fewer rows, or allow more with --memory", "%s: %d signatures of %d genes need more than %d bytes", cfg.Name, len(s.rows)+1, len(s.genes), cfg.Budget)
		}
		row := make([]float32, 0, len(s.genes))
		for i, used := range columns {
			if !used {
				continue
			}
			v, err := strconv.ParseFloat(fields[i+1], 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return badInput("", "%s: line %d, column %d: %q is no number", cfg.Name, t.line, i+2, fields[i+1])
			}
			if math.Abs(v) > cfg.Winsor {
				v = math.Copysign(cfg.Winsor, v)
				s.Cut++
			}
			row = append(row, float32(v))
			hash.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v))))
		}
		hash.Write([]byte(name + "\n"))
		s.rows[name] = row
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(s.rows) == 0 {
		return nil, badInput("", "%s: no signature in it", cfg.Name)
	}
	s.order = slices.Sorted(maps.Keys(s.rows))
	for _, id := range s.order {
		name, ok := cfg.Names[id]
		if !ok {
			continue
		}
		if _, taken := s.rows[name]; taken || s.alias[name] != "" {
			continue // the first column counts more
		}
		s.alias[name] = id
		hash.Write([]byte(name + "\t" + id + "\n"))
	}
	s.digest = hex.EncodeToString(hash.Sum(nil))
	return s, nil
}

// header names the genes and says which columns are read. Where several ids have one
// name, the first counts.
func (s *Signatures) header(head []string, cfg SignatureConfig) ([]bool, error) {
	if len(head) < 2 {
		return nil, badInput("expected tabs between the columns", "%s: no header of genes", cfg.Name)
	}
	used := make([]bool, len(head)-1)
	seen := map[string]bool{}
	for i, id := range head[1:] {
		name := id
		if cfg.GeneNames != nil {
			name = cfg.GeneNames[id]
		}
		if name == "" || seen[name] {
			s.Unnamed++
			continue
		}
		seen[name], used[i] = true, true
		s.genes = append(s.genes, name)
	}
	if len(s.genes) == 0 {
		return nil, badInput("name a table of them with --gene-map", "%s: none of the %d genes, such as %q, has a name", cfg.Name, len(used), head[1])
	}
	return used, nil
}

// Name is that of the table.
func (s *Signatures) Name() string { return s.name }

// Genes names the genes.
func (s *Signatures) Genes() []string { return s.genes }

// Perturbations lists the names of the first column and all others, sorted.
func (s *Signatures) Perturbations() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(s.alias)), s.order...)))
}

func (s *Signatures) row(name string) (string, []float32) {
	if id, ok := s.alias[name]; ok {
		name = id
	}
	return name, s.rows[name]
}

func (s *Signatures) find(p perturb.Perturbation) (id string, others, ok bool) {
	id, row := s.row(names(p))
	return id, row != nil && (p.Time != "" || p.Parts[0].Dose != ""), row != nil
}

func (s *Signatures) ids() []string { return s.order }

func (s *Signatures) own(p perturb.Perturbation) string {
	id, _ := s.row(names(p))
	return id
}

func (s *Signatures) shift(id, _, _ string) ([]float64, Level, int) {
	return s.values(id), LevelSignature, 0
}

// values are those of a perturbation, nil if it is not there.
func (s *Signatures) values(id string) []float64 {
	_, row := s.row(id)
	if row == nil {
		return nil
	}
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = float64(v)
	}
	return out
}

func (s *Signatures) hashed() string { return s.digest }
