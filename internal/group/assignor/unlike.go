package assignor

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// maxRounds bounds how often the topics are balanced one after the other: what one topic evens out may tilt another.
const maxRounds = 16

// unlike balances members that subscribe to different topics.
type unlike struct {
	*owners
	subscribers [][]int32 // of each topic, ascending
	load        []int     // of each member, in partitions
}

// uniformUnlike leaves members what they subscribe to, gives what nobody owns to the subscriber with the least, and evens
// out each topic among its subscribers until nothing moves or maxRounds have passed.
func uniformUnlike(g *Group) []Assignment {
	u := unlike{owners: newOwners(g, union(g)), load: make([]int, len(g.Members))}
	u.subscribers = make([][]int32, len(u.topics))
	for m := range g.Members {
		for _, id := range g.Members[m].Topics {
			u.subscribers[u.at[id]] = append(u.subscribers[u.at[id]], int32(m))
		}
	}
	for m := range g.Members {
		u.partitions(g.Members[m].Target, func(topic int, partition int32) {
			if _, ok := slices.BinarySearch(u.subscribers[topic], int32(m)); ok {
				u.of[topic][partition] = int32(m)
				u.load[m]++
			}
		})
	}
	order := u.hardestFirst()
	scale := newScale(u.load)
	for _, topic := range order {
		u.assignUnowned(topic, scale)
	}
	u.balance(order, scale)
	return u.assignments(len(g.Members))
}

// hardestFirst orders topics by the partitions for each subscriber, most first; then fewest subscribers first, then by id.
func (u *unlike) hardestFirst() []int {
	order := make([]int, len(u.topics))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		perA := float64(len(u.of[a])) / float64(len(u.subscribers[a]))
		perB := float64(len(u.of[b])) / float64(len(u.subscribers[b]))
		return cmp.Or(
			cmp.Compare(perB, perA),
			cmp.Compare(len(u.subscribers[a]), len(u.subscribers[b])),
			compareSigned(u.topics[a], u.topics[b]),
		)
	})
	return order
}

// compareSigned orders ids as two signed integers, as Kafka does.
func compareSigned(a, b kafka.TopicID) int {
	half := func(id kafka.TopicID, at int) int64 { return int64(binary.BigEndian.Uint64(id[at:])) }
	return cmp.Or(cmp.Compare(half(a, 0), half(b, 0)), cmp.Compare(half(a, 8), half(b, 8)))
}

func (u *unlike) assignUnowned(topic int, s *scale) {
	weighed := false
	for p, m := range u.of[topic] {
		if m != nobody {
			continue
		}
		if !weighed {
			s.weigh(u.subscribers[topic])
			weighed = true
		}
		u.move(topic, p, s.lightest())
	}
}

func (u *unlike) move(topic, partition int, to int32) {
	if from := u.of[topic][partition]; from != nobody {
		u.load[from]--
	}
	u.of[topic][partition] = to
	u.load[to]++
}

// balance goes round the topics until a whole round since the last move moved nothing.
func (u *unlike) balance(order []int, s *scale) {
	order = slices.DeleteFunc(order, func(topic int) bool { return len(u.subscribers[topic]) < 2 })
	last := -1
	for range maxRounds {
		for i, topic := range order {
			if i == last {
				return
			}
			if moved := u.balanceTopic(topic, s); moved || last == -1 {
				last = i
			}
		}
	}
}

// balanceTopic moves partitions of a topic from the heaviest subscriber that owns one to the lightest, and reports whether
// any moved. A member gives its highest partitions first.
func (u *unlike) balanceTopic(topic int, s *scale) bool {
	if s.weigh(u.subscribers[topic]) <= 1 {
		return false
	}
	owned := make(map[int32][]int)
	for p, m := range u.of[topic] {
		owned[m] = append(owned[m], p)
	}
	moved := false
	for !s.even() {
		from, ok := s.heaviest()
		for ok && len(owned[from]) == 0 {
			s.setAside()
			from, ok = s.heaviest()
		}
		if !ok {
			break
		}
		mine := owned[from]
		partition := mine[len(mine)-1]
		owned[from] = mine[:len(mine)-1]
		to := s.lightest()
		if s.even() {
			break
		}
		u.move(topic, partition, to)
		moved = true
	}
	return moved
}
