package simulate

import (
	"fmt"
	"math"
	"slices"
)

// World is the truth from which cells are drawn. It does not change, and is safe
// for concurrent use. Its exported fields are for reading.
type World struct {
	// Config is what the world was built from, defaults filled in: New(Config)
	// builds it again.
	Config Config
	Genes  []Gene
	// CellTypes, Donors, Contexts, Perturbations and Doses are what the numbers of
	// a [CellSpec] point to. Perturbations[0] is the control.
	CellTypes     []CellType
	Donors        []string
	Contexts      []Context
	Perturbations []Perturbation
	Doses         []float64
	// Programs are the built-in programs and those of the configuration, cut to the
	// genes of the world.
	Programs []Program

	column map[string]int32 // gene symbol → position
	// shares[i] is the part of the cells that are of type i or an earlier one.
	shares []float64
	// typeLog[t] and contextLog[c] are natural log shifts of every gene.
	typeLog, contextLog [][]float64
	// weight[t*len(Contexts)+c] is e to the baseline, type and context of each gene.
	weight [][]float64
	// donor[d] is the factor of each gene in donor d.
	donor [][]float64
	// effects[p] are the genes that perturbation p moves.
	effects []effect
	// ambient[c] is the mean profile of context c, summing to one; nil without it.
	ambient [][]float64
}

// effect is what a perturbation does at full effect.
type effect struct {
	genes []int32     // sorted
	logFC [][]float64 // [context][position in genes]
}

// New builds the world that cfg describes. Errors wrap [ErrConfig].
func New(cfg Config) (*World, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	w := &World{
		Config:        cfg,
		CellTypes:     cfg.CellTypes,
		Contexts:      cfg.Contexts,
		Perturbations: append([]Perturbation{{Name: cfg.ControlName, Class: "control"}}, cfg.Perturbations...),
		Doses:         cfg.Doses,
	}
	for i := range cfg.Donors {
		w.Donors = append(w.Donors, fmt.Sprintf("D%d", i+1))
	}
	chosen := chooseGenes(cfg.NGenes)
	base := w.addGenes(chosen)
	w.addPrograms()
	w.addShares()
	if err := w.addTypes(chosen); err != nil {
		return nil, err
	}
	if err := w.addContexts(); err != nil {
		return nil, err
	}
	w.addWeights(base)
	w.addDonors()
	if err := w.addEffects(); err != nil {
		return nil, err
	}
	w.addAmbient()
	return w, nil
}

// Column is the position of a gene, or −1.
func (w *World) Column(symbol string) int {
	if i, ok := w.column[symbol]; ok {
		return int(i)
	}
	return -1
}

// Budgets of a mean profile before types and contexts shift it: what is common of
// blood cells in droplets.
const (
	ribosomalShare     = 0.22
	mitochondrialShare = 0.06
	abundantShare      = 0.20
	presentationShare  = 0.05
	// syntheticShare is what a very large number of synthetic genes would take; fewer
	// take less, so that the genes with names stay in sight in a world of any size.
	syntheticShare = 0.35
)

// addGenes fills Genes and returns the log baseline of each.
func (w *World) addGenes(chosen []candidate) []float64 {
	cfg := &w.Config
	w.Genes = make([]Gene, len(chosen))
	w.column = make(map[string]int32, len(chosen))
	base := make([]float64, len(chosen))
	sums := map[string]float64{}
	made := 0
	group := func(role string) string {
		switch role {
		case roleRibosomal, roleMitochondrial, roleAbundant, ProgramPresentation, roleSynthetic:
			return role
		}
		return ""
	}
	phi := off(cfg.Dispersion)
	for i, c := range chosen {
		id := hash(c.symbol)
		w.column[c.symbol] = int32(i)
		if c.role == &synthetic {
			made++
		}
		w.Genes[i] = Gene{Symbol: c.symbol, Role: c.role.name}
		// Between genes φ varies by a factor of about 1.5.
		w.Genes[i].Dispersion = phi * exp(float64(0.4*normal(newStream(cfg.Seed, forDispersion, id).at(0))))
		z := normal(newStream(cfg.Seed, forBaseline, id).at(0))
		base[i] = c.role.level + float64(c.role.slope*(0.5-c.place)) + float64(c.role.sd*z)
		sums[group(c.role.name)] += exp(base[i])
	}
	shares := map[string]float64{
		roleRibosomal: ribosomalShare, roleMitochondrial: mitochondrialShare, roleAbundant: abundantShare,
		ProgramPresentation: presentationShare,
	}
	rest := 1 - ribosomalShare - mitochondrialShare - abundantShare - presentationShare
	if n := float64(made); n > 0 {
		shares[roleSynthetic] = syntheticShare * n / (n + 2000)
		rest -= shares[roleSynthetic]
	}
	shares[""] = rest
	for i, g := range w.Genes {
		k := group(g.Role)
		base[i] += Log(shares[k] / sums[k])
	}
	return base
}

// addPrograms cuts the programs to the genes of the world.
func (w *World) addPrograms() {
	all := Programs()
	for _, p := range w.Config.Programs {
		if i := slices.IndexFunc(all, func(q Program) bool { return q.Name == p.Name }); i >= 0 {
			all[i] = p
		} else {
			all = append(all, p)
		}
	}
	for i := range all {
		seen := map[string]bool{}
		var genes []string
		for _, g := range all[i].Genes {
			if w.Column(g) >= 0 && !seen[g] {
				seen[g] = true
				genes = append(genes, g)
			}
		}
		all[i].Genes = genes
	}
	w.Programs = all
}

func (w *World) addShares() {
	total := 0.0
	for _, t := range w.CellTypes {
		total += t.Share
		w.shares = append(w.shares, total)
	}
	for i := range w.shares {
		w.shares[i] /= total
	}
}

// shift adds a program's shift to the log weights of genes.
func (w *World) shift(logs []float64, program string, by float64) error {
	i := slices.IndexFunc(w.Programs, func(p Program) bool { return p.Name == program })
	if i < 0 {
		return fmt.Errorf("%w: no program is called %q", ErrConfig, program)
	}
	if !(math.Abs(by) <= maxLogFC) {
		return fmt.Errorf("%w: program %q: the log fold change %g is not within ±%d", ErrConfig, program, by, maxLogFC)
	}
	for _, g := range w.Programs[i].Genes {
		logs[w.column[g]] += float64(by * w.loading(program, g))
	}
	return nil
}

// loading is how much of a program's shift a gene takes.
func (w *World) loading(program, gene string) float64 {
	return 0.5 + uniform(newStream(w.Config.Seed, forLoading, hash(program)^mix(hash(gene))).at(0))
}

// addTypes fills typeLog: markers, programs, and small differences in every gene,
// so that types differ beyond their markers.
func (w *World) addTypes(chosen []candidate) error {
	for _, t := range w.CellTypes {
		logs := make([]float64, len(w.Genes))
		for i, c := range chosen {
			id := hash(t.Name) ^ mix(hash(c.symbol))
			sd := 0.3
			switch c.role.name {
			case roleRibosomal, roleMitochondrial:
				sd = 0.1
			case roleSynthetic, roleRegulator:
				// One gene in 25 is a marker that no textbook knows.
				if uniform(newStream(w.Config.Seed, forHidden, id).at(0)) < 0.04 {
					logs[i] = 2
				}
			}
			logs[i] += float64(sd * normal(newStream(w.Config.Seed, forTypes, id).at(0)))
		}
		done := map[string]bool{}
		for _, m := range t.Markers {
			if g := w.Column(m); g >= 0 && !done[m] {
				done[m] = true
				u := uniform(newStream(w.Config.Seed, forMarkers, hash(t.Name)^mix(hash(m))).at(0))
				logs[g] += 4 + float64(u)
			}
		}
		for _, s := range t.Programs {
			if err := w.shift(logs, s.Program, s.LogFC); err != nil {
				return fmt.Errorf("cell type %q: %w", t.Name, err)
			}
		}
		w.typeLog = append(w.typeLog, logs)
	}
	return nil
}

func (w *World) addContexts() error {
	for _, c := range w.Contexts {
		logs := make([]float64, len(w.Genes))
		for _, s := range c.Programs {
			if err := w.shift(logs, s.Program, s.LogFC); err != nil {
				return fmt.Errorf("context %q: %w", c.Name, err)
			}
		}
		w.contextLog = append(w.contextLog, logs)
	}
	return nil
}

func (w *World) addWeights(base []float64) {
	for _, t := range w.typeLog {
		for _, c := range w.contextLog {
			row := make([]float64, len(base))
			for i := range base {
				row[i] = exp(base[i] + t[i] + c[i])
			}
			w.weight = append(w.weight, row)
		}
	}
}

func (w *World) addDonors() {
	sd := off(w.Config.DonorSD)
	for d := range w.Donors {
		row := make([]float64, len(w.Genes))
		for i, g := range w.Genes {
			z := normal(newStream(w.Config.Seed, forDonors, mix(hash(g.Symbol))+uint64(d)).at(0))
			row[i] = exp(float64(sd * z))
		}
		w.donor = append(w.donor, row)
	}
}

// addAmbient averages the profiles of a context over its cell types, each counted
// by its part of the RNA.
func (w *World) addAmbient() {
	if w.Config.AmbientShare == 0 {
		return
	}
	for c := range w.Contexts {
		profile := make([]float64, len(w.Genes))
		total := 0.0
		for t, ct := range w.CellTypes {
			row := w.weight[t*len(w.Contexts)+c]
			rna := float64(ct.Share*ct.Size) / sum(row)
			for i, v := range row {
				profile[i] += float64(rna * v)
			}
			total += float64(ct.Share * ct.Size)
		}
		for i := range profile {
			profile[i] /= total
		}
		w.ambient = append(w.ambient, profile)
	}
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}
