package ottla

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/storage"
	"github.com/ottla/ottla/internal/vfs"
)

// configure reads the configuration of a node in a cluster of so many.
func (n *Node) configure(size int) (err error) {
	n.text = n.properties(size)
	n.cfg, err = n.load(nil)
	return err
}

// load is the configuration with lines of the node's own.
func (n *Node) load(set []string) (*config.Node, error) {
	set = append(slices.Clone(n.c.o.set), set...)
	for _, line := range set {
		key, _, err := keyValue(line)
		if err != nil {
			return nil, fmt.Errorf("Set: %w", err)
		}
		if slices.Contains([]string{"node.id", "broker.id", "log.dirs", "log.dir"}, strings.TrimSpace(key)) {
			return nil, fmt.Errorf("Set: %s is the cluster's own to choose: see Nodes and Dir", key)
		}
	}
	cfg, err := config.Load(hostName(n.id), []byte(n.text), set)
	if err == nil && len(cfg.Unknown) > 0 {
		return nil, fmt.Errorf("Set: no such key: %s", strings.Join(cfg.Unknown, ", "))
	}
	return cfg, err
}

// format makes directories that are empty fit for use. Where they are in memory the voters stand in the metadata log, so that nodes can be added.
func (c *Cluster) format() error {
	nodes := c.Nodes()
	var all []*config.Node
	for _, n := range nodes {
		if err := n.configure(len(nodes)); err != nil {
			return err
		}
		all = append(all, n.cfg)
	}
	if c.o.dir != "" {
		_, err := world(vfs.OS{}).Prepare(all...)
		return err
	}
	cluster, err := kafka.NewUUID(rand.Reader)
	if err != nil {
		return err
	}
	c.id = cluster.String()
	voters, err := voters(nodes)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := n.format(voters); err != nil {
			return err
		}
	}
	return nil
}

// voters are the nodes with ids for their disks.
func voters(nodes []*Node) (all []storage.Voter, err error) {
	for _, n := range nodes {
		v := storage.Voter{ID: kafka.NodeID(n.id)}
		host, port, err := net.SplitHostPort(n.peer)
		if err == nil {
			v.Port, err = strconv.Atoi(port)
		}
		if err == nil {
			v.Directory, err = kafka.NewUUID(rand.Reader)
		}
		if err != nil {
			return nil, err
		}
		v.Host, n.vote = host, v.Directory
		all = append(all, v)
	}
	return all, nil
}

// format makes the node's disk in memory fit for use: as one of these voters, or without voters for a node that joins those that there are.
func (n *Node) format(voters []storage.Voter) error {
	return world(n.disk.files()).Format(storage.Request{Node: n.cfg, ClusterID: n.c.id, InitialVoters: voters, NoInitialVoters: voters == nil}, io.Discard)
}

func world(fs vfs.FS) storage.World {
	return storage.World{FS: fs, Now: time.Now, Random: rand.Reader}
}

// properties is the node's configuration, without what the user sets.
func (n *Node) properties(size int) string {
	var voters, servers []string
	for _, other := range n.c.Nodes() {
		voters, servers = append(voters, fmt.Sprintf("%d@%s", other.id, other.peer)), append(servers, other.peer)
	}
	dir, quorum := "/data", "controller.quorum.bootstrap.servers="+strings.Join(servers, ",")
	if n.c.o.dir != "" {
		dir, quorum = filepath.Join(n.c.o.dir, hostName(n.id)), "controller.quorum.voters="+strings.Join(voters, ",")
	}
	replicas := min(size, 3)
	return fmt.Sprintf(properties, n.id, n.addr, n.peer, quorum, dir, replicas, max(1, replicas-1))
}

const properties = `process.roles=broker,controller
node.id=%[1]d
broker.rack=rack-%[1]d
%[4]s
listeners=PLAINTEXT://%[2]s,CONTROLLER://%[3]s
advertised.listeners=PLAINTEXT://%[2]s
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=%[5]s
default.replication.factor=%[6]d
min.insync.replicas=%[7]d
offsets.topic.replication.factor=%[6]d
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=%[6]d
transaction.state.log.min.isr=%[7]d
share.coordinator.state.topic.replication.factor=%[6]d
share.coordinator.state.topic.min.isr=%[7]d
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=200
replica.lag.time.max.ms=3000
replica.fetch.wait.max.ms=100
controller.quorum.append.linger.ms=0
`
