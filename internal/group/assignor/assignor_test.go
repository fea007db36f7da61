package assignor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// Random groups, assigned again and again while they change: what every assignor promises, and what uniform promises more.
func TestProperties(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 848))
		g, change := randomGroup(r)
		for round := range 5 {
			assign, name := Uniform, "uniform"
			if seed%3 == 0 {
				assign, name = Range, "range"
			}
			before := slices.Clone(g.Members)
			result := assign(g)
			if err := checkComplete(g, result); err != nil {
				t.Fatalf("seed %d round %d, %s: %v", seed, round, name, err)
			}
			if name == "uniform" && g.Alike {
				checkUniform(t, seed, before, result)
			}
			if again := assign(g); !slices.EqualFunc(result, again, Assignment.Equal) {
				t.Fatalf("seed %d: %s is not deterministic", seed, name)
			}
			for i := range g.Members {
				g.Members[i].Target = result[i]
			}
			if settled := assign(g); name == "range" && !slices.EqualFunc(result, settled, Assignment.Equal) {
				t.Fatalf("seed %d: range moved partitions of a group that did not change", seed)
			} else if name == "uniform" && g.Alike && !slices.EqualFunc(result, settled, Assignment.Equal) {
				t.Fatalf("seed %d: uniform moved partitions of a group that did not change", seed)
			}
			change()
		}
	}
}

// randomGroup returns a group and a func that changes it.
func randomGroup(r *rand.Rand) (*Group, func()) {
	sizes := map[kafka.TopicID]int{}
	var topics []kafka.TopicID
	for i := range 1 + r.IntN(6) {
		topics = append(topics, topicID(i+1))
		sizes[topicID(i+1)] = r.IntN(12)
	}
	g := &Group{Alike: r.IntN(2) == 0, Partitions: func(id kafka.TopicID) int { return sizes[id] }}
	some := func() []kafka.TopicID {
		return slices.DeleteFunc(slices.Clone(topics), func(kafka.TopicID) bool { return r.IntN(4) == 0 })
	}
	change := func() {
		sizes[topics[r.IntN(len(topics))]] += r.IntN(3)
		g.Members = slices.DeleteFunc(g.Members, func(Member) bool { return r.IntN(4) == 0 })
		for range 1 + r.IntN(5) {
			m := Member{ID: fmt.Sprintf("m%04d", r.IntN(10000)), Topics: some()}
			if !slices.ContainsFunc(g.Members, func(o Member) bool { return o.ID == m.ID }) {
				g.Members = append(g.Members, m)
			}
		}
		slices.SortFunc(g.Members, func(a, b Member) int { return compareStaticFirst(&a, &b) })
		shared := some()
		for i := range g.Members {
			if g.Alike {
				g.Members[i].Topics = shared
			}
		}
	}
	change()
	return g, change
}

func checkComplete(g *Group, result []Assignment) error {
	owner := map[slotID]string{}
	for i, a := range result {
		m := &g.Members[i]
		for j, topic := range a {
			if !slices.Contains(m.Topics, topic.ID) || len(topic.Partitions) == 0 || !slices.IsSorted(topic.Partitions) ||
				j > 0 && CompareIDs(a[j-1].ID, topic.ID) >= 0 {
				return fmt.Errorf("%s got %v", m.ID, a)
			}
			for _, p := range topic.Partitions {
				if other, ok := owner[slotID{topic.ID, p}]; ok {
					return fmt.Errorf("%v of %v went to %s and %s", p, topic.ID, other, m.ID)
				}
				owner[slotID{topic.ID, p}] = m.ID
			}
		}
	}
	for _, id := range union(g) {
		for p := range g.Partitions(id) {
			if _, ok := owner[slotID{id, int32(p)}]; !ok {
				return fmt.Errorf("%v of %v went to nobody", p, id)
			}
		}
	}
	return nil
}

type slotID struct {
	topic     kafka.TopicID
	partition int32
}

// checkUniform holds sizes to differ by one at most, and nobody below the quota to lose what it had.
func checkUniform(t *testing.T, seed uint64, before []Member, result []Assignment) {
	t.Helper()
	low, high := result[0].Len(), result[0].Len()
	for _, a := range result {
		low, high = min(low, a.Len()), max(high, a.Len())
	}
	if high-low > 1 {
		t.Fatalf("seed %d: sizes from %d to %d", seed, low, high)
	}
	for i, a := range result {
		kept := 0
		had := 0
		for _, topic := range before[i].Target {
			if !slices.Contains(before[i].Topics, topic.ID) {
				continue
			}
			had += len(topic.Partitions)
			for _, p := range topic.Partitions {
				if a.Contains(topic.ID, p) {
					kept++
				}
			}
		}
		if kept < min(had, low) {
			t.Fatalf("seed %d: %s had %d and kept %d, the quota is %d", seed, before[i].ID, had, kept, low)
		}
	}
}

func BenchmarkUniform(b *testing.B) { benchmark(b, Uniform) }
func BenchmarkRange(b *testing.B)   { benchmark(b, Range) }

// A member more joins a group that was balanced.
func benchmark(b *testing.B, assign Assignor) {
	for _, size := range []struct {
		members, partitions int
		alike               bool
	}{{500, 1000, true}, {500, 1000, false}, {10_000, 10_000, true}, {10_000, 10_000, false}} {
		g := &Group{Alike: size.alike, Partitions: func(kafka.TopicID) int { return size.partitions / 100 }}
		var topics []kafka.TopicID
		for i := range 100 {
			topics = append(topics, topicID(i+1))
		}
		for i := range size.members {
			g.Members = append(g.Members, Member{ID: fmt.Sprintf("m%06d", i), Topics: topics})
		}
		for i, a := range assign(&Group{Members: g.Members[1:], Alike: size.alike, Partitions: g.Partitions}) {
			g.Members[i+1].Target = a
		}
		b.Run(fmt.Sprintf("members=%d/partitions=%d/alike=%v", size.members, size.partitions, size.alike), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				assign(g)
			}
		})
	}
}
