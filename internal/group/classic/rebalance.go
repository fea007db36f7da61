package classic

import (
	"cmp"
	"maps"
	"slices"
	"time"
	"unicode/utf16"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/shard"
)

// rebalance begins a rebalance, or goes on with the one that is there.
func (g *Group) rebalance(t *shard.Turn) {
	if g.state == PreparingRebalance {
		g.completeIfJoined(t)
		return
	}
	g.prepare(t)
}

// prepare begins a rebalance: members that wait for an assignment are sent to join again. A group that was empty gives
// other members some time to come.
func (g *Group) prepare(t *shard.Turn) {
	if g.state == CompletingRebalance {
		g.refuseSync(t, kerr.RebalanceInProgress)
	}
	g.stopSync()
	g.initial, g.grew = g.state == Empty, false
	g.enter(t, PreparingRebalance)
	switch {
	case g.initial:
		g.delay = g.env.Config.InitialRebalanceDelay
		g.remaining = max(g.rebalanceTimeout()-g.delay, 0)
		g.env.Alarms.Set(Alarm{Group: g.id, Kind: JoinEnd}, t.Now.Add(g.delay))
	case g.allJoined():
		g.complete(t)
	default:
		g.env.Alarms.Set(Alarm{Group: g.id, Kind: JoinEnd}, t.Now.Add(g.rebalanceTimeout()))
	}
}

// stopSync forgets who has not synced.
func (g *Group) stopSync() {
	g.env.Alarms.Clear(Alarm{Group: g.id, Kind: SyncEnd})
	for m := range g.all() {
		m.unsynced = false
	}
	g.unsynced = 0
}

// allJoined says whether every member waits in join, and every id that was given out is used.
func (g *Group) allJoined() bool { return g.joining == len(g.members) && len(g.pending) == 0 }

// completeIfJoined ends the wait for members if there is nobody to wait for. The first rebalance waits for more.
func (g *Group) completeIfJoined(t *shard.Turn) {
	if g.state == PreparingRebalance && !g.initial && g.allJoined() {
		g.complete(t)
	}
}

// endJoin is called when the time to join is over. The first rebalance is given more as long as members come.
func (g *Group) endJoin(t *shard.Turn) {
	if g.state != PreparingRebalance {
		return
	}
	if !g.grew || g.remaining == 0 {
		g.complete(t)
		return
	}
	delay := min(g.env.Config.InitialRebalanceDelay, g.remaining)
	g.grew, g.delay, g.remaining = false, delay, max(g.remaining-g.delay, 0)
	g.env.Alarms.Set(Alarm{Group: g.id, Kind: JoinEnd}, t.Now.Add(delay))
}

// complete begins the next generation with those that have joined, and with static members, whose place is kept as long as
// their session lasts.
func (g *Group) complete(t *shard.Turn) {
	g.env.Alarms.Clear(Alarm{Group: g.id, Kind: JoinEnd})
	for m := range g.all() {
		if !m.join.on && m.instance == nil {
			g.remove(t, m.id)
		}
	}
	switch {
	case len(g.members) == 0:
		g.initial = false
		t.Write(g.emptied(t.Now))
	case !g.leaderJoined():
		// Somebody may join, or sessions end. A rebalance timeout may be 0.
		g.env.Alarms.Set(Alarm{Group: g.id, Kind: JoinEnd}, t.Now.Add(max(g.rebalanceTimeout(), time.Second)))
	default:
		g.initial = false
		g.nextGeneration(t)
	}
}

// leaderJoined makes the first member that has joined the leader if the leader has not; false if nobody has.
func (g *Group) leaderJoined() bool {
	if m := g.members[g.leader]; m != nil && m.join.on {
		return true
	}
	for m := range g.all() {
		if m.join.on {
			g.leader = m.id
			return true
		}
	}
	return false
}

// nextGeneration tells the members of the generation and waits for them to sync.
func (g *Group) nextGeneration(t *shard.Turn) {
	protocol := g.vote()
	if g.generation == 0 || !planted.Bug("generation-not-raised") {
		g.generation++
	}
	g.protocol = &protocol
	g.topics = g.subscriptions()
	g.enter(t, CompletingRebalance)
	for m := range g.all() {
		if m.join.on {
			g.answerJoin(t, m, g.joined(m, m.join.version))
		}
		g.renew(t, m)
		m.fresh, m.unsynced = false, true
	}
	g.unsynced = len(g.members)
	g.env.Alarms.Set(Alarm{Group: g.id, Kind: SyncEnd}, t.Now.Add(g.rebalanceTimeout()))
}

// vote chooses the protocol that most members prefer among those that all offer; of equals as Kafka does.
func (g *Group) vote() string {
	votes := make(map[string]int)
	for m := range g.all() {
		votes[m.vote(g.supported, len(g.members))]++
	}
	best := ""
	for _, name := range slices.SortedFunc(maps.Keys(votes), func(a, b string) int {
		return cmp.Or(cmp.Compare(bucket(a, len(votes)), bucket(b, len(votes))), cmp.Compare(a, b))
	}) {
		if votes[name] > votes[best] {
			best = name
		}
	}
	return best
}

// bucket is where a hash table of n strings has one in Java. Kafka visits the votes in that order, and the first wins: with
// two protocols that is seen whenever the members of a group change from one to the other.
func bucket(s string, n int) uint32 {
	size := uint32(16)
	for n > int(size)*3/4 {
		size *= 2
	}
	hash := uint32(0)
	for _, unit := range utf16.Encode([]rune(s)) {
		hash = 31*hash + uint32(unit)
	}
	return (hash ^ hash>>16) & (size - 1)
}
