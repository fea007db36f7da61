package peer_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/peer"
)

// node is one that answers a connection in its own way, time after time; the last way stays.
type node struct {
	ways []func() (net.Conn, error)
	held []net.Conn // the ends of connections that it has taken
}

func (n *node) dial(context.Context) (net.Conn, error) {
	way := n.ways[0]
	if len(n.ways) > 1 {
		n.ways = n.ways[1:]
	}
	return way()
}

func (n *node) take() (net.Conn, error) {
	here, there := net.Pipe()
	n.held = append(n.held, there)
	return here, nil
}

// drop takes a connection and ends it.
func (n *node) drop() (net.Conn, error) {
	here, there := net.Pipe()
	return here, there.Close()
}

func refuse() (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
}

func reset() (net.Conn, error) { return nil, errors.New("reset") }

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		ways func(*node) []func() (net.Conn, error)
		want bool
	}{
		"at once":                               {func(*node) []func() (net.Conn, error) { return []func() (net.Conn, error){refuse} }, true},
		"when what it took has ended":           {func(n *node) []func() (net.Conn, error) { return []func() (net.Conn, error){n.drop, n.drop, refuse} }, true},
		"after a failure that says nothing":     {func(*node) []func() (net.Conn, error) { return []func() (net.Conn, error){reset, refuse} }, true},
		"never: it takes one and keeps it":      {func(n *node) []func() (net.Conn, error) { return []func() (net.Conn, error){n.take, refuse} }, false},
		"never: nobody knows what has happened": {func(*node) []func() (net.Conn, error) { return []func() (net.Conn, error){reset} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := &node{}
			n.ways = c.ways(n)
			within := 50 * time.Millisecond
			if c.want {
				within = time.Minute
			}
			if got := peer.Refuses(t.Context(), n.dial, within); got != c.want {
				t.Errorf("refuses: %v", got)
			}
			for _, nc := range n.held {
				if _, err := nc.Write([]byte{0}); err == nil {
					t.Error("a connection was left open")
				}
			}
		})
	}
}
