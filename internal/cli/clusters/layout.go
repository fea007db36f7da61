package clusters

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/clusters/moves"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// layout is where the replicas of all partitions are, and where they are going.
type layout struct {
	meta *kmsg.MetadataResponse
	up   []moves.Broker // the brokers that are up, by id
	// partitions are those that have replicas, by topic and number. Of one on its way the replicas are those that it is to have.
	partitions []moves.Partition
	flights    map[kafka.TopicPartition]flight
}

// flight is a move of replicas that is under way.
type flight struct {
	to, adding, removing []int32
}

func lookAtLayout(ctx context.Context, s *command.Server) (*layout, error) {
	flights, err := flightsOf(ctx, s) // first: what ends meanwhile is seen as it will be
	if err != nil {
		return nil, s.Failed("list moves", err)
	}
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, s.Client)
	if err != nil {
		return nil, s.Failed("look at the partitions", err)
	}
	l := &layout{meta: meta, flights: flights}
	for _, b := range meta.Brokers {
		up := moves.Broker{ID: b.NodeID}
		if b.Rack != nil {
			up.Rack = *b.Rack
		}
		l.up = append(l.up, up)
	}
	slices.SortFunc(l.up, func(x, y moves.Broker) int { return cmp.Compare(x.ID, y.ID) })
	for _, t := range meta.Topics {
		topic := command.ToTopic(t)
		for _, p := range topic.Partitions {
			one := moves.Partition{TopicPartition: kafka.TopicPartition{Topic: topic.Name, Partition: p.Partition}, Replicas: p.Replicas, ISR: p.ISR, Leader: p.Leader}
			if f, under := flights[one.TopicPartition]; under {
				one.Replicas = f.to
			}
			if len(one.Replicas) > 0 {
				l.partitions = append(l.partitions, one)
			}
		}
	}
	slices.SortFunc(l.partitions, func(x, y moves.Partition) int { return byName(x.TopicPartition, y.TopicPartition) })
	return l, nil
}

// flightsOf lists the moves that are under way.
func flightsOf(ctx context.Context, s *command.Server) (map[kafka.TopicPartition]flight, error) {
	resp, err := kmsg.NewPtrListPartitionReassignmentsRequest().RequestWith(ctx, s.Client)
	if err == nil {
		err = command.Answered(kerr.ErrorForCode(resp.ErrorCode), command.OrEmpty(resp.ErrorMessage))
	}
	if err != nil {
		return nil, err
	}
	flights := map[kafka.TopicPartition]flight{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			flights[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = flight{
				to: except(p.Replicas, p.RemovingReplicas), adding: p.AddingReplicas, removing: p.RemovingReplicas,
			}
		}
	}
	return flights, nil
}

// isUp reports whether clients can reach a broker.
func (l *layout) isUp(id int32) bool {
	return slices.ContainsFunc(l.up, func(b moves.Broker) bool { return b.ID == id })
}

// others are the brokers that are up, without one.
func (l *layout) others(id int32) []moves.Broker {
	return slices.DeleteFunc(slices.Clone(l.up), func(b moves.Broker) bool { return b.ID == id })
}

// named are the brokers that are up of those named, or all where none is.
func (l *layout) named(s *command.Server, what string, names []int32) ([]moves.Broker, error) {
	if len(names) == 0 {
		return l.up, nil
	}
	for _, id := range names {
		if !l.isUp(id) {
			return nil, noBroker(s, what, id)
		}
	}
	return slices.DeleteFunc(slices.Clone(l.up), func(b moves.Broker) bool { return !slices.Contains(names, b.ID) }), nil
}

// noBroker says that a broker is not there, or down.
func noBroker(s *command.Server, what string, id int32) error {
	return &command.Error{What: what, Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("there is no broker %d, or it is down", id),
		Hint: "`ottla cluster brokers` shows those that are up"}
}

// wanted names a partition, or with a negative number all of a topic.
type wanted = kafka.TopicPartition

// parseWanted reads TOPIC or TOPIC/PARTITION.
func parseWanted(args []string) ([]wanted, error) {
	var all []wanted
	for _, arg := range args {
		name, number, single := strings.Cut(arg, "/")
		w := wanted{Topic: name, Partition: -1}
		if single {
			n, err := strconv.ParseInt(number, 10, 32)
			if err != nil || n < 0 {
				return nil, command.Usagef("%q: want TOPIC or TOPIC/PARTITION, such as orders/0", arg)
			}
			w.Partition = int32(n)
		}
		if err := command.CheckNames([]string{name}); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// selects reports whether a partition is among those that are wanted; nothing wanted is all.
func selects(all []wanted, p kafka.TopicPartition) bool {
	return len(all) == 0 || slices.ContainsFunc(all, func(w wanted) bool {
		return w.Topic == p.Topic && (w.Partition < 0 || w.Partition == p.Partition)
	})
}

// missing is a failure for each topic and each partition that is wanted and not there.
func (l *layout) missing(ctx context.Context, s *command.Server, all []wanted) error {
	var names []string
	for _, w := range all {
		names = append(names, w.Topic)
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	found, f, err := s.NamedTopics(ctx, "move", slices.Compact(names))
	if err != nil {
		return err
	}
	f.Done = 0 // nothing is done yet
	for _, w := range all {
		there := slices.ContainsFunc(l.partitions, func(p moves.Partition) bool { return selects([]wanted{w}, p.TopicPartition) })
		if !there && slices.ContainsFunc(found, func(t command.Topic) bool { return t.Name == w.Topic }) {
			f.Add(&command.Error{What: fmt.Sprintf("move topic %q", w.Topic), Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("there is no partition %d", w.Partition)})
		}
	}
	return f.Or()
}

func byName(x, y kafka.TopicPartition) int {
	return cmp.Or(strings.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
}

func except(list, drop []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(n int32) bool { return slices.Contains(drop, n) })
}
