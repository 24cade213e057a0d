package prompt_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

func ExampleFormatter() {
	templates, err := prompt.Default("cell_type_prediction")
	if err != nil {
		log.Fatal(err)
	}
	f, err := prompt.NewFormatter(templates, prompt.Config{TopK: 3, Seed: cellsentence.DefaultSeed})
	if err != nil {
		log.Fatal(err)
	}
	pair, err := f.Pair(prompt.Sample{Row: 0, Values: map[string]string{
		"cell_sentence": "CD79A MS4A1 CD74 HLA-DRA B2M",
		"organism":      "Homo sapiens",
		"cell_type":     "B cell",
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pair.Input, pair.Response)
	fmt.Println(pair.InputTokens, "and", pair.ResponseTokens, "tokens")
	// Output:
	// Annotate a cell from its ranked transcriptome.
	// Species: Homo sapiens
	// Genes shown: 3
	// Ranking: CD79A MS4A1 CD74.
	// Cell type: B cell.
	// 37 and 2 tokens
}

func ExampleFormatter_severalCells() {
	templates, err := prompt.Default("same_neighbourhood")
	if err != nil {
		log.Fatal(err)
	}
	f, err := prompt.NewFormatter(templates, prompt.Config{TopK: 2})
	if err != nil {
		log.Fatal(err)
	}
	pair, err := f.Pair(prompt.Sample{
		Row:    1,
		Cells:  []string{"ALB APOA1 TTR", "CLEC4F CD163"},
		Values: map[string]string{"organism": "Homo sapiens", "same_neighbourhood": "Yes"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pair.Input, pair.Response)
	// Output:
	// Decide whether the 2 cells below (Homo sapiens, 2 leading genes each) were next to each other.
	// Cell 1:
	// ALB APOA1.
	// Cell 2:
	// CLEC4F CD163.
	// Yes or No: Yes.
}

// A prompt file of one's own, with a label column of the data.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "prompts")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mine.json")
	text := `{"model_input": ["{organism}, {donor}: {cell_sentence}.\nType:"], "response": ["{cell_type}"]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	templates, err := prompt.Load(path, "cell_type_prediction", "donor")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(templates.Fields(), templates.ResponseFields(), templates.C2S())
	_, err = prompt.Load(path, "cell_type_prediction")
	fmt.Println(strings.TrimPrefix(err.Error(), dir+string(filepath.Separator)))
	// Output:
	// [organism donor cell_sentence] [cell_type] false
	// mine.json: model_input[0]: unknown field {donor}; known here are num_genes, organism, cell_sentence
}

func ExampleTaskByName() {
	task, err := prompt.TaskByName("perturbation_dose_response")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(task.About)
	for _, f := range task.Input {
		fmt.Printf("  {%s}: %s\n", f.Name, f.About)
	}
	for _, f := range task.Response {
		fmt.Printf("asked for {%s}: %s\n", f.Name, f.About)
	}
	// Output:
	// a cell after a perturbation at a dose
	//   {num_genes}: the number of genes asked for, also where a cell has fewer
	//   {organism}: the species, for C2S models 'Homo sapiens' or 'Mus musculus'
	//   {cell_type}: the cell's type
	//   {control_cell_sentence}: the sentence of an untreated cell, cut to num_genes
	//   {perturbation_name}: the perturbation: a gene, a compound, a cytokine
	//   {dose}: the dose with its unit, such as '0.2 uM'
	// asked for {perturbed_cell_sentence}: the sentence of a treated cell, cut to num_genes
}

func ExampleGeneParser() {
	v := &cellsentence.Vocabulary{}
	for _, gene := range []string{"CD79A", "MS4A1", "CD74", "B2M"} {
		v.Add(gene, 1)
	}
	p, err := prompt.NewGeneParser(v, prompt.GeneConfig{})
	if err != nil {
		log.Fatal(err)
	}
	var total prompt.GeneCounts
	for _, answer := range []string{"\nCD79A MS4A1 B2M.<ctrl100>", "cd74 CD79A CD20 CD74."} {
		a := p.Parse(answer)
		total.Add(a.Counts)
		fmt.Println(a.Genes, a.Unknown)
	}
	fmt.Printf("%d words: %d genes, %d repeated, %d unknown, %d in another case; %d control tokens\n",
		total.Words, total.Genes, total.Repeated, total.Unknown, total.Recased, total.ControlTokens)
	// Output:
	// [CD79A MS4A1 B2M] []
	// [CD79A CD74] [CD20]
	// 7 words: 5 genes, 1 repeated, 1 unknown, 1 in another case; 1 control tokens
}

func ExampleLabelParser() {
	p, err := prompt.NewLabelParser([]string{"B cell", "natural killer cell, human"})
	if err != nil {
		log.Fatal(err)
	}
	for _, answer := range []string{"\nB cell.<ctrl100>", "Natural killer cell", "B lymphocyte"} {
		a := p.Parse(answer)
		fmt.Printf("%q, number %d\n", a.Label, a.Index)
	}
	// Output:
	// "B cell", number 0
	// "natural killer cell, human", number 1
	// "", number -1
}

func ExampleSplitCells() {
	cells, _, err := prompt.SplitCells("Cell 1: B cell\nCell 2: T cell.<eos>")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range cells {
		fmt.Println(c.Cell, c.Text)
	}
	// Output:
	// 1 B cell
	// 2 T cell.
}

func ExamplePool() {
	fmt.Println(prompt.Pool([]string{"MALAT1 CD79A", "CD79A B2M"}))
	// Output: CD79A MALAT1 B2M
}
