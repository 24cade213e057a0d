package prompt

import (
	"fmt"
	"slices"
)

// Task is one kind of question to a model.
type Task struct {
	// Name is the name on the command line, in the column sample_type of a dataset
	// and of the task's file in a folder of prompts (NAME.json). Tasks of the Python
	// package cell2sentence 1.2.0 have its names.
	Name string
	// About says what is asked.
	About string
	// Input are the fields that its prompts may use, Response those that its
	// responses may use besides. Response fields are what the model is asked for: a
	// prompt must not hold them.
	Input, Response []Field
	// python is the name of the Python package's file for this task, "" if it has
	// none.
	python string
}

// Field is a placeholder of a template, such as {cell_sentence}.
type Field struct {
	Name  string
	About string // what stands there and where it comes from
	kind  kind
}

// kind is how a field gets its text.
type kind uint8

const (
	kindLine         kind = iota // a value of one line
	kindText                     // a value that may have several
	kindSentence                 // a cell sentence, cut to the number of genes asked for
	kindGenes                    // genes, all of them
	kindGeneCount                // the number of genes asked for
	kindCellCount                // the number of cells
	kindCells                    // several sentences
	kindTypes                    // the types of several cells
	kindInteractions             // pairs of a table among the genes
)

// Tasks lists all tasks with their fields.
func Tasks() []Task {
	var (
		numGenes   = Field{"num_genes", "the number of genes asked for, also where a cell has fewer", kindGeneCount}
		numCells   = Field{"num_cells", "the number of cells: those that the prompt shows, or a value", kindCellCount}
		organism   = Field{"organism", "the species, for C2S models 'Homo sapiens' or 'Mus musculus'", kindLine}
		cell       = Field{"cell_sentence", "the sentence of the cell, cut to num_genes", kindSentence}
		cells      = Field{"multi_cell_sentences", "the sentences of several cells, numbered, each cut to num_genes", kindCells}
		cellType   = Field{"cell_type", "the cell's type", kindLine}
		cellTypes  = Field{"cell_types", "the types of these cells, numbered, a line each", kindTypes}
		tissue     = Field{"tissue", "the tissue that the cells are from", kindLine}
		abstract   = Field{"abstract", "a text about the data set, such as its paper's abstract", kindText}
		caption    = Field{"caption", "a text about the cluster", kindText}
		question   = Field{"question", "a question about the cells", kindText}
		answer     = Field{"answer", "its answer", kindText}
		pseudobulk = Field{"pseudobulk_sentence", "the sentence of the pooled cells, cut to num_genes", kindSentence}
		genes      = Field{"genes", "the genes of the set with blanks between them, all of them", kindGenes}
		geneSet    = Field{"gene_set_name", "the name of the gene set", kindLine}
		control    = Field{"control_cell_sentence", "the sentence of an untreated cell, cut to num_genes", kindSentence}
		perturbed  = Field{"perturbed_cell_sentence", "the sentence of a treated cell, cut to num_genes", kindSentence}
		treatment  = Field{"perturbation_name", "the perturbation: a gene, a compound, a cytokine", kindLine}
		treatments = Field{"perturbation_names", "the perturbations of a combination, such as 'IFN-beta and IL-6'", kindLine}
		dose       = Field{"dose", "the dose with its unit, such as '0.2 uM'", kindLine}
		time       = Field{"time", "the time under treatment with its unit, such as '24 h'", kindLine}
		exposure   = Field{"exposure", "'chronic' or 'acute'", kindLine}
		niche      = Field{"niche", "the label of the neighbourhood", kindLine}
		neighbour  = Field{"neighbour_cell_sentence", "the sentence of another cell nearby, cut to num_genes", kindSentence}
		together   = Field{"same_neighbourhood", "'Yes' or 'No'", kindLine}
		interact   = Field{"interactions", "pairs of the interaction table among the genes shown, a line each, or 'none'", kindInteractions}
	)
	several := []Field{numGenes, numCells, organism, cells}
	response := func(about, name string, more ...Field) Task {
		return Task{
			Name: name, About: about,
			Input:    append([]Field{numGenes, organism, cellType, control}, more...),
			Response: []Field{perturbed},
		}
	}
	around := func(about, name string, asked Field) []Task {
		withPairs := append(slices.Clone(several), interact)
		return []Task{
			{Name: name, About: about, Input: several, Response: []Field{asked}},
			{Name: name + "_interactions", About: about + ", given known interactions", Input: withPairs, Response: []Field{asked}},
		}
	}
	return slices.Concat([]Task{
		{
			Name: "cell_type_prediction", About: "the type of a cell",
			Input: []Field{numGenes, organism, cell}, Response: []Field{cellType},
			python: "single_cell_cell_type_prediction_prompts.json",
		},
		{
			Name: "cell_type_generation", About: "a cell of a type",
			Input: []Field{numGenes, organism, cellType}, Response: []Field{cell},
			python: "single_cell_cell_type_conditional_generation_prompts.json",
		},
		{
			Name: "tissue_prediction", About: "the tissue of several cells",
			Input: several, Response: []Field{tissue},
			python: "multi_cell_tissue_prediction_prompts.json",
		},
		{
			Name: "tissue_conditional_generation", About: "several cells of a tissue",
			Input: []Field{numGenes, numCells, organism, tissue}, Response: []Field{cells},
			python: "multi_cell_tissue_conditional_generation.json",
		},
		{
			Name: "natural_language_interpretation", About: "a description of the data set of several cells",
			Input: several, Response: []Field{abstract},
			python: "multi_cell_natural_lang_interpretation_prompts.json",
		},
		{
			Name: "cluster_captioning", About: "a description of the cluster of several cells",
			Input: several, Response: []Field{caption},
		},
		{
			Name: "sample_cell_type_prediction", About: "the type of each of several cells",
			Input: several, Response: []Field{cellTypes},
		},
		{
			Name: "pseudobulk_cell_type_prediction", About: "the type of pooled cells",
			Input: []Field{numGenes, numCells, organism, pseudobulk}, Response: []Field{cellType},
		},
		{
			Name: "pseudobulk_generation", About: "the pooled profile of cells of a type",
			Input: []Field{numGenes, numCells, organism, cellType}, Response: []Field{pseudobulk},
		},
		{
			Name: "gene_set_naming", About: "the name of a set of genes",
			Input: []Field{organism, genes}, Response: []Field{geneSet},
		},
		{
			Name: "gene_set_enumeration", About: "the genes of a named set",
			Input: []Field{organism, geneSet}, Response: []Field{genes},
		},
		{
			Name: "question_answering", About: "a question about several cells",
			Input: append(slices.Clone(several), question), Response: []Field{answer},
		},
		response("a cell after a perturbation", "perturbation_response", treatment),
		response("a cell after several perturbations at once", "perturbation_combination_response", treatments),
		response("a cell after a perturbation at a dose", "perturbation_dose_response", treatment, dose),
		response("a cell some time after a perturbation", "perturbation_time_response", treatment, time),
		response("a cell after a chronic or acute perturbation", "perturbation_exposure_response", treatment, exposure),
	},
		around("the niche of neighbouring cells", "niche_prediction", niche),
		around("one more cell of the neighbourhood", "neighbour_generation", neighbour),
		around("whether the cells are from one neighbourhood", "same_neighbourhood", together),
	)
}

// TaskByName returns the task of a name, or an error that lists the names.
func TaskByName(name string) (Task, error) {
	var names []string
	for _, t := range Tasks() {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Task{}, fmt.Errorf("unknown task %s: choose one of %s", quote(name), list(names))
}

// field finds the field of a name.
func field(fields []Field, name string) (Field, bool) {
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return fields[i], true
}

// names lists the names of fields.
func names(fields []Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return out
}
