package main

import "strings"

// demoChapter is a question that some steps answer.
type demoChapter struct {
	title    string
	question string
	text     string // what the answer is worth, for the page
	steps    []demoStep
	figures  []demoFigure
	pages    []string // reports that the steps wrote, by their folder
}

// demoStep is a command that the demo runs; a % stands for its folder.
type demoStep struct {
	args    []string
	printed []byte
}

// demoFigure is a picture that a step wrote, without its extension.
type demoFigure struct{ path, caption string }

// shown is the command as a shell reads it.
func (s *demoStep) shown(folder string) string {
	words := []string{"c2s"}
	for _, a := range s.args {
		a = strings.ReplaceAll(a, "%", folder)
		if strings.ContainsAny(a, " \"&|$\\") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// steps splits commands at blanks; a word in quotes is one, and they are left out.
func steps(lines ...string) []demoStep {
	var out []demoStep
	for _, line := range lines {
		var s demoStep
		for i, part := range strings.Split(line, "'") {
			if i%2 == 1 {
				s.args = append(s.args, part)
			} else {
				s.args = append(s.args, strings.Fields(part)...)
			}
		}
		out = append(out, s)
	}
	return out
}

func demoChapters() []demoChapter {
	return []demoChapter{
		{
			title:    "The file",
			question: "What is in the file, and is it sound?",
			text:     "Simulated cells of known truth: eight cell types, four donors, two contexts, one with interferon. inspect says what can be done with a file; validate walks every element of it.",
			steps:    steps("inspect %/demo.h5ad", "validate %/demo.h5ad"),
		},
		{
			title:    "A part of it",
			question: "One donor's B cells, as a file of their own.",
			text:     "What need not change is carried over bit for bit.",
			steps:    steps(`convert %/demo.h5ad %/b_cells.h5ad --where 'cell_type == "B cell" && donor == "D1"'`),
		},
		{
			title:    "Sentences",
			question: "Each cell becomes a sentence: its genes, by falling expression.",
			steps:    steps("vocab %/demo.h5ad -o %/vocab.txt", "encode %/demo.h5ad --top-k 50 -o %/demo.jsonl"),
		},
		{
			title:    "What sentences keep",
			question: "What does a sentence keep of the expression, and how does it come back?",
			text:     "A rank model learnt on half of the cells gives the expression of the other half back. The paper's model is a line; the conditional one also knows how many genes a cell expresses.",
			steps: steps("fidelity %/demo.h5ad -o %/fidelity",
				"decode %/demo.jsonl --rank-model %/fidelity/rank.json --vocab %/demo.h5ad --n-genes column -o %/decoded.h5ad"),
			figures: []demoFigure{{"fidelity/normalized_expression_vs_log_rank", "Expression by rank in the sentence, and the models of it."}, {"fidelity/residual_by_rank", "What each model leaves unexplained, by rank."}},
			pages:   []string{"fidelity"},
		},
		{
			title:    "Cell types, and new cells",
			question: "What type are the cells? And what does a new B cell look like? Asked of the demo model, which c2s carries.",
			text:     "The model knows simulated cells only. With a closed list each label is scored as a whole answer, and the scores are probabilities. With a real model only --backend changes.",
			steps: steps("annotate %/demo.h5ad --backend demo --labels %/labels.txt --truth cell_type -o %/types.tsv",
				"generate --backend demo --cell-type 'B cell' -n 10 --vocab %/demo.h5ad -o %/new_cells.jsonl"),
		},
		{
			title:    "A distance that can be trusted",
			question: "How far apart are cells with interferon and without, and what is that number worth?",
			text:     "The distance of equal distributions is not 0 but falls with the number of cells: the bias floor says how far. What lies above it is real.",
			steps: steps(`convert %/demo.h5ad %/low.h5ad --where 'context == "interferon-low"'`,
				`convert %/demo.h5ad %/positive.h5ad --where 'context == "interferon-positive"'`,
				"embed %/low.h5ad --method pca --components 20 --save %/pca.json -o %/low.npy",
				"embed %/positive.h5ad --method pca --model %/pca.json -o %/positive.npy",
				"scfid %/low.npy %/positive.npy -o %/scfid"),
			figures: []demoFigure{{"scfid/projection", "Both sets of cells on two principal components."}, {"scfid/extrapolation", "The distance by the number of cells, and where it leads."}},
			pages:   []string{"scfid"},
		},
		{
			title:    "Perturbations",
			question: "What does a drug make of a cell, and how good is the prediction?",
			text:     "Pairs of control and treated cells train a model; here the demo model predicts what it would be asked. A score means little alone: 0 is what a copy of the control or the mean response reaches, 1 what a second experiment would.",
			steps: steps("perturb pairs %/drugs.h5ad --control vehicle --top-k 32 -o %/pairs",
				"predict %/drugs.h5ad --control vehicle --predictor llm --backend demo -o %/predicted.h5ad",
				"perturb score %/drugs.h5ad %/predicted.h5ad --pert-col perturbation --control vehicle -o %/score"),
			figures: []demoFigure{{"score/metrics", "Each metric between baseline and replicate."}},
			pages:   []string{"score"},
		},
		{
			title:    "A screen in two contexts",
			question: "Which drugs raise antigen presentation where there is interferon, and only there?",
			text:     "Every drug is held against draws without one, against names that mean nothing, and against a drug known to work in both contexts; donors are the unit of replication. Six of the 24 drugs were made to be hits.",
			steps: steps("screen plan -c %/screen.yaml -o %/screen",
				"screen run -c %/screen.yaml --backend demo -o %/screen",
				"screen analyse %/screen", "screen report %/screen"),
			figures: []demoFigure{{"screen/analysis/quadrant", "The effect of each drug in both contexts."}},
			pages:   []string{"screen/analysis"},
		},
	}
}
