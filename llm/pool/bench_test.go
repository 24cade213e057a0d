//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/pool"
)

// instant answers after a time, without any bookkeeping that would be measured.
type instant struct {
	*server
	delay time.Duration
}

func (i *instant) Generate(ctx context.Context, _ string, _ llm.Options, _ func(llm.Token) error) (*llm.Answer, error) {
	if i.delay > 0 {
		time.Sleep(i.delay)
	}
	return &llm.Answer{}, nil
}

// BenchmarkCoordinator is what the pool and the map cost at 20 servers of 100 slots,
// for prompts of 3 kB that share a template and, in groups of 100, a drug. With
// servers that answer at once all of it is overhead; with servers of 250 ms, 2,000
// slots could give 8,000 requests a second.
func BenchmarkCoordinator(b *testing.B) {
	for _, delay := range []time.Duration{0, 250 * time.Millisecond} {
		b.Run(delay.String(), func(b *testing.B) {
			var endpoints []pool.Endpoint
			for i := range 20 {
				s := newServer(fmt.Sprint("server ", i), 100, 0)
				endpoints = append(endpoints, pool.Endpoint{Name: s.name, Backend: &instant{s, delay}})
			}
			p, err := pool.New(b.Context(), endpoints, pool.Config{Queue: 4000})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			template, cell := strings.Repeat("template ", 40), strings.Repeat(" GENE", 500)
			var all []string
			for i := range 20000 {
				all = append(all, fmt.Sprint(template, strings.Repeat(fmt.Sprint("drug ", i/100), 20), i, cell))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			cpu := processor(b)
			for b.Loop() {
				n := 0
				for _, err := range batch.Map(b.Context(), 2200, slices.Values(all), func(ctx context.Context, prompt string) (*llm.Answer, error) {
					return p.Generate(ctx, prompt, llm.Options{}, nil)
				}) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			cpu = processor(b) - cpu
			runtime.ReadMemStats(&after)
			total := float64(b.N * len(all))
			b.ReportMetric(float64(cpu.Microseconds())/total, "cpu-µs/request")
			b.ReportMetric(total/b.Elapsed().Seconds(), "requests/s")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/total, "B/request")
		})
	}
}

// processor is the time that all threads of this process have worked, which other
// processes do not change.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
