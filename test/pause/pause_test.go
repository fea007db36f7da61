package pause_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/test/pause"
)

// What was wrong while there was time is told, and not that time was up.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, wrong := time.Now(), errors.New("wrong")
		err := pause.Until(t.Context(), time.Second, func(ctx context.Context) error {
			if time.Since(began) > 990*time.Millisecond {
				<-ctx.Done()
				return ctx.Err()
			}
			return wrong
		})
		if !errors.Is(err, wrong) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		tries := 0
		if err := pause.Until(t.Context(), time.Second, func(context.Context) error {
			if tries++; tries < 3 {
				return wrong
			}
			return nil
		}); err != nil || tries != 3 {
			t.Errorf("%v after %d tries", err, tries)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := pause.For(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
