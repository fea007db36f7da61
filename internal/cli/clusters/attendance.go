package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// silentFor is for how long a leader has heard nothing of a voter that is taken for gone; one that is there fetches several times a second.
const silentFor = 3 * time.Second

// quorumChecks ask for the leader of the metadata quorum, and whether its voters are there. The first is about the leader.
func quorumChecks(ctx context.Context, s *command.Server) []checkup {
	const name = "controller"
	if ok, err := answers(ctx, s, kmsg.DescribeQuorum); err == nil && !ok {
		return []checkup{{name, "unsupported", "the server does not tell who leads the metadata quorum", []string{}}}
	}
	q, err := askQuorumSoon(ctx, s)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, kerr.RequestTimedOut):
		return []checkup{{name, "bad", "no controller answers: topics can't be created, nor leaders elected", []string{}}}
	case errors.Is(err, errLeaderless):
		return []checkup{{name, "bad", command.OneLine(err), []string{}}}
	case err != nil:
		return []checkup{{name, "unknown", command.OneLine(err), []string{}}}
	}
	led := checkup{name, "ok", fmt.Sprintf("node %d leads a quorum of %d in epoch %d", q.LeaderID, len(q.CurrentVoters), q.LeaderEpoch), []string{}}
	return []checkup{led, voters(q)}
}

// askQuorumSoon is askQuorum in half of the time that there is. Ask it last: where nobody leads, what is asked by the same connection waits behind it.
func askQuorumSoon(ctx context.Context, s *command.Server) (*kmsg.DescribeQuorumResponseTopicPartition, error) {
	ctx, cancel := halfOf(ctx)
	defer cancel()
	return askQuorum(ctx, s)
}

// halfOf leaves half of the time to others.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	end, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

// activeController is who leads the metadata quorum. A broker tells clients of any broker instead: commands are forwarded. Only of a server that
// has no such quorum that is the one; -1 where nobody leads.
func activeController(ctx context.Context, s *command.Server, meta *kmsg.MetadataResponse) int32 {
	if ok, err := answers(ctx, s, kmsg.DescribeQuorum); err == nil && !ok {
		return meta.ControllerID
	}
	q, err := askQuorumSoon(ctx, s)
	if err != nil {
		return -1
	}
	return q.LeaderID
}

// answers reports whether the server has such a request.
func answers(ctx context.Context, s *command.Server, key kmsg.Key) (bool, error) {
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, s.Client)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(resp.ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return k.ApiKey == key.Int16() }), nil
}

// voters looks for those that the leader has not heard of, by its own clock.
func voters(q *kmsg.DescribeQuorumResponseTopicPartition) checkup {
	heard := map[int32]int64{}
	for _, v := range q.CurrentVoters {
		heard[v.ReplicaID] = v.LastFetchTimestamp
	}
	now := heard[q.LeaderID]
	var gone []string
	for id, at := range heard {
		if id != q.LeaderID && now-at > silentFor.Milliseconds() {
			gone = append(gone, strconv.Itoa(int(id)))
		}
	}
	spare := (len(heard)-1)/2 - len(gone)
	return grade("voters", "warning", fmt.Sprintf("every one of %d is there", len(heard)), fmt.Sprintf("of %d not heard of: the quorum can lose %d more", len(heard), max(0, spare)), gone)
}

// present looks for brokers that are registered, or have replicas, and are not up.
func present(ctx context.Context, s *command.Server, meta *kmsg.MetadataResponse) checkup {
	gone := map[int32]bool{}
	if fenced, err := fencedBrokers(ctx, s); err == nil { // of an older server the replicas tell
		for _, id := range fenced {
			gone[id] = true
		}
	}
	for _, t := range meta.Topics {
		for _, p := range t.Partitions {
			for _, id := range p.Replicas {
				gone[id] = true
			}
		}
	}
	for _, b := range meta.Brokers {
		delete(gone, b.NodeID)
	}
	var names []string
	for id := range gone {
		names = append(names, strconv.Itoa(int(id)))
	}
	return grade("brokers", "warning", fmt.Sprintf("every one of %d is up", len(meta.Brokers)), "not up", names)
}
