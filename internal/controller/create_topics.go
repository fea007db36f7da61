package controller

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// maxPartitionsPerRequest bounds what one request may create: it is one batch of the log.
const maxPartitionsPerRequest = 10_000

// allowed asks a permission function, which may be nil.
func allowed(may func(string) bool, topic string) bool { return may == nil || may(topic) }

func (r CreateTopics) handle(c *Controller, t turn) (Result, error) {
	req := r.Request
	response := kmsg.NewPtrCreateTopicsResponse()
	response.Version = req.Version
	if timedOut(req.TimeoutMillis) {
		for i := range req.Topics {
			answerTopic(response, req.Topics[i].Topic, refuseBare(kerr.RequestTimedOut))
		}
		return Result{Response: response}, nil
	}
	times := make(map[string]int, len(req.Topics))
	for i := range req.Topics {
		times[req.Topics[i].Topic]++
	}
	if partitionsAsked(req, times) > maxPartitionsPerRequest {
		for i := range req.Topics {
			answerTopic(response, req.Topics[i].Topic, refuse(kerr.PolicyViolation, "Excessively large number of partitions per request."))
		}
		return Result{Response: response}, nil
	}
	var out records
	for i := range req.Topics {
		topic := &req.Topics[i]
		if r.untried(topic.Topic, times[topic.Topic]) == nil {
			answer := newTopicAnswer(topic.Topic)
			refused := c.createTopic(&out, topic, &answer, allowed(r.MayDescribe, topic.Topic))
			answer.ErrorCode, answer.ErrorMessage = refused.split()
			response.Topics = append(response.Topics, answer)
		}
	}
	// As in Kafka, what was not even tried comes last: first the duplicates, each once, then the rest.
	for _, duplicates := range []bool{true, false} {
		for i := range req.Topics {
			name := req.Topics[i].Topic
			n := times[name]
			if refused := r.untried(name, n); refused != nil && n > 0 && n > 1 == duplicates {
				answerTopic(response, name, refused)
				times[name] = 0 // said
			}
		}
	}
	if req.ValidateOnly {
		out = nil
	}
	return Result{Records: out, Response: response}, nil
}

func answerTopic(response *kmsg.CreateTopicsResponse, name string, refused *refusal) {
	answer := newTopicAnswer(name)
	answer.ErrorCode, answer.ErrorMessage = refused.split()
	response.Topics = append(response.Topics, answer)
}

func newTopicAnswer(name string) kmsg.CreateTopicsResponseTopic {
	answer := kmsg.NewCreateTopicsResponseTopic()
	answer.Topic = name
	answer.Configs = []kmsg.CreateTopicsResponseTopicConfig{} // null says something else
	return answer
}

// timedOut reports whether a request's time is over before it began: Kafka's controller does not begin it either.
func timedOut(millis int32) bool { return millis <= 0 }

// untried refuses what is wrong whatever the state of the cluster.
func (r CreateTopics) untried(topic string, times int) *refusal {
	switch {
	case times != 1:
		return refuse(kerr.InvalidRequest, "Duplicate topic name.")
	case topic == kafka.ClusterMetadataTopic:
		return refuse(kerr.InvalidRequest, "Creation of internal topic %s is prohibited.", kafka.ClusterMetadataTopic)
	case !allowed(r.MayCreate, topic):
		return refuse(kerr.TopicAuthorizationFailed, "Authorization failed.")
	}
	return nil
}

func partitionsAsked(req *kmsg.CreateTopicsRequest, times map[string]int) int64 {
	var sum int64
	for i := range req.Topics {
		t := &req.Topics[i]
		switch {
		case times[t.Topic] != 1:
		case len(t.ReplicaAssignment) > 0:
			sum += int64(len(t.ReplicaAssignment))
		case t.NumPartitions > 0:
			sum += int64(t.NumPartitions)
		case t.NumPartitions == -1:
			sum++
		}
	}
	return sum
}

// createTopic adds the records of one topic and fills in its answer, or refuses.
func (c *Controller) createTopic(out *records, topic *kmsg.CreateTopicsRequestTopic, answer *kmsg.CreateTopicsResponseTopic, describe bool) *refusal {
	if refused := c.checkNewName(topic.Topic); refused != nil {
		return refused
	}
	configs, refused := c.newTopicConfigs(topic)
	if refused != nil {
		return refused
	}
	partitions, refused := c.placeTopic(topic)
	if refused != nil {
		return refused
	}
	id := c.cfg.NewID()
	out.add(&schema.TopicRecord{Name: topic.Topic, TopicID: id}, 0)
	for _, name := range sortedKeys(configs) {
		value := configs[name]
		out.add(&schema.ConfigRecord{
			ResourceType: int8(metadata.TopicResource), ResourceName: topic.Topic, Name: name, Value: &value,
		}, 0)
	}
	for _, p := range partitions {
		body, version := p.Record(id, c.level())
		out.add(body, version)
	}
	answer.TopicID = id
	if !describe {
		answer.ConfigErrorCode = kerr.TopicAuthorizationFailed.Code
		return nil
	}
	answer.NumPartitions = int32(len(partitions))
	answer.ReplicationFactor = int16(len(partitions[0].Replicas))
	for _, e := range c.cfg.Configs.DescribeTopic(c.stored(configs)) {
		config := kmsg.NewCreateTopicsResponseTopicConfig()
		config.Name, config.Value, config.ReadOnly, config.Source, config.IsSensitive = e.Name, e.Value, e.ReadOnly, e.Source, e.Sensitive
		answer.Configs = append(answer.Configs, config)
	}
	return nil
}

func (c *Controller) checkNewName(name string) *refusal {
	// As in Kafka the collision is said over a bad name, and an existing topic over both.
	switch existing, collides := c.collisions.with(name); {
	case c.Image().Topics.ByName(name) != nil:
		return refuse(kerr.TopicAlreadyExists, "Topic '%s' already exists.", name)
	case collides:
		return refuse(kerr.InvalidTopicException, "Topic '%s' collides with existing topic: %s", name, existing)
	}
	if err := kafka.CheckTopicName(name); err != nil {
		return refuse(kerr.InvalidTopicException, "Topic name is invalid: %s", err)
	}
	return nil
}

// newTopicConfigs checks the configuration of a new topic. A key that comes twice counts with its last value.
func (c *Controller) newTopicConfigs(topic *kmsg.CreateTopicsRequestTopic) (map[string]string, *refusal) {
	configs := make(map[string]string, len(topic.Configs))
	var null []string
	for _, config := range topic.Configs {
		if config.Value == nil {
			null = append(null, config.Name)
		} else {
			configs[config.Name] = *config.Value
		}
	}
	if len(null) > 0 {
		return nil, refuse(kerr.InvalidConfig, "Null value not supported for topic configs: %s", strings.Join(null, ","))
	}
	if len(configs) == 0 {
		return configs, nil
	}
	resource := metadata.ConfigResource{Type: metadata.TopicResource, Name: topic.Topic}
	if refused := c.validateConfigs(resource, nil, configs, nil); refused != nil {
		return nil, refused
	}
	return configs, nil
}

// placeTopic decides the replicas of a new topic's partitions.
func (c *Controller) placeTopic(topic *kmsg.CreateTopicsRequestTopic) ([]*metadata.Partition, *refusal) {
	switch {
	case len(topic.ReplicaAssignment) > 0:
		return c.placeByHand(topic)
	case topic.ReplicationFactor < -1 || topic.ReplicationFactor == 0:
		return nil, refuse(kerr.InvalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
	case topic.NumPartitions < -1 || topic.NumPartitions == 0:
		return nil, refuse(kerr.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.")
	}
	count, replicas := topic.NumPartitions, topic.ReplicationFactor
	if count == -1 {
		count = c.cfg.DefaultPartitions
	}
	if replicas == -1 {
		replicas = c.cfg.DefaultReplication
	}
	partitions, refused := c.placePartitions(0, count, replicas)
	if refused != nil {
		return nil, refuse(refused.code, "Unable to replicate the partition %d time(s): %s", replicas, *refused.message)
	}
	return partitions, nil
}

// placePartitions places count partitions from id first on.
func (c *Controller) placePartitions(first, count int32, replicas int16) ([]*metadata.Partition, *refusal) {
	placer := c.placer()
	if refused := placer.check(replicas); refused != nil {
		return nil, refused
	}
	partitions := make([]*metadata.Partition, count)
	for i := range partitions {
		partitions[i] = c.newPartition(first+int32(i), placer.next(replicas))
		if partitions[i] == nil {
			return nil, refuse(kerr.InvalidReplicationFactor, "All brokers are currently fenced or in controlled shutdown.")
		}
	}
	return partitions, nil
}

// placeByHand takes the assignment of the request.
func (c *Controller) placeByHand(topic *kmsg.CreateTopicsRequestTopic) ([]*metadata.Partition, *refusal) {
	if topic.ReplicationFactor != -1 {
		return nil, refuse(kerr.InvalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.")
	}
	if topic.NumPartitions != -1 {
		return nil, refuse(kerr.InvalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.")
	}
	byID := make(map[int32]*metadata.Partition, len(topic.ReplicaAssignment))
	replicas := 0
	for _, a := range topic.ReplicaAssignment {
		if byID[a.Partition] != nil {
			return nil, refuse(kerr.InvalidReplicaAssignment, "Found multiple manual partition assignments for partition %d", a.Partition)
		}
		if refused := c.checkAssignment(a.Replicas, replicas); refused != nil {
			return nil, refused
		}
		replicas = len(a.Replicas)
		p := c.newPartition(a.Partition, a.Replicas)
		if p == nil {
			return nil, refuse(kerr.InvalidReplicaAssignment, "All brokers specified in the manual partition assignment for partition %d "+
				"are fenced or in controlled shutdown.", a.Partition)
		}
		byID[a.Partition] = p
	}
	partitions := make([]*metadata.Partition, len(byID))
	for i := range partitions {
		if partitions[i] = byID[int32(i)]; partitions[i] == nil {
			return nil, refuse(kerr.InvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence")
		}
	}
	return partitions, nil
}
