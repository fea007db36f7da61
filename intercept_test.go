package ottla_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla"
)

// Requests are seen, changed, answered and hung up on, by key; those between nodes apart from those of clients.
func TestIntercept(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.Topic("t", 1, 3))
	cl, ctx := client(t, c, kgo.ClientID("tester")), testContext(t)
	produce(t, cl, "t", 1)

	var seen atomic.Int32
	watch := c.Intercept(func(r *ottla.Request) (kmsg.Response, error) {
		if r.ClientID == "tester" && r.From == ottla.Clients && r.Node == c.Leader("t", 0) {
			seen.Add(1)
		}
		return nil, nil
	}, kmsg.Produce)
	produce(t, cl, "t", 1)
	if seen.Load() == 0 || watch.Hits() != 0 {
		t.Errorf("%d requests were seen and %d answered", seen.Load(), watch.Hits())
	}
	watch.Remove()

	hangUp := c.Intercept(func(*ottla.Request) (kmsg.Response, error) { return nil, errors.New("no") }, kmsg.Metadata)
	cl.ForceMetadataRefresh()
	if err := hangUp.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	hangUp.Remove()

	change := c.Intercept(func(r *ottla.Request) (kmsg.Response, error) {
		r.Body.(*kmsg.CreateTopicsRequest).Topics[0].NumPartitions = 7
		return nil, nil
	}, kmsg.CreateTopics)
	made, err := kadm.NewClient(cl).CreateTopic(ctx, 1, 1, nil, "changed")
	if err != nil || made.NumPartitions != 7 {
		t.Errorf("%d partitions, %v", made.NumPartitions, err)
	}
	change.Remove()

	var fetches atomic.Int32
	between := c.InterceptNodes(func(r *ottla.Request) (kmsg.Response, error) {
		if r.From == ottla.Clients {
			t.Error("a client's request among those of nodes")
		}
		fetches.Add(1)
		return nil, nil
	}, kmsg.Fetch)
	produce(t, cl, "t", 1)
	if err := c.WaitHighWatermark(ctx, "t", 0, 3); err != nil {
		t.Fatal(err)
	}
	between.Remove()
	if fetches.Load() == 0 {
		t.Error("followers fetched without being seen")
	}
	produce(t, cl, "t", 1)
}

// A request that is held up is let go when its node ends: nothing hangs.
func TestHeldRequests(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess(), ottla.Topic("t", 1, 1))
	held := make(chan struct{}, 8)
	c.Intercept(func(r *ottla.Request) (kmsg.Response, error) {
		held <- struct{}{}
		<-r.Context().Done()
		return nil, r.Context().Err()
	}, kmsg.Produce)
	cl := client(t, c)
	ctx, cancel := context.WithCancel(testContext(t))
	cl.Produce(ctx, &kgo.Record{Topic: "t"}, nil)
	<-held
	cancel()
	if err := c.Node(1).Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

// An answer that is lost leaves the client without knowing; an idempotent producer asks again, and the record is there once.
func TestLostAnswer(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess(), ottla.Topic("t", 1, 1))
	cl := client(t, c)
	produce(t, cl, "t", 1)
	var once atomic.Bool
	c.Intercept(func(r *ottla.Request) (kmsg.Response, error) {
		if once.CompareAndSwap(false, true) {
			r.LoseAnswer()
		}
		return nil, nil
	}, kmsg.Produce)
	produce(t, cl, "t", 1)
	if !once.Load() {
		t.Error("no answer was lost")
	}
	if hw := c.HighWatermark("t", 0); hw != 2 {
		t.Errorf("%d records of 2", hw)
	}
}

// Failures are narrowed by key, node, topic, group and number.
func TestFail(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess(), ottla.Topic("t", 1, 1), ottla.Topic("other", 1, 1))
	cl, ctx := client(t, c, kgo.RecordRetries(0), kgo.DisableIdempotentWrite()), testContext(t)
	produceTo := func(topic string) error { return cl.ProduceSync(ctx, &kgo.Record{Topic: topic}).FirstErr() }
	if err := produceTo("t"); err != nil {
		t.Fatal(err)
	}
	f := c.Fail(ottla.Failure{Keys: []kmsg.Key{kmsg.Produce}, Node: 1, Topic: "t", Err: kerr.MessageTooLarge, Times: 2})
	if err := produceTo("other"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := produceTo("t"); !errors.Is(err, kerr.MessageTooLarge) {
			t.Fatalf("a request that was to fail: %v", err)
		}
	}
	if err := produceTo("t"); err != nil || f.Hits() != 2 {
		t.Fatalf("%v after %d failures of 2", err, f.Hits())
	}
	adm := kadm.NewClient(cl)
	forever := c.Fail(ottla.Failure{Keys: []kmsg.Key{kmsg.OffsetCommit}, Group: "g", Err: kerr.GroupAuthorizationFailed, Times: -1})
	var offsets kadm.Offsets
	offsets.AddOffset("t", 0, 1, -1)
	for range 3 {
		if err := adm.CommitAllOffsets(ctx, "g", offsets); !errors.Is(err, kerr.GroupAuthorizationFailed) {
			t.Fatalf("a commit that was to fail: %v", err)
		}
	}
	if err := adm.CommitAllOffsets(ctx, "h", offsets); err != nil {
		t.Fatal(err)
	}
	forever.Remove()
	if err := adm.CommitAllOffsets(ctx, "g", offsets); err != nil {
		t.Fatal(err)
	}
}

// A failure of single partitions leaves the others of a request alone, when they are written and when they are read.
func TestFailPartitions(t *testing.T) {
	c := ottla.Start(t, ottla.InProcess(), ottla.Topic("t", 3, 1), ottla.Topic("other", 1, 1))
	ctx := testContext(t)
	cl := client(t, c, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RecordRetries(0), kgo.DisableIdempotentWrite(), kgo.ProducerLinger(50*time.Millisecond))
	records := func() []*kgo.Record {
		return []*kgo.Record{{Topic: "t", Partition: 0}, {Topic: "t", Partition: 1}, {Topic: "t", Partition: 2}, {Topic: "other"}}
	}
	f := c.Fail(ottla.Failure{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{1, 7}, Err: kerr.MessageTooLarge})
	for _, r := range cl.ProduceSync(ctx, records()...) {
		if bad := r.Record.Topic == "t" && r.Record.Partition == 1; bad != errors.Is(r.Err, kerr.MessageTooLarge) {
			t.Errorf("%s-%d: %v", r.Record.Topic, r.Record.Partition, r.Err)
		}
	}
	if hw := c.HighWatermark("t", 1); hw != 0 || f.Hits() != 1 {
		t.Errorf("%d records in the partition that failed, %d failures of 1", hw, f.Hits())
	}
	if err := cl.ProduceSync(ctx, records()...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	read := c.Fail(ottla.Failure{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Partitions: []int32{2}, Err: kerr.NotLeaderForPartition, Times: 2})
	for topic, want := range map[string]int{"t": 5, "other": 2} {
		if got := consume(t, c, topic, want); got != want {
			t.Errorf("%s: %d records of %d", topic, got, want)
		}
	}
	if read.Hits() == 0 {
		t.Error("no fetch failed")
	}
}

// A refusal is an answer to every request that there is, and names what the request does.
func TestRefusal(t *testing.T) {
	for key := range int16(kmsg.MaxKey) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			continue
		}
		req.SetVersion(req.MaxVersion())
		resp := ottla.Refusal(req, kerr.InvalidRequest)
		again := kmsg.ResponseForKey(key)
		again.SetVersion(resp.GetVersion())
		if err := again.ReadFrom(resp.AppendTo(nil)); err != nil {
			t.Errorf("%s: %v", kmsg.NameForKey(key), err)
		}
	}
	req := kmsg.NewPtrListOffsetsRequest()
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = "t"
	for p := range int32(2) {
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition = p
		topic.Partitions = append(topic.Partitions, part)
	}
	req.Topics = append(req.Topics, topic)
	got := ottla.Refusal(req, kerr.UnknownTopicOrPartition).(*kmsg.ListOffsetsResponse)
	if len(got.Topics) != 1 || got.Topics[0].Topic != "t" || len(got.Topics[0].Partitions) != 2 || got.Topics[0].Partitions[1].Partition != 1 ||
		got.Topics[0].Partitions[1].ErrorCode != 3 {
		t.Errorf("%+v", got)
	}
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = append(create.Topics, kmsg.CreateTopicsRequestTopic{Topic: "t", Configs: []kmsg.CreateTopicsRequestTopicConfig{{Name: "a"}}})
	if got := ottla.Refusal(create, kerr.PolicyViolation).(*kmsg.CreateTopicsResponse); len(got.Topics) != 1 || got.Topics[0].Topic != "t" || got.Topics[0].ErrorCode != kerr.PolicyViolation.Code {
		t.Errorf("%+v", got)
	}
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKeys = []string{"g"}
	if got := ottla.Refusal(find, kerr.CoordinatorNotAvailable).(*kmsg.FindCoordinatorResponse); len(got.Coordinators) != 1 || got.Coordinators[0].Key != "g" || got.Coordinators[0].ErrorCode != 15 {
		t.Errorf("%+v", got)
	}
	remove := kmsg.NewPtrDeleteTopicsRequest()
	remove.TopicNames = []string{"t"}
	if got := ottla.Refusal(remove, kerr.UnknownTopicOrPartition).(*kmsg.DeleteTopicsResponse); len(got.Topics) != 1 || got.Topics[0].Topic == nil || *got.Topics[0].Topic != "t" {
		t.Errorf("%+v", got)
	}
}

// Leaderships move where the test wants them, and with them the coordinators of groups.
func TestMoves(t *testing.T) {
	c := ottla.Start(t, ottla.Nodes(3), ottla.InProcess(), ottla.Topic("t", 1, 3))
	cl, ctx := client(t, c), testContext(t)
	for _, id := range []int32{3, 1, 2} {
		if err := c.MoveLeader(ctx, "t", 0, id); err != nil {
			t.Fatal(err)
		}
		if got := c.Leader("t", 0); got != id {
			t.Fatalf("node %d leads, want %d", got, id)
		}
		produce(t, cl, "t", 1)
	}
	before, err := c.Coordinator(ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MoveCoordinator(ctx, "g", before%3+1); err != nil {
		t.Fatal(err)
	}
	after, err := c.Coordinator(ctx, "g")
	if err != nil || after != before%3+1 {
		t.Fatalf("node %d coordinates, %v, want %d", after, err, before%3+1)
	}
	leader := c.Leader("t", 0)
	if err := c.ShuffleLeaders(ctx); err != nil || c.Leader("t", 0) == leader {
		t.Errorf("node %d leads as before, %v", leader, err)
	}
	if err := c.MoveLeader(ctx, "none", 0, 1); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("a topic that is not there: %v", err)
	}
	if !slices.Equal(c.ISR("t", 0), []int32{1, 2, 3}) {
		t.Errorf("in sync: %v", c.ISR("t", 0))
	}
}
