package peer

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/rawconn"
	"github.com/ottla/ottla/internal/wire"
)

// maxInFlight bounds the requests on a connection that wait for their answers; Do blocks beyond it.
const maxInFlight = 64

// pace is how much of an answer memory is made for at a time, in bytes: what a frame claims to be is not believed.
const pace = 1 << 20

// link is one connection. Its reader is a goroutine of its own, or, where only one asks, that one; writers take turns.
type link struct {
	nc       net.Conn
	in       *bufio.Reader // of nc; a small answer comes by one call
	maxFrame int
	memory   memory               // of answers; the reader's
	versions map[int16]wire.Range // of the other side, by API key
	sent     chan *flight         // in the order in which they went out
	dead     chan struct{}        // closed when it has failed
	ended    chan struct{}        // closed when its reader has ended
	end      sync.Once
	err      error // why; set before dead is closed
}

// flight is a request on its way.
type flight struct {
	hdr  wire.Header
	done chan struct{} // closed when resp or err is set
	resp kmsg.Response
	err  error
}

// errClosed says that the other side has hung up, or that Close was called.
var errClosed = errors.New("the connection was closed")

func newLink(nc net.Conn, o *Options) *link {
	nc = rawconn.New(nc)
	return &link{nc: nc, in: bufio.NewReader(nc), maxFrame: o.MaxFrame, memory: memory{reuse: o.Alone}, sent: make(chan *flight, maxInFlight), dead: make(chan struct{}), ended: make(chan struct{})}
}

// fail ends the link; the first cause counts.
func (l *link) fail(err error) {
	l.end.Do(func() {
		l.err = err
		close(l.dead)
		_ = l.nc.Close() // it has ended, in whatever way
	})
}

// greet asks for the versions of the other side, before anything else and before the reader runs.
func (l *link) greet(ctx context.Context, id string) error {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", "1"
	h := wire.Header{Key: req.Key(), Version: 3, ClientID: id}
	stop := context.AfterFunc(ctx, func() { l.fail(context.Cause(ctx)) })
	defer stop()
	if _, err := l.nc.Write(framed(h, req)); err != nil {
		return err
	}
	frame, err := l.readFrame()
	if err != nil {
		return err
	}
	resp, err := wire.DecodeResponse(h, frame)
	if err != nil {
		return err
	}
	answer := resp.(*kmsg.ApiVersionsResponse)
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return err
	}
	l.versions = make(map[int16]wire.Range, len(answer.ApiKeys))
	for _, k := range answer.ApiKeys {
		l.versions[k.ApiKey] = wire.Range{Key: k.ApiKey, Min: k.MinVersion, Max: k.MaxVersion}
	}
	return nil
}

// version is the one to ask in: at most that of the request.
func (l *link) version(req kmsg.Request) (int16, error) {
	if req.Key() == wire.KeyRaft {
		return 0, nil // nobody lists it
	}
	theirs, ok := l.versions[req.Key()]
	version := min(req.GetVersion(), theirs.Max)
	if !ok || version < theirs.Min {
		return 0, fmt.Errorf("%s version %d: the other node has %d to %d: %w", wire.Name(req.Key()), req.GetVersion(), theirs.Min, theirs.Max, kerr.UnsupportedVersion)
	}
	return version, nil
}

// send puts a request on the wire, when there is room among those that wait for their answers. The caller has the turn.
func (l *link) send(ctx context.Context, f *flight, req kmsg.Request) error {
	select {
	case l.sent <- f:
	case <-l.dead:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
	deadline, _ := ctx.Deadline()       // the zero time is none, here as there
	_ = l.nc.SetWriteDeadline(deadline) // on a closed one the write fails
	if _, err := l.nc.Write(framed(f.hdr, req)); err != nil {
		l.fail(err) // a part of it may have gone
		return l.err
	}
	return nil
}

// framed is a request as it goes out.
func framed(h wire.Header, req kmsg.Request) []byte {
	b := wire.AppendRequest(make([]byte, 4, 256), h, req)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// await reads the answer to a request, in the place of read.
func (l *link) await(ctx context.Context, f *flight) (kmsg.Response, error) {
	defer context.AfterFunc(ctx, func() { l.fail(ctx.Err()) })()
	frame, err := l.readFrame()
	if err == nil {
		<-l.sent
		f.resp, err = wire.DecodeResponse(f.hdr, frame)
	}
	switch {
	case err == nil:
		return f.resp, nil
	case ctx.Err() != nil:
		l.fail(ctx.Err())
		return nil, ctx.Err()
	}
	l.fail(err)
	return nil, unreachable(l.err)
}

// read hands out answers until the link ends, and then tells all that wait.
func (l *link) read() {
	defer close(l.ended)
	for {
		frame, err := l.readFrame()
		if err != nil {
			l.fail(err)
			break
		}
		var f *flight
		select {
		case f = <-l.sent:
		default:
			l.fail(fmt.Errorf("%w: an answer that nothing asked for", wire.ErrMalformed))
		}
		if f == nil {
			break
		}
		f.resp, f.err = wire.DecodeResponse(f.hdr, frame)
		if f.err != nil {
			l.fail(f.err) // the answers after it can't be trusted to be theirs
		}
		close(f.done)
	}
	<-l.dead
	for {
		select {
		case f := <-l.sent:
			f.err = l.err
			close(f.done)
		default:
			return
		}
	}
}

// readFrame waits for the next answer.
func (l *link) readFrame() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(l.in, size[:]); err != nil {
		return nil, closed(err)
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n > l.maxFrame {
		return nil, fmt.Errorf("%w: an answer of %d bytes", wire.ErrMalformed, n)
	}
	frame := l.memory.take(n)
	for len(frame) < n {
		from, more := len(frame), min(n-len(frame), max(pace, len(frame), cap(frame)-len(frame)))
		frame = slices.Grow(frame, more)[:from+more]
		if _, err := io.ReadFull(l.in, frame[from:]); err != nil {
			return nil, closed(err)
		}
	}
	l.memory.keep(frame)
	return frame, nil
}

func closed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return errClosed
	}
	return err
}
