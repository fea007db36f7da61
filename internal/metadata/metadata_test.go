package metadata

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

func uuid(n int) kafka.UUID {
	return kafka.UUID{0: byte(n >> 8), 1: byte(n), 6: 0x40, 8: 0x80, 15: 100}
}

// dump is the whole state as records in Kafka's words.
func dump(i *Image) string {
	var b bytes.Buffer
	for r := range i.Records {
		b.Write(schema.AppendMetadataJSON(nil, r.Body, r.Version))
		b.WriteByte('\n')
	}
	return b.String()
}

// generator makes random records that are legal after those before.
type generator struct {
	rng    *rand.Rand
	topics []kafka.TopicID
	parts  map[kafka.TopicID]int32
	names  map[kafka.TopicID]string
	epochs map[int32]int64
	next   int
}

func newGenerator(seed uint64) *generator {
	return &generator{
		rng: rand.New(rand.NewPCG(seed, 7)), parts: make(map[kafka.TopicID]int32),
		names: make(map[kafka.TopicID]string), epochs: make(map[int32]int64),
	}
}

func (g *generator) ids() []int32 {
	list := []int32{1, 2, 3}
	g.rng.Shuffle(3, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+g.rng.IntN(3)]
}

func (g *generator) record() schema.MetadataRecord {
	g.next++
	text := fmt.Sprint(g.rng.IntN(5))
	switch n := g.rng.IntN(20); {
	case n < 4 || len(g.topics) == 0:
		id := uuid(g.next)
		g.topics, g.names[id] = append(g.topics, id), fmt.Sprintf("topic-%d", g.next)
		return &schema.TopicRecord{Name: g.names[id], TopicID: id}
	case n < 8:
		id := g.topics[g.rng.IntN(len(g.topics))]
		replicas := g.ids()
		r := &schema.PartitionRecord{PartitionID: g.parts[id], TopicID: id, Replicas: replicas, ISR: replicas, Leader: replicas[0]}
		r.RemovingReplicas, r.AddingReplicas = []int32{}, []int32{}
		for range replicas {
			r.Directories = append(r.Directories, uuid(1))
		}
		g.parts[id]++
		return r
	case n < 12:
		return g.change()
	case n < 13:
		return g.remove()
	case n < 15:
		r := &schema.ConfigRecord{ResourceType: 2, ResourceName: g.names[g.topics[0]], Name: "key" + text}
		if g.rng.IntN(3) > 0 {
			r.Value = &text
		}
		return r
	}
	return g.other(text)
}

// change alters a partition, or does nothing when there is none.
func (g *generator) change() schema.MetadataRecord {
	id := g.topics[g.rng.IntN(len(g.topics))]
	if g.parts[id] == 0 {
		return &schema.NoOpRecord{}
	}
	r := schema.NewPartitionChangeRecord()
	r.TopicID, r.PartitionID = id, g.rng.Int32N(g.parts[id])
	if g.rng.IntN(2) == 0 {
		r.ISR = g.ids()
	}
	if g.rng.IntN(2) == 0 {
		r.Leader = int32(g.rng.IntN(4)) - 1
	}
	if g.rng.IntN(3) == 0 {
		r.EligibleLeaderReplicas = g.ids()
	}
	if g.rng.IntN(4) == 0 {
		r.Replicas = g.ids()
	}
	return &r
}

func (g *generator) remove() schema.MetadataRecord {
	i := g.rng.IntN(len(g.topics))
	id := g.topics[i]
	g.topics = slices.Delete(g.topics, i, i+1)
	return &schema.RemoveTopicRecord{TopicID: id}
}

func (g *generator) other(text string) schema.MetadataRecord {
	node := int32(g.rng.IntN(3))
	switch g.rng.IntN(8) {
	case 0:
		g.epochs[node] = int64(g.next)
		return &schema.RegisterBrokerRecord{BrokerID: node, BrokerEpoch: int64(g.next), IncarnationID: uuid(g.next), Fenced: true, LogDirs: []kafka.UUID{uuid(2), uuid(1)}}
	case 1:
		if epoch, ok := g.epochs[node]; ok {
			return &schema.BrokerRegistrationChangeRecord{BrokerID: node, BrokerEpoch: epoch, Fenced: int8(g.rng.IntN(3)) - 1, CordonedLogDirs: []kafka.UUID{uuid(1)}}
		}
	case 2:
		if epoch, ok := g.epochs[node]; ok {
			delete(g.epochs, node)
			return &schema.UnregisterBrokerRecord{BrokerID: node, BrokerEpoch: epoch}
		}
	case 3:
		return &schema.FeatureLevelRecord{Name: "feature" + text, FeatureLevel: int16(g.rng.IntN(3))}
	case 4:
		return &schema.ProducerIDsRecord{BrokerID: node, NextProducerID: int64(g.next)}
	case 5:
		return &schema.ClientQuotaRecord{Entity: []schema.QuotaEntity{{EntityType: "user", EntityName: &text}}, Key: "k", Value: 1, Remove: g.rng.IntN(2) == 0}
	case 6:
		return &schema.AccessControlEntryRecord{ID: uuid(g.rng.IntN(3)), Principal: text}
	case 7:
		return &schema.RegisterControllerRecord{ControllerID: node, IncarnationID: uuid(g.next)}
	}
	return &schema.NoOpRecord{}
}

// TestCutsDoNotMatter: the same records in batches of any size give the same image, and so does a replay of the
// image's own records. Images that were published stay as they were.
func TestCutsDoNotMatter(t *testing.T) {
	for seed := range uint64(60) {
		g := newGenerator(seed)
		one, many := NewLoader(Empty()), NewLoader(Empty())
		var all []schema.MetadataRecord
		all = append(all, &schema.FeatureLevelRecord{Name: MetadataVersionFeature, FeatureLevel: 33})
		for range 300 {
			all = append(all, g.record())
		}
		if _, err := one.Replay(Batch{Offset: kafka.Offset(len(all) - 1), Epoch: 3, Records: all}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		type kept struct {
			image *Image
			text  string
		}
		var published []kept
		for at := 0; at < len(all); {
			n := min(1+g.rng.IntN(20), len(all)-at)
			at += n
			c, err := many.Replay(Batch{Offset: kafka.Offset(at - 1), Epoch: 3, Records: all[at-n : at]})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			checkDelta(t, seed, c)
			published = append(published, kept{c.Image, dump(c.Image)})
		}
		want := dump(one.Image())
		if got := dump(many.Image()); got != want {
			t.Fatalf("seed %d: in pieces:\n%s\nat once:\n%s", seed, got, want)
		}
		again := NewDelta(Empty())
		for r := range one.Image().Records {
			if err := again.Replay(r.Body); err != nil {
				t.Fatalf("seed %d: replay of the snapshot: %v", seed, err)
			}
		}
		if got := dump(again.Apply(1, 1, 1)); got != want {
			t.Fatalf("seed %d: from the snapshot:\n%s\nwant\n%s", seed, got, want)
		}
		for _, p := range published {
			if dump(p.image) != p.text {
				t.Fatalf("seed %d: the image of offset %d changed after it was published", seed, p.image.Offset)
			}
		}
	}
}

// checkDelta applies what the delta says to the image before and compares with the image after.
func checkDelta(t *testing.T, seed uint64, c Change) {
	t.Helper()
	topics := make(map[string]*Topic)
	for topic := range c.Delta.Base().Topics.All() {
		topics[topic.Name] = topic
	}
	for _, change := range c.Delta.Topics() {
		if change.After == nil {
			delete(topics, change.Before.Name)
		} else {
			topics[change.After.Name] = change.After
		}
	}
	partitions := 0
	for name, topic := range topics {
		partitions += len(topic.Partitions)
		if c.Image.Topics.ByName(name) != topic || c.Image.Topics.ByID(topic.ID) != topic {
			t.Fatalf("seed %d: the delta and the image disagree on %s", seed, name)
		}
	}
	if len(topics) != c.Image.Topics.Len() || partitions != c.Image.Topics.Partitions() {
		t.Fatalf("seed %d: %d topics of %d, %d partitions of %d", seed, len(topics), c.Image.Topics.Len(), partitions, c.Image.Topics.Partitions())
	}
	for _, b := range c.Delta.Brokers() {
		if c.Image.Cluster.Broker(b.ID) != b.After {
			t.Fatalf("seed %d: the delta and the image disagree on broker %d", seed, b.ID)
		}
	}
	for _, change := range c.Delta.Configs() {
		if got := c.Image.Configs.Of(change.Resource); !maps.Equal(got, change.After) {
			t.Fatalf("seed %d: configuration %v is %v, the delta says %v", seed, change.Resource, got, change.After)
		}
	}
}

// TestTransactions: testdata/transactions.txt has batches, one to a command, and what is visible after each.
func TestTransactions(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		l := NewLoader(Empty())
		offset := kafka.NoOffset
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b Batch
			for _, word := range strings.Fields(d.Input) {
				b.Records = append(b.Records, parseRecord(word))
			}
			b.Offset = offset + kafka.Offset(max(1, len(b.Records)))
			c, err := l.Replay(b)
			if err != nil {
				l, offset = NewLoader(l.image), l.image.Offset
				return err.Error() + "\n"
			}
			offset = b.Offset
			var names []string
			for _, topic := range c.Image.Topics.Sorted() {
				names = append(names, topic.Name)
			}
			return fmt.Sprintf("offset %d: %v, %d changed, open %t\n", c.Image.Offset, names, len(c.Delta.Topics()), l.InTransaction())
		})
	})
}

func parseRecord(word string) schema.MetadataRecord {
	switch word {
	case "begin":
		return &schema.BeginTransactionRecord{}
	case "end":
		return &schema.EndTransactionRecord{}
	case "abort":
		return &schema.AbortTransactionRecord{}
	case "noop":
		return &schema.NoOpRecord{}
	}
	if name, ok := strings.CutPrefix(word, "-"); ok {
		return &schema.RemoveTopicRecord{TopicID: uuid(int(name[0]))}
	}
	return &schema.TopicRecord{Name: word, TopicID: uuid(int(word[0]))}
}

// TestContradictions: a record that can't be true is an error, never a panic and never skipped.
func TestContradictions(t *testing.T) {
	base := NewDelta(Empty())
	for _, r := range []schema.MetadataRecord{
		&schema.TopicRecord{Name: "a", TopicID: uuid(1)},
		&schema.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 5},
	} {
		if err := base.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	image := base.Apply(1, 1, 0)
	change := schema.NewPartitionChangeRecord()
	change.TopicID, change.PartitionID = uuid(1), 0
	for _, r := range []schema.MetadataRecord{
		&schema.TopicRecord{Name: "a", TopicID: uuid(2)},
		&schema.PartitionRecord{PartitionID: 1, TopicID: uuid(1)},
		&schema.PartitionRecord{PartitionID: 1 << 30, TopicID: uuid(1)},
		&schema.PartitionRecord{PartitionID: -1, TopicID: uuid(1)},
		&schema.PartitionRecord{TopicID: uuid(2)},
		&change,
		&schema.RemoveTopicRecord{TopicID: uuid(2)},
		&schema.ClearELRRecord{TopicName: "b"},
		&schema.FenceBrokerRecord{ID: 2},
		&schema.UnfenceBrokerRecord{ID: 1, Epoch: 4},
		&schema.UnregisterBrokerRecord{BrokerID: 1, BrokerEpoch: 6},
		&schema.BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 5, Fenced: 2},
		&schema.BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 5, InControlledShutdown: -2},
	} {
		if err := NewDelta(image).Replay(r); !errors.Is(err, ErrReplay) {
			t.Errorf("%T %+v: %v", r, r, err)
		}
	}
}

func TestClearELR(t *testing.T) {
	d := NewDelta(Empty())
	for i, name := range []string{"a", "b"} {
		_ = d.Replay(&schema.TopicRecord{Name: name, TopicID: uuid(i)})
		_ = d.Replay(&schema.PartitionRecord{TopicID: uuid(i), Replicas: []int32{1}, EligibleLeaderReplicas: []int32{1}, LastKnownELR: []int32{1}, Leader: -1})
	}
	image := d.Apply(1, 1, 0)
	for _, c := range []struct {
		topic string
		left  int
	}{{"a", 1}, {"", 0}} {
		d := NewDelta(image)
		if err := d.Replay(&schema.ClearELRRecord{TopicName: c.topic}); err != nil {
			t.Fatal(err)
		}
		left := 0
		for topic := range d.Apply(2, 1, 0).Topics.All() {
			left += len(topic.Partition(0).ELR)
		}
		if left != c.left {
			t.Errorf("after clearing %q %d replicas are eligible, want %d", c.topic, left, c.left)
		}
	}
	if image.Topics.ByName("a").Partition(0).ELR == nil {
		t.Error("the image changed")
	}
}

func TestMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	model := make(map[int]int)
	var s Map[int, int]
	for range 500 {
		before, old := s, maps.Clone(model)
		e := s.Edit()
		for range rng.IntN(20) {
			k := rng.IntN(300)
			if rng.IntN(3) == 0 {
				e.Remove(k)
				delete(model, k)
			} else {
				e.Set(k, k*2)
				model[k] = k * 2
			}
		}
		s = e.Finish()
		for _, c := range []struct {
			s Map[int, int]
			m map[int]int
		}{{s, model}, {before, old}} {
			if c.s.Len() != len(c.m) || !maps.Equal(maps.Collect(c.s.All()), c.m) {
				t.Fatalf("got %v, want %v", maps.Collect(c.s.All()), c.m)
			}
		}
	}
}

// FuzzReplay: whatever bytes a log or snapshot holds, replaying them gives an image or an error (F13).
func FuzzReplay(f *testing.F) {
	g := newGenerator(1)
	var seed []byte
	for range 40 {
		b := schema.AppendMetadata(nil, g.record(), 0)
		seed = append(append(seed, byte(len(b))), b...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, in []byte) {
		d := NewDelta(Empty())
		for len(in) > 0 {
			n := min(int(in[0]), len(in)-1)
			r, _, err := schema.ParseMetadata(in[1 : 1+n])
			in = in[1+n:]
			if err != nil {
				continue
			}
			if err := d.Replay(r); err != nil {
				return
			}
		}
		dump(d.Apply(1, 1, 0))
	})
}

// BenchmarkOneTopic measures a change of one topic in a cluster of 100,000 partitions.
func BenchmarkOneTopic(b *testing.B) {
	d := NewDelta(Empty())
	for i := range 10_000 {
		id := kafka.UUID{0: byte(i >> 8), 1: byte(i), 6: 0x40, 15: 100}
		_ = d.Replay(&schema.TopicRecord{Name: fmt.Sprint("topic-", i), TopicID: id})
		for p := range int32(10) {
			_ = d.Replay(&schema.PartitionRecord{PartitionID: p, TopicID: id, Replicas: []int32{1}, ISR: []int32{1}})
		}
	}
	image := d.Apply(1, 1, 0)
	b.ReportAllocs()
	for i := range b.N {
		d := NewDelta(image)
		_ = d.Replay(&schema.TopicRecord{Name: "new", TopicID: uuid(i)})
		d.Apply(2, 1, 0)
	}
}
