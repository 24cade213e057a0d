package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const gb = 1_000_000_000

// TestFit holds the arithmetic against published file sizes of Gemma-2 27B in GB
// (Q4_K_M 16.6, Q5_K_M 19.4, Q6_K 22.3, Q8_0 28.9, F16 54.5), 2.8 for 2B as Q8_0, and
// against keys and values of 2.9 GiB and 0.8 GiB for 8,192 tokens.
func TestFit(t *testing.T) {
	weights := map[string]float64{
		"Gemma-2 27B Q4_K_M": 16.6, "Gemma-2 27B Q5_K_M": 19.4, "Gemma-2 27B Q6_K": 22.3, "Gemma-2 27B Q8_0": 28.9, "Gemma-2 27B F16": 54.5,
		"Gemma-2 2B Q8_0": 2.8, "Pythia 410M F16": 0.81, "Pythia 1B F16": 2.02,
	}
	kv := map[string]float64{"Gemma-2 27B": 2.9, "Gemma-2 2B": 0.8}
	seen := 0
	for _, f := range fits(&Machine{}) {
		if want, ok := weights[f.Model+" "+f.Quantization]; ok {
			seen++
			if got := float64(f.Weights) / gb; math.Abs(got-want) > 0.01*want {
				t.Errorf("%s as %s: %.2f GB, expected %.2f", f.Model, f.Quantization, got, want)
			}
		}
		if want, ok := kv[f.Model]; ok && math.Abs(float64(f.KV)/(1<<30)-want) > 0.05 {
			t.Errorf("%s: keys and values of %.2f GiB, expected %.1f", f.Model, float64(f.KV)/(1<<30), want)
		}
		if f.GPU || f.Memory {
			t.Errorf("%s fits no memory", f.Model)
		}
	}
	if seen != len(weights) {
		t.Errorf("%d of %d sizes were compared", seen, len(weights))
	}
}

func TestAdvise(t *testing.T) {
	card := func(free uint64) GPU { return GPU{Name: "card", Free: free} }
	for _, c := range []struct {
		what string
		m    Machine
		want []string // for 410M, 1B, 2B, 27B
	}{
		{"a laptop of 8 GB", Machine{Total: 8 * gb, Available: 6 * gb}, []string{"memory as Q8_0", "memory as Q8_0", "memory as Q8_0", "does not fit: as Q4_K_M it needs 20.2 GB"}},
		{"a full laptop", Machine{Total: 8 * gb, Available: 2_100_000_000}, []string{"memory as Q8_0", "memory as Q4_K_M", "does not fit", "does not fit"}},
		{"a machine of 64 GB", Machine{Total: 64 * gb, Available: 60 * gb}, []string{"Q8_0", "Q8_0", "Q8_0", "memory as Q8_0 (32.5 GB), but takes minutes"}},
		{"a card of 24 GB", Machine{Available: 6 * gb, GPUs: []GPU{card(24 * gb)}}, []string{"GPU as Q8_0", "GPU as Q8_0", "GPU as Q8_0", "GPU as Q5_K_M"}},
		{"a card of 24 GiB with a desktop", Machine{Available: 6 * gb, GPUs: []GPU{card(21 * gb)}}, []string{"GPU as Q8_0", "GPU as Q8_0", "GPU as Q8_0", "GPU as Q4_K_M"}},
		{"two cards together", Machine{GPUs: []GPU{card(24 * gb), card(24 * gb)}}, []string{"GPU as Q8_0", "GPU as Q8_0", "GPU as Q8_0", "GPU as Q8_0"}},
		{"unknown", Machine{}, []string{"needs", "needs", "needs", "needs 20.2 GB"}},
	} {
		got := advise(&c.m, fits(&c.m))
		if len(got) != len(c.want) {
			t.Fatalf("%v", got)
		}
		for i, a := range got {
			if a.Topic != "fit" || !strings.HasPrefix(a.Text, sizes[i].Name+" ") || !strings.Contains(a.Text, c.want[i]) {
				t.Errorf("%s: %q, expected %q", c.what, a.Text, c.want[i])
			}
		}
	}
}

func TestParseGPUs(t *testing.T) {
	got, err := parseGPUs("NVIDIA H100 80GB HBM3, 570.10, 81559, 80000\nNVIDIA GB10, 580.1, [N/A], [N/A]\n")
	if err != nil || len(got) != 2 || got[0] != (GPU{"NVIDIA H100 80GB HBM3", "570.10", 81559 << 20, 80000 << 20}) || got[1].Free != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, out := range []string{"", "a, b\n", "a, b, c, d, e\n", `"`} {
		if got, err := parseGPUs(out); err == nil {
			t.Errorf("%q: %v", out, got)
		}
	}
}

// program writes a stand-in for nvidia-smi.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGPUs(t *testing.T) {
	if got, err := gpus(t.Context(), program(t, `[ "$2" = --format=csv,noheader,nounits ] && echo "Card, 1.2, 1024, 512"`)); err != nil || len(got) != 1 || got[0].Free != 512<<20 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := gpus(t.Context(), program(t, "echo 'driver/library version mismatch'; exit 18")); err == nil || !strings.Contains(err.Error(), "mismatch") {
		t.Errorf("%v", err)
	}
	if _, err := gpus(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("%v", err)
	}
	start := time.Now()
	if _, err := gpus(t.Context(), program(t, "exec sleep 60")); err == nil || !strings.Contains(err.Error(), "driver") || time.Since(start) > 6*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the user left")
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if _, err := gpus(ctx, program(t, "exec sleep 60")); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

func TestMemory(t *testing.T) {
	meminfo := &fstest.MapFile{Data: []byte("MemTotal:       8000 kB\nMemFree:  1 kB\nMemAvailable:   6000 kB\n")}
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for _, c := range []struct {
		what             string
		root             fstest.MapFS
		total, available uint64
	}{
		{"a machine", fstest.MapFS{"proc/meminfo": meminfo}, 8000 << 10, 6000 << 10},
		{"no limit", fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": file("max\n")}, 8000 << 10, 6000 << 10},
		{"a container", fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": file("4096000\n"), "sys/fs/cgroup/memory.current": file("1024000\n")}, 4096000, 3072000},
		{"a full container", fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": file("4096000\n"), "sys/fs/cgroup/memory.current": file("5000000\n")}, 4096000, 0},
		{"no Linux", fstest.MapFS{}, 0, 0},
	} {
		if total, available := memory(c.root); total != c.total || available != c.available {
			t.Errorf("%s: %d, %d; expected %d, %d", c.what, total, available, c.total, c.available)
		}
	}
}

func TestExamine(t *testing.T) {
	serve := func(version string) string {
		mux := http.NewServeMux()
		for path, body := range map[string]string{
			"/api/version": `{"version": "` + version + `"}`,
			"/api/tags":    `{"models": [{"name": "c2s:2b", "digest": "abc"}]}`,
			"/api/show":    `{"model_info": {"general.architecture": "gemma2", "gemma2.context_length": 8192}}`,
		} {
			mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		}
		s := httptest.NewServer(mux)
		t.Cleanup(s.Close)
		return "ollama://" + strings.TrimPrefix(s.URL, "http://")
	}
	cfg := Config{
		Servers:   []string{serve("0.32.15"), serve("0.6.5"), "llamacpp://127.0.0.1:1"},
		NvidiaSMI: program(t, `echo "Card, 1.2, 24576, 24000"`),
		Root:      fstest.MapFS{"proc/meminfo": &fstest.MapFile{Data: []byte("MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\n")}},
	}
	r, err := Examine(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Servers) != 2 || r.Servers[0].Info == nil || r.Servers[0].Problem != "" || !strings.Contains(r.Servers[1].Problem, "update Ollama") {
		t.Errorf("%+v", r.Servers)
	}
	var topics []string
	for _, a := range r.Advice {
		topics = append(topics, a.Topic)
		if strings.Contains(a.Text, "\n") {
			t.Errorf("more than a line: %q", a.Text)
		}
	}
	if got := strings.Join(topics, " "); got != "server server gpu memory fit fit fit fit" {
		t.Errorf("advice on %s", got)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	cfg.Servers = cfg.Servers[2:]
	cfg.NvidiaSMI = "no-such-program"
	if r, err = Examine(t.Context(), cfg); err != nil || !strings.Contains(r.Advice[0].Text, "127.0.0.1:1") || r.Machine.NoGPUs == "" {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Examine(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
