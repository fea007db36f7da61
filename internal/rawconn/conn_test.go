package rawconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// pair returns both ends of a connection through the kernel, the first of them quick.
func pair(t *testing.T) (quick, plain net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); other.Close() })
	return New(nc), other
}

// More than a socket holds, so that both wait for each other, in calls of both kinds.
func TestBytesPassBothWays(t *testing.T) {
	for _, size := range []int{1, 4 << 10, 64 << 10, 16 << 20} {
		quick, plain := pair(t)
		sent := make([]byte, size)
		for i := range sent {
			sent[i] = byte(i * 7)
		}
		go func() {
			defer plain.(*net.TCPConn).CloseWrite()
			got := make([]byte, size)
			if _, err := io.ReadFull(plain, got); err == nil {
				plain.Write(got)
			}
		}()
		done := make(chan error, 1)
		go func() {
			n, err := quick.Write(sent)
			if n != size && err == nil {
				err = io.ErrShortWrite
			}
			done <- err
		}()
		got, err := io.ReadAll(quick)
		if err := errors.Join(err, <-done); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("%d bytes came back as %d others", size, len(got))
		}
	}
}

func TestDeadlinesAndClosingEndACall(t *testing.T) {
	quick, _ := pair(t)
	past := time.Unix(1, 0)
	quick.SetReadDeadline(past)
	if _, err := quick.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read after its deadline: %v", err)
	}
	quick.SetWriteDeadline(past)
	if n, err := quick.Write(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write after its deadline: %d, %v", n, err)
	}
	quick.SetDeadline(time.Time{})
	ended := make(chan error)
	go func() {
		_, err := quick.Read(make([]byte, 1))
		ended <- err
	}()
	quick.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read that waited when it was closed: %v", err)
	}
	if _, err := quick.Write([]byte{1}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after closing: %v", err)
	}
}

func TestTheOtherSideEnds(t *testing.T) {
	quick, plain := pair(t)
	plain.Write([]byte("last"))
	plain.(*net.TCPConn).SetLinger(0)
	got := make([]byte, 8)
	if n, err := quick.Read(got); n != 4 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	plain.Close()
	if _, err := quick.Read(got); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a read after a reset: %v", err)
	}
	for err := error(nil); err == nil; {
		_, err = quick.Write(make([]byte, 1<<20))
	}
}

func TestNoCallAllocates(t *testing.T) {
	quick, plain := pair(t)
	got := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		plain.Write(got)
		io.ReadFull(quick, got)
		quick.Write(got)
		io.ReadFull(plain, got)
	}); n != 0 {
		t.Errorf("%.1f allocations", n)
	}
}

func TestOtherConnectionsStayWhatTheyAre(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if New(a) != a {
		t.Error("a pipe became something else")
	}
}

func TestAnEmptyReadDoesNotWait(t *testing.T) {
	quick, _ := pair(t)
	if n, err := quick.Read(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := quick.Write(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
