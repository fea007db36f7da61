package clusters

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/clusters/moves"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// moving is a partition whose replicas move, or have moved.
type moving struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Replicas are those that it is to have, the preferred leader first. Adding of them are on their way, and when they are in sync Removing go.
	Replicas []int32 `json:"replicas"`
	Adding   []int32 `json:"adding"`
	Removing []int32 `json:"removing"`
	// Bytes are what the leader has, once for each that is added, Copied how much of that those have; null where the brokers do not tell.
	Bytes  *int64 `json:"bytes"`
	Copied *int64 `json:"copiedBytes"`
	// Left is in seconds, as it went since the look before; null where nothing came.
	Left  *float64 `json:"secondsLeft"`
	State string   `json:"state"` // moving, moved, cancelled
}

// The states of moves.
const (
	underWay  = "moving"
	arrived   = "moved"
	cancelled = "cancelled"
)

func (m *moving) key() kafka.TopicPartition {
	return kafka.TopicPartition{Topic: m.Topic, Partition: m.Partition}
}

// toMoving is what a planned move looks like when it has begun.
func toMoving(m moves.Move) moving {
	return moving{Topic: m.Topic, Partition: m.Partition.Partition, Replicas: m.To, Adding: command.OrNone(m.Adding()), Removing: command.OrNone(m.Removing()), State: underWay}
}

// inFlight are the moves under way of the partitions that are wanted, in order.
func inFlight(flights map[kafka.TopicPartition]flight, all []wanted) []moving {
	var rows []moving
	for p, f := range flights {
		if selects(all, p) {
			rows = append(rows, moving{Topic: p.Topic, Partition: p.Partition, Replicas: f.to, Adding: command.OrNone(f.adding),
				Removing: command.OrNone(f.removing), State: underWay})
		}
	}
	slices.SortFunc(rows, func(x, y moving) int { return byName(x.key(), y.key()) })
	return rows
}

// weighed notes what the brokers say of the bytes of a move.
func (m *moving) weighed(sizes map[held]int64, leader int32) {
	whole, known := sizes[held{m.key(), leader}]
	if !known {
		return
	}
	bytes, copied := int64(0), int64(0)
	for _, r := range m.Adding {
		bytes += whole
		copied += min(whole, sizes[held{m.key(), r}])
	}
	m.Bytes, m.Copied = &bytes, &copied
}

// rated notes how long it will take yet, from what had come before.
func (m *moving) rated(before moving, took time.Duration) {
	if before.Copied == nil || m.Copied == nil || *m.Copied <= *before.Copied {
		return
	}
	left := timeLeft(*m.Bytes-*m.Copied, *m.Copied-*before.Copied, took).Seconds()
	m.Left = &left
}

// timeLeft is how long so many bytes take where others took so long.
func timeLeft(left, came int64, took time.Duration) time.Duration {
	return time.Duration(float64(took) * float64(left) / float64(max(came, 1))).Round(time.Second)
}

// held is a replica.
type held struct {
	kafka.TopicPartition
	broker int32
}

// weigh asks the leaders, and the brokers to which replicas come, how many bytes they have. What is on a broker that does not answer is not known.
func weigh(ctx context.Context, a *command.App, s *command.Server, rows []moving) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	var names []string
	for i := range rows {
		names = append(names, rows[i].Topic)
	}
	topics, err := s.Topics(ctx, slices.Compact(names)...)
	if err != nil {
		return err
	}
	leaders := leadersOf(topics)
	asked := map[int32][]kafka.TopicPartition{}
	for i := range rows {
		row := &rows[i]
		leader, there := leaders[row.key()]
		if !there || leader < 0 || row.State != underWay {
			continue
		}
		for _, b := range append([]int32{leader}, except(row.Adding, []int32{leader})...) {
			asked[b] = append(asked[b], row.key())
		}
	}
	sizes := map[held]int64{}
	for broker, partitions := range asked {
		weighOn(ctx, s, broker, partitions, sizes)
	}
	for i := range rows {
		if leader, there := leaders[rows[i].key()]; there {
			rows[i].weighed(sizes, leader)
		}
	}
	return nil
}

// weighOn adds the sizes of replicas on one broker. Of one that is down nothing is known.
func weighOn(ctx context.Context, s *command.Server, broker int32, partitions []kafka.TopicPartition, sizes map[held]int64) {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	for _, some := range byTopic(partitions) {
		t := kmsg.NewDescribeLogDirsRequestTopic()
		t.Topic, t.Partitions = some[0].Topic, numbers(some)
		req.Topics = append(req.Topics, t)
	}
	answer, err := s.Broker(int(broker)).RetriableRequest(ctx, req)
	if err != nil {
		return
	}
	for _, d := range answer.(*kmsg.DescribeLogDirsResponse).Dirs {
		for _, t := range d.Topics {
			for _, p := range t.Partitions {
				if !p.IsFuture {
					sizes[held{kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}, broker}] = p.Size
				}
			}
		}
	}
}

var movingColumns = []command.Column[moving]{
	{Name: "TOPIC", Value: func(m moving) string { return m.Topic }},
	{Name: "PARTITION", Value: func(m moving) string { return strconv.Itoa(int(m.Partition)) }, Number: true},
	{Name: "REPLICAS", Value: func(m moving) string { return command.IDs(m.Replicas) }},
	{Name: "ADDING", Value: func(m moving) string { return command.IDs(m.Adding) }},
	{Name: "REMOVING", Value: func(m moving) string { return command.IDs(m.Removing) }},
	{Name: "COPIED", Value: func(m moving) string { return command.SizeOrDash(m.Copied) }, Number: true},
	{Name: "OF", Value: func(m moving) string { return command.SizeOrDash(m.Bytes) }, Number: true},
	{Name: "LEFT", Value: func(m moving) string {
		if m.Left == nil {
			return "-"
		}
		return (time.Duration(*m.Left) * time.Second).String()
	}, Number: true},
	{Name: "STATE", Value: func(m moving) string { return m.State }},
}

// printMoves writes what became of moves, or where they are.
func printMoves(a *command.App, rows []moving) error {
	return command.List(a, "MoveList", "moves", rows, movingColumns)
}
