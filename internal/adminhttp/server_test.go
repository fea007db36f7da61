package adminhttp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/obs"
)

func TestServer(t *testing.T) {
	family := func(name string) []obs.Family {
		return []obs.Family{{Name: name, Help: "h", Kind: obs.GaugeKind, Collect: func(e *obs.Emitter) { e.Value(1) }}}
	}
	var missing error
	o := Options{
		Metrics: family("a"), Detail: family("b"), Kafka: family("c"),
		Ready: func() []Check { return []Check{{"listeners", nil}, {"unfenced", missing}} },
	}
	for _, profiles := range []bool{false, true} {
		o.Profiles = profiles
		s := NewServer(o)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Serve(l) }()
		get := func(path string, code int, want string) {
			t.Helper()
			resp, err := http.Get("http://" + l.Addr().String() + path)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != code || !strings.Contains(string(b), want) {
				t.Errorf("%s: %d %q, %v", path, resp.StatusCode, b, err)
			}
		}
		missing = nil
		get("/metrics", 200, "\na 1\n")
		get("/metrics/detail", 200, "\nb 1\n")
		get("/metrics/kafka", 200, "\nc 1\n")
		get("/livez", 200, "ok")
		get("/readyz", 200, "ok")
		missing = errors.New("not yet")
		get("/healthz", 503, "not ready")
		get("/readyz?verbose", 503, `{"checks":[{"name":"listeners","ready":true},{"name":"unfenced","ready":false,"why":"not yet"}],"ready":false}`)
		get("/", 200, "/metrics/detail\n")
		get("/nothing", 404, "")
		get("/debug/pprof/", map[bool]int{false: 404, true: 200}[profiles], "")
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
