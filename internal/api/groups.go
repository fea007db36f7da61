package api

import (
	"net"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/coordinator"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/shard"
	"github.com/ottla/ottla/internal/transport"
)

// groupPartition is the partition of __consumer_offsets that a group belongs to.
func (c *call) groupPartition(group string) int32 {
	if t := c.image().Topics.ByName(kafka.ConsumerOffsetsTopic); t != nil {
		return coordinator.PartitionFor(group, int32(len(t.Partitions)))
	}
	return coordinator.PartitionFor(group, int32(c.Config.Sources.Int("offsets.topic.num.partitions")))
}

// askGroup hands a command to the coordinator of a group. The reply is what answer makes of what it says; until then the
// connection is read on.
func (c *call) askGroup(group string, cmd any, answer func(resp any, err error) kmsg.Response) {
	own, pending := c.park(), c.req.Defer(false)
	c.Groups.Submit(c.groupPartition(group), cmd, func(resp any, err error) {
		pending.Complete(func() transport.Response { return own.encode(answer(resp, err)) })
	})
}

// question is a command for one of several coordinators that have a part in an answer.
type question struct {
	partition int32
	cmd       any
	// take gets what the coordinator says, on a goroutine of its own.
	take func(resp any, err error)
}

// gather asks several coordinators. The reply is made when all have answered.
func (c *call) gather(questions []question, answer func() kmsg.Response) {
	if len(questions) == 0 {
		c.reply(answer())
		return
	}
	own, pending := c.park(), c.req.Defer(false)
	left := new(atomic.Int32)
	left.Store(int32(len(questions)))
	for _, q := range questions {
		c.Groups.Submit(q.partition, q.cmd, func(resp any, err error) {
			q.take(resp, err)
			if left.Add(-1) == 0 {
				pending.Complete(func() transport.Response { return own.encode(answer()) })
			}
		})
	}
}

// byPartition parts group ids by the partition that they belong to, in the order of the first of each.
func (c *call) byPartition(groups []string) (partitions []int32, ids map[int32][]string) {
	ids = make(map[int32][]string)
	for _, g := range groups {
		p := c.groupPartition(g)
		if ids[p] == nil {
			partitions = append(partitions, p)
		}
		ids[p] = append(ids[p], g)
	}
	return partitions, ids
}

// mostRepeats is how often an answer tells of one group, or of one configuration. Kafka knows no bound, but an answer is in proportion to what is there.
const mostRepeats = 8

// repeated leaves out what has the id of as many before it.
func repeated[G any](groups []G, most int, id func(G) string) []G {
	seen := make(map[string]int, len(groups))
	kept := groups[:0]
	for _, g := range groups {
		if seen[id(g)]++; seen[id(g)] <= most {
			kept = append(kept, g)
		}
	}
	return kept
}

// gatherGroups asks the coordinators of groups, command for command, and gives answer the parts of all. Failed makes the
// part of a group whose coordinator does not answer.
func gatherGroups[G any](c *call, groups []string, command func(ids []string) any, failed func(id string, code int16) G,
	answer func([]G) kmsg.Response) {
	partitions, ids := c.byPartition(groups)
	parts := make([][]G, len(partitions))
	var questions []question
	for i, p := range partitions {
		questions = append(questions, question{p, command(ids[p]), func(resp any, err error) {
			if err == nil {
				parts[i] = resp.([]G)
				return
			}
			for _, id := range ids[p] {
				parts[i] = append(parts[i], failed(id, code(err)))
			}
		}})
	}
	c.gather(questions, func() kmsg.Response {
		all := []G{}
		for _, part := range parts {
			all = append(all, part...)
		}
		return answer(all)
	})
}

// servesConsumerGroups says whether consumer groups (KIP-848) may be used: the configuration and group.version decide.
func (c *call) servesConsumerGroups() bool {
	return c.ConsumerGroups && c.image().Features.Level("group.version") >= 1
}

// client is who sent the request.
func (c *call) client() shard.Client {
	return shard.Client{ID: c.hdr.ClientID, Host: javaHost(c.req.Conn.RemoteAddr())}
}

// javaHost is an address as Kafka has it in the descriptions of groups: "/127.0.0.1", and all eight groups of IPv6.
func javaHost(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return "/" + a.String()
	}
	if v4 := tcp.IP.To4(); v4 != nil {
		return "/" + v4.String()
	}
	var b strings.Builder
	for i := 0; i+1 < len(tcp.IP); i += 2 {
		b.WriteByte("/:"[min(i, 1)])
		b.WriteString(strconv.FormatUint(uint64(tcp.IP[i])<<8|uint64(tcp.IP[i+1]), 16))
	}
	return b.String()
}
