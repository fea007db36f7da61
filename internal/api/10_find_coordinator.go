package api

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// The kinds of coordinators.
const (
	groupCoordinator       int8 = 0
	transactionCoordinator int8 = 1
	shareCoordinator       int8 = 2
)

// FindCoordinator, key 10, versions 0 to 6. KIP-98 (version 1 has types), KIP-699 (many keys, version 4), KIP-932 (share
// groups, version 6).
//
// The first question for a group makes __consumer_offsets. Transactions and share groups have no coordinator yet:
// COORDINATOR_NOT_AVAILABLE.
func findCoordinator(c *call, req *kmsg.FindCoordinatorRequest) *kmsg.FindCoordinatorResponse {
	resp := kmsg.NewPtrFindCoordinatorResponse()
	if req.Version >= 4 {
		for _, key := range req.CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, coordinatorOf(c, req, key))
		}
		return resp
	}
	found := coordinatorOf(c, req, req.CoordinatorKey)
	resp.NodeID, resp.Host, resp.Port = found.NodeID, found.Host, found.Port
	resp.ErrorCode, resp.ErrorMessage = found.ErrorCode, found.ErrorMessage
	return resp
}

func coordinatorOf(c *call, req *kmsg.FindCoordinatorRequest, key string) kmsg.FindCoordinatorResponseCoordinator {
	found := kmsg.NewFindCoordinatorResponseCoordinator()
	found.Key, found.NodeID, found.Port = key, int32(kafka.NoNode), -1
	node, err := findCoordinatorNode(c, req, key)
	if err != nil {
		found.ErrorCode = code(err)
		if req.Version < 4 {
			found.ErrorMessage = message(err)
		}
		return found
	}
	e, _ := node.Endpoint(c.listener)
	found.NodeID, found.Host, found.Port = int32(node.ID), e.Host, int32(e.Port)
	if req.Version < 4 {
		found.ErrorMessage = new("NONE")
	}
	return found
}

// findCoordinatorNode is the node that leads the partition of a key.
func findCoordinatorNode(c *call, req *kmsg.FindCoordinatorRequest, key string) (*metadata.Broker, error) {
	switch req.CoordinatorType {
	case groupCoordinator:
	case transactionCoordinator:
		return nil, kerr.CoordinatorNotAvailable
	case shareCoordinator:
		if req.Version < 6 || !isSharePartition(key) {
			return nil, kerr.InvalidRequest
		}
		return nil, kerr.CoordinatorNotAvailable
	default:
		return nil, kerr.InvalidRequest
	}
	if c.image().Topics.ByName(kafka.ConsumerOffsetsTopic) == nil {
		createInternal(c, kafka.ConsumerOffsetsTopic)
	}
	image := c.image()
	p := image.Topics.ByName(kafka.ConsumerOffsetsTopic).Partition(c.groupPartition(key))
	if p == nil || !image.IsAlive(c.listener, p.Leader) {
		return nil, kerr.CoordinatorNotAvailable
	}
	return image.Cluster.Broker(p.Leader), nil
}

// isSharePartition says whether a key names a partition of a share group: group:topic id:partition.
func isSharePartition(key string) bool {
	parts := strings.Split(key, ":")
	if len(parts) != 3 || parts[0] == "" {
		return false
	}
	_, err := kafka.ParseUUID(parts[1])
	n, notNumber := strconv.ParseInt(parts[2], 10, 32)
	return err == nil && notNumber == nil && n >= 0
}

// creatable is the topic that is made when somebody asks for a name that is not there: the configuration decides about
// internal topics.
func creatable(c *call, name string) kmsg.CreateTopicsRequestTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, -1, -1
	if name != kafka.ConsumerOffsetsTopic {
		return t
	}
	s := c.Config.Sources
	t.NumPartitions = int32(s.Int("offsets.topic.num.partitions"))
	t.ReplicationFactor = int16(s.Int("offsets.topic.replication.factor"))
	for _, e := range [][2]string{
		{"cleanup.policy", "compact"}, {"compression.type", "producer"}, {"segment.bytes", s.Text("offsets.topic.segment.bytes")},
	} {
		entry := kmsg.NewCreateTopicsRequestTopicConfig()
		entry.Name, entry.Value = e[0], &e[1]
		t.Configs = append(t.Configs, entry)
	}
	return t
}

// createInternal makes an internal topic. Why that fails is said in the log alone: those who asked try again.
func createInternal(c *call, name string) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(req.MaxVersion())
	req.Topics = append(req.Topics, creatable(c, name))
	resp := submit[*kmsg.CreateTopicsResponse](c, controller.CreateTopics{Request: req})
	if resp == nil || len(resp.Topics) == 0 {
		return // said already
	}
	t := resp.Topics[0]
	if err := kerr.TypedErrorForCode(t.ErrorCode); err != nil && err != kerr.TopicAlreadyExists {
		why := err.Message
		if t.ErrorMessage != nil {
			why = *t.ErrorMessage
		}
		c.Log.Warn("can't make an internal topic: no group can be served", "topic", name,
			"replicas", req.Topics[0].ReplicationFactor, "err", why)
	}
}
