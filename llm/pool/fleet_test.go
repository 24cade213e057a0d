package pool_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/pool"
)

// fleet is four unequal servers with 21 slots together: one is an old machine with one
// slot of 80 ms.
func fleet() []*server {
	return []*server{
		newServer("big", 12, 8*time.Millisecond),
		newServer("middle", 6, 10*time.Millisecond),
		newServer("small", 2, 20*time.Millisecond),
		newServer("old", 1, 80*time.Millisecond),
	}
}

func prompts(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("request %d", i))
	}
	return out
}

// run asks all prompts with n in flight and checks every answer.
func run(t *testing.T, b llm.Backend, n int, all []string) time.Duration {
	t.Helper()
	start := time.Now()
	i := 0
	for a, err := range batch.Map(t.Context(), n, slices.Values(all), func(ctx context.Context, prompt string) (*llm.Answer, error) {
		return b.Generate(ctx, prompt, llm.Options{}, nil)
	}) {
		if err != nil {
			t.Fatalf("%s: %v", all[i], err)
		}
		if want := "answer to " + all[i]; a.Text != want {
			t.Fatalf("%q, expected %q", a.Text, want)
		}
		i++
	}
	if i != len(all) {
		t.Fatalf("%d answers to %d requests", i, len(all))
	}
	return time.Since(start)
}

// roundRobin hands request i to server i modulo their number, which is what the pool
// is compared with.
type roundRobin struct {
	*server // for the other methods
	all     []*server
	mu      sync.Mutex
	next    int
}

func (r *roundRobin) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	r.mu.Lock()
	s := r.all[r.next%len(r.all)]
	r.next++
	r.mu.Unlock()
	return s.Generate(ctx, prompt, opt, onToken)
}

// TestFleet sets the pool beside round robin. The clock is that of synctest, so the
// times are exact: round robin takes what the old server needs for a quarter of all
// requests; no policy can beat the sum of the servers' rates, 2,212.5 requests a
// second.
func TestFleet(t *testing.T) {
	all := prompts(1200)
	var robin, pull time.Duration
	synctest.Test(t, func(t *testing.T) {
		servers := fleet()
		robin = run(t, &roundRobin{server: servers[0], all: servers}, 21, all)
	})
	synctest.Test(t, func(t *testing.T) {
		servers := fleet()
		p := open(t, pool.Config{}, servers...)
		info, err := p.Info(t.Context())
		if err != nil || info.Slots != 21 {
			t.Fatalf("%+v, %v, expected 21 slots", info, err)
		}
		pull = run(t, p, info.Slots, all)
		for _, s := range servers {
			t.Logf("%-7s %2d slots of %4v: %4d requests", s.name, cap(s.slots), s.delay, len(s.order))
		}
	})
	bound := 1200 * 10 * time.Second / 22125
	t.Logf("1,200 requests: round robin %v, slot-pull %v (%.1f times as fast; at least %v)", robin, pull, float64(robin)/float64(pull), bound)
	if robin < 300*80*time.Millisecond {
		t.Errorf("round robin took %v, less than the old server needs", robin)
	}
	// The last requests may all be in work at the old server when the others are idle.
	if pull > bound+80*time.Millisecond+20*time.Millisecond {
		t.Errorf("slot-pull took %v, more than the bound and one round of the slowest", pull)
	}
}

// TestDeathOfOne kills a server in the middle of its 200th request: nothing is lost, and
// what is asked again is at most what it was working on.
func TestDeathOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := prompts(1200)
		servers := fleet()
		servers[0].dies = 200
		p := open(t, pool.Config{}, servers...)
		took := run(t, p, 21, all)
		asked := 0
		for _, s := range servers {
			asked += len(s.order)
		}
		again := asked - len(all)
		// Round robin takes 24 s at least, with a quarter of the requests at the old server.
		robin := 300 * servers[3].delay
		t.Logf("the largest of four servers died with %d requests in work: %v (round robin without a death: %v, %.1f times as long), %d of 1,200 requests asked again",
			servers[0].lost, took, robin, robin.Seconds()/took.Seconds(), again)
		if servers[0].lost == 0 || again > servers[0].lost {
			t.Errorf("%d requests were asked again, %d were in work", again, servers[0].lost)
		}
		for _, prompt := range all {
			n := 0
			for _, s := range servers {
				n += s.asked[prompt]
			}
			if n < 1 || n > 2 {
				t.Errorf("%s was asked %d times", prompt, n)
			}
		}
		status := p.Status()[0]
		if status.Up || status.Err == nil || status.Failed < again {
			t.Errorf("the dead server: %+v", status)
		}
	})
}

// TestReturn: a server that was down at the start, and one that dies and comes back, are
// used again, without anybody asking.
func TestReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer("a", 1, 100*time.Millisecond), newServer("b", 4, 100*time.Millisecond)
		b.kill()
		p := open(t, pool.Config{}, a, b)
		if i, _ := p.Info(t.Context()); i.Slots != 1 {
			t.Errorf("%d slots with one server down", i.Slots)
		}
		go func() {
			time.Sleep(3 * time.Second)
			b.revive()
			time.Sleep(30 * time.Second)
			b.kill()
			time.Sleep(10 * time.Second)
			b.info.Slots = 2
			b.revive()
		}()
		took := run(t, p, 5, prompts(3000))
		// a alone gives 10 requests a second, both give 50, and 30 at the end. Probes are at
		// most 1.5·5 s apart, and 1.5·3.2 s in the beginning: b is back in use after 7.8 s
		// and 50.5 s at the latest. 78 + 25.2·50 + 17.5·10 requests are done by then, the
		// other 1,487 take 50 s.
		if took > 101*time.Second {
			t.Errorf("3,000 requests took %v", took)
		}
		i, err := p.Info(t.Context())
		if s := p.Status()[1]; err != nil || !s.Up || s.Slots != 2 || i.Slots != 3 {
			t.Errorf("%+v, %d slots; the server came back with two", s, i.Slots)
		}
		t.Logf("3,000 requests in %v: %+v", took, p.Status())
	})
}
