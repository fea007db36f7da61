package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// emptyBatch is what compaction may leave of a batch: its header, with the offsets from base to last and no record.
func emptyBatch(base, last int64) []byte {
	const size = 61
	b := make([]byte, size)
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[8:], size-12)
	b[16] = 2
	binary.BigEndian.PutUint32(b[23:], uint32(last-base))
	for i := range 8 + 2 + 4 { // producer id, epoch and sequence: none
		b[43+i] = 0xff
	}
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// TestConsumeEndsWhereNoRecordIs: a range may end in offsets that have no record any more.
func TestConsumeEndsWhereNoRecordIs(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "gap"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var fetches atomic.Int32
	c.ControlKey(1, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		r := req.(*kmsg.FetchRequest)
		if len(r.Topics) == 0 || len(r.Topics[0].Partitions) == 0 {
			return nil, nil, false
		}
		fetches.Add(1)
		if r.Topics[0].Partitions[0].FetchOffset >= 5 {
			return fetched(r, nil, 5), nil, true
		}
		return fetched(r, emptyBatch(0, 4), 5), nil, true
	})
	c.ControlKey(2, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return listed(req.(*kmsg.ListOffsetsRequest), 5), nil, true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, problems bytes.Buffer
	w := &command.World{
		In: strings.NewReader(""), Out: &out, Err: &problems, Getenv: func(string) string { return "" }, Now: time.Now,
		Interruptible: context.WithCancel,
	}
	if code := Run(ctx, w, []string{"consume", "gap", "-b", c.ListenAddrs()[0]}); code != int(command.OK) {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	if out.Len() > 0 || !strings.HasPrefix(problems.String(), "consumed 0 records") {
		t.Errorf("printed %q and %q", out.String(), problems.String())
	}
	if fetches.Load() == 0 {
		t.Error("nothing was fetched")
	}
}

func fetched(req *kmsg.FetchRequest, batch []byte, highWatermark int64) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	resp.ThrottleMillis = 50 // in place of a long poll
	t := kmsg.NewFetchResponseTopic()
	t.Topic, t.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
	p := kmsg.NewFetchResponseTopicPartition()
	p.HighWatermark, p.LastStableOffset, p.LogStartOffset, p.RecordBatches = highWatermark, highWatermark, 0, batch
	t.Partitions = append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return resp
}

// listed answers the start with 0 and the end with end.
func listed(req *kmsg.ListOffsetsRequest, end int64) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewListOffsetsResponseTopicPartition()
			rp.Partition, rp.Timestamp, rp.Offset = p.Partition, -1, end
			if p.Timestamp == -2 {
				rp.Offset = 0
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}
