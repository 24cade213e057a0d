package prompt

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
)

// c2s lists the prompts of the Python package cell2sentence 1.2.0, the wording
// that the C2S models were trained on, as a line of task and digest each. The texts
// themselves are the package's.
//
//go:embed c2s.txt
var c2s string

// C2S reports whether every prompt is, to the byte, one that the Python package
// cell2sentence 1.2.0 has for this task. A C2S model that is asked in other words,
// or asked for a task that the package has no words for, answers outside what it
// was trained on.
func (t *Templates) C2S() bool {
	for _, raw := range t.raw {
		if !strings.Contains(c2s, t.task.Name+" "+digest(t.task.Name, raw)+"\n") {
			return false
		}
	}
	return true
}

// Fingerprint is the SHA-256 of task, prompts in order and response, in
// hexadecimal. Equal fingerprints mean equal wording.
func (t *Templates) Fingerprint() string {
	h := sha256.New()
	for _, s := range append([]string{t.task.Name, t.rawReply}, t.raw...) {
		sum := sha256.Sum256([]byte(s))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digest identifies a prompt of a task by the first 64 bits of a SHA-256.
func digest(task, raw string) string {
	sum := sha256.Sum256([]byte(task + "\n" + raw))
	return hex.EncodeToString(sum[:8])
}
