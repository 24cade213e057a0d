// Package embedded runs Gemma-2 models inside the process: a demo model that is
// part of the program, and any GGUF file of that architecture in F32, F16 or Q8_0.
//
// Start with [Demo] or [Open], which give an [llm.Backend]. Package world has the
// simulated cells and the prompts that the demo model was trained on; MODEL.md,
// which [Card] holds, says what it can and cannot do. It was made by the scripts
// in train.
//
// The engine follows Gemma Team, "Gemma 2: Improving Open Language Models at a
// Practical Size" (arXiv 2408.00118), and where that leaves something open,
// llama.cpp. It computes in float32. Answers are the same bits at any number of
// threads and slots, in batches of any size, and with or without what is
// remembered of an earlier prompt.
//
// It is meant for models of some million parameters. With larger ones it works,
// slowly, and Info says what would be faster.
package embedded
