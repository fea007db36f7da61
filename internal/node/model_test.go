package node_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

// A random sequence of requests, stops and kills, on a node and on a model of what a log is.
func TestModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(drawSeed(t), 0))
	for range 3 {
		runModel(t, rng.Uint64(), 200)
	}
}

// FuzzModel looks for a seed of TestModel that fails.
func FuzzModel(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { runModel(t, seed, 100) })
}

// model is the node as it should be, and the node.
type model struct {
	t      *testing.T
	rng    *rand.Rand
	disk   *vfs.Mem
	n      *testkit.Node
	c      *testkit.Conn
	topics map[string]*modelTopic
	gone   []kafka.TopicID // ids of deleted topics
	writes int
}

type modelTopic struct {
	id    kafka.TopicID
	start int
	all   []string // values of all records, deleted ones too
}

func runModel(t *testing.T, seed uint64, steps int) {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 7)), disk: vfs.NewCrash(), topics: map[string]*modelTopic{}}
	m.start()
	for i := range steps {
		did := m.step()
		if t.Failed() {
			t.Fatalf("seed %d, step %d: %s", seed, i, did)
		}
	}
	m.check()
}

func (m *model) start() {
	m.n = testkit.Start(m.t, testkit.Options{FS: m.disk})
	m.c = m.n.Dial()
}

// step does something at random and says what.
func (m *model) step() string {
	name := fmt.Sprintf("t%d", m.rng.IntN(4))
	topic := m.topics[name]
	switch dice := m.rng.IntN(100); {
	case topic == nil:
		m.topics[name] = &modelTopic{id: m.c.Create(name, 1, "segment.bytes", "1048576")}
		return "create " + name
	case dice < 45:
		return m.produce(name, topic)
	case dice < 75:
		return m.fetch(name, topic)
	case dice < 85:
		return m.deleteRecords(name, topic)
	case dice < 88:
		m.c.Delete(name)
		m.gone = append(m.gone, topic.id)
		delete(m.topics, name)
		return "delete " + name
	case dice < 90:
		m.n.Stop()
		m.start()
		m.check()
		return "stop and start"
	case dice < 92: // what a kill leaves of the disk
		killed := m.disk.CrashClone(m.rng, 100)
		m.n.Stop()
		m.disk = killed
		m.start()
		m.startsAgain()
		m.check()
		return "kill and start"
	}
	m.check()
	return "check"
}

func (m *model) produce(name string, topic *modelTopic) string {
	var values []string
	for range 1 + m.rng.IntN(5) {
		m.writes++
		values = append(values, fmt.Sprintf("%d%s", m.writes, strings.Repeat("x", m.rng.IntN(200))))
	}
	p := m.c.Produce(name, 0, testkit.BatchOf(int64(m.writes), values...))
	if p.ErrorCode != 0 || p.BaseOffset != int64(len(topic.all)) || p.LogStartOffset != int64(topic.start) {
		m.t.Errorf("produce to %s: %s at %d, log start %d; the model has %d from %d", name, testkit.Code(p.ErrorCode), p.BaseOffset, p.LogStartOffset, len(topic.all), topic.start)
	}
	topic.all = append(topic.all, values...)
	return fmt.Sprintf("produce %d to %s", len(values), name)
}

func (m *model) fetch(name string, topic *modelTopic) string {
	from := m.rng.IntN(len(topic.all) + 3)
	p := m.c.Fetch(name, 0, int64(from))
	if from < topic.start || from > len(topic.all) {
		if got := testkit.Code(p.ErrorCode); got != "OFFSET_OUT_OF_RANGE" {
			m.t.Errorf("fetch %s from %d of [%d, %d]: %s", name, from, topic.start, len(topic.all), got)
		}
		return "fetch out of range"
	}
	got, err := testkit.Values(p.RecordBatches)
	if err != nil || p.ErrorCode != 0 || p.HighWatermark != int64(len(topic.all)) || p.LogStartOffset != int64(topic.start) {
		m.t.Errorf("fetch %s from %d: %s, %v, [%d, %d], want [%d, %d]", name, from, testkit.Code(p.ErrorCode), err, p.LogStartOffset, p.HighWatermark, topic.start, len(topic.all))
	}
	// The first batch may begin before the offset that was asked for.
	got = slices.DeleteFunc(got, func(v string) bool { return offsetOf(v) < from })
	if want := topic.from(from); !slices.Equal(got, want) {
		m.t.Errorf("fetch %s from %d: %.80q, want %.80q", name, from, got, want)
	}
	return fmt.Sprintf("fetch %s from %d", name, from)
}

func offsetOf(value string) int {
	var offset int
	fmt.Sscanf(value, "%d=", &offset)
	return offset
}

// from lists the records from an offset on, as testkit.Values does.
func (m *modelTopic) from(offset int) []string {
	var all []string
	for i := offset; i < len(m.all); i++ {
		all = append(all, fmt.Sprintf("%d=%s", i, m.all[i]))
	}
	return all
}

func (m *model) deleteRecords(name string, topic *modelTopic) string {
	upTo := m.rng.IntN(len(topic.all)+2) - 1
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = name
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Offset = int64(upTo)
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	got := testkit.Ask[*kmsg.DeleteRecordsResponse](m.c, req, 2).Topics[0].Partitions[0]
	if upTo == -1 {
		upTo = len(topic.all)
	}
	if upTo > len(topic.all) {
		if testkit.Code(got.ErrorCode) != "OFFSET_OUT_OF_RANGE" {
			m.t.Errorf("delete of %s up to %d: %s", name, upTo, testkit.Code(got.ErrorCode))
		}
		return "delete out of range"
	}
	topic.start = max(topic.start, upTo)
	if got.ErrorCode != 0 || got.LowWatermark != int64(topic.start) {
		m.t.Errorf("delete of %s up to %d: %s, low watermark %d, want %d", name, upTo, testkit.Code(got.ErrorCode), got.LowWatermark, topic.start)
	}
	return fmt.Sprintf("delete %s up to %d", name, upTo)
}

// startsAgain takes in where logs start after a kill: log starts are checkpointed now and then, as in Kafka, so that deleted
// records may be back.
func (m *model) startsAgain() {
	for name, topic := range m.topics {
		p := m.c.Fetch(name, 0, int64(topic.start))
		if p.ErrorCode != 0 || p.LogStartOffset > int64(topic.start) {
			m.t.Errorf("%s starts at %d after a kill: %s; it was %d", name, p.LogStartOffset, testkit.Code(p.ErrorCode), topic.start)
		}
		topic.start = int(p.LogStartOffset)
	}
}

// check compares everything.
func (m *model) check() {
	found := m.c.Topics()
	if got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(m.topics)); !slices.Equal(got, want) {
		m.t.Errorf("topics %q, want %q", got, want)
	}
	for name, topic := range m.topics {
		if found[name] != topic.id {
			m.t.Errorf("%s has id %s, want %s", name, found[name], topic.id)
		}
		got := m.c.Read(name, 0, int64(topic.start))
		got = slices.DeleteFunc(got, func(v string) bool { return offsetOf(v) < topic.start })
		if want := topic.from(topic.start); !slices.Equal(got, want) {
			m.t.Errorf("%s holds %.80q, want %.80q", name, got, want)
		}
	}
	for _, id := range m.gone {
		req := testkit.FetchRequest("", 0, 0)
		req.Topics[0].TopicID = id
		if code := testkit.Ask[*kmsg.FetchResponse](m.c, req, 13).Topics[0].Partitions[0].ErrorCode; testkit.Code(code) != "UNKNOWN_TOPIC_ID" {
			m.t.Errorf("a deleted topic's id gives %s", testkit.Code(code))
		}
	}
}
