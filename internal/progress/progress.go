// Package progress shows how far a long task has come: as one line on a
// terminal, as a log line every 30 seconds elsewhere, or as JSON lines.
//
// Start with [Start]; the task adds to the [Counter]; Stop ends the display.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Mode is a way to show progress.
type Mode uint8

// The modes.
const (
	None      Mode = iota
	Line           // one line that is rewritten, for a terminal
	Heartbeat      // a log line now and then
	JSON           // a JSON object a line
)

// Config says how progress is shown. The zero value shows nothing.
type Config struct {
	Mode     Mode
	Out      io.Writer        // for Line, best a [*Screen], and JSON
	Log      *slog.Logger     // for Heartbeat
	Columns  int              // width of the terminal; 0 means 80
	Interval time.Duration    // 0 means 0.2 s for Line, 30 s for Heartbeat, 1 s for JSON
	Now      func() time.Time // nil means time.Now
}

// Counter counts what is done. It may be used from several goroutines.
type Counter struct {
	label string
	unit  string
	total atomic.Int64
	done  atomic.Int64
	note  atomic.Pointer[string]
	cfg   Config
	line  *Screen // for Line
	start time.Time
	stop  chan struct{}
	once  sync.Once
	wait  sync.WaitGroup
}

// Start shows the progress of a task of total units; total 0 means unknown. The
// label must be fit for a terminal: no control characters.
func Start(cfg Config, label, unit string, total int64) *Counter {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Interval == 0 {
		cfg.Interval = map[Mode]time.Duration{Line: 200 * time.Millisecond, Heartbeat: 30 * time.Second, JSON: time.Second}[cfg.Mode]
	}
	c := &Counter{label: label, unit: unit, cfg: cfg, start: cfg.Now(), stop: make(chan struct{})}
	c.total.Store(total)
	if cfg.Mode == Line {
		var shared bool
		if c.line, shared = cfg.Out.(*Screen); !shared {
			c.line = &Screen{Out: cfg.Out}
		}
	}
	if cfg.Mode != None {
		c.wait.Go(c.run)
	}
	return c
}

// Add counts n more units.
func (c *Counter) Add(n int64) { c.done.Add(n) }

// SetTotal corrects the number of units that there are.
func (c *Counter) SetTotal(n int64) { c.total.Store(n) }

// Note says what stands beside the count, "" for nothing. It must be fit for a
// terminal.
func (c *Counter) Note(text string) { c.note.Store(&text) }

// Stop ends the display, once: the terminal line is wiped, JSON gets the last
// state. When it returns, no goroutine is left.
func (c *Counter) Stop() {
	c.once.Do(func() {
		close(c.stop)
		c.wait.Wait()
		switch c.cfg.Mode {
		case Line:
			c.line.draw("")
		case JSON:
			c.show()
		}
	})
}

func (c *Counter) run() {
	t := time.NewTicker(c.cfg.Interval)
	defer t.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-t.C:
			c.show()
		}
	}
}

// show prints the state once.
func (c *Counter) show() {
	total, note := c.total.Load(), ""
	if n := c.note.Load(); n != nil {
		note = *n
	}
	done, elapsed := c.done.Load(), c.cfg.Now().Sub(c.start)
	rate := 0.0
	if elapsed > 0 {
		rate = float64(done) / elapsed.Seconds()
	}
	var left time.Duration
	if rate > 0 && total > done {
		left = time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
	}
	switch c.cfg.Mode {
	case Line:
		s := fmt.Sprintf("%s: %d", c.label, done)
		if total > 0 {
			s += fmt.Sprintf("/%d (%d%%)", total, 100*done/total)
		}
		s += fmt.Sprintf(" %s, %.0f/s", c.unit, rate)
		if left > 0 {
			s += ", " + left.String() + " left"
		}
		if note != "" {
			s += "; " + note
		}
		c.line.draw(cut(s, c.cfg.Columns))
	case Heartbeat:
		told := []any{"done", done, "total", total, "unit", c.unit, "per_second", int64(rate), "left", left.String()}
		if note != "" {
			told = append(told, "note", note)
		}
		c.cfg.Log.Info(c.label, told...)
	case JSON:
		told := map[string]any{
			"event": "progress", "task": c.label, "done": done, "total": total, "unit": c.unit,
			"elapsed_s": elapsed.Seconds(), "left_s": left.Seconds(),
		}
		if note != "" {
			told["note"] = note
		}
		b, err := json.Marshal(told)
		if err == nil { // numbers and strings always marshal
			fmt.Fprintf(c.cfg.Out, "%s\n", b)
		}
	}
}

// cut shortens a line to what fits, from its start: a line that wraps cannot be
// wiped, and the numbers stand at its end.
func cut(s string, columns int) string {
	if columns <= 0 {
		columns = 80
	}
	r := []rune(s)
	if len(r) < columns { // the last column is the cursor's
		return s
	}
	return "…" + string(r[len(r)-max(columns-2, 0):])
}
