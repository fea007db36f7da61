package offsets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// The store against maps of maps, by random commits and deletions.
func TestStoreModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, model := NewStore(), map[string]map[string]int64{}
		for at := range kafka.Offset(500) {
			key := &schema.OffsetCommitKey{Group: fmt.Sprint("g", r.IntN(5)), Topic: fmt.Sprint("t", r.IntN(4)), Partition: int32(r.IntN(6))}
			place := fmt.Sprintf("%s-%d", key.Topic, key.Partition)
			if r.IntN(3) == 0 {
				s.Replay(at, key, nil)
				delete(model[key.Group], place)
			} else {
				v := schema.NewOffsetCommitValue()
				v.Offset = r.Int64N(1000)
				s.Replay(at, key, &v)
				if model[key.Group] == nil {
					model[key.Group] = map[string]int64{}
				}
				model[key.Group][place] = v.Offset
			}
			if got, want := shown(s), expected(model); got != want {
				t.Fatalf("seed %d, record %d: the store has\n%s, the model\n%s", seed, at, got, want)
			}
		}
		for _, g := range s.Groups() {
			for topic, partitions := range s.Of(g) {
				for _, c := range slices.Clone(partitions) {
					s.Replay(0, &schema.OffsetCommitKey{Group: g, Topic: topic, Partition: c.Partition}, nil)
					break // what Of visits has changed
				}
				break
			}
		}
	}
}

func shown(s *Store) string {
	var all []string
	for _, g := range s.Groups() {
		for topic, partitions := range s.Of(g) {
			for i, c := range partitions {
				all = append(all, fmt.Sprintf("%s %s-%d=%d", g, topic, c.Partition, c.Offset))
				if s.Get(g, topic, c.Partition) != &partitions[i] {
					all = append(all, "which Get does not find")
				}
			}
		}
	}
	if len(all) != s.Len() {
		all = append(all, fmt.Sprintf("%d in all", s.Len()))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func expected(model map[string]map[string]int64) string {
	var all []string
	for g, places := range model {
		for place, offset := range places {
			all = append(all, fmt.Sprintf("%s %s=%d", g, place, offset))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// A topic is known as long as any group has an offset of it.
func TestTopics(t *testing.T) {
	s := NewStore()
	key := func(g string) *schema.OffsetCommitKey { return &schema.OffsetCommitKey{Group: g, Topic: "a"} }
	v := schema.NewOffsetCommitValue()
	s.Replay(0, key("g"), &v)
	s.Replay(1, key("h"), &v)
	s.Replay(2, key("g"), nil)
	if got := slices.Collect(s.Topics()); !slices.Equal(got, []string{"a"}) || s.Has("g") || !s.Has("h") {
		t.Errorf("topics %v", got)
	}
	s.Replay(3, key("h"), nil)
	if got := slices.Collect(s.Topics()); len(got) != 0 || s.Len() != 0 {
		t.Errorf("topics %v", got)
	}
}

// A commit of a transaction comes when the transaction ends, and may lie before one that is known.
func TestLateCommitOfATransaction(t *testing.T) {
	s, key := NewStore(), &schema.OffsetCommitKey{Group: "g", Topic: "a"}
	late, known := schema.NewOffsetCommitValue(), schema.NewOffsetCommitValue()
	late.Offset, known.Offset = 5, 7
	s.Replay(20, key, &known)
	s.Replay(10, key, &late)
	if got := s.Get("g", "a", 0).Offset; got != 7 {
		t.Errorf("offset %d", got)
	}
}

func TestExpired(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	f := func(c Committed, from time.Time, want bool) {
		t.Helper()
		if got := c.Expired(now, from, 100*time.Second); got != want {
			t.Errorf("%+v from %v: %v", c, from, got)
		}
	}
	none := kafka.NoTimestamp
	f(Committed{CommitTime: 900_000, ExpireTime: none}, time.Time{}, true)
	f(Committed{CommitTime: 900_001, ExpireTime: none}, time.Time{}, false)
	f(Committed{CommitTime: 0, ExpireTime: none}, time.UnixMilli(900_001), false)
	f(Committed{CommitTime: 999_999, ExpireTime: none}, time.UnixMilli(900_000), true)
	f(Committed{CommitTime: 0, ExpireTime: 1_000_001}, time.Time{}, false)
	f(Committed{CommitTime: 999_999, ExpireTime: 1_000_000}, time.Time{}, true)
}

func BenchmarkCommit(b *testing.B) {
	s := NewStore()
	v := schema.NewOffsetCommitValue()
	keys := make([]*schema.OffsetCommitKey, 100_000)
	for i := range keys {
		keys[i] = &schema.OffsetCommitKey{Group: fmt.Sprint("group-", i/10), Topic: "orders", Partition: int32(i % 10)}
	}
	b.ReportAllocs()
	at := kafka.Offset(0)
	for b.Loop() {
		s.Replay(at, keys[int(at)%len(keys)], &v)
		at++
	}
}
