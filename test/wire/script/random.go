package script

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// randomSeed makes the recorded requests; with another seed two nodes can be compared, but none with the recording.
const randomSeed = 20261121

// randomRequests is how many are played.
const randomRequests = 1500

// random plays requests whose fields are drawn from small pools of likely and unlikely values, on topics that come and
// go by them. What one request did is there for the next.
func random(r *run) {
	r.make(newTopic(r.name("a"), 3), newTopic(r.name("b"), 1), newTopic(r.name("c"), 2, "cleanup.policy", "compact"))
	g := &generator{run: r, rng: rand.New(rand.NewPCG(r.seed, 1))}
	for i := range randomRequests {
		kind := randomKinds[g.rng.IntN(len(randomKinds))]
		req := kmsg.RequestForKey(kind.key)
		version := kind.min + int16(g.rng.IntN(int(kind.max-kind.min)+1))
		req.SetVersion(version)
		g.fill(reflect.ValueOf(req).Elem())
		g.tame(req)
		r.at(broker, version, fmt.Sprintf("%04d %s v%d", i, kmsg.NameForKey(kind.key), version), req)
		if kind.changes {
			r.barrier()
			r.refresh()
		}
	}
}

// randomKinds are the APIs that random plays; changes says that the broker must catch up with what a request did.
var randomKinds = []struct {
	key, min, max int16
	changes       bool
}{
	{0, 3, 13, false}, {0, 3, 13, false}, {0, 3, 13, false}, {1, 4, 18, false}, {1, 4, 18, false}, {2, 1, 11, false}, {2, 1, 11, false},
	{3, 4, 13, false}, {19, 2, 7, true}, {20, 1, 6, true}, {21, 0, 2, false}, {23, 2, 4, false}, {32, 1, 4, false},
	{33, 0, 2, true}, {35, 1, 5, false}, {37, 0, 3, true}, {44, 0, 1, true}, {61, 0, 0, false}, {75, 0, 0, false},
}

// refresh learns the ids of the topics that there are now.
func (r *run) refresh() {
	req := metadataRequest()
	for _, n := range randomTopics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = ptr(r.name(n))
		req.Topics = append(req.Topics, t)
	}
	if _, err := r.metadata(req); err != nil {
		r.fail("%w", err)
	}
}

// metadata asks for topics and learns their ids.
func (r *run) metadata(req *kmsg.MetadataRequest) (*kmsg.MetadataResponse, error) {
	resp, err := r.askAt(broker, 12, req)
	if err != nil {
		return nil, err
	}
	r.learn(resp)
	return resp.(*kmsg.MetadataResponse), nil
}

// generator fills requests at random.
type generator struct {
	*run
	rng *rand.Rand
}

func pick[T any](g *generator, from ...T) T { return from[g.rng.IntN(len(from))] }

// The pools.
var (
	randomTopics = []string{"a", "b", "c", "d", "e"}
	randomKeys   = []string{"retention.ms", "cleanup.policy", "segment.bytes", "max.message.bytes", "compression.type", "min.insync.replicas",
		"message.timestamp.type", "no.such.key", "consumer.session.timeout.ms", "interval.ms"}
	randomValues  = []string{"1", "1000", "2000000", "delete", "compact", "compact,delete", "gzip", "zstd", "producer", "x", "", "-1", "CreateTime", "LogAppendTime", "46000"}
	randomNumbers = map[string][]int64{
		"Partition": {0, 0, 0, 1, 1, 2, 7, -1}, "Partitions": {0, 0, 1, 2, 7}, "Offset": {0, 1, 2, 5, 100, -1, -1}, "FetchOffset": {0, 0, 1, 2, 5, 100, -1},
		"Timestamp": {-1, -1, -2, -2, -3, -4, -5, -6, 0, epochTime, epochTime + 2, epochTime + 1000, 1 << 50}, "CurrentLeaderEpoch": {-1, -1, -1, 0, 0, 1},
		"LeaderEpoch": {0, 0, 1, -1}, "LastFetchedEpoch": {-1, -1, -1, 0, 1}, "LogStartOffset": {-1}, "IsolationLevel": {0, 0, 1},
		"MaxBytes": {1 << 20, 1 << 20, 1, 100, 0}, "PartitionMaxBytes": {1 << 20, 1 << 20, 1, 100, 0}, "MinBytes": {0, 1}, "MaxWaitMillis": {0, 5},
		"SessionID": {0}, "SessionEpoch": {-1}, "TimeoutMillis": {10_000}, "NumPartitions": {1, 2, 4, -1, 0}, "ReplicationFactor": {1, 1, -1, 2, 0},
		"Replicas": {1, 1, 1, 9}, "Count": {1, 2, 3, 4, 5, 0, -1}, "ResourceType": {2, 2, 2, 32, 16, 7}, "Op": {0, 0, 1, 2, 3}, "Acks": {-1, -1, 1},
		"ResponsePartitionLimit": {2000, 1, 2, 3}, "UpgradeType": {1}, "MaxNumOffsets": {1},
	}
)

// fill sets every field of a struct.
func (g *generator) fill(v reflect.Value) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch name {
		case "Version", "UnknownTags", "ReplicaID", "ReplicaState", "ReplicaDirectoryID", "HighWatermark":
			continue // as it is
		}
		g.field(name, v.Field(i))
	}
}

func (g *generator) field(name string, f reflect.Value) {
	switch f.Kind() {
	case reflect.Struct:
		g.fill(f)
	case reflect.Pointer:
		g.pointer(name, f)
	case reflect.Slice:
		g.slice(name, f)
	case reflect.Array:
		f.Set(reflect.ValueOf(g.topicID()))
	case reflect.String:
		f.SetString(g.text(name))
	case reflect.Bool:
		f.SetBool(g.rng.IntN(3) == 0)
	default:
		pool, ok := randomNumbers[name]
		if !ok {
			panic("no pool of numbers for " + name)
		}
		f.SetInt(pick(g, pool...))
	}
}

func (g *generator) pointer(name string, f reflect.Value) {
	if name == "ClusterID" || name == "TransactionID" || g.rng.IntN(8) == 0 {
		return // null
	}
	f.Set(reflect.New(f.Type().Elem()))
	if f.Elem().Kind() == reflect.Struct {
		g.fill(f.Elem())
		return
	}
	f.Elem().SetString(g.text(name))
}

func (g *generator) slice(name string, f reflect.Value) {
	if name == "Records" {
		f.SetBytes(g.records())
		return
	}
	n := pick(g, 0, 1, 1, 1, 2, 3)
	if name == "ReplicaAssignment" || name == "Assignment" {
		n = pick(g, 0, 0, 0, 1, 2)
	}
	f.Set(reflect.MakeSlice(f.Type(), n, n))
	for i := range n {
		e := f.Index(i)
		if d, ok := e.Addr().Interface().(interface{ Default() }); ok {
			d.Default()
		}
		if e.Kind() == reflect.Struct {
			g.fill(e)
		} else {
			g.field(name, e)
		}
	}
	if n == 0 && g.rng.IntN(2) == 0 {
		f.SetZero() // null, where it may be
	}
}

func (g *generator) text(name string) string {
	switch name {
	case "Topic", "TopicNames", "ResourceName":
		if g.rng.IntN(12) == 0 {
			return pick(g, "", "a b", "..", "g")
		}
		return g.name(pick(g, randomTopics...))
	case "Name", "ConfigNames":
		return pick(g, randomKeys...)
	case "Value":
		return pick(g, randomValues...)
	case "Rack":
		return ""
	}
	panic("no pool of texts for " + name)
}

func (g *generator) topicID() [16]byte {
	if g.rng.IntN(10) == 0 {
		return pick(g, strangeID, [16]byte{})
	}
	id := g.id(pick(g, randomTopics...))
	if id == [16]byte{} {
		return strangeID
	}
	return id
}

func (g *generator) records() []byte {
	d := records{
		count: 1 + g.rng.IntN(4), codec: pick(g, int8(0), 0, 1, 2, 3, 4), ts: epochTime + int64(g.rng.IntN(5000)),
		key: pick(g, "", "k"), headers: g.rng.IntN(2),
	}
	if g.rng.IntN(3) == 0 {
		d.withPID, d.pid, d.pepoch, d.seq = true, 8_000_000+int64(g.rng.IntN(2)), int16(g.rng.IntN(2)), int32(g.rng.IntN(4))
	}
	switch g.rng.IntN(12) {
	case 0:
		d.spoil = func(b []byte) { b[len(b)-1]++ }
	case 1:
		d.lastBy = 1
	case 2:
		d.attrs = attrControl
	}
	return d.batch()
}

// tame takes from a request what would make the answers of two nodes differ by chance, or what a deviation is known of.
func (g *generator) tame(req kmsg.Request) {
	switch req := req.(type) {
	case *kmsg.ListOffsetsRequest:
		req.ReplicaID = -1
	case *kmsg.OffsetForLeaderEpochRequest:
		req.ReplicaID = -1
	case *kmsg.MetadataRequest:
		req.AllowAutoTopicCreation = false
		if len(req.Topics) == 0 {
			req.Topics = []kmsg.MetadataRequestTopic{}
		}
	case *kmsg.DescribeTopicPartitionsRequest:
		if len(req.Topics) == 0 { // would list the topics of all cases
			req.Topics = append(req.Topics, kmsg.DescribeTopicPartitionsRequestTopic{Topic: g.name("a")})
		}
	case *kmsg.ProduceRequest:
		req.Topics = req.Topics[:min(1, len(req.Topics))] // a topic or partition twice is a known deviation
		for i := range req.Topics {
			seen := map[int32]bool{}
			req.Topics[i].Partitions = slices.DeleteFunc(req.Topics[i].Partitions, func(p kmsg.ProduceRequestTopicPartition) bool {
				again := seen[p.Partition]
				seen[p.Partition] = true
				return again
			})
		}
	case *kmsg.DeleteTopicsRequest:
		for i := range req.Topics { // by one of the two
			if req.Topics[i].Topic != nil {
				req.Topics[i].TopicID = [16]byte{}
			}
		}
	case *kmsg.CreateTopicsRequest:
		for i := range req.Topics {
			cs := &req.Topics[i].Configs
			*cs = (*cs)[:min(1, len(*cs))]
		}
	case *kmsg.AlterConfigsRequest:
		req.Resources = req.Resources[:min(1, len(req.Resources))] // one named twice is never answered
		for i := range req.Resources {
			cs := &req.Resources[i].Configs
			*cs = (*cs)[:min(1, len(*cs))] // which of two errors is told differs
		}
	case *kmsg.IncrementalAlterConfigsRequest:
		for i := range req.Resources {
			cs := &req.Resources[i].Configs
			*cs = (*cs)[:min(1, len(*cs))]
		}
	}
}
