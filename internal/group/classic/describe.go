package classic

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Describe describes the group for DescribeGroups. What members tell their protocol is told only while the group is stable.
func (g *Group) Describe() kmsg.DescribeGroupsResponseGroup {
	d := kmsg.NewDescribeGroupsResponseGroup()
	d.Group, d.State, d.ProtocolType = g.id, g.State(), g.protocolType
	if g.state == Stable && g.protocol != nil {
		d.Protocol = *g.protocol
	}
	d.Members = make([]kmsg.DescribeGroupsResponseGroupMember, 0, len(g.members))
	for m := range g.all() {
		described := kmsg.DescribeGroupsResponseGroupMember{
			MemberID: m.id, InstanceID: m.instance, ClientID: m.clientID, ClientHost: m.host, MemberAssignment: m.assignment,
		}
		if g.state == Stable {
			described.ProtocolMetadata = m.metadata(g.protocol)
		}
		d.Members = append(d.Members, described)
	}
	return d
}

// String is the group in one line, and under it each member with what it waits for.
func (g *Group) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s generation %d %q", g.id, g.state, g.generation, g.protocolType)
	if g.protocol != nil {
		fmt.Fprintf(&b, " %q", *g.protocol)
	}
	if len(g.pending) > 0 {
		fmt.Fprintf(&b, " pending %s", strings.Join(slices.Sorted(maps.Keys(g.pending)), " "))
	}
	b.WriteByte('\n')
	for m := range g.all() {
		fmt.Fprintf(&b, "  %s", m.id)
		if m.instance != nil {
			fmt.Fprintf(&b, " static %s", *m.instance)
		}
		for _, mark := range []struct {
			on   bool
			text string
		}{
			{g.leader == m.id, "leads"}, {m.fresh, "is new"}, {m.join.on, "joins"}, {m.sync.on, "syncs"}, {m.unsynced, "has not synced"},
		} {
			if mark.on {
				b.WriteString(" " + mark.text)
			}
		}
		fmt.Fprintf(&b, " session %v rebalance %v assigned %q\n", m.sessionTimeout, m.rebalanceTimeout, m.assignment)
	}
	return b.String()
}
