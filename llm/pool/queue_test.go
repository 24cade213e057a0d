package pool_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/pool"
)

// TestPrefix: requests that share a beginning go to the slot that worked on it last.
// Eight drugs times fifty cells come in an order of their own, as they do from a
// hundred concurrent tasks, to four servers of one slot each.
func TestPrefix(t *testing.T) {
	var all []string
	for drug := range 8 {
		for cell := range 50 {
			all = append(all, strings.Repeat(fmt.Sprintf("drug %d ", drug), 40)+fmt.Sprintf("cell %d", cell))
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	synctest.Test(t, func(t *testing.T) {
		var servers []*server
		for i := range 4 {
			servers = append(servers, newServer(fmt.Sprint(i), 1, time.Duration(9+i)*time.Millisecond))
		}
		p := open(t, pool.Config{}, servers...)
		run(t, p, 100, all)
		hits, total := 0, 0
		for _, s := range servers {
			for i := 1; i < len(s.order); i++ {
				total++
				if s.order[i][:64] == s.order[i-1][:64] {
					hits++
				}
			}
		}
		t.Logf("a slot's next prompt began as the one before in %d of %d cases; by chance one in eight", hits, total)
		// Four slots and eight prefixes: each slot changes some times, and each change
		// allows 32 requests to be overtaken.
		if hits < total*3/4 {
			t.Errorf("%d of %d", hits, total)
		}
	})
}

// TestFairness: a request that shares nothing with any other has its turn although
// those with the slot's prefix keep coming.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newServer("a", 1, time.Second)
		p := open(t, pool.Config{}, a)
		common := strings.Repeat("the same beginning ", 10)
		var wg sync.WaitGroup
		send := func(prompt string) {
			wg.Go(func() {
				if _, err := p.Generate(t.Context(), prompt, llm.Options{}, nil); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		for i := range 3 {
			send(fmt.Sprint(common, i))
		}
		send("different")
		for i := range 100 {
			send(fmt.Sprint(common, 3+i))
		}
		wg.Wait()
		for i, prompt := range a.order {
			if prompt != "different" {
				continue
			}
			t.Logf("the request that came as number 4 was served as number %d", i+1)
			if i+1 != 4+32 {
				t.Error("expected number 36: overtaken by 32")
			}
		}
	})
}

// TestLoad: among servers that know nothing of a prompt, the least busy one is taken.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer("a", 8, time.Second), newServer("b", 4, time.Second)
		p := open(t, pool.Config{}, a, b)
		run(t, p, 6, prompts(6))
		if len(a.order) != 4 || len(b.order) != 2 {
			t.Errorf("six requests went to 8 and 4 slots as %d and %d", len(a.order), len(b.order))
		}
	})
}
