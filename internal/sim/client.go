package sim

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

const (
	topicName   = "t"
	firstClient = 100 // its party of the network
)

// client is somebody who uses the cluster until the world is calm and all is done.
type client interface {
	// idle reports whether it has nothing left to do.
	idle() bool
}

// view is what a client knows of the cluster: whom to ask. It asks any node for it.
type view struct {
	w     *World
	me    who
	name  string // of the topic
	topic kafka.TopicID
	parts []leads
	busy  bool
}

// leads is who leads a partition, as a client believes.
type leads struct {
	leader kafka.NodeID
	epoch  kafka.LeaderEpoch
}

func newView(w *World, number int, topic string, partitions int32) view {
	v := view{w: w, name: topic, me: who{firstClient + number, 0, func() bool { return true }}}
	for range partitions {
		v.parts = append(v.parts, leads{kafka.NoNode, kafka.NoEpoch})
	}
	return v
}

// refresh asks some node who leads. What is older than what is known counts for nothing.
func (v *view) refresh() {
	if v.busy {
		return
	}
	v.busy = true
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(req.MaxVersion())
	v.w.call(v.me, v.w.rng.IntN(v.w.plan.nodes), req, callPatience, func(resp kmsg.Response, err error) {
		v.busy = false
		if err != nil {
			return
		}
		for _, t := range resp.(*kmsg.MetadataResponse).Topics {
			if *t.Topic != v.name {
				continue
			}
			v.topic = t.TopicID
			for _, p := range t.Partitions {
				if known := &v.parts[p.Partition]; kafka.LeaderEpoch(p.LeaderEpoch) >= known.epoch {
					*known = leads{kafka.NodeID(p.Leader), kafka.LeaderEpoch(p.LeaderEpoch)}
				}
			}
		}
	})
}

// leader returns who leads a partition, and false, once it has asked, if that is not known.
func (v *view) leader(index int32) (leads, bool) {
	l := v.parts[index]
	if l.leader == kafka.NoNode || v.topic.IsZero() {
		v.refresh()
		return l, false
	}
	return l, true
}

// admin makes a topic and is done.
type admin struct {
	w          *World
	topic      string
	partitions int32
	done       bool
}

func (a *admin) idle() bool { return a.done }

// create asks nodes for the topic until one has made it.
func (a *admin) create() {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(req.MaxVersion())
	req.TimeoutMillis = 1000
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = a.topic, a.partitions, voting
	if kafka.IsInternal(a.topic) {
		policy, compact := kmsg.NewCreateTopicsRequestTopicConfig(), "compact"
		policy.Name, policy.Value = cleanupPolicy, &compact
		t.Configs = append(t.Configs, policy)
	}
	req.Topics = append(req.Topics, t)
	me := who{firstClient - 1, 0, func() bool { return true }}
	a.w.call(me, a.w.rng.IntN(a.w.plan.nodes), req, callPatience, func(resp kmsg.Response, err error) {
		if err == nil {
			created := resp.(*kmsg.CreateTopicsResponse).Topics[0]
			a.done = created.ErrorCode == 0 || created.ErrorCode == topicExists
			if a.done {
				a.w.tell("topic %s is made", a.topic)
				return
			}
		}
		a.w.after(50*time.Millisecond, "", a.create)
	})
}

// cleanupPolicy is the one configuration that topics have.
const cleanupPolicy = "cleanup.policy"

// topicExists is TOPIC_ALREADY_EXISTS.
const topicExists = 36
