package partition

import (
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Throttled are the partitions of a topic whose replication is throttled at this node: all, or those listed.
type Throttled struct {
	All        bool
	Partitions []int32
}

func (t *Throttled) has(partition int32) bool {
	return t.All || slices.Contains(t.Partitions, partition)
}

// quota keeps what is replicated of throttled partitions to a rate: what goes over it is paid for by a pause.
type quota struct {
	mu    sync.Mutex // a leaf; guards what follows
	limit bool
	pace  throttle
}

// set sets the rate in bytes a second; a negative one is no limit.
func (q *quota) set(rate float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if limit := rate >= 0; limit != q.limit || rate != q.pace.rate {
		q.limit, q.pace = limit, throttle{rate: rate} // what is owed at the old rate is forgiven: that may have been a mistake
	}
}

// exceeded reports whether what was taken is not paid for yet, or nothing may be.
func (q *quota) exceeded(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.limit && (q.pace.rate == 0 || now.Before(q.pace.ready))
}

func (q *quota) take(bytes int, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.limit {
		q.pace.take(int64(bytes), now)
	}
}

// SetReplicationRates bounds what throttled partitions send to followers that are not in sync, and fetch while they lag, in bytes a second of all together
// (leader.replication.throttled.rate and follower.replication.throttled.rate). Negative rates are no bounds.
func (m *Manager) SetReplicationRates(leader, follower float64) {
	m.leading.set(leader)
	m.following.set(follower)
}

// HoldBack reports whether a follower gets nothing now: it is not in sync, the partition is throttled here, and the rate is used up.
func (p *Partition) HoldBack(follower kafka.NodeID, now time.Time) bool {
	return p.throttles(follower) && p.dir().m.leading.exceeded(now)
}

// Sent counts what a follower was sent.
func (p *Partition) Sent(follower kafka.NodeID, bytes int, now time.Time) {
	if bytes > 0 && p.throttles(follower) {
		p.dir().m.leading.take(bytes, now)
	}
}

func (p *Partition) throttles(follower kafka.NodeID) bool {
	return p.config.Load().LeaderThrottled.has(p.id.Partition) && !slices.Contains(p.leadership.Load().ISR, follower)
}

// HoldOff reports whether nothing is to be fetched now, since the partition is throttled here and the rate is used up. Ask it only while the replica
// lags.
func (p *Partition) HoldOff(now time.Time) bool {
	return p.config.Load().FollowerThrottled.has(p.id.Partition) && p.dir().m.following.exceeded(now)
}

// fetched counts what was fetched from the leader.
func (p *Partition) fetched(bytes int, now time.Time) {
	if bytes > 0 && p.config.Load().FollowerThrottled.has(p.id.Partition) {
		p.dir().m.following.take(bytes, now)
	}
}
