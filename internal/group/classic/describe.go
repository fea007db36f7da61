package classic

import "github.com/twmb/franz-go/pkg/kmsg"

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
