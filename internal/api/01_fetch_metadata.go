package api

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// fetchMetadata is Fetch on the controller listener: brokers and voters replicate the committed metadata log (KIP-595).
// There are no sessions, and one partition. A reader that is behind the log's start is told the snapshot to fetch
// instead (KIP-630).
func fetchMetadata(c *call, req *wire.FetchRequest) {
	if len(req.ClusterID) > 0 && !c.ofCluster(req.ReplicaID, string(req.ClusterID)) {
		c.req.Reply(metadataFetched(c, kerr.InconsistentClusterID.Code, nil, nil))
		return
	}
	if len(req.Partitions) != 1 || req.Partitions[0].Partition != 0 || !isMetadataLog(c, &req.Partitions[0]) {
		c.req.Reply(metadataFetched(c, kerr.InvalidRequest.Code, nil, nil))
		return
	}
	want := &req.Partitions[0]
	out, records := readMetadataLog(c, req, want)
	c.req.Reply(metadataFetched(c, 0, &out, records))
}

func isMetadataLog(c *call, p *wire.FetchPartition) bool {
	return wire.TopicsByID(c.hdr.Version) && p.TopicID == kafka.MetadataTopicID
}

func readMetadataLog(c *call, req *wire.FetchRequest, want *wire.FetchPartition) (wire.Fetched, *span) {
	out := wire.NewFetched(0)
	leader, epoch := c.Quorum.Leader()
	out.CurrentLeader, out.Aborted = wire.LeaderEpoch{ID: leader, Epoch: epoch}, []wire.AbortedTransaction{}
	bounds := c.Quorum.Bounds()
	out.LogStartOffset = bounds.LogStartOffset
	err := quorumEpoch(c, want.CurrentLeaderEpoch)
	if want.FetchOffset < 0 || want.LastFetchedEpoch < 0 || want.CurrentLeaderEpoch < 0 || want.LastFetchedEpoch > epoch || req.MaxWait < 0 {
		err = kerr.InvalidRequest
	}
	if err != nil {
		out.ErrorCode = code(err)
		return out, nil
	}
	out.HighWatermark = bounds.HighWatermark
	if want.FetchOffset < bounds.LogStartOffset {
		if id, ok := c.Voter.LatestSnapshot(); ok {
			out.Snapshot = wire.EpochEnd{Epoch: id.Epoch, End: id.EndOffset}
			return out, nil
		}
	}
	if end, offset := c.Voter.EpochEndOffset(want.LastFetchedEpoch); end != want.LastFetchedEpoch || offset < want.FetchOffset {
		out.Diverging = wire.EpochEnd{Epoch: end, End: offset}
		return out, nil
	}
	if want.FetchOffset >= bounds.HighWatermark {
		awaitMetadata(c, req, want.FetchOffset)
		bounds = c.Quorum.Bounds()
		out.HighWatermark = bounds.HighWatermark
	}
	records, err := c.Voter.ReadLog(want.FetchOffset, int(min(req.MaxBytes, int32(c.Config.Network.FetchMaxBytes))))
	if err != nil {
		out.ErrorCode = code(err)
		return out, nil
	}
	c.Voter.Observed(req.ReplicaID, want.ReplicaDirectoryID, want.FetchOffset)
	return out, newSpan(records)
}

// awaitMetadata holds the connection until the record at offset is committed or the request's time is up. Who reads
// the metadata log has nothing else to ask on this connection.
func awaitMetadata(c *call, req *wire.FetchRequest, offset kafka.Offset) {
	ctx, cancel := context.WithTimeout(c.Life, min(max(req.MaxWait, 0), longestWait))
	defer cancel()
	_ = c.Quorum.Wait(ctx, offset) // in vain: the answer is empty
}

func metadataFetched(c *call, topLevel int16, out *wire.Fetched, records *span) transport.Response {
	buf := transport.NewReply(256)
	var w wire.FetchWriter
	var holes []transport.Hole
	topics := 0
	if out != nil {
		topics = 1
	}
	w.Begin(buf.B, c.hdr, wire.FetchHead{ErrorCode: topLevel}, topics)
	if out != nil {
		w.Topic(kafka.ClusterMetadataTopic, kafka.MetadataTopicID, 1)
		size := 0
		if records != nil {
			size = records.Span.Len()
		}
		at := w.Partition(out, size)
		if size > 0 {
			holes = append(holes, transport.Hole{At: at, Range: records})
		} else if records != nil {
			records.Release()
		}
	}
	buf.B = w.End(leaderOfQuorum(c, out))
	return transport.Response{Buf: buf, Holes: holes}
}

// leaderOfQuorum is where the leader that an answer names can be reached (KIP-853, version 17).
func leaderOfQuorum(c *call, out *wire.Fetched) []wire.NodeEndpoint {
	if out == nil || c.hdr.Version < 17 {
		return nil
	}
	for _, v := range c.Quorum.Status().Nodes {
		for _, e := range v.Endpoints {
			if v.ID == out.CurrentLeader.ID && e.Listener == c.listener {
				return []wire.NodeEndpoint{{ID: v.ID, Host: e.Host, Port: int32(e.Port)}}
			}
		}
	}
	return nil
}
