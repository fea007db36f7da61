package api

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// FetchSnapshot, key 59, versions 0 and 1, on the controller listener. KIP-630: a snapshot of the metadata log, piece
// by piece, for a voter or observer that is further behind than the log reaches.
func fetchSnapshot(c *call, req *kmsg.FetchSnapshotRequest) *kmsg.FetchSnapshotResponse {
	resp := kmsg.NewPtrFetchSnapshotResponse()
	if req.ClusterID != nil && !c.ofCluster(kafka.NodeID(req.ReplicaID), *req.ClusterID) {
		resp.ErrorCode = kerr.InconsistentClusterID.Code
		return resp
	}
	for _, t := range req.Topics {
		rt := kmsg.NewFetchSnapshotResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewFetchSnapshotResponseTopicPartition()
			rp.Partition = p.Partition
			rp.SnapshotID.EndOffset, rp.SnapshotID.Epoch = p.SnapshotID.EndOffset, p.SnapshotID.Epoch
			rp.ErrorCode = code(readSnapshot(c, req, t.Topic, p, &rp))
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func readSnapshot(c *call, req *kmsg.FetchSnapshotRequest, topic string, p kmsg.FetchSnapshotRequestTopicPartition, out *kmsg.FetchSnapshotResponseTopicPartition) error {
	if topic != kafka.ClusterMetadataTopic || p.Partition != 0 {
		return kerr.UnknownTopicOrPartition
	}
	leader, epoch := c.Quorum.Leader()
	out.CurrentLeader.LeaderID, out.CurrentLeader.LeaderEpoch = int32(leader), int32(epoch)
	if err := quorumEpoch(c, kafka.LeaderEpoch(p.CurrentLeaderEpoch)); err != nil {
		return err
	}
	snap, err := c.Voter.OpenSnapshot(quorum.SnapshotID{
		EndOffset: kafka.Offset(p.SnapshotID.EndOffset), Epoch: kafka.LeaderEpoch(p.SnapshotID.Epoch),
	})
	if err != nil {
		return err
	}
	defer snap.Close()
	size := snap.Size()
	if p.Position < 0 || p.Position >= size {
		return kerr.PositionOutOfRange
	}
	n := min(int64(max(req.MaxBytes, 0)), size-p.Position, int64(c.Config.Network.FetchMaxBytes))
	out.Size, out.Position, out.Bytes = size, p.Position, make([]byte, n)
	_, err = snap.ReadAt(out.Bytes, p.Position)
	return err
}
