package node

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/quorum"
)

// assignDirectories tells the controller in which directories replicas are, where the metadata does not know (KIP-858).
func (m *membership) assignDirectories(ctx context.Context) {
	placed := m.n.partitions.Misplaced()
	if len(placed) == 0 || !metadata.HasDirectories(m.n.quorum.Image().Features.MetadataVersion()) {
		return
	}
	round, cancel := m.round(ctx)
	defer cancel()
	resp, err := quorum.Do[*kmsg.AssignReplicasToDirsResponse](round, m.n.controller, controller.AssignReplicasToDirs{Request: m.assignment(placed)})
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err == nil {
		if placed = refused(resp); len(placed) == 0 {
			return
		}
		err = errRefused
	}
	if ctx.Err() == nil {
		m.n.partitions.StillMisplaced(placed)
		m.n.log.Warn("the controller did not take in which directories replicas are; it is told again with the next heartbeat", "replicas", len(placed), "err", err)
	}
}

// runAssignments has the controller told where replicas are until ctx ends, beside the heartbeats: a slow answer must not cost the session.
func (m *membership) runAssignments(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.placed:
			m.assignDirectories(ctx)
		}
	}
}

var errRefused = errors.New("it refused these alone")

// refused are the placements that the controller refused in a way that passes. One that it does not know, or of which this broker holds no replica any
// more, is settled.
func refused(resp *kmsg.AssignReplicasToDirsResponse) []partition.Placement {
	settled := []int16{0, kerr.UnknownTopicID.Code, kerr.UnknownTopicOrPartition.Code, kerr.NotLeaderForPartition.Code}
	var all []partition.Placement
	for _, d := range resp.Directories {
		for _, t := range d.Topics {
			for _, p := range t.Partitions {
				if !slices.Contains(settled, p.ErrorCode) {
					all = append(all, partition.Placement{Directory: d.ID, Topic: t.TopicID, Partition: p.Partition})
				}
			}
		}
	}
	return all
}

// assignment is the request for replicas: by directory, then by topic.
func (m *membership) assignment(placed []partition.Placement) *kmsg.AssignReplicasToDirsRequest {
	slices.SortFunc(placed, func(a, b partition.Placement) int {
		return cmp.Or(bytes.Compare(a.Directory[:], b.Directory[:]), bytes.Compare(a.Topic[:], b.Topic[:]), cmp.Compare(a.Partition, b.Partition))
	})
	req := kmsg.NewPtrAssignReplicasToDirsRequest()
	req.BrokerID, req.BrokerEpoch = int32(m.n.cfg.ID), m.epoch.Load()
	for i, p := range placed {
		if i == 0 || p.Directory != placed[i-1].Directory {
			d := kmsg.NewAssignReplicasToDirsRequestDirectory()
			d.ID = p.Directory
			req.Directories = append(req.Directories, d)
		}
		d := &req.Directories[len(req.Directories)-1]
		if len(d.Topics) == 0 || d.Topics[len(d.Topics)-1].TopicID != p.Topic {
			t := kmsg.NewAssignReplicasToDirsRequestDirectoryTopic()
			t.TopicID = p.Topic
			d.Topics = append(d.Topics, t)
		}
		t := &d.Topics[len(d.Topics)-1]
		part := kmsg.NewAssignReplicasToDirsRequestDirectoryTopicPartition()
		part.Partition = p.Partition
		t.Partitions = append(t.Partitions, part)
	}
	return req
}
