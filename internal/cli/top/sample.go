package top

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// sample is the cluster at one moment. Lists are sorted by name or id.
type sample struct {
	At         time.Time `json:"at"`
	Cluster    string    `json:"clusterId"`
	Controller int32     `json:"controller"` // -1: none
	Brokers    []broker  `json:"brokers"`
	Topics     []topic   `json:"topics"`
	Groups     []group   `json:"groups"`
}

type broker struct {
	ID       int32  `json:"id"`
	Address  string `json:"address"`
	Rack     string `json:"rack,omitempty"`
	Leaders  int    `json:"leaders"`
	Replicas int    `json:"replicas"`
	Bytes    int64  `json:"bytes"` // of logs; -1: not told
}

type topic struct {
	Name       string `json:"name"`
	Partitions int    `json:"partitions"`
	Leaderless int    `json:"partitionsWithoutLeader"`
	Lagging    int    `json:"partitionsUnderReplicated"`
	Records    int64  `json:"records"`      // that are in the log, as far as offsets tell
	Written    int64  `json:"logEndOffset"` // the sum over all partitions; -1: not told
	Bytes      int64  `json:"bytes"`        // of all replicas; -1: not told
}

type group struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Topics   int    `json:"topics"`
	Consumed int64  `json:"committed"` // the sum of all committed offsets
	Lag      int64  `json:"lag"`       // of what it has committed; -1: nothing, or not told
}

// look asks the server for everything. What a server does not tell, or refuses to, is left out; only Metadata must succeed.
func look(ctx context.Context, s *command.Server, at time.Time) (*sample, error) {
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, s.Client)
	if err != nil {
		return nil, s.Failed("look at the cluster", err)
	}
	out := &sample{At: at, Controller: meta.ControllerID, Brokers: []broker{}, Topics: []topic{}, Groups: []group{}}
	if meta.ClusterID != nil {
		out.Cluster = *meta.ClusterID
	}
	names := make([]string, 0, len(meta.Topics)) // without them internal ones are left out
	for _, t := range meta.Topics {
		if t.Topic != nil {
			names = append(names, *t.Topic)
		}
	}
	starts, _ := s.Admin.ListStartOffsets(ctx, names...)
	ends, _ := s.Admin.ListEndOffsets(ctx, names...)
	dirs, _ := s.Admin.DescribeAllLogDirs(ctx, nil)
	ofTopics, ofBrokers := bytesOf(dirs)
	leaders, replicas := map[int32]int{}, map[int32]int{}
	for _, t := range meta.Topics {
		one := command.ToTopic(t)
		row := topic{Name: one.Name, Partitions: len(one.Partitions), Bytes: -1}
		for _, p := range one.Partitions {
			leaders[p.Leader]++
			for _, r := range p.Replicas {
				replicas[r]++
			}
			if p.Leader < 0 {
				row.Leaderless++
			}
			if len(p.ISR) < len(p.Replicas) {
				row.Lagging++
			}
		}
		row.Records, row.Written = held(starts[row.Name], ends[row.Name])
		if n, ok := ofTopics[row.Name]; ok {
			row.Bytes = n
		}
		out.Topics = append(out.Topics, row)
	}
	for _, b := range meta.Brokers {
		row := broker{ID: b.NodeID, Address: net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), Leaders: leaders[b.NodeID], Replicas: replicas[b.NodeID], Bytes: -1}
		if b.Rack != nil {
			row.Rack = *b.Rack
		}
		if n, ok := ofBrokers[b.NodeID]; ok {
			row.Bytes = n
		}
		out.Brokers = append(out.Brokers, row)
	}
	out.Groups = lookAtGroups(ctx, s, ends)
	slices.SortFunc(out.Topics, func(x, y topic) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(out.Brokers, func(x, y broker) int { return cmp.Compare(x.ID, y.ID) })
	return out, nil
}

// held sums up the offsets of a topic: how many it holds, and where all logs end together.
func held(starts, ends map[int32]kadm.ListedOffset) (records, written int64) {
	if len(ends) == 0 {
		return 0, -1
	}
	for p, e := range ends {
		if e.Err != nil || e.Offset < 0 {
			continue
		}
		written += e.Offset
		if s, ok := starts[p]; ok && s.Err == nil {
			records += e.Offset - s.Offset
		}
	}
	return records, written
}

func bytesOf(dirs kadm.DescribedAllLogDirs) (topics map[string]int64, brokers map[int32]int64) {
	topics, brokers = map[string]int64{}, map[int32]int64{}
	dirs.Each(func(d kadm.DescribedLogDir) {
		if d.Err != nil {
			return
		}
		brokers[d.Broker] += 0
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if !p.IsFuture { // one that moves is there twice
				topics[p.Topic] += p.Size
			}
			brokers[d.Broker] += p.Size
		})
	})
	return topics, brokers
}

func lookAtGroups(ctx context.Context, s *command.Server, ends kadm.ListedOffsets) []group {
	listed, err := s.Admin.ListGroups(ctx)
	if err != nil && len(listed) == 0 {
		return []group{}
	}
	rows := []group{}
	committed := s.Admin.FetchManyOffsets(ctx, listed.Groups()...)
	for _, g := range listed.Sorted() {
		row := group{Name: g.Group, State: g.State, Lag: -1}
		if answer, ok := committed[g.Group]; ok && answer.Err == nil {
			topics := map[string]bool{}
			answer.Fetched.Each(func(o kadm.OffsetResponse) {
				if o.Err != nil || o.At < 0 {
					return
				}
				topics[o.Topic] = true
				row.Lag = max(row.Lag, 0)
				row.Consumed += o.At
				if e, ok := ends.Lookup(o.Topic, o.Partition); ok && e.Err == nil {
					row.Lag += max(e.Offset-o.At, 0)
				}
			})
			row.Topics = len(topics)
		}
		rows = append(rows, row)
	}
	return rows
}
