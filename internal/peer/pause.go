package peer

import (
	"context"
	"time"
)

// Pause waits before somebody is asked again; it ends early, with the error of ctx, when that ends.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
