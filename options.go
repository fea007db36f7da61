package ottla

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Option changes what Start and Open start.
type Option func(*options)

type options struct {
	nodes     int
	topics    []topic
	set       []string
	dir       string
	inProcess bool
	powerCuts bool
	log       *turns
}

type topic struct {
	name                 string
	partitions, replicas int
	settings             []string
}

func defaults() options { return options{nodes: 1, log: &turns{to: io.Discard}} }

func (o *options) check() error {
	switch {
	case o.nodes < 1:
		return fmt.Errorf("a cluster of %d nodes: it takes one", o.nodes)
	case o.dir != "" && o.powerCuts:
		return errors.New("PowerCuts is for files in memory: leave out Dir")
	}
	return nil
}

// Nodes sets how many nodes there are, 1 by default. Each is broker and controller, with ids from 1 on and a rack of its own, rack-1 and so on.
func Nodes(n int) Option { return func(o *options) { o.nodes = n } }

// Topic has a topic made at the start, with settings such as "cleanup.policy=compact". It may be given several times.
func Topic(name string, partitions, replicas int, settings ...string) Option {
	return func(o *options) { o.topics = append(o.topics, topic{name, partitions, replicas, settings}) }
}

// Set sets keys of Kafka's server.properties for all nodes, each "key=value". Without it they are Kafka's own defaults, but for these, so that
// tests need not wait: group.initial.rebalance.delay.ms=0, broker.session.timeout.ms=3000, broker.heartbeat.interval.ms=200,
// replica.lag.time.max.ms=3000, replica.fetch.wait.max.ms=100, offsets.topic.num.partitions=3, default.replication.factor and those of internal topics
// up to 3, min.insync.replicas 2 from three nodes on.
func Set(lines ...string) Option {
	return func(o *options) { o.set = append(o.set, lines...) }
}

// Dir keeps the files in a directory of the machine, with a folder for each node; a cluster that was there before goes on. Without it they are
// in memory and gone with the cluster.
func Dir(path string) Option { return func(o *options) { o.dir = path } }

// InProcess leaves out the machine's network: clients connect by [Cluster.Dial], and nobody else can. It is quicker than the loopback, and works in
// a testing/synctest bubble.
func InProcess() Option { return func(o *options) { o.inProcess = true } }

// PowerCuts has disks in memory remember what was synced, so that [Node.PowerCut] can take the rest. What was not synced takes twice the memory.
func PowerCuts() Option { return func(o *options) { o.powerCuts = true } }

// Log has the nodes tell what they do, in the text form of log/slog, a line at a time: to t.Output(), for one. By default they are silent.
func Log(w io.Writer) Option { return func(o *options) { o.log = &turns{to: w} } }

func keyValue(line string) (key, value string, err error) {
	key, value, ok := strings.Cut(line, "=")
	if !ok || key == "" {
		return "", "", fmt.Errorf("%q: want key=value", line)
	}
	return key, value, nil
}
