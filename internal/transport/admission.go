package transport

import (
	"errors"
	"maps"
	"math"
	"sync"
	"time"
)

// Limits bound the connections of the listeners that share an Admission. 0 allows none; Unlimited does not bound.
type Limits struct {
	Total    int            // connections at once
	Rate     int            // new connections a second
	PerIP    int            // connections at once from one address
	ByIP     map[string]int // instead of PerIP, by address
	Listener map[string]ListenerLimits
	// Protected is the listener by which brokers reach each other. When there are others, Total and Rate don't hold it up.
	Protected string
}

// ListenerLimits bound one listener further.
type ListenerLimits struct{ Total, Rate int }

// Unlimited is a limit that does not bound.
const Unlimited = math.MaxInt32

// Admission counts the connections of a node's listeners. A connection for which there is no room waits, and the listener with it, until
// another one ends or the limits change; one too many from an address is closed (as in Kafka). Safe for concurrent use.
type Admission struct {
	now func() time.Time

	mu       sync.Mutex // a leaf; guards all below
	limits   Limits
	total    int
	accepted int64
	refused  int64
	counts   map[string]int // by listener
	ips      map[string]int
	all      bucket
	buckets  map[string]*bucket // by listener
	changed  chan struct{}      // closed when there may be room
}

// NewAdmission returns one that knows the listeners by these names.
func NewAdmission(now func() time.Time, limits Limits, listeners ...string) *Admission {
	a := &Admission{
		now: now, limits: limits, counts: make(map[string]int), ips: make(map[string]int), buckets: make(map[string]*bucket),
		changed: make(chan struct{}),
	}
	for _, name := range listeners {
		a.counts[name], a.buckets[name] = 0, &bucket{}
	}
	return a
}

// SetLimits changes the limits. Connections beyond a smaller total are closed by and by, the most idle ones first.
func (a *Admission) SetLimits(l Limits) {
	a.mu.Lock()
	same := l.Total == a.limits.Total && l.Rate == a.limits.Rate && l.PerIP == a.limits.PerIP && maps.Equal(l.ByIP, a.limits.ByIP) &&
		maps.Equal(l.Listener, a.limits.Listener)
	a.limits = l
	free := a.changed
	if !same {
		a.changed = make(chan struct{})
	}
	a.mu.Unlock()
	if !same {
		close(free)
	}
}

var errPerIP = errors.New("transport: too many connections from this address")

// enter waits for room for a connection from ip and counts it. The error is errPerIP, or errDraining when stop was closed first.
func (a *Admission) enter(listener, ip string, stop <-chan struct{}) error {
	for {
		changed, wait, err := a.tryEnter(listener, ip)
		if changed == nil {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-changed:
		case <-t.C:
		case <-stop:
			t.Stop()
			return errDraining
		}
		t.Stop()
	}
}

// tryEnter counts a connection, or says for what it has to wait.
func (a *Admission) tryEnter(listener, ip string) (changed <-chan struct{}, wait time.Duration, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	own, bounded := a.limits.Listener[listener]
	if !bounded {
		own = ListenerLimits{Unlimited, Unlimited}
	}
	protected := a.protected(listener)
	if a.counts[listener] >= own.Total || !protected && a.total >= a.limits.Total {
		return a.changed, time.Hour, nil
	}
	now := a.now()
	wait = a.bucket(listener).wait(own.Rate, now)
	if !protected {
		wait = max(wait, a.all.wait(a.limits.Rate, now))
	}
	if wait > 0 {
		return a.changed, wait, nil
	}
	a.bucket(listener).take(own.Rate)
	a.all.take(a.limits.Rate)
	most, special := a.limits.ByIP[ip]
	if !special {
		most = a.limits.PerIP
	}
	if a.ips[ip] >= most {
		a.refused++
		return nil, 0, errPerIP
	}
	a.counts[listener]++
	a.ips[ip]++
	a.total++
	a.accepted++
	return nil, 0, nil
}

func (a *Admission) bucket(listener string) *bucket {
	b := a.buckets[listener]
	if b == nil {
		b = &bucket{}
		a.buckets[listener] = b
	}
	return b
}

func (a *Admission) protected(listener string) bool {
	return listener == a.limits.Protected && len(a.counts) > 1
}

// leave forgets a connection.
func (a *Admission) leave(listener, ip string) {
	a.mu.Lock()
	a.total--
	a.counts[listener]--
	if a.ips[ip]--; a.ips[ip] == 0 {
		delete(a.ips, ip)
	}
	free := a.changed
	a.changed = make(chan struct{})
	a.mu.Unlock()
	close(free)
}

// Count returns how many connections there are, and how many were let in and refused so far.
func (a *Admission) Count() (now int, accepted, refused int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total, a.accepted, a.refused
}

// excess returns how many connections of a listener are too many.
func (a *Admission) excess(listener string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.protected(listener) {
		return 0
	}
	return min(max(a.total-a.limits.Total, 0), a.counts[listener])
}

// bucket holds the right to new connections: at most those of a second.
type bucket struct {
	tokens float64
	at     time.Time // when tokens was right
}

// wait refills and returns how long there is no token.
func (b *bucket) wait(rate int, now time.Time) time.Duration {
	if rate >= Unlimited {
		return 0
	}
	if b.at.IsZero() {
		b.tokens = float64(rate)
	} else {
		b.tokens = min(b.tokens+now.Sub(b.at).Seconds()*float64(rate), max(float64(rate), 1))
	}
	b.at = now
	switch {
	case b.tokens >= 1:
		return 0
	case rate == 0:
		return time.Hour
	}
	return max(time.Duration((1-b.tokens)/float64(rate)*float64(time.Second)), time.Millisecond)
}

func (b *bucket) take(rate int) {
	if rate < Unlimited {
		b.tokens--
	}
}
