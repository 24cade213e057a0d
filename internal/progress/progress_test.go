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
