package peer

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	// tries is how often a node that may be gone is tried: the listener of a process that ends may take connections a moment longer than
	// others last.
	tries = 4
	// tryWithin bounds one try: who neither takes nor refuses a connection is not known to be gone.
	tryWithin = time.Second
)

// Refuses reports whether a node refuses connections: then its process is gone. Every is the pause between tries. It returns false when ctx ends.
func Refuses(ctx context.Context, dial func(context.Context) (net.Conn, error), every time.Duration) bool {
	for range tries {
		try, cancel := context.WithTimeout(ctx, tryWithin)
		nc, err := dial(try)
		cancel()
		switch {
		case err == nil:
			_ = nc.Close() // it was opened for nothing else
		case !errors.Is(err, syscall.ECONNRESET): // that is a listener which ends with the connection in its queue
			return errors.Is(err, syscall.ECONNREFUSED)
		}
		if Pause(ctx, every) != nil {
			return false
		}
	}
	return false
}
