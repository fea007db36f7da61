package modern

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/group/assignor"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Group is one group.
type Group struct {
	id  string
	env *Env

	epoch int32
	hash  int64 // of the topics, when the epoch rose last
	// assignmentEpoch is the group epoch that targets were computed for, at assignedAt in milliseconds since 1970, 0 for a
	// group that may be assigned at once.
	assignmentEpoch int32
	assignedAt      int64
	members         map[string]*member
	targets         map[string]assignor.Assignment
	resolved        map[string]*resolved // by regular expression
	// oldTopics says that there is a record of the topics, which were written before 4.1.
	oldTopics bool

	// What follows from the members.

	statics   map[string]string       // member ids by instance id
	topics    map[string]subscription // by name
	regexes   map[string]int          // members by regular expression
	assignors map[string]int          // members by the assignor that they prefer
	protocols map[string]int          // classic members by the protocol that they support
	classic   int                     // members of the classic protocol
	stable    map[int32]int           // members in state stable, by epoch
	owners    map[kafka.TopicID]map[int32]string

	// stale says that the topics are to be looked at with the next heartbeat.
	stale bool
	// matching is what has begun of resolving the expressions, nil if nothing has.
	matching *matching
}

// subscription counts who subscribes to a topic.
type subscription struct{ names, regexes int }

// resolved is what a regular expression matched.
type resolved struct {
	topics  []string // sorted
	version int64
	at      int64 // milliseconds since 1970
}

// firstEpoch is that of a group that has written none: it rises with the first member.
const firstEpoch = 1

// New returns a group without members, which nothing is written of.
func New(id string, env *Env) *Group {
	return &Group{
		id: id, env: env,
		epoch: firstEpoch, assignmentEpoch: firstEpoch,
		members:  make(map[string]*member),
		targets:  make(map[string]assignor.Assignment),
		resolved: make(map[string]*resolved),
		statics:  make(map[string]string),
		topics:   make(map[string]subscription),
		regexes:  make(map[string]int), assignors: make(map[string]int), protocols: make(map[string]int),
		stable: make(map[int32]int),
		owners: make(map[kafka.TopicID]map[int32]string),
		stale:  true,
	}
}

// State is Kafka's name of the state.
func (g *Group) State() string {
	switch {
	case len(g.members) == 0:
		return "Empty"
	case g.epoch > g.assignmentEpoch:
		return "Assigning"
	case g.stable[g.assignmentEpoch] < len(g.members):
		return "Reconciling"
	}
	return "Stable"
}

// Type is "consumer".
func (g *Group) Type() string { return "consumer" }

// ProtocolType is "consumer".
func (g *Group) ProtocolType() string { return "consumer" }

// Empty says that the group has no members.
func (g *Group) Empty() bool { return len(g.members) == 0 }

// Size is the number of members.
func (g *Group) Size() int { return len(g.members) }

// SubscribedTo says whether the group reads a topic, by its name or by a regular expression.
func (g *Group) SubscribedTo(topic string) bool {
	_, ok := g.topics[topic]
	return ok
}

// Forget takes back what the environment knows of the group, which was deleted or changed its kind.
func (g *Group) Forget() {
	for name := range g.topics {
		g.env.unfollow(name, g)
	}
	for id := range g.members {
		g.clearAlarms(id)
	}
}

func (g *Group) clearAlarms(id string) {
	for kind := Session; kind <= Sync; kind++ {
		g.env.Alarms.Clear(Alarm{g.id, id, kind})
	}
}

// Loaded begins the sessions of all members anew.
func (g *Group) Loaded(t *shard.Turn) {
	for _, id := range g.ids() {
		m := g.members[id]
		g.keep(t, id, g.times().Session)
		if m.has.State == unrevoked {
			g.setAlarm(t, id, Rebalance, milliseconds(m.said.RebalanceTimeoutMs))
		}
	}
}

// keep begins the session of a member anew.
func (g *Group) keep(t *shard.Turn, id string, session time.Duration) {
	g.setAlarm(t, id, Session, session)
}

func (g *Group) setAlarm(t *shard.Turn, id string, kind AlarmKind, after time.Duration) {
	g.env.Alarms.Set(Alarm{g.id, id, kind}, t.Now.Add(after))
}

// static returns the member of an instance id, nil if there is none.
func (g *Group) static(instance *string) *member {
	if instance == nil {
		return nil
	}
	return g.members[g.statics[*instance]]
}

// ids returns the member ids in order.
func (g *Group) ids() []string { return slices.Sorted(maps.Keys(g.members)) }

// assignor is the name of the assignor that most members prefer; the first of the configuration if none prefers any. A log
// may tell of one that is not there, or not any more.
func (g *Group) assignor() string {
	best, most := g.env.Config.Assignors[0], 0
	for name, n := range g.assignors {
		if (n > most || n == most && name > best) && slices.Contains(g.env.Config.Assignors, name) {
			best, most = name, n
		}
	}
	return best
}

// owner is the member that has a partition or is still to give it up, "" if nobody.
func (g *Group) owner(topic kafka.TopicID, partition int32) string { return g.owners[topic][partition] }

// write writes a record of the group.
func (g *Group) write(t *shard.Turn, key, value schema.GroupMessage) {
	t.Write(schema.GroupRecord{Key: key, Value: value})
}
