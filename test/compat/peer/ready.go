package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/ports"
)

// held are the ports of all peers, kept until this process ends: a peer that is down is to find its own free when it comes back.
var held struct {
	sync.Mutex // a leaf
	ports      []*ports.Port
}

// freeAddr finds a loopback port that nobody else is given.
func freeAddr() (string, error) {
	p, err := ports.Hold("127.0.0.1")
	if err != nil {
		return "", err
	}
	held.Lock()
	defer held.Unlock()
	held.ports = append(held.ports, p)
	return p.Address, nil
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
