package classic

import (
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Value is what a record of the group says now, though in the middle of a rebalance none is written.
func (g *Group) Value() *schema.GroupMetadataValue {
	return g.record(g.generation).Value.(*schema.GroupMetadataValue)
}

// Offers are the protocols of a member, of which a record has but one.
func (g *Group) Offers(id string) []schema.ClassicProtocol {
	var offers []schema.ClassicProtocol
	if m := g.members[id]; m != nil {
		for _, p := range m.protocols {
			offers = append(offers, schema.ClassicProtocol{Name: p.name, Metadata: p.metadata})
		}
	}
	return offers
}

// Offer replaces the protocols of a member that was a consumer group's, after the record that names it: the record has
// but one of them.
func (g *Group) Offer(id string, offers []schema.ClassicProtocol) {
	m := g.members[id]
	if m == nil || len(offers) == 0 {
		return
	}
	g.count(m, -1)
	m.protocols = make([]protocol, len(offers))
	for i, p := range offers {
		m.protocols[i] = protocol{p.Name, p.Metadata}
	}
	g.count(m, 1)
}

// Size is the number of members.
func (g *Group) Size() int { return len(g.members) }

// Dissolve sends all members that wait to join again: the group becomes a consumer group.
func (g *Group) Dissolve(t *shard.Turn) {
	for m := range g.all() {
		g.answerJoin(t, m, refuseJoin(m.id, kerr.RebalanceInProgress))
		g.answerSync(t, m, kerr.RebalanceInProgress)
	}
}

// Converted is the record of a group that was a consumer group.
func Converted(id string, value *schema.GroupMetadataValue) schema.GroupRecord {
	return groupRecord(id, value)
}

// Rebalance has the members join again.
func (g *Group) Rebalance(t *shard.Turn) { g.rebalance(t) }
