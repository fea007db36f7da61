package ottla

import (
	"context"
	"net"
)

// Clients stands for all clients where a node's id is asked for by [Cluster.Cut] and its like.
const Clients int32 = 0

// Dial connects to an address of the cluster as a client does, without the machine's network. It has the shape that clients want, such as
// franz-go's kgo.Dialer.
func (c *Cluster) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return c.clients.Dial(ctx, network, address)
}

// Cut cuts two nodes off from each other, or a node from [Clients]: nothing passes either way, and nobody is told. Connections that there are
// stay and go on when the cut heals, unless they time out before.
func (c *Cluster) Cut(a, b int32) {
	c.CutOneWay(a, b)
	c.CutOneWay(b, a)
}

// CutOneWay stops what goes from one node to another; what comes back passes. New connections need both ways.
func (c *Cluster) CutOneWay(from, to int32) { c.net.Cut(hostName(from), hostName(to)) }

// Isolate cuts a node off from all other nodes. Clients still reach it.
func (c *Cluster) Isolate(id int32) {
	for _, n := range c.Nodes() {
		if n.id != id {
			c.Cut(id, n.id)
		}
	}
}

// Heal undoes all cuts.
func (c *Cluster) Heal() { c.net.HealAll() }

// Pause has the node stand still, as SIGSTOP does: it hears and says nothing and its disk does nothing, but its connections stay.
func (n *Node) Pause() {
	n.disk.pause()
	n.c.net.Pause(hostName(n.id))
}

// Resume has a paused node go on.
func (n *Node) Resume() {
	n.c.net.Resume(hostName(n.id))
	n.disk.resume()
}
