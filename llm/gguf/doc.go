// Package gguf reads and writes GGUF files, in which llama.cpp and its relatives
// keep language models: metadata, then tensors.
//
// Start with [Open], or [Parse] for a file in memory; metadata comes from [Get]
// and [File.Uint], weights from [File.Tensor] and [File.Data]. [Write] makes a
// file, one tensor at a time.
//
// It follows the specification of GGUF version 3
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md); version 2 has the
// same layout. A file is not trusted: every count and offset is checked against
// the file's size before memory is taken.
package gguf
