package node

import (
	"context"
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
)

// applier applies the changes of the metadata log to what this node serves, in order, and beside the quorum's loop: to make, cut and
// rename folders waits for the disks of data, and votes and heartbeats must not.
type applier struct {
	apply func(metadata.Change)
	told  func(metadata.Change) // called when applied says that it was
	wake  chan struct{}         // holds one: there is something in waiting, or nothing comes any more
	done  chan struct{}         // closed when run has returned

	mu      sync.Mutex        // a leaf; guards what follows
	waiting []metadata.Change // not bounded: they share what they don't change, and none may be left out
	ended   bool
	offset  kafka.Offset  // of the last image that was applied
	news    chan struct{} // closed at the next one
}

func newApplier(apply, told func(metadata.Change)) *applier {
	return &applier{apply: apply, told: told, wake: make(chan struct{}, 1), done: make(chan struct{}), offset: kafka.NoOffset, news: make(chan struct{})}
}

// add hands over the next change. It does not wait.
func (a *applier) add(c metadata.Change) {
	a.mu.Lock()
	a.waiting = append(a.waiting, c)
	a.mu.Unlock()
	wake(a.wake)
}

// end says that no more changes come: run returns when it has applied those that wait.
func (a *applier) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	wake(a.wake)
}

// run applies changes until there are no more to come.
func (a *applier) run() {
	defer close(a.done)
	for range a.wake {
		changes, ended := a.take()
		for _, c := range changes {
			a.apply(c)
			a.reached(c.Image.Offset)
			a.told(c)
		}
		if ended {
			return
		}
	}
}

func (a *applier) take() (changes []metadata.Change, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	changes, a.waiting = a.waiting, nil
	return changes, a.ended
}

func (a *applier) reached(offset kafka.Offset) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offset = offset
	close(a.news)
	a.news = make(chan struct{})
}

// applied returns the offset of the last image that was applied, kafka.NoOffset before the first, and what is closed when there is another.
func (a *applier) applied() (kafka.Offset, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.offset, a.news
}

// wait returns when the record at offset is applied, with ctx, or with quorum.ErrStopped when no more are.
func (a *applier) wait(ctx context.Context, offset kafka.Offset) error {
	return a.until(ctx, func(at kafka.Offset) bool { return at >= offset })
}

// until returns when so says yes to the offset of the last image that was applied, and else as wait does. It asks again at each image.
func (a *applier) until(ctx context.Context, so func(at kafka.Offset) bool) error {
	for {
		at, news := a.applied()
		if so(at) {
			return nil
		}
		select {
		case <-news:
		case <-a.done:
			return quorum.ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// followQuorum has the applier get what is committed. It gets nothing before the image holds the registration of this process, and so all that was committed
// when it came: a partition that an older image lacks is not a stray, and what an older one has this node lead, the process before this one led,
// whose log may have been longer.
func (n *Node) followQuorum() {
	n.reconfigure(n.image.Load())
	begun := false
	n.quorum.Subscribe(func(c metadata.Change) {
		switch {
		case begun:
			n.applier.add(c)
		case n.member.takeRegistration(c.Image):
			begun = true
			n.applier.add(metadata.Change{Delta: metadata.DeltaFromEmpty(c.Image), Image: c.Image})
		}
	})
}

// apply has everything that this node serves follow a change of the metadata.
func (n *Node) apply(c metadata.Change) {
	n.image.Store(c.Image)
	n.partitions.Apply(c.Delta, c.Image)
	if slices.ContainsFunc(c.Delta.Configs(), ofBroker) {
		n.reconfigure(c.Image)
	}
	n.groups.Apply(c.Delta, c.Image)
}
