package ports_test

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/ottla/ottla/internal/ports"
)

// A port that is held refuses who connects, is given to nobody who asks for any, and is there for those who name it, one after the other.
func TestHold(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		p, err := ports.Hold(host)
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Logf("%s: not on this machine: %v", host, err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial("tcp", p.Address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", p.Address, err)
		}
		for range 2 {
			l, err := net.Listen("tcp", p.Address)
			if err != nil {
				t.Fatal(err)
			}
			c, err := net.Dial("tcp", p.Address)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Addr().(*net.TCPAddr).Port; got != p.Number {
				t.Errorf("port %d, was %d", got, p.Number)
			}
			_, _ = c.Close(), l.Close()
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := ports.Hold("192.0.2.1"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("an address of nobody here: %v", err)
	}
}

// Many who ask for any port at once get others than those that are held.
func TestHeldPortsAreNotGivenAway(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can hold a port that somebody else is to listen at")
	}
	held := map[int]bool{}
	for range 300 {
		p, err := ports.Hold("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if held[p.Number] {
			t.Fatalf("port %d is held twice", p.Number)
		}
		held[p.Number] = true
	}
	for range 300 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if held[l.Addr().(*net.TCPAddr).Port] {
			t.Fatalf("%v is held, and was given away", l.Addr())
		}
	}
}

// Connections that go out take none of them either, and who listens stays when the port is let go.
func TestConnectionsLeaveHeldPortsAlone(t *testing.T) {
	p, err := ports.Hold("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", p.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		c, err := net.Dial("tcp", p.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.LocalAddr().(*net.TCPAddr).Port; got == p.Number {
			t.Fatalf("a connection goes out of port %d", got)
		}
	}
}
