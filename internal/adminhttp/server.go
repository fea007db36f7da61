package adminhttp

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/ottla/ottla/internal/obs"
)

// Check is one condition of being ready; Err says what is missing, nil that nothing is.
type Check struct {
	Name string
	Err  error
}

// Options say what a Server shows.
type Options struct {
	// Metrics are the families of /metrics, Detail and Kafka of its two siblings.
	Metrics, Detail, Kafka []obs.Family
	// Ready gives the checks of readiness.
	Ready func() []Check
	// Profiles shows /debug/pprof/.
	Profiles bool
}

// Bounds of a request: nobody has anything to send.
const (
	requestWithin = 10 * time.Second
	answerWithin  = 2 * time.Minute // a profile takes as long as it was asked for
	headerBytes   = 16 << 10
)

// Server is the HTTP server.
type Server struct{ http http.Server }

// NewServer returns a server of what o says.
func NewServer(o Options) *Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics(o.Metrics))
	mux.Handle("GET /metrics/detail", metrics(o.Detail))
	mux.Handle("GET /metrics/kafka", metrics(o.Kafka))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", o.ready)
	mux.HandleFunc("GET /healthz", o.ready)
	if o.Profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, o.paths()) })
	return &Server{http.Server{
		Handler: mux, ReadTimeout: requestWithin, WriteTimeout: answerWithin, IdleTimeout: answerWithin, MaxHeaderBytes: headerBytes,
	}}
}

// paths lists what can be asked for, for whoever looks in by hand.
func (o Options) paths() string {
	paths := "/metrics\n/metrics/detail\n/metrics/kafka\n/livez\n/readyz?verbose\n/healthz?verbose\n"
	if o.Profiles {
		paths += "/debug/pprof/\n"
	}
	return paths
}

// Serve answers on l until Close. It closes l.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// Close lets the answers that are being given go out, until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

func metrics(families []obs.Family) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = obs.WriteMetrics(w, families) // whoever hung up does not want it
	}
}

// ready answers 200 or 503, with the checks if they are asked for.
func (o *Options) ready(w http.ResponseWriter, r *http.Request) {
	type check struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
		Why   string `json:"why,omitempty"`
	}
	all, code, word := []check{}, http.StatusOK, "ok\n"
	for _, c := range o.Ready() {
		out := check{Name: c.Name, Ready: c.Err == nil}
		if c.Err != nil {
			out.Why, code, word = c.Err.Error(), http.StatusServiceUnavailable, "not ready\n"
		}
		all = append(all, out)
	}
	if !r.URL.Query().Has("verbose") {
		text(w, code, word)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": code == http.StatusOK, "checks": all})
}

func text(w http.ResponseWriter, code int, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(s))
}
