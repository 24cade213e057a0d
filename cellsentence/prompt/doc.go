// Package prompt puts cell sentences into words for a language model and reads
// its answers.
//
// Start with [Default], the project's own wording of a task, or [Load], which
// reads a prompt file of the Python package cell2sentence or one in its form;
// [FindPackage] says where an installed copy of that package keeps its files. A
// C2S model answers best to the words it was trained on: [Templates.C2S] tells
// whether the words are those. [NewFormatter] then makes prompts, or pairs of a
// prompt and its response for training. [Tasks] lists the tasks with their fields.
//
// Answers are read by [GeneParser] (gene lists), [LabelParser] (one of a closed
// list of labels) and [SplitCells] (answers about several cells). What had to be
// mended on the way is counted.
//
// The tasks are those of Cell2Sentence (Levine et al., "Cell2Sentence: Teaching
// Large Language Models the Language of Biology", ICML 2024) and C2S-Scale (Rizvi
// et al., "Scaling Large Language Models for Next-Generation Single-Cell Analysis",
// bioRxiv 2025.04.14.648850). Prompts are plain text to be completed: these models
// know no chat roles.
package prompt
