// Command worldgen prints what the demo model is trained on, one JSON value a
// line: first the world (names, prompts), then groups of cells without end.
// Reading stops it.
//
//	go run ./llm/embedded/train/worldgen [-part I -parts N]
//
// N processes with parts 0 to N-1 print the groups of one between them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

func main() {
	part := flag.Int("part", 0, "the part to print, from 0")
	parts := flag.Int("parts", 1, "number of parts")
	flag.Parse()
	if flag.NArg() > 0 || *parts < 1 || *part < 0 || *part >= *parts {
		flag.Usage()
		os.Exit(2) //nolint:forbidigo // this is main
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	// A reader that has enough closes the pipe.
	if err := write(ctx, os.Stdout, *part, *parts); !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(os.Stderr, "worldgen:", err)
		stop()
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// header is the first line.
type header struct {
	Genes     []string          `json:"genes"`
	CellTypes []string          `json:"cell_types"`
	Contexts  []string          `json:"contexts"`
	Drugs     []string          `json:"drugs"`
	Words     []string          `json:"words"` // further words that prompts hold
	Prompts   map[string]string `json:"prompts"`
	Seed      uint64            `json:"seed"`
}

// group is a control cell with what became of its like under the vehicle and
// seven drugs, and two cells for the other tasks.
type group struct {
	Context string   `json:"context"`
	Control string   `json:"control"`
	Answers []answer `json:"answers"`
	// Typed is a cell whose type is asked for, Generated one that is asked for.
	Typed     typed `json:"typed"`
	Generated typed `json:"generated"`
}

type answer struct {
	Perturbation string `json:"perturbation"`
	Cell         string `json:"cell"`
}

type typed struct {
	NumGenes int    `json:"num_genes"`
	Cell     string `json:"cell"`
	CellType string `json:"cell_type"`
}

const (
	branches   = 8    // vehicle and drugs after a control
	decoyShare = 0.06 // of the drugs are names that do nothing
	wordShare  = 0.5  // of the groups are told their context
	drugShare  = 0.3  // of the cells to type have met a drug
	perGroup   = 1 + branches + 2
	chunk      = 64 // groups drawn at a time
)

// write prints without end: it always returns an error.
func write(ctx context.Context, out io.Writer, part, parts int) error {
	w, err := simulate.New(world.Config())
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 1<<16)
	enc := json.NewEncoder(buffered)
	h, err := describe(w)
	if err != nil {
		return err
	}
	if err := enc.Encode(h); err != nil {
		return err
	}
	for at := part * chunk; ; at += parts * chunk {
		plans := make([]plan, chunk)
		for i := range plans {
			plans[i] = newPlan(w, at+i)
		}
		start := world.TrainingRows + at*perGroup
		cells, err := world.Sentences(ctx, w, start, chunk*perGroup, func(row int) simulate.CellSpec {
			i := row - start
			return plans[i/perGroup].specs[i%perGroup]
		})
		if err != nil {
			return err
		}
		for i := range plans {
			if g, ok := plans[i].group(w, cells[i*perGroup:(i+1)*perGroup]); ok {
				if err := enc.Encode(g); err != nil {
					return err
				}
			}
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
	}
}

func describe(w *simulate.World) (header, error) {
	genes, err := world.Words(w)
	h := header{Genes: genes, Prompts: world.Prompts(), Seed: world.Seed, Words: []string{world.Vehicle, world.UnknownContext}}
	for _, t := range w.CellTypes {
		h.CellTypes = append(h.CellTypes, t.Name)
	}
	for _, c := range w.Contexts {
		h.Contexts = append(h.Contexts, c.Name)
	}
	for _, p := range w.Perturbations[1:] {
		h.Drugs = append(h.Drugs, p.Name)
	}
	for n := world.MinGenes; n <= world.MaxGenes; n++ {
		h.Words = append(h.Words, fmt.Sprint(n))
	}
	// The decoys share their beginnings and differ in the rest, as real names do.
	h.Words = append(h.Words, "DECOY-")
	return h, err
}

// plan says what the cells of a group are.
type plan struct {
	specs          [perGroup]simulate.CellSpec
	names          [branches]string
	context        string
	nTyped, nDrawn int
}

// newPlan draws the plan of a group, by its number alone.
func newPlan(w *simulate.World, number int) plan {
	r := rand.New(rand.NewPCG(world.Seed, uint64(number)))
	var p plan
	base := simulate.CellSpec{CellType: r.IntN(len(w.CellTypes)), Donor: r.IntN(world.TrainingDonors), Context: r.IntN(len(w.Contexts))}
	p.context = w.Contexts[base.Context].Name
	if r.Float64() >= wordShare {
		p.context = world.UnknownContext
	}
	p.specs[0] = base
	drugs := r.Perm(len(w.Perturbations) - 1)
	for i := range p.names {
		spec := base
		name := world.Vehicle
		if i > 0 {
			spec.Perturbation, drugs = nextDrug(w, drugs, base.CellType)
			name = w.Perturbations[spec.Perturbation].Name
			if r.Float64() < decoyShare {
				spec.Perturbation = 0
				name = world.Decoy(r.IntN(1000))
			}
		}
		p.specs[1+i], p.names[i] = spec, name
	}
	other := func() simulate.CellSpec {
		return simulate.CellSpec{CellType: r.IntN(len(w.CellTypes)), Donor: r.IntN(world.TrainingDonors), Context: r.IntN(len(w.Contexts))}
	}
	toType := other()
	if r.Float64() < drugShare {
		toType.Perturbation, _ = nextDrug(w, r.Perm(len(w.Perturbations)-1), toType.CellType)
	}
	p.specs[1+branches], p.specs[2+branches] = toType, other()
	p.nTyped = world.MinGenes + r.IntN(world.MaxGenes-world.MinGenes+1)
	p.nDrawn = world.MinGenes + r.IntN(world.Genes-world.MinGenes+1)
	return p
}

// nextDrug takes the first drug that may be shown with a cell type.
func nextDrug(w *simulate.World, drugs []int, cellType int) (int, []int) {
	for i, d := range drugs {
		if world.HeldOutType(d+1, len(w.CellTypes)) != cellType {
			return d + 1, drugs[i+1:]
		}
	}
	return 0, nil
}

// group makes the line of a plan from its cells; ok is false where one of them
// has fewer genes than a sentence needs, which is seen in platelets only.
func (p *plan) group(w *simulate.World, cells [][]string) (g group, ok bool) {
	for _, c := range cells[:1+branches] {
		if len(c) < world.Genes {
			return g, false
		}
	}
	g = group{Context: p.context, Control: strings.Join(cells[0][:world.Genes], " ")}
	for i, name := range p.names {
		g.Answers = append(g.Answers, answer{name, strings.Join(cells[1+i][:world.Genes], " ")})
	}
	toType, drawn := cells[1+branches], cells[2+branches]
	p.nTyped = min(p.nTyped, len(toType))
	if p.nTyped < world.MinGenes || len(drawn) < p.nDrawn {
		return g, false
	}
	g.Typed = typed{p.nTyped, strings.Join(toType[:p.nTyped], " "), w.CellTypes[p.specs[1+branches].CellType].Name}
	g.Generated = typed{p.nDrawn, strings.Join(drawn[:p.nDrawn], " "), w.CellTypes[p.specs[2+branches].CellType].Name}
	return g, true
}
