package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/memnet"
)

// connected is a connection between hosts a and b.
func connected(t *testing.T, n *memnet.Net) (a, b *memnet.Host, near, far net.Conn) {
	t.Helper()
	a, b = n.Host("a"), n.Host("b")
	l, err := b.Listen("tcp", "b:1")
	if err != nil {
		t.Fatal(err)
	}
	if near, err = a.Dial(t.Context(), "tcp", "b:1"); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b, near, far
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(text), err)
	}
}

func read(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("read %q, %v, want %q", b, err, want)
	}
}

// silent checks that nothing can be read for a second, which is the bubble's and passes at once.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v, want the deadline", n, err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// Bytes arrive in order, however many they are, and the end of the stream after the last.
func TestBytesArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, near, far := connected(t, memnet.New())
		rng := rand.NewChaCha8([32]byte{1})
		sent := make([]byte, 3<<20) // many windows
		if _, err := rng.Read(sent); err != nil {
			t.Fatal(err)
		}
		go func() {
			if _, err := near.Write(sent); err != nil {
				t.Error(err)
			}
			_ = near.Close() // it can't fail
		}()
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes of %d, %v", len(got), len(sent), err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Fatalf("a write to an end that is closed: %v", err)
		}
	})
}

// A link that is cut delays: what was sent arrives when it heals. The other way is not touched.
func TestOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		_, _, near, far := connected(t, n)
		n.Cut("a", "b")
		write(t, near, "question")
		silent(t, far)
		write(t, far, "answer")
		read(t, near, "answer")
		n.Heal("a", "b")
		read(t, far, "question")
	})
}

// Who is cut off does not learn that the other end has closed.
func TestEndsBehindACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		_, _, near, far := connected(t, n)
		n.Cut("b", "a")
		if err := far.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, near, "into the void")
		silent(t, near)
		n.HealAll()
		if _, err := near.Read(make([]byte, 1)); err != io.EOF {
			t.Fatalf("read %v, want the end", err)
		}
	})
}

// Connections are not made across a cut, whichever way it is; they wait, and are when it heals.
func TestDialsWait(t *testing.T) {
	for _, cut := range [][2]string{{"a", "b"}, {"b", "a"}} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New()
			a, _, _, _ := connected(t, n)
			n.Cut(cut[0], cut[1])
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := a.Dial(short, "tcp", "b:1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%v: %v", cut, err)
			}
			time.AfterFunc(time.Minute, n.HealAll)
			began := time.Now()
			if _, err := a.Dial(t.Context(), "tcp", "b:1"); err != nil || time.Since(began) != time.Minute {
				t.Fatalf("%v: %v after %v", cut, err, time.Since(began))
			}
		})
	}
}

// A paused host says and hears nothing, but connections to it are made: as of a process that stands still.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		a, b, near, far := connected(t, n)
		n.Pause("b")
		write(t, near, "1")
		write(t, far, "2")
		silent(t, near)
		silent(t, far)
		if _, err := a.Dial(t.Context(), "tcp", "b:1"); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Dial(short, "tcp", "b:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a paused host dials: %v", err)
		}
		n.Resume("b")
		read(t, near, "2")
		read(t, far, "1")
	})
}

// When a host is killed its connections end and its addresses refuse; the next life of the name listens there again.
func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		a, b, near, far := connected(t, n)
		write(t, far, "last words")
		if _, err := a.Dial(t.Context(), "tcp", "b:1"); err != nil { // nobody accepts it
			t.Fatal(err)
		}
		b.Kill()
		read(t, near, "last words")
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("read %v, want a reset", err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the dead write: %v", err)
		}
		if _, err := a.Dial(t.Context(), "tcp", "b:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial the dead: %v", err)
		}
		if _, err := b.Listen("tcp", "b:1"); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the dead listen: %v", err)
		}
		again, err := n.Host("b").Listen("tcp", "b:1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Dial(t.Context(), "tcp", "b:1"); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the dead dial: %v", err)
		}
		if _, err := n.Host("c").Listen("tcp", "b:1"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("an address twice: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := again.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("accept of a closed listener: %v", err)
		}
	})
}

// An answer can be lost, and then its connection is.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		_, _, near, far := connected(t, n)
		n.Mute(near.LocalAddr(), near.RemoteAddr())
		write(t, near, "question")
		read(t, far, "question")
		if _, err := far.Write([]byte("answer")); err == nil {
			t.Error("the answer arrived")
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("read %v, want a reset", err)
		}
	})
}

// Deadlines end waits, in both directions, and can be set anew.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, near, far := connected(t, memnet.New())
		if err := near.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if n, err := near.Write(make([]byte, 1<<20)); n >= 1<<20 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
			t.Fatalf("wrote %d bytes, %v, after %v", n, err, time.Since(began))
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if err := near.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		write(t, far, "x")
		read(t, near, "x")
	})
}

// Clients of the machine's network come in by a door, and are shown out when it closes.
func TestDoor(t *testing.T) {
	n := memnet.New()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := socket.Addr().String()
	l, err := n.Host("a").Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	d := memnet.NewDoor(n, "clients", socket)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	inside, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := inside.RemoteAddr().String(), c.LocalAddr().String(); got != want {
		t.Errorf("the client is %s, want %s", got, want)
	}
	write(t, c, "question")
	read(t, inside, "question")
	write(t, inside, "answer")
	read(t, c, "answer")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the client is still inside")
	}
	if _, err := inside.Read(make([]byte, 1)); err == nil {
		t.Error("the other side is still connected")
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the door is still open: %v", err)
	}
}
