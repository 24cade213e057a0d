package scaling

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
)

// maxLine is the longest line of a log of a run.
const maxLine = 16 << 20

// ReadPoints reads a log of one JSON object a line; compute and reward name its fields.
// Lines that have neither are skipped: logs hold other things, too.
func ReadPoints(r io.Reader, compute, reward string) ([]Point, error) {
	var out []Point
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var f map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, badInput("line %d: %w", n, err)
		}
		c, hasC := f[compute]
		v, hasV := f[reward]
		if !hasC && !hasV {
			continue
		}
		if !hasC || !hasV {
			return nil, badInput("line %d has only one of %q and %q", n, compute, reward)
		}
		var p Point
		for _, field := range []struct {
			name string
			raw  json.RawMessage
			to   *float64
		}{{compute, c, &p.Compute}, {reward, v, &p.Reward}} {
			if err := json.Unmarshal(field.raw, field.to); err != nil || bytes.Equal(field.raw, []byte("null")) {
				return nil, badInput("line %d: %q is %s, no number", n, field.name, field.raw)
			}
		}
		if out = append(out, p); len(out) > maxPoints {
			return nil, badInput("more than %d points are no run", maxPoints)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, badInput("line %d: %w", n+1, err)
	}
	return out, nil
}
