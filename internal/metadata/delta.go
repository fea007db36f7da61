package metadata

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// ErrReplay marks a record that contradicts the state it is replayed on: damage, or a defect of the writer.
var ErrReplay = errors.New("metadata record contradicts the state")

// Delta is a change to an Image: the records replayed since. It belongs to one goroutine until Apply, and is
// immutable afterwards. Each aspect is nil while nothing of it changed.
type Delta struct {
	base        *Image
	features    *featuresDelta
	cluster     *clusterDelta
	topics      *topicsDelta
	configs     *configsDelta
	producerIDs *ProducerIDs
	kept        *keptDelta

	inTransaction bool // the Loader's: the transaction has not ended
}

// NewDelta starts a change of base.
func NewDelta(base *Image) *Delta { return &Delta{base: base} }

// Base is the image that the delta changes.
func (d *Delta) Base() *Image { return d.base }

// Empty reports whether the delta changes nothing.
func (d *Delta) Empty() bool {
	return d.features == nil && d.cluster == nil && d.topics == nil && d.configs == nil &&
		d.producerIDs == nil && d.kept == nil
}

// Apply builds the image that the delta leads to, which contains the log up to offset. The delta must not be
// replayed into afterwards.
func (d *Delta) Apply(offset kafka.Offset, epoch kafka.LeaderEpoch, timestamp int64) *Image {
	next := d.base.at(offset, epoch, timestamp)
	next.Features = d.features.apply(next.Features)
	next.Cluster = d.cluster.apply(next.Cluster)
	next.Topics = d.topics.apply(next.Topics)
	next.Configs = d.configs.apply(next.Configs)
	next.Kept = d.kept.apply(next.Kept)
	if d.producerIDs != nil {
		next.ProducerIDs = *d.producerIDs
	}
	return next
}

// Replay applies one record. An error wraps ErrReplay, and the delta is of no use any more. The records of
// transactions are the Loader's business and change nothing here.
func (d *Delta) Replay(r schema.MetadataRecord) error {
	switch r := r.(type) {
	case *schema.FeatureLevelRecord:
		d.replayFeatureLevel(r)
	case *schema.TopicRecord:
		return d.replayTopic(r)
	case *schema.PartitionRecord:
		return d.replayPartition(r)
	case *schema.PartitionChangeRecord:
		return d.replayPartitionChange(r)
	case *schema.RemoveTopicRecord:
		return d.replayRemoveTopic(r)
	case *schema.ClearELRRecord:
		return d.replayClearELR(r)
	case *schema.ConfigRecord:
		d.replayConfig(r)
	case *schema.ProducerIDsRecord:
		d.replayProducerIDs(r)
	case *schema.NoOpRecord, *schema.ZkMigrationStateRecord,
		*schema.BeginTransactionRecord, *schema.EndTransactionRecord, *schema.AbortTransactionRecord:
	default:
		return d.replayNode(r)
	}
	return nil
}

// replayNode applies the records of brokers and controllers.
func (d *Delta) replayNode(r schema.MetadataRecord) error {
	switch r := r.(type) {
	case *schema.RegisterBrokerRecord:
		d.replayRegisterBroker(r)
	case *schema.UnregisterBrokerRecord:
		return d.replayUnregisterBroker(r)
	case *schema.FenceBrokerRecord:
		return d.replayFence(r.ID, r.Epoch, true)
	case *schema.UnfenceBrokerRecord:
		return d.replayFence(r.ID, r.Epoch, false)
	case *schema.BrokerRegistrationChangeRecord:
		return d.replayRegistrationChange(r)
	case *schema.RegisterControllerRecord:
		d.replayRegisterController(r)
	case *schema.UnregisterControllerRecord:
		d.clusterEdit().controllers[kafka.NodeID(r.ControllerID)] = nil
	default:
		return d.replayKept(r)
	}
	return nil
}

// replayKept applies the records that are only kept.
func (d *Delta) replayKept(r schema.MetadataRecord) error {
	switch r := r.(type) {
	case *schema.ClientQuotaRecord:
		d.replayQuota(r)
	case *schema.AccessControlEntryRecord:
		d.keep(aclID(r.ID), Record{Body: r})
	case *schema.RemoveAccessControlEntryRecord:
		d.keep(aclID(r.ID), Record{})
	case *schema.UserScramCredentialRecord:
		d.keep(scramID(r.Name, r.Mechanism), Record{Body: r})
	case *schema.RemoveUserScramCredentialRecord:
		d.keep(scramID(r.Name, r.Mechanism), Record{})
	case *schema.DelegationTokenRecord:
		d.keep(tokenID(r.TokenID), Record{Body: r})
	case *schema.RemoveDelegationTokenRecord:
		d.keep(tokenID(r.TokenID), Record{})
	default:
		return fmt.Errorf("%w: record with key %d is unknown", ErrReplay, r.APIKey())
	}
	return nil
}

// DeltaFromEmpty is the change from nothing to image.
func DeltaFromEmpty(image *Image) *Delta {
	d := NewDelta(Empty())
	for r := range image.Records {
		if err := d.Replay(r.Body); err != nil {
			panic(fmt.Sprintf("metadata: an image does not replay: %v", err)) // it was made by replaying
		}
	}
	return d
}
