package observer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/course"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

// besideRecords is what an answer holds beside records or a piece of a snapshot and the one batch that may be larger, in bytes.
const besideRecords = 64 << 20

// errShape says that an answer is not about what was asked.
var errShape = errors.New("not an answer to what was asked")

// fetched is an answer to Fetch.
type fetched struct {
	answer        course.Answer
	highWatermark kafka.Offset // negative while the leader does not know
	records       []byte
}

// fetch asks for what follows the copy. It keeps an eye on those who subscribe meanwhile.
func (e *Engine) fetch(ctx context.Context, to course.Place) (*fetched, error) {
	type result struct {
		resp kmsg.Response
		err  error
	}
	done := make(chan result, 1)
	client, req := e.connection(to), e.request()
	go func() {
		ctx, cancel := context.WithTimeout(ctx, e.cfg.Wait+e.cfg.Timeout)
		defer cancel()
		resp, err := client.Do(ctx, req)
		done <- result{resp, err}
	}()
	for {
		select {
		case <-e.Subscribed():
			e.Welcome()
		case r := <-done:
			if r.err != nil {
				return nil, r.err
			}
			return read(r.resp.(*kmsg.FetchResponse))
		}
	}
}

// request is a fetch of the metadata log, as Kafka's observers send it (KIP-595).
func (e *Engine) request() *kmsg.FetchRequest {
	leader, epoch := e.course.Leader()
	wait := e.cfg.Wait
	if leader == kafka.NoNode {
		wait = 0 // whoever it is says so at once
	}
	end, last := e.mirror.End()
	p := kmsg.NewFetchRequestTopicPartition()
	p.CurrentLeaderEpoch, p.FetchOffset, p.LastFetchedEpoch = int32(epoch), int64(end), int32(last)
	p.PartitionMaxBytes, p.ReplicaDirectoryID = int32(e.cfg.MaxBytes), e.cfg.Directory
	p.HighWatermark = int64(e.mirror.Bounds().HighWatermark)
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID, t.Partitions = kafka.ClusterMetadataTopic, kafka.MetadataTopicID, append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(req.MaxVersion())
	req.ClusterID, req.ReplicaState.ID = &e.cfg.ClusterID, int32(e.cfg.NodeID)
	req.MaxWaitMillis, req.MaxBytes = int32(wait/time.Millisecond), int32(e.cfg.MaxBytes)
	req.SessionEpoch = -1
	req.Topics = append(req.Topics, t)
	return req
}

func read(resp *kmsg.FetchResponse) (*fetched, error) {
	if resp.ErrorCode != 0 {
		return &fetched{answer: course.Answer{Code: resp.ErrorCode, Leader: kafka.NoNode, Epoch: -1}}, nil
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, errShape
	}
	p := &resp.Topics[0].Partitions[0]
	a := course.Answer{Code: p.ErrorCode, Leader: kafka.NodeID(p.CurrentLeader.LeaderID), Epoch: kafka.LeaderEpoch(p.CurrentLeader.LeaderEpoch)}
	for _, b := range resp.Brokers {
		a.Places = append(a.Places, course.Place{ID: kafka.NodeID(b.NodeID), Address: net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))})
	}
	if d := p.DivergingEpoch; d.EndOffset >= 0 {
		a.Diverging = &course.End{Epoch: kafka.LeaderEpoch(d.Epoch), Offset: kafka.Offset(d.EndOffset)}
	}
	if s := p.SnapshotID; s.EndOffset >= 0 {
		a.Snapshot = &course.End{Epoch: kafka.LeaderEpoch(s.Epoch), Offset: kafka.Offset(s.EndOffset)}
	}
	return &fetched{answer: a, highWatermark: kafka.Offset(p.HighWatermark), records: p.RecordBatches}, nil
}

// connection is that to a place; one to another is closed.
func (e *Engine) connection(to course.Place) *peer.Client {
	if e.client != nil && e.at.Address == to.Address {
		return e.client
	}
	if e.client != nil {
		e.client.Close()
	}
	e.at = to
	e.client = peer.New(peer.Options{
		Dial: func(ctx context.Context) (net.Conn, error) { return e.cfg.Dial(ctx, to.Address) },
		ID:   fmt.Sprint("observer-", e.cfg.NodeID), MaxFrame: max(e.cfg.MaxBytes, e.cfg.MaxSnapshotBytes) + besideRecords,
	})
	return e.client
}

// install fetches a snapshot, which takes the place of all that this node has. A leader that goes meanwhile is no reason to end, nor is one that
// sends what is no snapshot: another is asked, or the same once more.
func (e *Engine) install(ctx context.Context, from course.Place, end course.End) error {
	id := quorum.SnapshotID{EndOffset: end.Offset, Epoch: end.Epoch}
	e.cfg.Log.Info("this node is behind the metadata log and fetches a snapshot", "snapshot", id, "from", from.Address)
	asked := false
	change, err := e.mirror.Install(id, func(w io.Writer) error {
		_, epoch := e.course.Leader()
		err := quorum.FetchSnapshot(ctx, id, w, func(ctx context.Context, req *kmsg.FetchSnapshotRequest) (kmsg.Response, error) {
			ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
			defer cancel()
			req.ClusterID, req.ReplicaID, req.MaxBytes = &e.cfg.ClusterID, int32(e.cfg.NodeID), int32(e.cfg.MaxSnapshotBytes)
			req.Topics[0].Partitions[0].CurrentLeaderEpoch = int32(epoch)
			return e.client.Do(ctx, req)
		})
		asked = err != nil
		return err
	}, e.cfg.Now())
	if asked || errors.Is(err, quorum.ErrDamaged) {
		var answer *kerr.Error
		e.cfg.Log.Warn("a metadata snapshot was not fetched", "snapshot", id, "err", err)
		if !errors.As(err, &answer) || answer.Code != kerr.SnapshotNotFound.Code { // a newer one is named next
			e.course.Failed(from)
			e.publishStatus()
		}
		return nil
	}
	if err == nil {
		e.post(change)
	}
	return err
}
