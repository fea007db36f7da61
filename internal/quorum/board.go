package quorum

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// Board is where committed metadata is shown: the image to whoever asks or waits, each change to whoever subscribed. One loop posts.
type Board struct {
	image   atomic.Pointer[metadata.Image]
	status  atomic.Pointer[Status]
	stopped chan struct{}
	// subscribed wakes the loop for those who join.
	subscribed chan struct{}
	subs       []func(metadata.Change) // of the loop

	mu      sync.Mutex // a leaf: guards the fields below
	joining []func(metadata.Change)
	news    chan struct{} // closed at the next publication; nil while nobody waits
	deposed chan struct{} // closed when leader or epoch change; nil while nobody waits
}

// NewBoard makes a board that shows an image.
func NewBoard(image *metadata.Image) *Board {
	b := &Board{stopped: make(chan struct{}), subscribed: make(chan struct{}, 1)}
	b.image.Store(image)
	return b
}

// Image is the newest committed state. Never nil.
func (b *Board) Image() *metadata.Image { return b.image.Load() }

// Subscribe calls f with each change from now on, in order, before any answer that depends on it leaves; the first
// call has an empty delta and the image of the moment. f runs on the loop: it must be quick, must not block, and
// must not call the engine's blocking methods.
func (b *Board) Subscribe(f func(metadata.Change)) {
	b.mu.Lock()
	b.joining = append(b.joining, f)
	b.mu.Unlock()
	select {
	case b.subscribed <- struct{}{}:
	default:
	}
}

// Subscribed wakes the loop, which is to call Welcome.
func (b *Board) Subscribed() <-chan struct{} { return b.subscribed }

// Welcome gives new subscribers the image that their changes will start from. It is the loop's to call.
func (b *Board) Welcome() {
	b.mu.Lock()
	joining := b.joining
	b.joining = nil
	b.mu.Unlock()
	if len(joining) == 0 {
		return
	}
	image := b.Image()
	for _, f := range joining {
		f(metadata.Change{Delta: metadata.NewDelta(image), Image: image})
	}
	b.subs = append(b.subs, joining...)
}

// Post shows a committed change to everybody. It is the loop's to call; shown is called when the image is there, before subscribers are.
func (b *Board) Post(change metadata.Change, shown func()) {
	b.Welcome()
	b.image.Store(change.Image)
	shown()
	for _, f := range b.subs {
		f(change)
	}
	b.mu.Lock()
	news := b.news
	b.news = nil
	b.mu.Unlock()
	if news != nil {
		close(news)
	}
}

// Stop says that nothing is posted any more.
func (b *Board) Stop() { close(b.stopped) }

// Wait returns when the image contains the record at offset.
func (b *Board) Wait(ctx context.Context, offset kafka.Offset) error {
	for {
		news := b.next()
		if b.Image().Offset >= offset {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		case <-b.stopped:
			return ErrStopped
		}
	}
}

// next returns a channel that the next publication closes.
func (b *Board) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.news == nil {
		b.news = make(chan struct{})
	}
	return b.news
}

// Show shows the state of the quorum. It is the loop's to call, and before anything else of the board is asked.
func (b *Board) Show(s *Status) {
	before := b.status.Swap(s)
	if before != nil && before.Leader == s.Leader && before.Epoch == s.Epoch {
		return
	}
	b.mu.Lock()
	deposed := b.deposed
	b.deposed = nil
	b.mu.Unlock()
	if deposed != nil {
		close(deposed)
	}
}

// Shown is the state of the quorum as it was shown last. Read only.
func (b *Board) Shown() *Status { return b.status.Load() }

// Leader returns the leader of the quorum and its epoch; kafka.NoNode while there is none, or it is not known.
func (b *Board) Leader() (kafka.NodeID, kafka.LeaderEpoch) {
	s := b.status.Load()
	return s.Leader, s.Epoch
}

// LeaderUntil is Leader, with a channel that is closed when that is no longer so.
func (b *Board) LeaderUntil() (kafka.NodeID, kafka.LeaderEpoch, <-chan struct{}) {
	deposed := b.until()
	leader, epoch := b.Leader() // after the channel: whoever changes it closes the channel after that
	return leader, epoch, deposed
}

func (b *Board) until() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.deposed == nil {
		b.deposed = make(chan struct{})
	}
	return b.deposed
}
