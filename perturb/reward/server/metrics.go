package server

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cellsentence/c2s/perturb/reward"
)

// metrics counts what the server does.
type metrics struct {
	lock      sync.Mutex
	requests  map[string]int64 // by form and status, as labels
	answers   int64
	undefined int64
	sum       float64 // of defined rewards
	inFlight  int64
	waiting   int64
	buckets   [len(bounds)]int64
	count     int64
	seconds   float64
}

// bounds are the upper ends of the histogram of times, in seconds.
var bounds = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func (m *metrics) add(waiting, inFlight int64) {
	m.lock.Lock()
	m.waiting += waiting
	m.inFlight += inFlight
	m.lock.Unlock()
}

// done records a request that ended.
func (m *metrics) done(form string, status int, results []reward.Result, took time.Duration) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.requests[fmt.Sprintf(`form=%q,code="%d"`, form, status)]++
	m.answers += int64(len(results))
	for _, r := range results {
		if math.IsNaN(r.Reward) {
			m.undefined++
		} else {
			m.sum += r.Reward
		}
	}
	s := took.Seconds()
	m.count++
	m.seconds += s
	for i, b := range bounds {
		if s <= b {
			m.buckets[i]++
		}
	}
}

// write prints them in Prometheus's text format.
func (m *metrics) write(w io.Writer) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	var b strings.Builder
	head := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	one := func(name, kind, help string, v any) {
		head(name, kind, help)
		fmt.Fprintf(&b, "%s %v\n", name, v)
	}
	head("c2s_reward_requests_total", "counter", "Requests that ended, by form and status.")
	var labels []string
	for l := range m.requests {
		labels = append(labels, l)
	}
	slices.Sort(labels)
	for _, l := range labels {
		fmt.Fprintf(&b, "c2s_reward_requests_total{%s} %d\n", l, m.requests[l])
	}
	one("c2s_reward_answers_total", "counter", "Answers scored.", m.answers)
	one("c2s_reward_undefined_total", "counter", "Answers for which the truth defines no reward.", m.undefined)
	one("c2s_reward_sum", "gauge", "Sum of the rewards of the other answers.", m.sum)
	one("c2s_reward_in_flight", "gauge", "Requests being worked on.", m.inFlight)
	one("c2s_reward_waiting", "gauge", "Requests that wait for a slot.", m.waiting)
	head("c2s_reward_request_seconds", "histogram", "Time from arrival to answer.")
	for i, v := range bounds {
		fmt.Fprintf(&b, "c2s_reward_request_seconds_bucket{le=\"%g\"} %d\n", v, m.buckets[i])
	}
	fmt.Fprintf(&b, "c2s_reward_request_seconds_bucket{le=\"+Inf\"} %d\nc2s_reward_request_seconds_sum %v\nc2s_reward_request_seconds_count %d\n", m.count, m.seconds, m.count)
	_, err := io.WriteString(w, b.String())
	return err
}
