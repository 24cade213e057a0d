package ollama

import (
	"bytes"
	"io"
	"net/http"
)

// wholeLines gives the library the lines of an answer only when they are complete.
// It would take what had come of a line when the connection broke off for an error
// message of the server.
type wholeLines struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (w wholeLines) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err == nil {
		resp.Body = &lineReader{ReadCloser: resp.Body}
	}
	return resp, err
}

// maxHeld is as much as is held back of one line; the library takes 8 MB at most.
const maxHeld = 16 << 20

type lineReader struct {
	io.ReadCloser
	held []byte // read, but not given
	free int    // how much of it may be given
	err  error
}

func (l *lineReader) Read(p []byte) (int, error) {
	for l.free == 0 && l.err == nil {
		var buf [4 << 10]byte
		n, err := l.ReadCloser.Read(buf[:])
		l.held = append(l.held, buf[:n]...)
		l.err = err
		switch i := bytes.LastIndexByte(buf[:n], '\n'); {
		case err == io.EOF || len(l.held) > maxHeld:
			l.free = len(l.held)
		case i >= 0:
			l.free = len(l.held) - n + i + 1
		}
	}
	n := copy(p, l.held[:l.free])
	l.held, l.free = l.held[n:], l.free-n
	if l.free > 0 || n > 0 {
		return n, nil
	}
	return 0, l.err
}
