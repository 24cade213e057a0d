package progress

import (
	"io"
	"sync"
)

// The codes of a terminal that go to the start of the line and wipe the rest.
const (
	home = "\r"
	wipe = "\x1b[K"
)

// Screen is a writer that a progress line and other output share: the line steps
// aside for what is written and comes back below it. Without a line it is Out. It
// may be used from several goroutines.
type Screen struct {
	Out io.Writer

	mu   sync.Mutex
	line string
}

// Write writes whole lines above the progress line.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		return s.Out.Write(p)
	}
	if _, err := io.WriteString(s.Out, home+wipe); err != nil {
		return 0, err
	}
	n, err := s.Out.Write(p)
	if err != nil {
		return n, err
	}
	_, err = io.WriteString(s.Out, s.line)
	return n, err
}

// draw shows line in place of the one before; an empty one wipes it. A terminal
// that went away is nothing to stop the work for, so errors are not looked at.
func (s *Screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line != "" || s.line != "" {
		_, _ = io.WriteString(s.Out, home+line+wipe)
	}
	s.line = line
}
