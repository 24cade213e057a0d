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
	"strconv"
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
	// Beside is a second quantity that the task counts, such as tokens; "" for none.
	Beside string
}

// Counter counts what is done. It may be used from several goroutines.
type Counter struct {
	label string
	unit  string
	total atomic.Int64
	done  atomic.Int64
	other atomic.Int64 // of Beside
	marks [2]mark      // the rate is that since the first
	note  atomic.Pointer[string]
	cfg   Config
	line  *Screen // for Line
	start time.Time
	stop  chan struct{}
	once  sync.Once
	wait  sync.WaitGroup
}

// mark is how far the task was at some time.
type mark struct {
	at          time.Time
	done, other int64
}

// Rates are those of the last one to two windows: a run that goes on where another
// stopped comes through its beginning in no time, which says nothing of the rest.
// A window has some units at least, however slow they are.
const (
	window   = time.Minute
	ofWindow = 10
)

// Start shows the progress of a task of total units; total 0 means unknown. The
// label must be fit for a terminal: no control characters.
func Start(cfg Config, label, unit string, total int64) *Counter {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Interval == 0 {
		cfg.Interval = map[Mode]time.Duration{Line: 200 * time.Millisecond, Heartbeat: 30 * time.Second, JSON: time.Second}[cfg.Mode]
	}
	c := &Counter{label: label, unit: unit, cfg: cfg, stop: make(chan struct{})}
	c.total.Store(total)
	c.start = cfg.Now()
	c.marks = [2]mark{{at: c.start}, {at: c.start}}
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

// Beside counts n more of the second quantity.
func (c *Counter) Beside(n int64) { c.other.Add(n) }

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

// rates are what was done in a second, of both quantities.
func (c *Counter) rates(now mark) (done, other float64) {
	if s := now.at.Sub(c.marks[0].at).Seconds(); s > 0 {
		done, other = float64(now.done-c.marks[0].done)/s, float64(now.other-c.marks[0].other)/s
	}
	if last := c.marks[1]; now.at.Sub(last.at) >= window && now.done-last.done >= ofWindow {
		c.marks = [2]mark{last, now}
	}
	return done, other
}

// show prints the state once. Only one goroutine at a time calls it.
func (c *Counter) show() {
	now := mark{c.cfg.Now(), c.done.Load(), c.other.Load()}
	done := now.done
	rate, other := c.rates(now)
	total, note := c.total.Load(), ""
	if n := c.note.Load(); n != nil {
		note = *n
	}
	var left time.Duration
	if rate > 0 && total > done {
		left = time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
	}
	beside := c.cfg.Beside
	switch c.cfg.Mode {
	case Line:
		s := fmt.Sprintf("%s: %d", c.label, done)
		if total > 0 {
			s += fmt.Sprintf("/%d (%d%%)", total, 100*done/total)
		}
		s += fmt.Sprintf(" %s, %s/s", c.unit, digits(rate))
		if beside != "" {
			s += fmt.Sprintf(", %s %s/s", digits(other), beside)
		}
		if left > 0 {
			s += ", " + left.String() + " left"
		}
		if note != "" {
			s += "; " + note
		}
		c.line.draw(cut(s, c.cfg.Columns))
	case Heartbeat:
		args := []any{"done", done, "total", total, "unit", c.unit, "per_second", digits(rate)}
		if beside != "" {
			args = append(args, beside, now.other, beside+"_per_second", digits(other))
		}
		args = append(args, "left", left.String())
		if note != "" {
			args = append(args, "note", note)
		}
		c.cfg.Log.Info(c.label, args...)
	case JSON:
		state := map[string]any{
			"event": "progress", "task": c.label, "done": done, "total": total, "unit": c.unit, "per_second": rate,
			"elapsed_s": now.at.Sub(c.start).Seconds(), "left_s": left.Seconds(),
		}
		if beside != "" {
			state[beside], state[beside+"_per_second"] = now.other, other
		}
		if note != "" {
			state["note"] = note
		}
		if b, err := json.Marshal(state); err == nil { // numbers and strings always marshal
			fmt.Fprintf(c.cfg.Out, "%s\n", b)
		}
	}
}

// digits is a rate with two digits at least: models may take minutes for a cell.
func digits(rate float64) string {
	if rate >= 10 || rate == 0 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 2, 64)
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
