package script

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	// strangeID is a topic id that nobody has.
	strangeID = [16]byte{0xde, 0xad, 0xbe, 0xef, 0, 0, 0x40, 0, 0x80, 0, 1, 2, 3, 4, 5, 6}
	// metadataTopicID is the fixed id of the metadata log.
	metadataTopicID = [16]byte{15: 1}
)

// visibleWait bounds the wait for a change of metadata to be seen.
const visibleWait = 15 * time.Second

// marker is the topic whose configuration tells how far the broker has come.
const marker = "wire-barrier"

func reflectNew(resp kmsg.Response) kmsg.Response {
	fresh := reflect.New(reflect.TypeOf(resp).Elem()).Interface().(kmsg.Response)
	if d, ok := fresh.(interface{ Default() }); ok {
		d.Default()
	}
	return fresh
}

// uuidText is Kafka's text form of an id.
func uuidText(id [16]byte) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// prepare makes the marker topic and waits until the node is all there.
func (p *player) prepare() error {
	r := &run{player: p}
	if err := r.create(newTopic(marker, 1)); err != nil {
		return err
	}
	if err := r.await("the marker topic", func() (bool, error) { return r.visible(marker) }); err != nil {
		return err
	}
	return r.await("a producer id", r.givesProducerIDs)
}

// givesProducerIDs says whether the broker has got a block of producer ids.
func (r *run) givesProducerIDs() (bool, error) {
	req := initProducerIDSample(r)
	req.SetVersion(4)
	resp, err := r.ask(broker, req)
	return err == nil && resp.(*kmsg.InitProducerIDResponse).ErrorCode == 0, err
}

// newTopic describes a topic to create on the one node.
func newTopic(name string, partitions int32, configs ...string) kmsg.CreateTopicsRequestTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, 1
	for i := 0; i+1 < len(configs); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = configs[i], &configs[i+1]
		t.Configs = append(t.Configs, c)
	}
	return t
}

// create makes topics outside the transcript.
func (r *run) create(topics ...kmsg.CreateTopicsRequestTopic) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(7)
	req.Topics, req.TimeoutMillis = topics, 10_000
	resp, err := r.ask(broker, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.CreateTopicsResponse).Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && t.Topic != marker {
			return fmt.Errorf("create %s: %w", t.Topic, err)
		}
	}
	r.learn(resp)
	return nil
}

// make creates topics and waits until the broker serves them.
func (r *run) make(topics ...kmsg.CreateTopicsRequestTopic) {
	if err := r.create(topics...); err != nil {
		r.fail("%w", err)
	}
	r.barrier()
}

// id is the id of a topic of this run, by its short name.
func (r *run) id(short string) [16]byte { return r.ids[r.name(short)] }

// learn takes the ids of new topics from an answer.
func (r *run) learn(resp kmsg.Response) {
	set := func(name string, id [16]byte) {
		if name != "" && id != [16]byte{} {
			r.topics[id], r.ids[name] = name, id
		}
	}
	switch resp := resp.(type) {
	case *kmsg.CreateTopicsResponse:
		for _, t := range resp.Topics {
			if t.ErrorCode != 0 {
				continue
			}
			set(t.Topic, t.TopicID)
		}
	case *kmsg.JoinGroupResponse:
		r.clean(resp.MemberID)
		r.learnMember(&resp.MemberID)
	case *kmsg.ConsumerGroupHeartbeatResponse:
		r.learnMember(resp.MemberID)
	case *kmsg.MetadataResponse:
		for _, t := range resp.Topics {
			if t.Topic != nil && t.ErrorCode == 0 {
				set(*t.Topic, t.TopicID)
			}
		}
	}
}

// visible says whether Metadata shows a topic with a leader.
func (r *run) visible(name string) (bool, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(12)
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &name
	req.Topics = append(req.Topics, t)
	resp, err := r.ask(broker, req)
	if err != nil {
		return false, err
	}
	ts := resp.(*kmsg.MetadataResponse).Topics
	if len(ts) != 1 || ts[0].ErrorCode != 0 || len(ts[0].Partitions) == 0 {
		return false, nil
	}
	r.learn(resp)
	return ts[0].Partitions[0].Leader >= 0, nil
}

// await polls until ok.
func (r *run) await(what string, ok func() (bool, error)) error {
	deadline := time.Now().Add(visibleWait)
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		if done, err := ok(); err != nil || done {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s not seen within %s", what, visibleWait)
		}
		select {
		case <-pause.C:
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
}

// barrier returns when the broker has applied every change of metadata made
// before the call. A broker may show a change before it has applied it, but it
// applies one after the other; so the second of two marks seen proves it.
func (r *run) barrier() {
	for range 2 {
		r.marks++
		value := strconv.Itoa(1_000_000 + r.marks)
		if err := r.mark(value); err != nil {
			r.fail("barrier: %w", err)
		}
		if err := r.await("the barrier", func() (bool, error) { return r.marked(value) }); err != nil {
			r.fail("barrier: %w", err)
		}
	}
}

func (r *run) mark(value string) error {
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = "delete.retention.ms", &value
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, marker
	res.Configs = append(res.Configs, c)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.SetVersion(1)
	req.Resources = append(req.Resources, res)
	resp, err := r.ask(broker, req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.IncrementalAlterConfigsResponse).Resources[0].ErrorCode)
}

func (r *run) marked(value string) (bool, error) {
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, marker
	res.ConfigNames = []string{"delete.retention.ms"}
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.SetVersion(4)
	req.Resources = append(req.Resources, res)
	resp, err := r.ask(broker, req)
	if err != nil {
		return false, err
	}
	for _, res := range resp.(*kmsg.DescribeConfigsResponse).Resources {
		for _, c := range res.Configs {
			if c.Value != nil && *c.Value == value {
				return true, nil
			}
		}
	}
	return false, nil
}

// produce writes batches outside the transcript, in order, into partition 0.
func (r *run) produce(short string, batches ...[]byte) { r.produceTo(short, 0, batches...) }

// produceTo writes batches into a partition.
func (r *run) produceTo(short string, n int32, batches ...[]byte) {
	for _, b := range batches {
		req := produceRequest(r.name(short), [16]byte{}, -1, part{n, b})
		req.SetVersion(9)
		resp, err := r.ask(broker, req)
		if err == nil {
			err = kerr.ErrorForCode(resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
		}
		if err != nil {
			r.fail("produce to %s: %w", short, err)
		}
	}
}

// remove deletes topics outside the transcript; they are gone on return.
func (r *run) remove(shorts ...string) {
	for _, s := range shorts {
		req := deleteTopicsRequest(r.name(s))
		req.SetVersion(5)
		if _, err := r.ask(broker, req); err != nil {
			r.fail("delete %s: %w", s, err)
		}
	}
	r.barrier()
}

// contents records what a partition holds, as the newest fetch shows it.
func (r *run) contents(name, short string, n int32) {
	req := fetchRequest(r, wanted{short, n, 0, nil})
	req.SetVersion(12)
	resp, err := r.ask(broker, req)
	if err != nil {
		r.fail("%w", err)
	}
	rr := r.renderer()
	rr.api = 1
	r.entry(name, rr.answer(resp))
}

// ptr is a pointer to a copy.
func ptr[T any](v T) *T { return &v }
