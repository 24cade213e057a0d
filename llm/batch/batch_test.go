package batch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cellsentence/c2s/llm/batch"
)

// naturals never end.
func naturals(drawn *int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; ; i++ {
			*drawn = i + 1
			if !yield(i) {
				return
			}
		}
	}
}

// TestOrder: the results are the same at any number in flight, and no more than that
// are in flight.
func TestOrder(t *testing.T) {
	items := make([]int, 500)
	for i := range items {
		items[i] = i
	}
	odd := errors.New("odd hundred")
	for _, n := range []int{-1, 1, 2, 7, 64, 1000} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			busy, most := 0, 0
			f := func(ctx context.Context, i int) (string, error) {
				mu.Lock()
				busy++
				most = max(most, busy)
				mu.Unlock()
				defer func() {
					mu.Lock()
					busy--
					mu.Unlock()
				}()
				time.Sleep(time.Duration(i*7919%13) * time.Millisecond)
				if i%200 == 100 {
					return "", odd
				}
				return fmt.Sprint(i), nil
			}
			i := 0
			for got, err := range batch.Map(t.Context(), n, slices.Values(items), f) {
				want, fails := fmt.Sprint(i), i%200 == 100
				if fails {
					want = ""
				}
				if got != want || (err != nil) != fails {
					t.Fatalf("%d in flight: result %d is %q, %v", n, i, got, err)
				}
				i++
			}
			if i != len(items) {
				t.Errorf("%d in flight: %d results of %d", n, i, len(items))
			}
			if most > max(n, 1) || n > 1 && n < 100 && most != n {
				t.Errorf("%d in flight of %d", most, n)
			}
		})
	}
}

// TestBound: however slow the first result is, only so many items are drawn; the
// caller's break ends the work that is under way, and nothing is left.
func TestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drawn := 0
		var cancelled atomic.Int64
		for i, err := range batch.Map(t.Context(), 5, naturals(&drawn), func(ctx context.Context, i int) (int, error) {
			d := time.Millisecond
			if i == 0 || i > 84 {
				d = time.Hour
			}
			select {
			case <-time.After(d):
			case <-ctx.Done():
				cancelled.Add(1)
				return 0, context.Cause(ctx)
			}
			return i, nil
		}) {
			if err != nil || i != 0 {
				t.Fatal(i, err)
			}
			break
		}
		if drawn != 5+16*5 {
			t.Errorf("%d items were drawn behind a slow one, expected 85", drawn)
		}
		if cancelled.Load() != 0 {
			t.Errorf("%d were in work, none expected", cancelled.Load())
		}
		for range batch.Map(t.Context(), 5, naturals(&drawn), func(ctx context.Context, i int) (int, error) {
			if i > 0 {
				<-ctx.Done()
				cancelled.Add(1)
			}
			return i, nil
		}) {
			break
		}
		if n := cancelled.Load(); n == 0 || n > 5 {
			t.Errorf("%d were in work at the break", n)
		}
	})
}

// TestCancel: the last thing is the cause.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		drawn, n := 0, 0
		var last error
		for _, err := range batch.Map(ctx, 3, naturals(&drawn), func(ctx context.Context, i int) (int, error) {
			select {
			case <-time.After(time.Second):
				return i, nil
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		}) {
			last = err
			if err == nil {
				if n++; n == 10 {
					cancel(cause)
				}
			}
		}
		if !errors.Is(last, cause) || n != 10 {
			t.Errorf("%d results, then %v", n, last)
		}
		for _, err := range batch.Map(ctx, 3, naturals(&drawn), func(context.Context, int) (int, error) { return 0, nil }) {
			last, n = err, n+1
		}
		if !errors.Is(last, cause) || n != 11 {
			t.Errorf("cancelled before: %d, %v", n, last)
		}
	})
}

// TestStall: one slow slot among many does not hold up the others.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items := make([]int, 1000)
		items[0] = 75
		start := time.Now()
		for _, err := range batch.Map(t.Context(), 20, slices.Values(items), func(_ context.Context, more int) (int, error) {
			time.Sleep(time.Duration(5+more) * time.Millisecond)
			return 0, nil
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		// 80 ms for one, in which the other 19 do 304 of 999 items of 5 ms, then 20 do
		// the rest.
		if took := time.Since(start); took > 80*time.Millisecond+175*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func ExampleMap() {
	cells := []string{"A", "B", "C"}
	f := func(_ context.Context, cell string) (string, error) { return "type of " + cell, nil }
	for label, err := range batch.Map(context.Background(), 2, slices.Values(cells), f) {
		fmt.Println(label, err)
	}
	// Output:
	// type of A <nil>
	// type of B <nil>
	// type of C <nil>
}
