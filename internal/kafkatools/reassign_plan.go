package kafkatools

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
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

// propose spreads the partitions of topics over nodes. Each topic keeps its number of partitions and, for all of them, the number of replicas
// that one of its partitions has. draw returns a number from 0 up to, not including, n.
func propose(topics []described, nodes []clusterNode, draw func(n int) int) (map[kafka.TopicPartition][]int32, error) {
	to := map[kafka.TopicPartition][]int32{}
	for _, t := range topics {
		if len(t.partitions) == 0 {
			continue
		}
		factor := len(firstPartition(t).replicas)
		switch {
		case factor == 0:
			return nil, errors.New("Replication factor must be larger than 0.")
		case factor > len(nodes):
			return nil, fmt.Errorf("Replication factor: %d larger than available brokers: %d.", factor, len(nodes))
		}
		s := spread{partitions: len(t.partitions), factor: factor, start: draw(len(nodes)), shift: draw(len(nodes))}
		for i, replicas := range s.over(nodes) {
			to[kafka.TopicPartition{Topic: t.name, Partition: int32(i)}] = replicas
		}
	}
	return to, nil
}

// firstPartition is that which Java's map of the topic's partitions gives first.
func firstPartition(t described) describedPartition {
	return java.HashOrder(t.partitions, func(p describedPartition) int32 { return java.HashPartition(t.name, p.partition) })[0]
}

// spread is how the replicas of a topic are spread over nodes, of which there are at least factor: the first ones take turns from start on, and
// the others follow at distances that begin with shift and grow by one with each round.
type spread struct{ partitions, factor, start, shift int }

// over returns the replicas of each partition.
func (s spread) over(nodes []clusterNode) [][]int32 {
	if len(nodes) > 0 && nodes[0].rack != nil {
		return s.overRacks(alternate(nodes))
	}
	all := make([][]int32, s.partitions)
	for p := range all {
		first := (p + s.start) % len(nodes)
		all[p] = []int32{nodes[first].id}
		for i := range s.factor - 1 {
			all[p] = append(all[p], nodes[behind(first, s.shift+p/len(nodes)+i, len(nodes))].id)
		}
	}
	return all
}

// behind is the place that follows first at a distance, of n in a ring, and is never first itself.
func behind(first, distance, n int) int { return (first + 1 + distance%(n-1)) % n }

// overRacks is over for nodes that alternate between racks. No rack gets a second replica of a partition before each has one.
func (s spread) overRacks(nodes []clusterNode) [][]int32 {
	racks := map[string]bool{}
	for _, n := range nodes {
		racks[*n.rack] = true
	}
	all := make([][]int32, s.partitions)
	for p := range all {
		first := (p + s.start) % len(nodes)
		all[p] = []int32{nodes[first].id}
		used := map[string]bool{*nodes[first].rack: true}
		for i := 0; len(all[p]) < s.factor; i++ {
			n := nodes[behind(first, (s.shift+p/len(nodes))*len(racks)+i, len(nodes))]
			if used[*n.rack] && len(used) < len(racks) || slices.Contains(all[p], n.id) {
				continue
			}
			all[p] = append(all[p], n.id)
			used[*n.rack] = true
		}
	}
	return all
}

// alternate takes a node of each rack in turn: racks by name, nodes by id.
func alternate(nodes []clusterNode) []clusterNode {
	turn := map[int32]int{}
	taken := map[string]int{}
	sorted := slices.SortedFunc(slices.Values(nodes), func(a, b clusterNode) int { return cmp.Compare(a.id, b.id) })
	for _, n := range sorted {
		turn[n.id] = taken[*n.rack]
		taken[*n.rack]++
	}
	slices.SortFunc(sorted, func(a, b clusterNode) int {
		return cmp.Or(cmp.Compare(turn[a.id], turn[b.id]), cmp.Compare(*a.rack, *b.rack))
	})
	return sorted
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
