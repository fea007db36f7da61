package script

import "github.com/twmb/franz-go/pkg/kmsg"

func fetchSnapshotSample(*run) kmsg.Request {
	p := kmsg.NewFetchSnapshotRequestTopicPartition()
	p.CurrentLeaderEpoch = -1
	p.SnapshotID.EndOffset, p.SnapshotID.Epoch = 1<<40, 99
	t := kmsg.NewFetchSnapshotRequestTopic()
	t.Topic = metadataLog
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrFetchSnapshotRequest()
	req.ReplicaID, req.MaxBytes = 50, 1<<20
	req.Topics = append(req.Topics, t)
	return req
}

func fetchSnapshot(r *run) {
	epoch := r.leaderEpoch()
	edited := func(name string, edit func(*kmsg.FetchSnapshotRequest, *kmsg.FetchSnapshotRequestTopicPartition)) {
		req := fetchSnapshotSample(r).(*kmsg.FetchSnapshotRequest)
		req.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch
		edit(req, &req.Topics[0].Partitions[0])
		r.do(name, req)
	}
	type q = *kmsg.FetchSnapshotRequest
	type p = *kmsg.FetchSnapshotRequestTopicPartition
	edited("unknown snapshot", func(q, p) {})
	edited("no epoch", func(_ q, p p) { p.CurrentLeaderEpoch = -1 })
	edited("epoch too high", func(_ q, p p) { p.CurrentLeaderEpoch = epoch + 5 })
	edited("epoch 0", func(_ q, p p) { p.CurrentLeaderEpoch = 0 })
	edited("another topic", func(q q, _ p) { q.Topics[0].Topic = marker })
	edited("another partition", func(_ q, p p) { p.Partition = 1 })
	edited("negative partition", func(_ q, p p) { p.Partition = -1 })
	edited("negative position", func(_ q, p p) { p.Position = -1 })
	edited("negative max bytes", func(q q, _ p) { q.MaxBytes = -1 })
	edited("right cluster", func(q q, _ p) { q.ClusterID = ptr(r.target.ClusterID) })
	edited("wrong cluster", func(q q, _ p) { q.ClusterID = ptr("other") })
	edited("negative snapshot", func(_ q, p p) { p.SnapshotID.EndOffset, p.SnapshotID.Epoch = -1, -1 })
	edited("no topics", func(q q, _ p) { q.Topics = nil })
	edited("no partitions", func(q q, _ p) { q.Topics[0].Partitions = nil })
	edited("partition twice", func(q q, p p) { q.Topics[0].Partitions = append(q.Topics[0].Partitions, *p) })
}

// leaderEpoch asks for the epoch of the metadata log's leader.
func (r *run) leaderEpoch() int32 {
	req := describeQuorumRequest(metadataLog, 0)
	req.SetVersion(1)
	resp, err := r.ask(controller, req)
	if err != nil {
		r.fail("%w", err)
	}
	return resp.(*kmsg.DescribeQuorumResponse).Topics[0].Partitions[0].LeaderEpoch
}

// fetchMetadata fetches the metadata log as a broker does.
func fetchMetadata(r *run) {
	epoch := r.leaderEpoch()
	edited := func(name string, edit func(*kmsg.FetchRequest, *kmsg.FetchRequestTopicPartition)) {
		req := fetchRequest(r, wanted{"", 0, 0, nil})
		req.Topics[0].Topic, req.Topics[0].TopicID = metadataLog, metadataTopicID
		r.asReplica(req, 50, -1)
		req.SessionEpoch = -1
		p := &req.Topics[0].Partitions[0]
		p.CurrentLeaderEpoch, p.LastFetchedEpoch = epoch, 0
		edit(req, p)
		r.do(name, req)
	}
	type q = *kmsg.FetchRequest
	type p = *kmsg.FetchRequestTopicPartition
	edited("from the start", func(q, p) {})
	edited("as nobody", func(q q, _ p) { r.asReplica(q, -1, -1) })
	edited("max bytes 1", func(q q, p p) { q.MaxBytes, p.PartitionMaxBytes = 1, 1 })
	edited("no current epoch", func(_ q, p p) { p.CurrentLeaderEpoch = -1 })
	edited("current epoch too high", func(_ q, p p) { p.CurrentLeaderEpoch = epoch + 4 })
	edited("current epoch 0", func(_ q, p p) { p.CurrentLeaderEpoch = 0 })
	edited("last epoch too high", func(_ q, p p) { p.FetchOffset, p.LastFetchedEpoch = 1, epoch+4 })
	edited("last epoch -1", func(_ q, p p) { p.LastFetchedEpoch = -1 })
	edited("last epoch -1, offset 3", func(_ q, p p) { p.FetchOffset, p.LastFetchedEpoch = 3, -1 })
	edited("offset far past the end", func(_ q, p p) { p.FetchOffset, p.LastFetchedEpoch = 1<<40, epoch })
	edited("negative offset", func(_ q, p p) { p.FetchOffset = -1 })
	edited("another partition", func(_ q, p p) { p.Partition = 1 })
	edited("another topic", func(q q, _ p) { q.Topics[0].Topic, q.Topics[0].TopicID = marker, strangeID })
	edited("right cluster", func(q q, _ p) { q.ClusterID = ptr(r.target.ClusterID) })
	edited("wrong cluster", func(q q, _ p) { q.ClusterID = ptr("other") })
	edited("no topics", func(q q, _ p) { q.Topics = nil })
	edited("no partitions", func(q q, _ p) { q.Topics[0].Partitions = nil })
	edited("partition twice", func(q q, p p) { q.Topics[0].Partitions = append(q.Topics[0].Partitions, *p) })
	edited("negative wait", func(q q, _ p) { q.MaxWaitMillis = -1 })
	edited("a session", func(q q, _ p) { q.SessionID, q.SessionEpoch = 0, 0 })
	edited("a session that is not", func(q q, _ p) { q.SessionID, q.SessionEpoch = 77, 3 })
}

func fetchMetadataSample(r *run) kmsg.Request { return fetchRequest(r) }
