package moves

import (
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Broker is one that replicas can be given to.
type Broker struct {
	ID int32
	// Rack is where it stands; brokers that name none stand in one together.
	Rack string
	// Elsewhere is how many replicas it has of partitions that [Spread] is not given. Of brokers that are alike the one with the fewest is taken.
	Elsewhere int
}

// Partition is one whose replicas are planned.
type Partition struct {
	kafka.TopicPartition
	// Replicas are those that it has or, while it is being moved, is to have. The preferred leader stands first.
	Replicas []int32
	// ISR are those in sync, Leader is who leads, -1 for nobody.
	ISR    []int32
	Leader int32
}

// Move says which replicas a partition is to have.
type Move struct {
	Partition
	// To are the replicas, the preferred leader first.
	To []int32
}

// Adding are the replicas that come.
func (m Move) Adding() []int32 { return without(m.To, m.Replicas...) }

// Removing are the replicas that go.
func (m Move) Removing() []int32 { return without(m.Replicas, m.To...) }

// TooFew says that there are fewer brokers than a partition has replicas.
type TooFew struct {
	Partition kafka.TopicPartition
	Replicas  int
	Brokers   int
}

// Error says what is missing.
func (t *TooFew) Error() string {
	return fmt.Sprintf("%s has %d replicas, and there are %d brokers for them", t.Partition, t.Replicas, t.Brokers)
}

// cluster knows brokers by number, in the order in which they were given, and their racks likewise.
type cluster struct {
	brokers []Broker
	number  map[int32]int // by id
	rack    []int         // by broker
	size    []int         // by rack: how many brokers stand there
}

func newCluster(brokers []Broker) *cluster {
	c := &cluster{brokers: brokers, number: map[int32]int{}}
	racks := map[string]int{}
	for i, b := range brokers {
		c.number[b.ID] = i
		rack, known := racks[b.Rack]
		if !known {
			rack = len(c.size)
			racks[b.Rack] = rack
			c.size = append(c.size, 0)
		}
		c.rack = append(c.rack, rack)
		c.size[rack]++
	}
	return c
}

// numbers are those of the brokers that are there of ids, each once.
func (c *cluster) numbers(ids []int32) []int {
	var all []int
	for _, id := range ids {
		if n, there := c.number[id]; there && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// inRacks counts brokers by their rack.
func (c *cluster) inRacks(brokers []int) []int {
	count := make([]int, len(c.size))
	for _, b := range brokers {
		count[c.rack[b]]++
	}
	return count
}

// ordered lists the replicas to as a partition that has now is to have them: those that stay keep their places, and new ones take those of the
// ones that go.
func ordered(now, to []int32) []int32 {
	fresh := without(to, now...)
	all := make([]int32, 0, len(to))
	for _, r := range now {
		switch {
		case slices.Contains(to, r):
			all = append(all, r)
		case len(fresh) > 0:
			all = append(all, fresh[0])
			fresh = fresh[1:]
		}
	}
	return append(all, fresh...)
}

// led is replicas with leader in front, which is one of them; the others keep their order.
func led(leader int32, replicas []int32) []int32 {
	return append([]int32{leader}, without(replicas, leader)...)
}

func without(list []int32, drop ...int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(n int32) bool { return slices.Contains(drop, n) })
}
