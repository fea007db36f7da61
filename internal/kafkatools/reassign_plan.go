package kafkatools

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/placement"
)

// candidates are the nodes among those of a list that may get replicas. With racks all of them have one, or none.
func candidates(nodes []clusterNode, list []int32, racks bool) ([]clusterNode, error) {
	var all []clusterNode
	racked := 0
	for _, n := range java.HashOrder(nodes, func(n clusterNode) int32 { return n.id }) {
		if !slices.Contains(list, n.id) {
			continue
		}
		if !racks {
			n.rack = nil
		}
		if n.rack != nil {
			racked++
		}
		all = append(all, n)
	}
	if racked != 0 && racked != len(all) {
		return nil, errors.New("Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.")
	}
	return all, nil
}

// propose spreads the partitions of topics over nodes, each topic for itself. A topic keeps its number of partitions and, for all of them, the
// number of replicas that one of its partitions has.
func propose(topics []described, nodes []clusterNode, random *rand.Rand) (map[kafka.TopicPartition][]int32, error) {
	var brokers []placement.Broker
	for _, n := range nodes {
		brokers = append(brokers, placement.Broker{ID: n.id, Rack: n.rack})
	}
	to := map[kafka.TopicPartition][]int32{}
	for _, t := range topics {
		if len(t.partitions) == 0 {
			continue
		}
		factor := len(firstPartition(t).replicas)
		switch {
		case factor == 0:
			return nil, errors.New("Invalid replication factor 0: the replication factor must be positive.")
		case len(brokers) == 0:
			return nil, errors.New("All brokers are currently fenced, or have all their log directories cordoned.")
		case factor > len(brokers):
			return nil, fmt.Errorf("The target replication factor of %d cannot be reached because only %d broker(s) are registered or some brokers have all their log directories cordoned.", factor, len(brokers))
		}
		placer := placement.Over(random, brokers)
		for i := range t.partitions {
			to[kafka.TopicPartition{Topic: t.name, Partition: int32(i)}] = placer.Next(factor)
		}
	}
	return to, nil
}

// firstPartition is that which Java's map of the topic's partitions gives first.
func firstPartition(t described) describedPartition {
	return java.HashOrder(t.partitions, func(p describedPartition) int32 { return java.HashPartition(t.name, p.partition) })[0]
}

// transfer is where the records of a partition come from and where they go to.
type transfer struct{ from, to []int32 }

// transfers are those that are under way and those that a file adds, of which the ones of the same partition replace the others. placed are the
// replicas of the partitions of the file.
func transfers(underWay map[kafka.TopicPartition]reassignment, wanted, placed map[kafka.TopicPartition][]int32) map[kafka.TopicPartition]transfer {
	all := map[kafka.TopicPartition]transfer{}
	for tp, r := range underWay {
		all[tp] = transfer{except(r.replicas, r.adding), r.adding}
	}
	for tp, replicas := range wanted {
		from := placed[tp]
		if t, moving := all[tp]; moving {
			from = t.from
		}
		all[tp] = transfer{from, except(replicas, from)}
	}
	return all
}

// except are the nodes of all that are not among those to leave out.
func except(all, leave []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(all), func(n int32) bool { return slices.Contains(leave, n) })
}

// Keys of throttles: which replicas of a topic are throttled, and by how much a broker throttles them.
const (
	leaderReplicas   = "leader.replication.throttled.replicas"
	followerReplicas = "follower.replication.throttled.replicas"
	leaderRate       = "leader.replication.throttled.rate"
	followerRate     = "follower.replication.throttled.rate"
	dirsRate         = "replica.alter.log.dirs.io.max.bytes.per.second"
)

// throttledReplicas name, for each topic, what is throttled: those that are read from on the leader's side, those that are written on the
// follower's.
func throttledReplicas(all map[kafka.TopicPartition]transfer) map[string][]alteration {
	leaders, followers := map[string][]string{}, map[string][]string{}
	for tp, t := range all {
		leaders[tp.Topic] = append(leaders[tp.Topic], throttleWords(tp.Partition, t.from)...)
		followers[tp.Topic] = append(followers[tp.Topic], throttleWords(tp.Partition, except(t.to, t.from))...)
	}
	join := func(words []string) *string {
		slices.Sort(words)
		text := strings.Join(slices.Compact(words), ",")
		return &text
	}
	topics := map[string][]alteration{}
	for topic := range leaders {
		topics[topic] = []alteration{{leaderReplicas, join(leaders[topic])}, {followerReplicas, join(followers[topic])}}
	}
	return topics
}

func throttleWords(partition int32, brokers []int32) []string {
	var words []string
	for _, b := range brokers {
		words = append(words, fmt.Sprintf("%d:%d", partition, b))
	}
	return words
}

// transferring are the brokers that take part, sorted.
func transferring(all map[kafka.TopicPartition]transfer) []int32 {
	var brokers []int32
	for _, t := range all {
		brokers = append(brokers, slices.Concat(t.from, t.to)...)
	}
	slices.Sort(brokers)
	return slices.Compact(brokers)
}

// partitionState is what is known of a partition that a file names: its replicas, those that the file wants, and whether it is not being
// reassigned.
type partitionState struct {
	current, target []int32
	done            bool
}

// line says how far the partition is.
func (s partitionState) line(tp kafka.TopicPartition) string {
	switch {
	case !s.done:
		return fmt.Sprintf("Reassignment of partition %s is still in progress.", tp)
	case slices.Equal(s.current, s.target):
		return fmt.Sprintf("Reassignment of partition %s is completed.", tp)
	}
	return fmt.Sprintf("There is no active reassignment of partition %s, but replica set is %s rather than %s.", tp, joinInts(s.current, ","), joinInts(s.target, ","))
}

// stateOf is the state of a partition that is not being reassigned. One that does not exist has no replicas.
func stateOf(w wanted, topic described) (partitionState, error) {
	s := partitionState{target: w.replicas, done: true}
	n := len(topic.partitions)
	switch {
	case isCode(topic.err, kerr.UnknownTopicOrPartition), topic.err == nil && n < int(w.Partition):
		return s, nil
	case topic.err != nil:
		return s, inFuture(topic.err)
	}
	i := slices.IndexFunc(topic.partitions, func(p describedPartition) bool { return p.partition == w.Partition })
	if i < 0 {
		return s, fmt.Errorf("Index %d out of bounds for length %d", w.Partition, n)
	}
	s.current = topic.partitions[i].replicas
	return s, nil
}

// moveState is where a replica is, where it is moved to, and where a file wants it.
type moveState struct {
	replicaDirs
	target string
}

// done reports whether nothing moves any more.
func (m moveState) done() bool { return m.current != "" && m.future == "" }

// line says how far the move is.
func (m moveState) line(r replicaID) string {
	switch {
	case m.current == "":
		return fmt.Sprintf("Partition %s is not found in any live log dir on broker %d. There is likely an offline log directory on the broker.", r.TopicPartition, r.broker)
	case m.future != "" && m.future == m.target:
		return fmt.Sprintf("Reassignment of replica %s is still in progress.", r)
	case m.future != "":
		return fmt.Sprintf("Partition %s on broker %d is being moved to log dir %s instead of %s.", r.TopicPartition, r.broker, m.future, m.target)
	case m.current == m.target:
		return fmt.Sprintf("Reassignment of replica %s completed successfully.", r)
	}
	return fmt.Sprintf("Partition %s on broker %d is not being moved from log dir %s to %s.", r.TopicPartition, r.broker, m.current, m.target)
}
