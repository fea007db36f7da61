// Package pause lets time pass in the suites outside `go test ./...`, whose servers and clients go on meanwhile.
//
// It belongs to the tests (layer T). It never outlasts its context.
package pause

import (
	"context"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/peer"
)

// For lets time pass. It returns the context's error, at once, when that ends first.
func For(ctx context.Context, d time.Duration) error {
	return peer.Pause(ctx, d)
}

// again is how soon Until asks again.
const again = 50 * time.Millisecond

// Until returns when f no longer says what is wrong. After a time, or when ctx ends, it returns what f said last while there was time.
func Until(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for {
		why := f(ctx)
		if why == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = why
		}
		if For(ctx, again) != nil {
			return fmt.Errorf("after %v: %w", limit, last)
		}
	}
}
