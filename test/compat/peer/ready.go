package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// The ports of peers lie below those that the kernel gives to outgoing connections: a client that redials a server
// which is down could otherwise be given the server's port, and keep it.
const lowestPort, portEnd = 24_000, 32_000

// freeAddr finds a loopback port that nobody listens on now, other than that of taken.
func freeAddr(taken string) (string, error) {
	var err error
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", lowestPort+rand.IntN(portEnd-lowestPort))
		if addr == taken {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", fmt.Errorf("no free port from %d to %d: %w", lowestPort, portEnd-1, err)
}

// awaitAnswer returns nil as soon as the broker listener answers ApiVersions.
func (p *Peer) awaitAnswer(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		last := askApiVersions(ctx, p.addr)
		if last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("ended before it answered: %v", p.exit())
		case <-ctx.Done():
			return fmt.Errorf("no answer in %v: %w", limit, errors.Join(ctx.Err(), last))
		}
	}
}

// Answers says whether a server answers ApiVersions at addr now.
func Answers(ctx context.Context, addr string) bool { return askApiVersions(ctx, addr) == nil }

// askApiVersions sends ApiVersions v0 and reads the whole answer.
func askApiVersions(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	// size 10: api key 18, version 0, correlation id 1, null client id
	if _, err := c.Write([]byte{0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff}); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(size[:])))
	return err
}
