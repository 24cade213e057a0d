package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cellsentence/c2s/perturb/reward"
	"github.com/cellsentence/c2s/perturb/reward/server"
)

// BenchmarkClients has 64 clients ask for the corrected tau of groups of 32 sentences of
// 200 words, each against 32 real cells, on 978 genes. Run it for a minute with
// -benchtime 60s, as bench/reward.sh does.
func BenchmarkClients(b *testing.B) {
	const clients, group, words, genes = 64, 32, 200, 978
	names := make([]string, genes)
	for i := range names {
		names[i] = fmt.Sprintf("GENE%d", i)
	}
	p, err := reward.NewPanel(names)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	sentence := func() string {
		s := make([]string, words)
		for i, g := range rng.Perm(genes)[:words] {
			s[i] = names[g]
		}
		return strings.Join(s, " ")
	}
	body := map[string]any{}
	real := make([]string, group)
	for i := range real {
		real[i] = sentence()
	}
	// Cells of random words are no nearer to each other than to the control; a ceiling
	// that is given keeps the reward defined.
	truth := map[string]any{"real": real, "control": sentence(), "ceiling": .9}
	prompts, completions, truths := make([]string, group), make([]string, group), make([]any, group)
	for i := range group {
		prompts[i], completions[i], truths[i] = "p", sentence(), truth
	}
	body["prompts"], body["completions"], body["truth"] = prompts, completions, truths
	data, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}

	r := start(b, server.Config{Scorer: scorer(b, reward.Config{Panel: p})})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	var failed atomic.Int64
	var lock sync.Mutex
	var times []time.Duration
	b.SetBytes(int64(len(data)))
	b.SetParallelism((clients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			begin := time.Now()
			resp, err := client.Post(r.url+"/trl", "application/json", bytes.NewReader(data))
			if err != nil {
				failed.Add(1)
				continue
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(text, []byte("null")) {
				failed.Add(1)
			}
			took := time.Since(begin)
			lock.Lock()
			times = append(times, took)
			lock.Unlock()
		}
	})
	b.StopTimer()
	if n := failed.Load(); n > 0 {
		b.Errorf("%d of %d requests failed", n, b.N)
	}
	slices.Sort(times)
	if n := len(times); n > 0 {
		b.ReportMetric(float64(failed.Load()), "errors")
		b.ReportMetric(float64(times[n/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(times[n*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(n*group)/b.Elapsed().Seconds(), "answers/s")
	}
	client.CloseIdleConnections()
	r.stop()
	if err := <-r.done; err != nil {
		b.Error(err)
	}
}
