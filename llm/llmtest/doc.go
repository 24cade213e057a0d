// Package llmtest holds the tests that every [llm.Backend] passes, in a process or
// behind a server: what reaches the model are the bytes that were given, what
// comes back is what torch computes from the same file, and nothing is ever
// answered by half.
//
// Start with [Run], which takes a [Target]. What a backend's Info says that it
// cannot do is not compared but must be refused with an [llm.UnsupportedError]
// that names a remedy. The reference is a JSON file that torch wrote; [Load] reads
// it.
package llmtest
