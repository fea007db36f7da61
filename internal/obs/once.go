package obs

import (
	"cmp"
	"sync"
	"time"
)

const (
	// onceMost is of how many things a Once knows that they were said, where nothing else is asked for.
	onceMost = 512
	// onceFor is how long a thing stays said, where nothing else is asked for.
	onceFor = time.Hour
)

// Once keeps what is found again and again out of the log after the first time: whoever is refused tries again, for days. A key says what it is
// about, a state how it is; where they come from peers, who may draw as many as they like, they must not be remembered for ever, so that a Once has a bound. Keep them short.
//
// The zero Once is ready and safe for concurrent use.
type Once[K, S comparable] struct {
	// For is how long a thing stays said, unless it changes; 0 stands for an hour. Set it before the first use.
	For time.Duration
	// Most is how many things are remembered: beyond it the one that came first is forgotten, and said again. 0 stands for 512. Set it before the first use.
	Most int

	mu   sync.Mutex // a leaf; guards the rest
	said map[K]saying[S]
	ring []K // the keys of said, the oldest at next once it is full
	next int
}

type saying[S comparable] struct {
	state S
	at    time.Time
	kept  int // how often it was not said since
}

// Say reports whether state is to be said of key: it is another than before, or was last said so long ago as For tells. Kept is how
// often it was not said in between.
func (o *Once[K, S]) Say(now time.Time, key K, state S) (kept int, say bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last, known := o.said[key]
	if known && last.state == state && now.Sub(last.at) < cmp.Or(o.For, onceFor) {
		last.kept++
		o.said[key] = last
		return 0, false
	}
	if !known {
		o.enter(key)
	}
	o.said[key] = saying[S]{state: state, at: now}
	return last.kept, true
}

// enter makes room for a key.
func (o *Once[K, S]) enter(key K) {
	if o.said == nil {
		o.said = make(map[K]saying[S])
	}
	if most := cmp.Or(o.Most, onceMost); len(o.ring) < most {
		o.ring = append(o.ring, key)
		return
	}
	delete(o.said, o.ring[o.next])
	o.ring[o.next] = key
	o.next = (o.next + 1) % len(o.ring)
}
