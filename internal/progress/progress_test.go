package progress_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cellsentence/c2s/internal/progress"
)

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// take returns what was written since the last take.
func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return b.b.String()
}

func TestModes(t *testing.T) {
	for _, tc := range []struct {
		mode progress.Mode
		want string
	}{
		{progress.None, ""},
		{progress.Line, "encoding: 250/1000 (25%) cells, "},
		{progress.Heartbeat, "done=250 total=1000 unit=cells per_second=4"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out buffer
			c := progress.Start(progress.Config{Mode: tc.mode, Out: &out, Log: slog.New(slog.NewTextHandler(&out, nil))}, "encoding", "cells", 1000)
			c.Add(250)
			time.Sleep(61 * time.Second)
			c.Stop()
			if got := out.b.String(); !strings.Contains(got, tc.want) || tc.want == "" && got != "" {
				t.Errorf("mode %d: %q, expected %q within", tc.mode, got, tc.want)
			}
		})
	}
}

// TestJSON ends with the final state, even of a short task.
func TestJSON(t *testing.T) {
	var out buffer
	c := progress.Start(progress.Config{Mode: progress.JSON, Out: &out}, "encoding", "cells", 3)
	c.Add(3)
	c.Stop()
	var v struct {
		Event string
		Done  int
		Total int
	}
	if err := json.Unmarshal(out.b.Bytes(), &v); err != nil {
		t.Fatalf("%v in %q", err, out.b.String())
	}
	if v.Event != "progress" || v.Done != 3 || v.Total != 3 {
		t.Errorf("%+v", v)
	}
}

// TestBeside shows the second quantity with its rate.
func TestBeside(t *testing.T) {
	for _, tc := range []struct {
		mode progress.Mode
		want string
	}{
		{progress.Line, "asking: 30/300 (10%) cells, 0.5/s, 25 tokens/s, 9m0s left"},
		{progress.Heartbeat, "done=30 total=300 unit=cells per_second=0.5 tokens=1500 tokens_per_second=25 left=9m0s"},
		{progress.JSON, `"per_second":0.5,"task":"asking","tokens":1500,"tokens_per_second":25,"total":300`},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out buffer
			cfg := progress.Config{Mode: tc.mode, Out: &out, Log: slog.New(slog.NewTextHandler(&out, nil)), Interval: 20 * time.Second, Beside: "tokens"}
			c := progress.Start(cfg, "asking", "cells", 300)
			c.Add(30)
			c.Beside(1500)
			time.Sleep(61 * time.Second)
			c.Stop()
			if got := out.b.String(); !strings.Contains(got, tc.want) {
				t.Errorf("mode %d: %q, expected %q within", tc.mode, got, tc.want)
			}
		})
	}
}

// TestResumed: what came at once, from a journal, does not make the rest seem near.
// 900 of 1,000 are there at the start, then comes one in ten seconds: 93 are left after
// 70 s, and 79 after 210 s, when the rate is that of the last minutes.
func TestResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		c := progress.Start(progress.Config{Mode: progress.JSON, Out: &out, Interval: 70 * time.Second}, "asking", "cells", 1000)
		c.Add(900)
		for range 21 {
			time.Sleep(10 * time.Second)
			c.Add(1)
		}
		synctest.Wait()
		c.Stop()
		var last struct {
			Left float64 `json:"left_s"`
		}
		lines := strings.Split(strings.TrimSpace(out.take()), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
			t.Fatal(err)
		}
		if last.Left < 700 || last.Left > 900 {
			t.Errorf("%g s left, expected about 790: %s", last.Left, lines[len(lines)-1])
		}
	})
}

// TestLine draws within the terminal, lets a log line pass above, and leaves a
// clean line behind; a second Stop does nothing.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		screen := &progress.Screen{Out: &out}
		c := progress.Start(progress.Config{Mode: progress.Line, Out: screen, Columns: 30}, "encoding a/long/path.h5ad", "cells", 1000)
		c.Add(250)
		time.Sleep(1100 * time.Millisecond)
		out.take()
		if _, err := screen.Write([]byte("c2s: warning: w\n")); err != nil {
			t.Fatal(err)
		}
		// 250 cells in the 1.0 s at which it was last drawn: 250/s, and 750 left.
		line := "encoding a/long/path.h5ad: 250/1000 (25%) cells, 250/s, 3s left"
		line = "…" + line[len(line)-28:]
		if got, want := out.take(), "\r\x1b[Kc2s: warning: w\n"+line; got != want {
			t.Errorf("%q, expected %q", got, want)
		}
		c.Stop()
		c.Stop()
		if _, err := screen.Write([]byte("done\n")); err != nil {
			t.Fatal(err)
		}
		if got, want := out.take(), "\r\x1b[Kdone\n"; got != want {
			t.Errorf("%q after Stop, expected %q", got, want)
		}
	})
}

// TestHeartbeat logs every 30 s and not before.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		c := progress.Start(progress.Config{Mode: progress.Heartbeat, Log: slog.New(slog.NewTextHandler(&out, nil))}, "encoding", "cells", 0)
		for _, want := range []int{0, 1, 1} { // since the look before
			time.Sleep(29 * time.Second)
			synctest.Wait()
			if got := strings.Count(out.take(), "\n"); got != want {
				t.Errorf("%d lines, expected %d", got, want)
			}
			time.Sleep(time.Second)
		}
		c.Stop()
	})
}
