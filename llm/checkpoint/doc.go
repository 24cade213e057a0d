// Package checkpoint turns a language model as its training left it into a GGUF
// file that llama.cpp, Ollama and package embedded load: a Hugging Face folder
// (config.json, safetensors, tokenizer) of a Gemma-2 or of a GPT-NeoX such as
// Pythia, or another GGUF. It needs no Python.
//
// Start with [Import]; [Open] and [Model.Write] are its two halves. What Ollama
// must be told about the file is [Result.Registration].
//
// Weights are streamed: memory holds the tokenizer and a piece of one tensor,
// whatever the size of the model. No file is trusted; sizes, offsets and counts
// are checked before memory is taken, and pickled checkpoints, which run code when
// they are opened, are refused.
//
// Formats: safetensors (https://github.com/huggingface/safetensors), GGUF and the
// names of its keys and tensors (gguf.md of ggml), SentencePiece
// (sentencepiece_model.proto) and tokenizer.json of Hugging Face's tokenizers.
// Gemma 2: arXiv 2408.00118; GPT-NeoX: arXiv 2204.06745; Pythia: arXiv 2304.01373.
package checkpoint
