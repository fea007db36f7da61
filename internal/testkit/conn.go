package testkit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Conn is a connection that speaks frames. It belongs to one goroutine.
type Conn struct {
	t    testing.TB
	nc   net.Conn
	sent int32
}

// Dial connects to the listener of clients.
func (n *Node) Dial() *Conn { return Dial(n.t, n.Addr) }

// DialController connects to the controller's listener.
func (n *Node) DialController() *Conn { return Dial(n.t, n.ControllerAddr) }

// Dial connects to addr.
func Dial(t testing.TB, addr string) *Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() }) // may be closed already
	return &Conn{t: t, nc: nc}
}

// Client is a client of the franz-go library, closed when the test ends.
func (n *Node) Client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(n.Addr)}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(cl.Close)
	return cl
}

// Close closes the connection.
func (c *Conn) Close() { _ = c.nc.Close() }

// Frame is a request as it goes over the wire: size, header and body.
func Frame(req kmsg.Request, version int16, correlation int32) []byte {
	req.SetVersion(version)
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("testkit"))
	return f.AppendRequest(nil, req, correlation)
}

// Raw is a frame of bytes: a size that is true, a header of the key and version, and a body.
func Raw(key, version int16, correlation int32, flexible bool, body []byte) []byte {
	h := binary.BigEndian.AppendUint16(make([]byte, 4), uint16(key))
	h = binary.BigEndian.AppendUint16(h, uint16(version))
	h = binary.BigEndian.AppendUint32(h, uint32(correlation))
	h = binary.BigEndian.AppendUint16(h, 0xffff)
	if flexible {
		h = append(h, 0)
	}
	h = append(h, body...)
	binary.BigEndian.PutUint32(h, uint32(len(h)-4))
	return h
}

// Write sends bytes as they are. It reports whether they could be sent: the other end may have closed.
func (c *Conn) Write(b []byte) bool {
	c.t.Helper()
	_ = c.nc.SetWriteDeadline(time.Now().Add(within))
	_, err := c.nc.Write(b)
	if err != nil && !gone(err) {
		c.t.Fatalf("write: %v", err)
	}
	return err == nil
}

// gone reports whether err says that the other end closed.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// Send sends a request and returns its correlation id.
func (c *Conn) Send(req kmsg.Request, version int16) int32 {
	c.t.Helper()
	c.sent++
	if !c.Write(Frame(req, version, c.sent)) {
		c.t.Fatalf("send %s v%d: the connection is closed", kmsg.NameForKey(req.Key()), version)
	}
	return c.sent
}

// errClosed says that the other end closed the connection.
var errClosed = errors.New("the connection is closed")

// next reads one frame: its correlation id and the rest.
func (c *Conn) next() (int32, []byte, error) {
	_ = c.nc.SetReadDeadline(time.Now().Add(within))
	var size [4]byte
	if _, err := io.ReadFull(c.nc, size[:]); err != nil {
		if gone(err) {
			return 0, nil, errClosed
		}
		return 0, nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c.nc, frame); err != nil {
		return 0, nil, fmt.Errorf("an answer of %d bytes is cut short: %w", len(frame), err)
	}
	if len(frame) < 4 {
		return 0, nil, fmt.Errorf("an answer of %d bytes", len(frame))
	}
	return int32(binary.BigEndian.Uint32(frame)), frame[4:], nil
}

// Receive reads the answer to a request that was sent, and returns its correlation id.
func (c *Conn) Receive(req kmsg.Request) (kmsg.Response, int32) {
	c.t.Helper()
	resp, id, err := c.receive(req)
	if err != nil {
		c.t.Fatalf("answer of %s v%d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	return resp, id
}

// TryReceive is Receive for a connection that may be closed instead.
func (c *Conn) TryReceive(req kmsg.Request) (resp kmsg.Response, id int32, open bool) {
	c.t.Helper()
	resp, id, err := c.receive(req)
	if err != nil && !errors.Is(err, errClosed) {
		c.t.Fatalf("answer of %s v%d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	return resp, id, err == nil
}

func (c *Conn) receive(req kmsg.Request) (kmsg.Response, int32, error) {
	id, body, err := c.next()
	if err != nil {
		return nil, 0, err
	}
	resp := req.ResponseKind()
	if resp.IsFlexible() && req.Key() != int16(kmsg.ApiVersions) {
		if len(body) == 0 || body[0] != 0 {
			return nil, id, errors.New("the answer's header has no empty tags")
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		return nil, id, err
	}
	if again := resp.AppendTo(nil); !bytes.Equal(again, body) {
		return nil, id, fmt.Errorf("the answer's %d bytes are encoded again as %d others", len(body), len(again))
	}
	return resp, id, nil
}

// Answer reads one frame without decoding it; false when the connection is closed.
func (c *Conn) Answer() ([]byte, bool) {
	c.t.Helper()
	_, body, err := c.next()
	if err != nil && !errors.Is(err, errClosed) {
		c.t.Fatal(err)
	}
	return body, err == nil
}

// Closed waits until the other end closes and fails the test if it sends something instead.
func (c *Conn) Closed() {
	c.t.Helper()
	if body, open := c.Answer(); open {
		c.t.Fatalf("the node answered %d bytes, want the connection closed", len(body))
	}
}

// Finish says that nothing more will be sent, and returns when the node has closed its end: it has read everything.
func (c *Conn) Finish() {
	c.t.Helper()
	_ = c.nc.(*net.TCPConn).CloseWrite() // closed already is as good
	_ = c.nc.SetReadDeadline(time.Now().Add(within))
	if _, err := io.Copy(io.Discard, c.nc); err != nil && !gone(err) {
		c.t.Fatalf("the node does not close: %v", err)
	}
	c.Close()
}

// Ask sends a request at a version and returns the decoded answer, which is checked to be encoded as kmsg would.
func Ask[R kmsg.Response](c *Conn, req kmsg.Request, version int16) R {
	c.t.Helper()
	want := c.Send(req, version)
	resp, id := c.Receive(req)
	if id != want {
		c.t.Fatalf("%s v%d: the answer has correlation id %d, want %d", kmsg.NameForKey(req.Key()), version, id, want)
	}
	return resp.(R)
}

// Code names an error code.
func Code(code int16) string {
	if err := kerr.TypedErrorForCode(code); err != nil {
		return err.Message
	}
	return "NONE"
}
