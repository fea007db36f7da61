package forward

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// The pause before somebody is asked again ends when another leads, after its time, or with whoever asks.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		deposed := make(chan struct{})
		time.AfterFunc(retryAfter/2, func() { close(deposed) })
		if err := rest(t.Context(), deposed); err != nil || time.Since(began) != retryAfter/2 {
			t.Errorf("%v after %v, want the moment of the new leader", err, time.Since(began))
		}
		began = time.Now()
		if err := rest(t.Context(), nil); err != nil || time.Since(began) != retryAfter {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := rest(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
