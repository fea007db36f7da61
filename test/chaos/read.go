package main

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	fetchKey = 1
	// namedFetch is the last version of Fetch that names topics by their names. From 11 on a consumer may read from a follower (KIP-392).
	namedFetch = 12
	pieceBytes = 1 << 20
)

// reader reads from a node of its choice, whether that leads or follows.
type reader struct{ client *kgo.Client }

func newReader(c *cluster) (*reader, error) {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(fetchKey, namedFetch)
	client, err := kgo.NewClient(append(c.seeds(), kgo.MaxVersions(versions))...)
	return &reader{client}, err
}

// read calls f with the numbers of a partition up to the offset end, as a node has them.
func (r *reader) read(ctx context.Context, id, p int32, end int64, f func(uint64)) error {
	ctx, cancel := context.WithTimeout(ctx, settles)
	defer cancel()
	for at := int64(0); at < end; {
		answer, err := r.client.Broker(int(id)).RetriableRequest(ctx, fetch(id, p, at))
		if err != nil {
			return err
		}
		part := &answer.(*kmsg.FetchResponse).Topics[0].Partitions[0]
		if part.ErrorCode != 0 {
			return fmt.Errorf("at %d: %w", at, kerr.ErrorForCode(part.ErrorCode))
		}
		got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: topic, Partition: p, Offset: at}, part, kgo.DefaultDecompressor(), nil)
		if got.Err != nil {
			return got.Err
		}
		for _, record := range got.Records {
			if len(record.Value) != 8 {
				return fmt.Errorf("at %d: %w", record.Offset, errNoNumber)
			}
			f(binary.BigEndian.Uint64(record.Value))
		}
		at = next
	}
	return nil
}

// fetch asks for a piece of a partition. The rack says that another replica than the leader may be asked; nobody is sent elsewhere, as no selector is set.
func fetch(id, p int32, at int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = -1, 500, 1, pieceBytes
	req.SessionEpoch, req.Rack = -1, fmt.Sprint("rack-", id)
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes, part.CurrentLeaderEpoch = p, at, pieceBytes, -1
	t.Partitions = append(t.Partitions, part)
	req.Topics = append(req.Topics, t)
	return req
}
