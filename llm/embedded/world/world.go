// Package world is the simulated world that the demo model was trained on: its
// cells, its drugs and the words of its prompts. Whoever wants cells that the
// demo model knows draws them from here; the training data, the measured quality
// and the demonstrations all do.
//
// Start with [Config], which package simulate turns into a world, and [Prompt],
// which asks the model about one of its cells. The cells are those of
// simulate's default world of 999 genes at its seed 42, so that other files made
// from that world are understood as well.
package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/simulate"
)

// Seed is the seed of the world.
const Seed = 42

// TrainingDonors is the number of donors, from the first, that cells for training
// are drawn from; the donors after them are kept for measuring.
const (
	TrainingDonors = 1000
	HeldOutDonors  = 24
)

// TrainingRows is the first row of training cells, and HeldOutRows that of cells
// for measuring. Rows below TrainingRows are free for anybody.
const (
	TrainingRows = 1 << 24
	HeldOutRows  = 1 << 40
)

// Vehicle is the name of doing nothing to a cell, and UnknownContext the word for
// a context that nobody told: half of the training prompts have it, so that the
// model also reads the cell.
const (
	Vehicle        = "vehicle"
	UnknownContext = "unknown"
)

// Genes is the number of genes in the sentences of perturbed cells. Sentences for
// cell typing have from MinGenes to MaxGenes genes, those that are generated from
// a cell type MinGenes to Genes.
const (
	MinGenes = 12
	Genes    = 32
	MaxGenes = 64
)

// Config is the world: eight cell types of blood and a tumour, a context of low
// and one of high interferon, and 48 drugs, DRUG-001 to DRUG-048. Six of them, of
// simulate.ClassSplit, raise antigen presentation where there is interferon and
// do nothing where there is none. Five of simulate.ClassAdditive raise it as much
// in both contexts.
func Config() simulate.Config {
	return simulate.Config{
		Seed: Seed, NGenes: 999, Depth: 1500, DepthSD: 0.7, AmbientShare: 0.02,
		Donors: TrainingDonors + HeldOutDonors, ControlName: Vehicle, Perturbations: Drugs(),
	}
}

// family is a kind of drug.
type family struct {
	class string
	n     int
	// effects are those of a drug of strength 1.
	effects []simulate.Effect
}

// families returns the kinds of drugs and how many there are of each. The sizes of
// the effects are invented: large enough to be seen in the first 32 genes.
func families() []family {
	const both, low, high = "", simulate.ContextLow, simulate.ContextPositive
	presentation, interferon := simulate.ProgramPresentation, simulate.ProgramInterferon
	return []family{
		{simulate.ClassInert, 16, nil},
		{simulate.ClassSplit, 6, []simulate.Effect{
			{Program: presentation, LogFC: 1, Context: high},
			{Program: simulate.ProgramCycle, LogFC: -0.7, Context: both},
		}},
		{simulate.ClassAdditive, 5, []simulate.Effect{
			{Program: presentation, LogFC: 1, Context: both},
			{Program: simulate.ProgramInflammation, LogFC: 1.5, Context: both},
		}},
		// Interferon on top of interferon does less.
		{simulate.ClassInterferon, 5, []simulate.Effect{
			{Program: interferon, LogFC: 1.2, Context: low},
			{Program: presentation, LogFC: 0.7, Context: low},
			{Program: interferon, LogFC: 0.5, Context: high},
			{Program: presentation, LogFC: 0.25, Context: high},
		}},
		{simulate.ClassSuppressor, 5, []simulate.Effect{
			{Program: presentation, LogFC: -0.8, Context: both},
			{Program: interferon, LogFC: -0.8, Context: both},
		}},
		{simulate.ClassOffTarget, 7, []simulate.Effect{
			{Program: simulate.ProgramStress, LogFC: 1.5, Context: both},
			{Program: simulate.ProgramApoptosis, LogFC: 1, Context: both},
		}},
		{simulate.ClassOffTarget, 4, []simulate.Effect{
			{Program: simulate.ProgramInflammation, LogFC: -1.2, Context: both},
			{Program: simulate.ProgramCycle, LogFC: -1, Context: both},
		}},
	}
}

// Drugs returns the 48 drugs. Their kinds are dealt out over the names so that
// names tell nothing, and each has a strength from 0.7 to 1.3.
func Drugs() []simulate.Perturbation {
	var kinds []family
	for _, f := range families() {
		for range f.n {
			kinds = append(kinds, f)
		}
	}
	out := make([]simulate.Perturbation, len(kinds))
	for i := range out {
		// 31 has no factor in common with 48: a walk over all names.
		at := (i*31 + 7) % len(out)
		p := simulate.Perturbation{Name: fmt.Sprintf("DRUG-%03d", at+1), Class: kinds[i].class}
		strength := 0.7 + 0.6*float64(i*5%7)/6
		for _, e := range kinds[i].effects {
			e.LogFC *= strength
			p.Effects = append(p.Effects, e)
		}
		if len(p.Effects) > 0 {
			p.RandomGenes, p.RandomSD = 20, 0.3
		}
		out[at] = p
	}
	return out
}

// HeldOutType is the position of the cell type that was never shown with a drug
// in training, in any context. Drugs are counted from 1, as in the world's
// Perturbations.
func HeldOutType(drug, types int) int { return drug * 3 % types }

// Decoy is the name of a compound that does nothing; n counts from 0 to 999.
func Decoy(n int) string { return fmt.Sprintf("DECOY-%03d", n%1000) }

// The tasks that the model was trained on.
const (
	TaskCellType     = "cell_type"
	TaskGenerate     = "generation"
	TaskPerturbation = "perturbation"
)

// Prompts returns the template of each task. Fields stand in braces: {num_genes},
// {cell_sentence}, {cell_type}, {context}, {control_cell_sentence},
// {perturbation}. The answer begins with a blank and ends with a full stop and the
// end of text. The drug comes last, so that all drugs of a cell share a prefix.
func Prompts() map[string]string {
	return map[string]string{
		TaskCellType: "Here are the {num_genes} most expressed genes of a Homo sapiens cell, highest first.\n" +
			"Cell sentence: {cell_sentence}.\nThe cell type is:",
		TaskGenerate: "Write the {num_genes} most expressed genes of a Homo sapiens cell, highest first.\n" +
			"Cell type: {cell_type}.\nCell sentence:",
		TaskPerturbation: "Write the {num_genes} most expressed genes of this Homo sapiens cell after a perturbation.\n" +
			"Context: {context}.\nControl cell sentence: {control_cell_sentence}.\n" +
			"Perturbation: {perturbation}.\nPerturbed cell sentence:",
	}
}

// Prompt fills the template of a task: fields and values in turn, without braces.
func Prompt(task string, fields ...string) string {
	pairs := make([]string, 0, len(fields))
	for i, f := range fields {
		if i%2 == 0 {
			f = "{" + f + "}"
		}
		pairs = append(pairs, f)
	}
	return strings.NewReplacer(pairs...).Replace(Prompts()[task])
}

// Scored returns the genes of MHC class I antigen presentation, by which drugs
// are judged.
func Scored() []string {
	all := simulate.Programs()
	i := slices.IndexFunc(all, func(p simulate.Program) bool { return p.Name == simulate.ProgramPresentation })
	return all[i].Genes
}

// Score is how much antigen presentation shows in a cell sentence of at most
// [Genes] words: the mean over the scored genes of 1 − position/Genes, where the
// first gene has position 0 and an absent one counts 0.
func Score(words []string) float64 {
	scored := Scored()
	sum := 0.0
	seen := map[string]bool{}
	for i, word := range words[:min(len(words), Genes)] {
		if !seen[word] && slices.Contains(scored, word) {
			seen[word] = true
			sum += 1 - float64(i)/Genes
		}
	}
	return sum / float64(len(scored))
}
