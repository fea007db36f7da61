package testkit

import (
	"fmt"
	"io"

	"github.com/ottla/ottla/internal/vfs"
)

// AddBroker starts a node that is a broker alone, with the next id, and waits until it serves. Set is as in Options.
func (c *Cluster) AddBroker(set ...string) *Node {
	c.t.Helper()
	id := len(c.Nodes) + 1
	own := Options{FS: vfs.NewMem(), cluster: "cluster", sockets: &sockets{}}
	own.ports = [2]int{own.sockets.reserve(c.t), own.sockets.reserve(c.t)}
	own.Set = append([]string{"process.roles=broker", fmt.Sprintf("node.id=%d", id), "listeners=PLAINTEXT://" + loopback(own.ports[0]), c.quorum}, set...)
	c.Nodes, c.options = append(c.Nodes, nil), append(c.options, own)
	c.start(id-1, TryStart)
	if c.t.Failed() {
		c.t.FailNow()
	}
	return c.Nodes[id-1]
}

// Twin starts a second broker alone with the id of one that runs, and returns why it does not start.
func (c *Cluster) Twin(id int, log io.Writer, set ...string) error {
	c.t.Helper()
	own := Options{FS: vfs.NewMem(), cluster: "cluster", Log: log}
	own.Set = append([]string{"process.roles=broker", fmt.Sprintf("node.id=%d", id), "listeners=PLAINTEXT://127.0.0.1:0", "advertised.listeners=PLAINTEXT://127.0.0.1:0", c.quorum}, set...)
	_, err := TryStart(c.t, own)
	return err
}
