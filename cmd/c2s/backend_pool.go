package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cellsentence/c2s/llm/dial"
	"github.com/cellsentence/c2s/llm/pool"
)

// serverList is the servers of a pool: names, lists of hosts, and files of them.
type serverList struct {
	names []string
	nodes string // of the Slurm job
}

// changes reports whether the list may be another one later.
func (l *serverList) changes() bool {
	return slices.ContainsFunc(l.names, func(name string) bool { return strings.HasPrefix(name, "@") })
}

// read gives the servers, each once, in order.
func (l *serverList) read() ([]string, error) {
	var out []string
	add := func(name string) error {
		list, err := dial.Expand(name, l.nodes)
		for _, one := range list {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
		return err
	}
	for _, name := range l.names {
		path, isFile := strings.CutPrefix(name, "@")
		if !isFile {
			if err := add(name); err != nil {
				return nil, err
			}
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		s := bufio.NewScanner(f)
		for s.Scan() && err == nil {
			line, _, _ := strings.Cut(s.Text(), "#")
			if line = strings.TrimSpace(line); line != "" {
				err = add(line)
			}
		}
		err = errors.Join(err, s.Err())
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(out) == 0 {
		return nil, &inputError{fmt.Errorf("no server in %s", strings.Join(l.names, ", ")), "write one a line, such as llamacpp://node1:8080"}
	}
	return out, nil
}

const (
	// rereadEvery is how long a change of a file of servers may go unnoticed.
	rereadEvery = 2 * time.Second
	// flightOfChanging is the requests in flight to a pool that may grow: those beyond
	// its slots wait in its queue, at some kilobytes each.
	flightOfChanging = 4096
)

// openPool makes m a pool. Servers that are not there yet are waited for as long as one
// is; a file of servers is read again while the pool works.
func (b *backendFlags) openPool(ctx context.Context, g *globals, m *model, list *serverList, names []string, cfg dial.Config) error {
	var opened []dial.Backend // the goroutine below adds to it until it has ended
	connect := func(name string) (pool.Endpoint, error) {
		one, err := dial.Connect(name, cfg)
		if err != nil {
			return pool.Endpoint{}, err
		}
		opened = append(opened, one)
		return pool.Endpoint{Name: name, Backend: one, Slots: b.slots}, nil
	}
	stop := func() {}
	m.closer = append(m.closer, func() (err error) {
		stop()
		for _, one := range opened {
			err = errors.Join(err, one.Close())
		}
		return err
	})
	var endpoints []pool.Endpoint
	for _, name := range names {
		e, err := connect(name)
		if err != nil {
			return err
		}
		endpoints = append(endpoints, e)
	}
	p, err := pool.New(ctx, endpoints, pool.Config{Timeout: b.timeout, Queue: flightOfChanging, Log: g.logger()})
	if err != nil {
		return err
	}
	m.Backend = p
	stop = p.Close
	if list.changes() {
		m.flight = flightOfChanging
		within, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		stop = func() { cancel(); <-ended; p.Close() }
		go func() {
			defer close(ended)
			follow(within, g, p, list, names, connect)
		}()
	}
	return nil
}

// follow keeps a pool to a list until the context ends. What is wrong with the list is
// logged, once, and the pool left as it is.
func follow(ctx context.Context, g *globals, p *pool.Pool, list *serverList, members []string, connect func(string) (pool.Endpoint, error)) {
	said := ""
	say := func(err error) {
		if text := err.Error(); text != said && ctx.Err() == nil {
			said = text
			g.logger().Warn("the pool stays as it is: " + text)
		}
	}
	tick := time.NewTicker(rereadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		names, err := list.read()
		if err != nil {
			say(err)
			continue
		}
		// Those that join come first: the last server cannot leave.
		for _, name := range names {
			if slices.Contains(members, name) {
				continue
			}
			e, err := connect(name)
			if err == nil {
				err = p.Join(ctx, e)
			}
			if err != nil {
				say(err)
				continue
			}
			members = append(members, name)
		}
		for _, name := range slices.Clone(members) {
			if slices.Contains(names, name) {
				continue
			}
			if err := p.Leave(name); err != nil {
				say(err)
				continue
			}
			members = slices.DeleteFunc(members, func(s string) bool { return s == name })
		}
	}
}
