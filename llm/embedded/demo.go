package embedded

import _ "embed"

// The demo model: 2.1 million parameters in F16, trained by train/train.py.
//
//go:embed demo.gguf
var demo []byte

//go:embed MODEL.md
var card string

// Demo runs the demo model. It was trained on simulated cells and knows nothing of
// real ones; see [Card].
func Demo(cfg Config) (*Backend, error) { return Load(demo, "demo.gguf", cfg) }

// Card is what the demo model can and cannot do, in Markdown.
func Card() string { return card }
