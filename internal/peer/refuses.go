package peer

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// betweenTries is the pause between tries to connect to a node that may be gone.
const betweenTries = 10 * time.Millisecond

// Refuses reports whether a node comes to refuse connections within a time: then its process is gone. A process that ends closes its files one after the
// other, and on a busy machine its listener may be among the last: a connection that is taken is held until it breaks, which is when the listener goes. Who
// neither takes nor refuses one, or keeps it, is not known to be gone. It returns false when ctx ends.
func Refuses(ctx context.Context, dial func(context.Context) (net.Conn, error), within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		nc, err := dial(ctx)
		switch {
		case err == nil:
			hold(ctx, nc)
		case errors.Is(err, syscall.ECONNREFUSED):
			return true
		}
		if Pause(ctx, betweenTries) != nil {
			return false
		}
	}
}

// hold returns when the other side has ended a connection, or with ctx, and closes it. Nobody says anything on it.
func hold(ctx context.Context, nc net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	_, _ = nc.Read(make([]byte, 1)) // how it ended says nothing
	_ = nc.Close()                  // it was opened for nothing else
}
