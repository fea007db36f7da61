package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/ports"
)

// TestProxies: what is said over a link that is cut arrives when it is healed, other links carry on, and a node that is gone refuses connections.
func TestProxies(t *testing.T) {
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at, err := ports.Hold("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	address := at.Address
	go func() { // says what it hears
		for {
			c, err := behind.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	n := newProxies()
	go n.serve(0, address, behind.Addr().String())
	dial := func(name string) net.Conn {
		for {
			c, err := net.Dial("tcp", address)
			if err != nil {
				continue // it does not listen yet
			}
			t.Cleanup(func() { _ = c.Close() })
			hello := append(make([]byte, 12), byte(len(name)>>8), byte(len(name)))
			binary.BigEndian.PutUint32(hello, uint32(10+len(name)))
			say(t, c, string(hello)+name)
			return c
		}
	}
	second, third, client := dial("replica-2"), dial("raft-3"), dial("somebody")
	if err := n.cut(t.Context(), link{1, 0}, link{0, 2}); err != nil {
		t.Fatal(err)
	}
	say(t, client, "heard")
	for _, c := range []net.Conn{second, third} {
		if _, err := c.Write([]byte("later")); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if k, err := c.Read(make([]byte, 1)); k > 0 || err == nil {
			t.Error("something came over a link that is cut")
		}
	}
	if err := n.heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{second, third} {
		hear(t, c, "later")
	}
	if err := behind.Close(); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

// say has the other side say the same.
func say(t *testing.T, c net.Conn, what string) {
	t.Helper()
	if _, err := c.Write([]byte(what)); err != nil {
		t.Fatal(err)
	}
	hear(t, c, what)
}

func hear(t *testing.T, c net.Conn, what string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(what))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != what {
		t.Fatalf("%q, %v; want %q", got, err, what)
	}
}
