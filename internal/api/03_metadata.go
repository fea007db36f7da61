package api

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// Metadata, key 3, versions 0 to 13. KIP-516 (topic ids; asked by id from version 12 on), KIP-430 (authorized
// operations), KIP-1102 (version 13 has an error code of its own).
//
// Version 0 asks for all topics by an empty list, later ones by null. A topic that the request makes
// (auto.create.topics.enable) is answered with UNKNOWN_TOPIC_OR_PARTITION, as in Kafka: the client asks again.
func metadataOf(c *call, req *kmsg.MetadataRequest) *kmsg.MetadataResponse {
	if err := checkMetadata(req); err != nil {
		return metadataError(req, err)
	}
	resp := kmsg.NewPtrMetadataResponse()
	image := c.image()
	resp.Brokers = metadataBrokers(image, c.listener)
	resp.ClusterID = &c.ClusterID
	if len(resp.Brokers) > 0 {
		resp.ControllerID = resp.Brokers[0].NodeID
	}
	if req.IncludeClusterAuthorizedOperations {
		resp.AuthorizedOperations = clusterOperations
	}
	for _, topic := range metadataTopics(c, image, req) {
		if req.IncludeTopicAuthorizedOperations && topic.ErrorCode != kerr.UnknownTopicID.Code {
			topic.AuthorizedOperations = topicOperations
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

func checkMetadata(req *kmsg.MetadataRequest) error {
	for _, t := range req.Topics {
		switch {
		case req.Version >= 12:
			if t.Topic == nil && kafka.UUID(t.TopicID).IsZero() {
				return kerr.UnknownServerError // as in Kafka
			}
		case t.Topic == nil:
			return fmt.Errorf("topic name can not be null for version %d: %w", req.Version, kerr.InvalidRequest)
		case t.TopicID != kafka.UUID{}:
			return fmt.Errorf("topic IDs are not supported in requests for version %d: %w", req.Version, kerr.InvalidRequest)
		}
	}
	return nil
}

// metadataError answers each topic of the request with the error.
func metadataError(req *kmsg.MetadataRequest, err error) *kmsg.MetadataResponse {
	resp := kmsg.NewPtrMetadataResponse()
	resp.ErrorCode = code(err)
	for _, t := range req.Topics {
		name := ""
		if t.Topic != nil {
			name = *t.Topic
		}
		resp.Topics = append(resp.Topics, metadataTopicError(&name, t.TopicID, err))
	}
	return resp
}

func metadataTopicError(name *string, id kafka.TopicID, err error) kmsg.MetadataResponseTopic {
	t := kmsg.NewMetadataResponseTopic()
	t.ErrorCode, t.Topic, t.TopicID = code(err), name, id
	t.IsInternal = name != nil && kafka.IsInternal(*name)
	return t
}

// metadataBrokers lists the brokers that may be used, as this listener's clients see them.
func metadataBrokers(image *metadata.Image, listener string) []kmsg.MetadataResponseBroker {
	var brokers []kmsg.MetadataResponseBroker
	for _, b := range image.Cluster.Brokers() {
		e, ok := b.Endpoint(listener)
		if b.Fenced || !ok {
			continue
		}
		m := kmsg.NewMetadataResponseBroker()
		m.NodeID, m.Host, m.Port, m.Rack = int32(b.ID), e.Host, int32(e.Port), b.Rack
		brokers = append(brokers, m)
	}
	return brokers
}

func metadataTopics(c *call, image *metadata.Image, req *kmsg.MetadataRequest) []kmsg.MetadataResponseTopic {
	var topics []kmsg.MetadataResponseTopic
	switch {
	case req.Topics == nil || req.Version == 0 && len(req.Topics) == 0:
		for _, t := range image.Topics.Sorted() {
			topics = append(topics, metadataTopic(c, image, t, req.Version))
		}
	case slices.ContainsFunc(req.Topics, func(t kmsg.MetadataRequestTopic) bool { return t.TopicID != kafka.UUID{} }):
		topics = metadataByID(c, image, req)
	default:
		topics = metadataByName(c, image, req)
	}
	return topics
}

func metadataByID(c *call, image *metadata.Image, req *kmsg.MetadataRequest) []kmsg.MetadataResponseTopic {
	var topics []kmsg.MetadataResponseTopic
	seen := map[kafka.TopicID]bool{{}: true}
	for _, asked := range req.Topics {
		if seen[asked.TopicID] {
			continue
		}
		seen[asked.TopicID] = true
		if t := image.Topics.ByID(asked.TopicID); t != nil {
			topics = append(topics, metadataTopic(c, image, t, req.Version))
			continue
		}
		topics = append(topics, metadataTopicError(nil, asked.TopicID, kerr.UnknownTopicID))
	}
	return topics
}

func metadataByName(c *call, image *metadata.Image, req *kmsg.MetadataRequest) []kmsg.MetadataResponseTopic {
	var topics []kmsg.MetadataResponseTopic
	var missing []string
	seen := map[string]bool{}
	for _, asked := range req.Topics {
		if asked.Topic == nil || seen[*asked.Topic] {
			continue
		}
		seen[*asked.Topic] = true
		if t := image.Topics.ByName(*asked.Topic); t != nil {
			topics = append(topics, metadataTopic(c, image, t, req.Version))
			continue
		}
		missing = append(missing, *asked.Topic)
	}
	var create []string
	for i, name := range missing {
		err := error(kerr.UnknownTopicOrPartition)
		if kafka.CheckTopicName(name) != nil {
			err = kerr.InvalidTopicException
		} else {
			create = append(create, name)
		}
		topics = append(topics, metadataTopicError(&missing[i], kafka.TopicID{}, err))
	}
	if c.Config.Topics.AutoCreate && (req.Version < 4 || req.AllowAutoTopicCreation) {
		c.Creations.Want(create)
	}
	return topics
}

func metadataTopic(c *call, image *metadata.Image, t *metadata.Topic, version int16) kmsg.MetadataResponseTopic {
	m := kmsg.NewMetadataResponseTopic()
	m.Topic, m.TopicID, m.IsInternal = &t.Name, t.ID, kafka.IsInternal(t.Name)
	m.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, len(t.Partitions))
	for _, p := range t.Partitions {
		m.Partitions = append(m.Partitions, metadataPartition(image, c.listener, p, version))
	}
	return m
}

func metadataPartition(image *metadata.Image, listener string, p *metadata.Partition, version int16) kmsg.MetadataResponseTopicPartition {
	m := kmsg.NewMetadataResponseTopicPartition()
	m.Partition, m.Leader, m.LeaderEpoch = p.ID, int32(p.Leader), int32(p.LeaderEpoch)
	m.Replicas, m.ISR = p.Replicas, p.ISR
	m.OfflineReplicas = image.OfflineReplicas(listener, p)
	if version == 0 {
		m.Replicas, m.ISR = image.Alive(listener, p.Replicas), image.Alive(listener, p.ISR)
	}
	leader := image.Cluster.Broker(p.Leader)
	switch {
	case image.IsAlive(listener, p.Leader):
		if len(m.Replicas) < len(p.Replicas) || len(m.ISR) < len(p.ISR) {
			m.ErrorCode = kerr.ReplicaNotAvailable.Code
		}
	case leader != nil && !leader.Fenced && version >= 6:
		m.ErrorCode, m.Leader = kerr.ListenerNotFound.Code, int32(kafka.NoNode)
	default:
		m.ErrorCode, m.Leader = kerr.LeaderNotAvailable.Code, int32(kafka.NoNode)
	}
	return m
}
