package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// maxCreations bounds the topics that are on their way at once. The controller takes no more partitions in one request.
const maxCreations = 10_000

// creations makes topics that clients asked for by name (auto.create.topics.enable) and those of coordinators, beside the connections that asked.
type creations struct {
	create func(context.Context, *kmsg.CreateTopicsRequest) error
	config config.Sources
	log    *slog.Logger
	wake   chan struct{} // holds one: there is something in waiting

	mu       sync.Mutex // a leaf; guards what follows
	waiting  [][]string // names asked for together are created together, as far as there is room
	inFlight map[string]bool
}

func newCreations(s config.Sources, log *slog.Logger, create func(context.Context, *kmsg.CreateTopicsRequest) error) *creations {
	return &creations{create: create, config: s, log: log, wake: make(chan struct{}, 1), inFlight: map[string]bool{}}
}

// Want implements api.Creations.
func (c *creations) Want(names []string) {
	c.mu.Lock()
	var fresh []string
	for _, name := range names {
		if !c.inFlight[name] && len(fresh)+len(c.inFlight) < maxCreations { // whoever wants the others asks again
			fresh = append(fresh, name)
		}
	}
	if len(fresh) == 0 {
		c.mu.Unlock()
		return
	}
	for _, name := range fresh {
		c.inFlight[name] = true
	}
	c.waiting = append(c.waiting, fresh)
	c.mu.Unlock()
	wake(c.wake)
}

// run creates what is wanted until ctx ends.
func (c *creations) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		for names := c.next(); names != nil && ctx.Err() == nil; names = c.next() {
			if err := c.create(ctx, c.creation(names)); err != nil && ctx.Err() == nil {
				c.log.Warn("topics were not created on demand", append([]any{"topics", len(names), "err", err}, hint(names, err)...)...)
			}
			c.landed(names)
		}
	}
}

// hint says what to do about the one refusal that clients can't see and that only the configuration can end: groups wait
// for their topic for ever when it wants more replicas than there are nodes, as it does by default.
func hint(names []string, err error) []any {
	if !errors.Is(err, kerr.InvalidReplicationFactor) || !slices.Contains(names, kafka.ConsumerOffsetsTopic) {
		return nil
	}
	return []any{"hint", "groups wait until offsets.topic.replication.factor in the configuration is at most the number of nodes, and this one has started again"}
}

func (c *creations) next() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.waiting = nil
		return nil
	}
	names := c.waiting[0]
	c.waiting = c.waiting[1:]
	return names
}

// landed forgets names that are created or refused: a client that asks for them again starts anew.
func (c *creations) landed(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		delete(c.inFlight, name)
	}
}

// creation asks for topics with the partitions and replicas that the configuration gives.
func (c *creations) creation(names []string) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(req.MaxVersion())
	for _, name := range names {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, -1, -1
		if name == kafka.ConsumerOffsetsTopic {
			c.forOffsets(&t)
		}
		req.Topics = append(req.Topics, t)
	}
	return req
}

// forOffsets makes t the topic of group coordinators.
func (c *creations) forOffsets(t *kmsg.CreateTopicsRequestTopic) {
	t.NumPartitions = int32(c.config.Int("offsets.topic.num.partitions"))
	t.ReplicationFactor = int16(c.config.Int("offsets.topic.replication.factor"))
	set := func(name, value string) {
		e := kmsg.NewCreateTopicsRequestTopicConfig()
		e.Name, e.Value = name, &value
		t.Configs = append(t.Configs, e)
	}
	set("cleanup.policy", "compact")
	set("compression.type", "producer")
	set("segment.bytes", c.config.Text("offsets.topic.segment.bytes"))
}

// refusal is the controller's error for a topic, in its words alone.
type refusal struct {
	topic, message string
	code           error
}

func (r *refusal) Error() string { return r.topic + ": " + r.message }

func (r *refusal) Unwrap() error { return r.code }

// createTopics has the controller create topics; what it refuses is for those who ask again to find missing.
func (m *membership) createTopics(ctx context.Context, req *kmsg.CreateTopicsRequest) error {
	ctx, cancel := context.WithTimeout(ctx, m.n.cfg.Network.RequestTimeout)
	defer cancel()
	resp, err := quorum.Do[*kmsg.CreateTopicsResponse](ctx, m.n.forwarding, controller.CreateTopics{Request: req})
	if err != nil {
		return err
	}
	for _, t := range resp.Topics { // who asked for another topic is told when asking again
		if t.ErrorMessage != nil && t.ErrorCode != kerr.TopicAlreadyExists.Code && kafka.IsInternal(t.Topic) {
			return &refusal{topic: t.Topic, message: *t.ErrorMessage, code: kerr.ErrorForCode(t.ErrorCode)}
		}
	}
	return nil
}
