package api

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

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
// The first question for a group has __consumer_offsets made: the client asks again. Transactions and share groups have no
// coordinator yet. All this is answered with COORDINATOR_NOT_AVAILABLE.
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

// coordinatorOf answers for one key. Since there are many keys the message is empty, but for a kind that is not known.
func coordinatorOf(c *call, req *kmsg.FindCoordinatorRequest, key string) kmsg.FindCoordinatorResponseCoordinator {
	found := kmsg.NewFindCoordinatorResponseCoordinator()
	found.Key, found.NodeID, found.Port, found.ErrorMessage = key, int32(kafka.NoNode), -1, new("")
	node, err := findCoordinatorNode(c, req, key)
	if err != nil {
		found.ErrorCode = code(err)
		if unknown := req.CoordinatorType < groupCoordinator || req.CoordinatorType > shareCoordinator; unknown || req.Version < 4 {
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
		c.Creations.Want([]string{kafka.ConsumerOffsetsTopic})
	}
	image := c.image()
	p := image.Topics.ByName(kafka.ConsumerOffsetsTopic).Partition(c.groupPartition(key))
	if p == nil || !image.IsAlive(c.listener, p.Leader) {
		return nil, kerr.CoordinatorNotAvailable
	}
	return image.Cluster.Broker(p.Leader), nil
}

// isSharePartition says whether a key names a partition of a share group: group:topic id:partition. A group's id may have
// colons of its own.
func isSharePartition(key string) bool {
	rest, partition, ok := cutLast(key)
	group, topic, named := cutLast(rest)
	_, err := kafka.ParseUUID(topic)
	n, notNumber := strconv.ParseInt(partition, 10, 32)
	return ok && named && group != "" && err == nil && notNumber == nil && n >= 0
}

// cutLast cuts s at its last colon.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}
