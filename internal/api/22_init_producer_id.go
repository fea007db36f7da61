package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// InitProducerId, key 22, versions 0 to 5, for idempotent producers. KIP-98; KIP-360 (version 3: the producer's present
// id and epoch, which matter to transactions only).
//
// A transactional id is refused with COORDINATOR_NOT_AVAILABLE: there is no transaction coordinator yet.
func initProducerID(c *call, req *kmsg.InitProducerIDRequest) *kmsg.InitProducerIDResponse {
	resp := kmsg.NewPtrInitProducerIDResponse()
	resp.ProducerID, resp.ProducerEpoch = int64(kafka.NoProducerID), kafka.NoProducerEpoch
	id, err := newProducerID(c, req)
	if err != nil {
		resp.ErrorCode = code(err)
		return resp
	}
	resp.ProducerID, resp.ProducerEpoch = int64(id), 0
	return resp
}

func newProducerID(c *call, req *kmsg.InitProducerIDRequest) (kafka.ProducerID, error) {
	switch {
	case req.TransactionalID != nil && *req.TransactionalID == "":
		return kafka.NoProducerID, kerr.InvalidRequest
	case req.TransactionalID != nil:
		return kafka.NoProducerID, kerr.CoordinatorNotAvailable
	case (req.ProducerID < 0) != (req.ProducerEpoch < 0):
		return kafka.NoProducerID, kerr.InvalidRequest
	}
	return c.ProducerIDs.Next()
}
