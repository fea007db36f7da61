package command

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// Partition is one partition as Metadata describes it.
type Partition struct {
	Partition   int32   `json:"partition"`
	Leader      int32   `json:"leader"` // -1: none
	LeaderEpoch int32   `json:"leaderEpoch"`
	Replicas    []int32 `json:"replicas"` // the preferred leader first
	ISR         []int32 `json:"isr"`
	Offline     []int32 `json:"offlineReplicas,omitempty"`
	Error       string  `json:"error,omitempty"`
}

// Topic is one topic as Metadata describes it.
type Topic struct {
	Name       string      `json:"name"`
	ID         string      `json:"id"`
	Internal   bool        `json:"internal"`
	Partitions []Partition `json:"partitions"`
	Err        error
}

// Replication is the largest number of replicas that a partition has.
func (t Topic) Replication() int {
	n := 0
	for _, p := range t.Partitions {
		n = max(n, len(p.Replicas))
	}
	return n
}

// Topics asks for the named topics, or for all when none are named. Sorted by name; a topic's own failure is in its err.
func (s *Server) Topics(ctx context.Context, names ...string) ([]Topic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, n := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(n)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	all := make([]Topic, 0, len(resp.Topics))
	for _, t := range resp.Topics {
		all = append(all, ToTopic(t))
	}
	slices.SortFunc(all, func(x, y Topic) int { return strings.Compare(x.Name, y.Name) })
	return all, nil
}

// ToTopic sorts out what Metadata says of a topic.
func ToTopic(t kmsg.MetadataResponseTopic) Topic {
	out := Topic{ID: kafka.UUID(t.TopicID).String(), Internal: t.IsInternal, Err: kerr.ErrorForCode(t.ErrorCode), Partitions: []Partition{}}
	if t.Topic != nil {
		out.Name = *t.Topic
	}
	for _, p := range t.Partitions {
		q := Partition{Partition: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, Replicas: p.Replicas, ISR: p.ISR, Offline: p.OfflineReplicas}
		if k := kerr.TypedErrorForCode(p.ErrorCode); k != nil {
			q.Error = k.Message
		}
		out.Partitions = append(out.Partitions, q)
	}
	slices.SortFunc(out.Partitions, func(x, y Partition) int { return int(x.Partition - y.Partition) })
	return out
}

// NamedTopics asks for topics that must be there; those that are not come back as failures.
func (s *Server) NamedTopics(ctx context.Context, verb string, names []string) ([]Topic, *Failures, error) {
	all, err := s.Topics(ctx, names...)
	if err != nil {
		return nil, nil, s.Failed(fmt.Sprintf("%s topic %s", verb, Quoted(names)), err)
	}
	var found []Topic
	var f Failures
	for _, t := range all {
		if t.Err != nil {
			f.Add(s.missing(ctx, fmt.Sprintf("%s topic %q", verb, t.Name), t))
			continue
		}
		found = append(found, t)
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(t Topic) bool { return t.Name == name }) {
			f.Add(&Error{What: fmt.Sprintf("%s topic %q", verb, name), Where: s.Where, Err: ErrNotMentioned})
		}
	}
	f.Done = len(found)
	return found, &f, nil
}

// missing words the failure to find a topic, and looks for one of nearly the same name.
func (s *Server) missing(ctx context.Context, what string, t Topic) error {
	e := &Error{What: what, Where: s.Where, Err: t.Err, Hint: HintFor(t.Err)}
	if strings.ContainsAny(t.Name, "*?") {
		e.Hint = fmt.Sprintf("a pattern is for `ottla topic list '%s' -o name`, whose names the command takes", t.Name)
	}
	if exitFor(t.Err) != NotFound {
		return e
	}
	e.Err = Answered(t.Err, "there is no such topic")
	all, err := s.Topics(ctx)
	if err != nil {
		return e // the hint is a courtesy
	}
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	if hint := DidYouMean(t.Name, names); hint != "" {
		e.Hint = hint
	}
	return e
}

// NoPartition is the failure to find a partition of a topic that has only so many.
func (s *Server) NoPartition(what string, wanted int32, there int) error {
	return &Error{What: what, Where: s.Where, Exit: NotFound,
		Err: fmt.Errorf("there is no partition %d: it has %s, numbered from 0", wanted, Count(int64(there), "partition"))}
}

// Quoted lists names in quotation marks.
func Quoted(names []string) string {
	var q []string
	for _, n := range names {
		q = append(q, strconv.Quote(n))
	}
	return strings.Join(q, ", ")
}

// CheckNames refuses names that no topic can have.
func CheckNames(names []string) error {
	for _, n := range names {
		if err := kafka.CheckTopicName(n); err != nil {
			return Usagef("a topic can't have this name: %v", err)
		}
	}
	return nil
}

// IDs lists the ids of nodes, "-" for none.
func IDs(list []int32) string {
	if len(list) == 0 {
		return "-"
	}
	var s []string
	for _, n := range list {
		s = append(s, strconv.Itoa(int(n)))
	}
	return strings.Join(s, ",")
}

// settleFor bounds the wait for a new topic's leaders, and settleEvery is how often it looks.
const (
	settleFor   = 3 * time.Second
	settleEvery = 20 * time.Millisecond
)

// Settle waits until all of the new topics are known with all their leaders, so that the next request finds them. A cluster that takes
// longer is not in error.
func (s *Server) Settle(ctx context.Context, names ...string) {
	if len(names) == 0 {
		return
	}
	_ = Until(ctx, settleEvery, settleFor, func(ctx context.Context) (bool, error) {
		all, err := s.Topics(ctx, names...)
		return !slices.ContainsFunc(all, Topic.unsettled), err
	})
}

// Until asks every so often whether something is so, until it is, an answer is an error, or patience is at its end, which is none; a patience of 0
// has no end.
func Until(ctx context.Context, every, patience time.Duration, so func(context.Context) (bool, error)) error {
	whole := ctx
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		is, err := so(ctx)
		switch {
		case ctx.Err() != nil:
			return whole.Err()
		case is || err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return whole.Err()
		case <-tick.C:
		}
	}
}

// unsettled reports whether the topic is unknown or a partition has no leader.
func (t Topic) unsettled() bool {
	return t.Err != nil || slices.ContainsFunc(t.Partitions, func(p Partition) bool { return p.Leader < 0 })
}
