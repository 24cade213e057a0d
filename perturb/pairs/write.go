package pairs

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Options say what a Writer writes.
type Options struct {
	// Formats are the trainers; nil is all.
	Formats []Format
	// Test says that there are pairs to test with.
	Test bool
	// EndOfText is the token that ends an answer, as text, which Axolotl's format must
	// spell out: <|endoftext|> for Pythia, <eos> for Gemma.
	EndOfText string
	// Jobs is how many blocks of Parquet are compressed at a time (0: 1).
	Jobs int
}

// Writer writes examples to files for trainers.
type Writer struct {
	dir   string
	opts  Options
	sinks [2][]sink // by side
	n     [2]int64
	seen  [2]map[[sha256.Size]byte]bool // prompts, for the audit
	audit Audit
}

// Audit counts what both sides have in common.
type Audit struct {
	// SharedPrompts counts prompts of the test that training has to the letter.
	SharedPrompts int `json:"shared_prompts"`
	// RepeatedPrompts counts prompts that came before on their side: they are once only
	// among the prompts for rewards.
	RepeatedPrompts int `json:"repeated_prompts"`
}

// Create starts the files of each format in a folder of its name below dir, which must
// be there. What a failed run leaves behind is the caller's to remove, with dir.
func Create(dir string, opts Options) (w *Writer, err error) {
	if opts.Formats == nil {
		opts.Formats = Formats()
	}
	w = &Writer{dir: dir, opts: opts, seen: [2]map[[sha256.Size]byte]bool{{}, {}}}
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	for _, f := range opts.Formats {
		if !slices.Contains(Formats(), f) {
			return w, fmt.Errorf("unknown format %q", f)
		}
		folder := filepath.Join(dir, string(f))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return w, err
		}
		for side := range 2 {
			if side == 1 && !opts.Test {
				continue
			}
			s, err := newSink(folder, f, side == 1, opts)
			if err != nil {
				return w, err
			}
			w.sinks[side] = append(w.sinks[side], s)
		}
		if f == FormatLLaMAFactory {
			if err := w.datasetInfo(folder); err != nil {
				return w, err
			}
		}
	}
	return w, nil
}

// datasetInfo is the file by which LLaMA-Factory finds the others.
func (w *Writer) datasetInfo(folder string) error {
	type entry struct {
		FileName   string            `json:"file_name"`
		Formatting string            `json:"formatting"`
		Columns    map[string]string `json:"columns"`
	}
	info := map[string]entry{}
	for side := range 2 {
		if side == 1 && !w.opts.Test {
			continue
		}
		name := [2]string{"train", "test"}[side]
		info["c2s_"+name] = entry{name + ".jsonl", "alpaca", map[string]string{"prompt": "instruction", "query": "input", "response": "output"}}
	}
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "dataset_info.json"), append(text, '\n'), 0o666)
}

// Add writes an example. A prompt that came before on its side is for supervised
// training only: it would have the same group of answers twice.
func (w *Writer) Add(e Example) error {
	at := 0
	if e.Test {
		if at = 1; !w.opts.Test {
			return errors.New("an example to test with, and no files for them")
		}
	}
	prompt := sha256.Sum256([]byte(e.Prompt))
	if w.seen[at][prompt] {
		w.audit.RepeatedPrompts++
		e.Truth.Real = nil
	} else {
		w.seen[at][prompt] = true
		if w.seen[1-at][prompt] {
			w.audit.SharedPrompts++
		}
	}
	for _, s := range w.sinks[at] {
		if err := s.add(&e, w.n[at]); err != nil {
			return err
		}
	}
	w.n[at]++
	return nil
}

// Close completes the files.
func (w *Writer) Close() (Audit, error) {
	var err error
	for _, list := range w.sinks {
		for _, s := range list {
			err = errors.Join(err, s.close())
		}
	}
	w.sinks = [2][]sink{}
	return w.audit, err
}

// Abort closes what Close did not.
func (w *Writer) Abort() {
	for _, list := range w.sinks {
		for _, s := range list {
			s.abort()
		}
	}
	w.sinks = [2][]sink{}
}
