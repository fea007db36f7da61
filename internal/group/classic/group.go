package classic

import (
	"fmt"
	"iter"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Group is one group of the classic protocol; State lists what it goes through.
type Group struct {
	id  string
	env *Env

	state State
	// since is when the group came into its state, in milliseconds since 1970; -1 where the record does not tell.
	since      int64
	generation int32
	// protocolType is "" for a group that never had members.
	protocolType string
	// protocol is that of the generation; nil for an empty group.
	protocol *string
	// leader is the id of the member that assigns, "" for none.
	leader string

	members map[string]*member
	// order holds the members as they joined, and some that are gone, but none of those at its head.
	order []*member
	// static holds members by group.instance.id.
	static map[string]*member
	// pending are ids that were given out with MEMBER_ID_REQUIRED and have not joined.
	pending map[string]struct{}
	// supported counts by protocol the members that offer it.
	supported map[string]int
	// joining counts the members that wait in join, unsynced those that have not synced.
	joining, unsynced int

	// initial says that the rebalance began with an empty group: it waits for more members, delay by delay, as long as some
	// come and remaining lasts.
	initial, grew    bool
	delay, remaining time.Duration

	// topics are those of the members' subscriptions; nil when they are not known.
	topics map[string]struct{}
}

// New returns a group without members, as the first commit of a client that is no member makes one.
func New(id string, env *Env) *Group {
	return &Group{
		id: id, env: env, since: -1,
		members: make(map[string]*member), static: make(map[string]*member),
		pending: make(map[string]struct{}), supported: make(map[string]int),
	}
}

// State is Kafka's name of the state.
func (g *Group) State() string { return g.state.String() }

// Type is "classic".
func (g *Group) Type() string { return "classic" }

// ProtocolType is that of the members, "" if none was ever told.
func (g *Group) ProtocolType() string { return g.protocolType }

// Empty says that the group has no members.
func (g *Group) Empty() bool { return g.state == Empty }

// Delete writes the tombstone of the group.
func (g *Group) Delete(t *shard.Turn) {
	t.Write(schema.GroupRecord{Key: &schema.GroupMetadataKey{Group: g.id}})
}

// Forget clears the alarms of a group that is no more.
func (g *Group) Forget() {
	g.env.Alarms.Clear(Alarm{Group: g.id, Kind: JoinEnd})
	g.env.Alarms.Clear(Alarm{Group: g.id, Kind: SyncEnd})
	for m := range g.all() {
		g.env.Alarms.Clear(g.session(m.id))
	}
	for id := range g.pending {
		g.env.Alarms.Clear(g.session(id))
	}
}

// all visits the members in the order in which they joined. The visitor may remove the one that it is given.
func (g *Group) all() iter.Seq[*member] {
	return func(yield func(*member) bool) {
		for _, m := range g.order {
			if !m.gone && !yield(m) {
				return
			}
		}
	}
}

// add takes a member in. Its protocols were looked at by supports.
func (g *Group) add(m *member) {
	if g.leader == "" {
		g.leader = m.id
	}
	g.members[m.id] = m
	g.order = append(g.order, m)
	if m.instance != nil {
		g.static[*m.instance] = m
	}
	g.count(m, 1)
	if m.join.on {
		g.joining++
	}
	delete(g.pending, m.id)
}

// remove takes out a member, or an id that was given out, and answers what the member waits for.
func (g *Group) remove(t *shard.Turn, id string) {
	delete(g.pending, id)
	g.env.Alarms.Clear(g.session(id))
	m := g.members[id]
	if m == nil {
		return
	}
	g.answerJoin(t, m, refuseJoin("", kerr.UnknownMemberID))
	g.answerSync(t, m, kerr.UnknownMemberID)
	g.drop(m)
}

// drop takes a member out that waits for nothing.
func (g *Group) drop(m *member) {
	m.gone = true
	delete(g.members, m.id)
	if m.instance != nil {
		delete(g.static, *m.instance)
	}
	g.count(m, -1)
	g.synced(m)
	g.settle()
	if g.leader != m.id {
		return
	}
	g.leader = ""
	if len(g.members) > 0 {
		g.leader = g.order[0].id
	}
}

// settle keeps the order as long as twice the members, and a member at its head.
func (g *Group) settle() {
	for len(g.order) > 0 && g.order[0].gone {
		g.order = g.order[1:]
	}
	if len(g.order) <= 2*len(g.members) {
		return
	}
	order := make([]*member, 0, len(g.members))
	for m := range g.all() {
		order = append(order, m)
	}
	g.order = order
}

// count adds to, or takes from, what the members support together.
func (g *Group) count(m *member, n int) {
	for _, p := range m.protocols {
		if g.supported[p.name] += n; g.supported[p.name] == 0 {
			delete(g.supported, p.name)
		}
	}
}

// know finds a member by its id, which must be the one of its instance id if that is told.
func (g *Group) know(id string, instance *string) (*member, *kerr.Error) {
	if instance != nil {
		switch m := g.static[*instance]; {
		case m == nil:
			return nil, kerr.UnknownMemberID
		case m.id != id:
			return nil, kerr.FencedInstanceID
		}
	}
	if m := g.members[id]; m != nil {
		return m, nil
	}
	return nil, kerr.UnknownMemberID
}

// newID makes the id of a member as Kafka does: its instance id, or the id of its client, and a UUID.
func (g *Group) newID(instance *string, client shard.Client) string {
	name := client.ID
	if instance != nil {
		name = *instance
	}
	id := g.env.NewID()
	return fmt.Sprintf("%s-%x-%x-%x-%x-%x", name, id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// rebalanceTimeout is the longest of the members'.
func (g *Group) rebalanceTimeout() time.Duration {
	var longest time.Duration
	for m := range g.all() {
		longest = max(longest, m.rebalanceTimeout)
	}
	return longest
}

func (g *Group) session(member string) Alarm {
	return Alarm{Group: g.id, Member: member, Kind: Session}
}

// renew begins the session of a member anew.
func (g *Group) renew(t *shard.Turn, m *member) {
	g.env.Alarms.Set(g.session(m.id), t.Now.Add(m.sessionTimeout))
}

func (g *Group) enter(t *shard.Turn, s State) {
	g.state, g.since = s, t.Now.UnixMilli()
}
