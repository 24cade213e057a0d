package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cellsentence/c2s/perturb/reward"
)

// Config is what a server answers with and what it allows.
type Config struct {
	Scorer *reward.Scorer // must be set
	// Token, if set, must come with every request but /healthz, as a bearer token.
	Token string
	// MaxBody is the most bytes of a request; 0 takes 32 MiB. MaxAnswers is the most
	// answers in it; 0 takes 8,192.
	MaxBody    int64
	MaxAnswers int
	// Slots is the number of requests that are read and scored at a time, the others
	// wait; 0 takes two for each core. Memory is bounded by a few times Slots × MaxBody.
	Slots int
	// Grace is how long requests may go on when the server is told to stop; 0 takes 30 s.
	Grace time.Duration
}

// Server answers reward requests.
type Server struct {
	cfg      Config
	slots    chan struct{}
	draining atomic.Bool
	metrics  metrics
}

// bodyTime is how long a client may take to send a body once it has a slot.
const bodyTime = 60 * time.Second

// New checks a configuration.
func New(cfg Config) (*Server, error) {
	if cfg.Scorer == nil {
		return nil, errors.New("reward server: there is no scorer")
	}
	if cfg.MaxBody < 0 || cfg.MaxAnswers < 0 || cfg.Slots < 0 || cfg.Grace < 0 {
		return nil, errors.New("reward server: a limit is negative")
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 32 << 20
	}
	if cfg.MaxAnswers == 0 {
		cfg.MaxAnswers = 8192
	}
	if cfg.Slots == 0 {
		cfg.Slots = 2 * runtime.GOMAXPROCS(0)
	}
	if cfg.Grace == 0 {
		cfg.Grace = 30 * time.Second
	}
	return &Server{cfg: cfg, slots: make(chan struct{}, cfg.Slots), metrics: metrics{requests: map[string]int64{}}}, nil
}

// TokenError is an address that others can reach, without a token.
type TokenError struct{ Addr string }

func (e *TokenError) Error() string {
	return fmt.Sprintf("%s can be reached from other machines, and no token is set", e.Addr)
}

// Hint says what to do.
func (e *TokenError) Hint() string {
	return "set a token, or listen on 127.0.0.1"
}

// Listen opens an address (host:port; port 0 takes a free one). Without a token it must
// be a loopback one, or the error is a [TokenError].
func Listen(ctx context.Context, addr, token string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen address: %w", err)
	}
	if token == "" && host == "" { // all interfaces
		return nil, &TokenError{addr}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	// The address that was bound counts: a name may mean anything.
	if a, ok := l.Addr().(*net.TCPAddr); token == "" && (!ok || !a.IP.IsLoopback()) {
		return nil, errors.Join(&TokenError{addr}, l.Close())
	}
	return l, nil
}

// Serve answers on l, which it closes, until ctx is done. Then it takes no more, lets
// requests that are being answered end, within the grace, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	// Requests outlive ctx by the grace.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler: s.Handler(), BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		s.draining.Store(true)
		late, cancel := context.WithTimeout(base, s.cfg.Grace)
		defer cancel()
		err := srv.Shutdown(late)
		if err != nil {
			cut()
			err = errors.Join(fmt.Errorf("requests were still being answered after %v: %w", s.cfg.Grace, err), srv.Close())
		}
		drained <- err
	})
	err := srv.Serve(l)
	if stop() { // Serve failed by itself
		return errors.Join(err, srv.Close())
	}
	return <-drained
}

// Handler is the server's routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range forms() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.score(w, r, f) })
	}
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !s.allowed(r) {
			refuse(w, http.StatusUnauthorized, "the token is missing or wrong")
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = s.metrics.write(w) // the client went away
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.draining.Load() {
			refuse(w, http.StatusServiceUnavailable, "draining")
			return
		}
		_, _ = io.WriteString(w, "ok\n") // the client went away
	})
	return mux
}

// allowed compares digests, so that the time tells nothing about the token.
func (s *Server) allowed(r *http.Request) bool {
	if s.cfg.Token == "" {
		return true
	}
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(s.cfg.Token))
	return ok && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (s *Server) score(w http.ResponseWriter, r *http.Request, f form) {
	start := time.Now()
	status := http.StatusOK
	results, err := s.work(w, r, f)
	if err == nil {
		w.Header().Set("Content-Type", "application/json")
		// An error here is a client that went away.
		_ = json.NewEncoder(w).Encode(f.answer(results))
	} else {
		status = statusOf(err)
		refuse(w, status, err.Error())
	}
	s.metrics.done(f.name, status, results, time.Since(start))
}

// refusal is an error that has its status with it.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

// work takes a slot, reads the request and scores it.
func (s *Server) work(w http.ResponseWriter, r *http.Request, f form) ([]reward.Result, error) {
	if !s.allowed(r) {
		return nil, &refusal{http.StatusUnauthorized, "the token is missing or wrong"}
	}
	// Pages of a browser cannot send this type to another site unasked.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "the Content-Type must be application/json"}
	}
	s.metrics.add(1, 0)
	select {
	case s.slots <- struct{}{}:
		s.metrics.add(-1, 1)
	case <-r.Context().Done():
		s.metrics.add(-1, 0)
		return nil, r.Context().Err()
	}
	defer func() {
		<-s.slots
		s.metrics.add(0, -1)
	}()
	control := http.NewResponseController(w)
	// Not every writer has deadlines; a test's has none.
	if err := control.SetReadDeadline(time.Now().Add(bodyTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	if err != nil {
		return nil, err
	}
	if err := control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	items, err := f.parse(body, s.cfg.MaxAnswers)
	if err != nil {
		return nil, err
	}
	return s.cfg.Scorer.Score(r.Context(), items)
}

func statusOf(err error) int {
	var (
		given   *refusal
		large   *http.MaxBytesError
		content *contentError
		bad     interface{ BadInput() bool }
		syntax  *json.SyntaxError
		kind    *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &given):
		return given.status
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &content), errors.As(err, &bad) && bad.BadInput():
		return http.StatusUnprocessableEntity
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusBadRequest
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable // nobody reads it
	}
	return http.StatusInternalServerError
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text}) // the client went away
}
