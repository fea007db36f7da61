package replication

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/peer"
)

// besideRecords is what a fetch's answer holds beside records and the one batch that may be larger, in bytes.
const besideRecords = 64 << 20

// fetcher is the loop that asks one leader's node what its source decides, and ends with it.
type fetcher struct {
	e      *Engine
	source *source
	client *peer.Client
}

func (f *fetcher) run() {
	o, s := &f.e.o, f.source
	f.client = peer.New(peer.Options{
		Dial: func(ctx context.Context) (net.Conn, error) { return o.Dial(ctx, s.leader) },
		ID:   fmt.Sprint("replica-", o.Self), MaxFrame: int(o.Limits.MaxBytes) + besideRecords, Alone: true,
	})
	defer f.client.Close()
	for f.source.life.Err() == nil {
		req, next := s.ask(o.Now())
		if req == nil {
			f.rest(next)
			continue
		}
		answer, err := f.do(req)
		if f.source.life.Err() != nil {
			return
		}
		if err := s.take(answer, err, o.Now()); err != nil {
			o.Log.Debug("a leader's node can't be followed for now", "leader", s.leader, "err", err)
		}
	}
}

func (f *fetcher) do(req kmsg.Request) (kmsg.Response, error) {
	l := &f.e.o.Limits
	ctx, cancel := context.WithTimeout(f.source.life, l.MaxWait+l.Timeout)
	defer cancel()
	return f.client.Do(ctx, req)
}

// rest waits until something changes, or for a time; the zero time is none.
func (f *fetcher) rest(until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(until.Sub(f.e.o.Now()))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-f.source.wake:
		f.source.hurry()
	case <-due:
	case <-f.source.life.Done():
	}
}
