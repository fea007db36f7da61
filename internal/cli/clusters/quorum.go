package clusters

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// replicaState is a node that holds the metadata log.
type replicaState struct {
	Node int32  `json:"node"`
	Role string `json:"role"` // leader, voter, observer
	// End is the offset up to which the node has the log, exclusive; Behind is how many the leader has more. -1: not known.
	End    int64 `json:"logEndOffset"`
	Behind int64 `json:"behind"`
	// Fetched and CaughtUp are in milliseconds since 1970, null where the leader has not seen it.
	Fetched  *int64 `json:"lastFetchTimestamp"`
	CaughtUp *int64 `json:"lastCaughtUpTimestamp"`
}

// quorum is what `cluster quorum` tells.
type quorum struct {
	Leader        int32          `json:"leader"`
	Epoch         int32          `json:"leaderEpoch"`
	HighWatermark int64          `json:"highWatermark"`
	Nodes         []replicaState `json:"nodes"`
}

// errLeaderless says that nobody decides on changes of metadata.
var errLeaderless = errors.New("the metadata quorum has no leader")

func clusterQuorum(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quorum",
		Short: "Show who leads the metadata quorum, and how far the others are behind",
		Args:  command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				p, err := askQuorum(ctx, s)
				if err != nil {
					return s.Failed("cluster quorum", err)
				}
				q := toQuorum(p)
				if a.Output.Value != "table" {
					return a.Object("Quorum", q)
				}
				fmt.Fprintf(a.Out, "Leader:          %d\nEpoch:           %d\nHigh watermark:  %d\n\n", q.Leader, q.Epoch, q.HighWatermark)
				return a.Table(command.TableOf(q.Nodes, replicaColumns))
			})
		},
	}
	return a.Prints(cmd, command.ObjectOf[quorum]("Quorum"))
}

// askQuorum asks for the state of the metadata quorum.
func askQuorum(ctx context.Context, s *command.Server) (*kmsg.DescribeQuorumResponseTopicPartition, error) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err == nil && (len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1) {
		err = command.ErrNotMentioned
	}
	if err != nil {
		return nil, err
	}
	p := &resp.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		return nil, err
	}
	if p.LeaderID < 0 {
		return nil, errLeaderless
	}
	return p, nil
}

func toQuorum(p *kmsg.DescribeQuorumResponseTopicPartition) *quorum {
	q := &quorum{Leader: p.LeaderID, Epoch: p.LeaderEpoch, HighWatermark: p.HighWatermark, Nodes: []replicaState{}}
	var end int64 = -1
	add := func(role string, states []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) {
		for _, r := range states {
			f := replicaState{Node: r.ReplicaID, Role: role, End: r.LogEndOffset, Behind: -1, Fetched: known(r.LastFetchTimestamp), CaughtUp: known(r.LastCaughtUpTimestamp)}
			if r.ReplicaID == p.LeaderID {
				f.Role, end = "leader", r.LogEndOffset
			}
			q.Nodes = append(q.Nodes, f)
		}
	}
	add("voter", p.CurrentVoters)
	add("observer", p.Observers)
	for i := range q.Nodes {
		if n := &q.Nodes[i]; end >= 0 && n.End >= 0 {
			n.Behind = max(0, end-n.End)
		}
	}
	slices.SortStableFunc(q.Nodes, func(x, y replicaState) int { return cmp.Compare(x.Node, y.Node) })
	return q
}

// known is a time, nil where there is none.
func known(ms int64) *int64 {
	if ms < 0 {
		return nil
	}
	return &ms
}

var replicaColumns = []command.Column[replicaState]{
	{Name: "NODE", Value: func(r replicaState) string { return strconv.Itoa(int(r.Node)) }, Number: true},
	{Name: "ROLE", Value: func(r replicaState) string { return r.Role }},
	{Name: "END", Value: func(r replicaState) string { return command.OrDash(r.End >= 0, r.End) }, Number: true},
	{Name: "BEHIND", Value: func(r replicaState) string { return command.OrDash(r.Behind >= 0, r.Behind) }, Number: true},
	{Name: "FETCHED", Value: func(r replicaState) string { return command.Moment(r.Fetched) }},
	{Name: "CAUGHT UP", Value: func(r replicaState) string { return command.Moment(r.CaughtUp) }},
}
