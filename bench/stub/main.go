// Command stub serves answers that are a hash of the prompt, for measurements and
// tests of what lies around a model server.
//
//	stub -listen 127.0.0.1:8080 -slots 100 -delay 5s
//
// It prints the address once it listens, and ends at SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cellsentence/c2s/internal/stubserver"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "stub:", err)
		os.Exit(1)
	}
}

func serve() error {
	listen := flag.String("listen", "127.0.0.1:0", "addresses, separated by commas")
	slots := flag.Int("slots", 1, "requests at a time that it says it works on")
	delay := flag.Duration("delay", 0, "time of an answer")
	model := flag.String("model", "stub", "name of the model")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	handler := stubserver.New(stubserver.Config{Model: *model, Slots: *slots, Delay: *delay})
	var servers []*http.Server
	failed := make(chan error, 1)
	for address := range strings.SplitSeq(*listen, ",") {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		fmt.Println(l.Addr())
		s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, s)
		go func() {
			select {
			case failed <- s.Serve(l):
			default:
			}
		}()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	for _, s := range servers {
		_ = s.Close() // what is not answered yet never will be
	}
	fmt.Fprintln(os.Stderr, "asked", handler.Asked())
	return nil
}
