package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/cli/command"
)

// groupDescription is a group as operators see it.
type groupDescription struct {
	Name        string           `json:"name"`
	Type        string           `json:"type"`
	State       string           `json:"state"`
	Protocol    string           `json:"protocolType,omitempty"`
	Assignor    string           `json:"assignor,omitempty"`
	Epoch       *int32           `json:"epoch,omitempty"` // of the consumer protocol
	Coordinator groupCoordinator `json:"coordinator"`
	Lag         *int64           `json:"lag"`        // records, of all partitions; nil: no offset is committed
	LagSeconds  *float64         `json:"lagSeconds"` // of the partition that is furthest behind; nil: not known
	Members     []groupMember    `json:"members"`
	Partitions  []groupPartition `json:"partitions"`
}

// groupCoordinator is the broker that a group belongs to.
type groupCoordinator struct {
	ID   int32  `json:"id"`
	Host string `json:"host"`
	Port int32  `json:"port"`
}

// groupMember is a member of a group.
type groupMember struct {
	ID         string            `json:"id"`
	Instance   string            `json:"instanceId,omitempty"`
	Client     string            `json:"clientId"`
	Host       string            `json:"host"`
	Rack       string            `json:"rack,omitempty"`
	Epoch      *int32            `json:"epoch,omitempty"` // of the consumer protocol
	Subscribed []string          `json:"subscribed,omitempty"`
	Pattern    string            `json:"subscribedPattern,omitempty"`
	Assignment []topicPartitions `json:"assignment"`
	// Target is where the consumer protocol wants the assignment to go, left out where it has arrived.
	Target []topicPartitions `json:"target,omitempty"`
}

// topicPartitions is some partitions of a topic.
type topicPartitions struct {
	Topic      string  `json:"topic"`
	Partitions []int32 `json:"partitions"`
}

func groupDescribe(a *command.App) *cobra.Command {
	var names groupNames
	cmd := &cobra.Command{
		Use:   "describe NAME...",
		Short: "Show a group's members, assignments, offsets and lag",
		Long: "Show a group's members, what is assigned to them, the committed offsets, and how far these are behind:\n" +
			"in records, and in seconds since the first record that is not consumed yet was written.\n" +
			"The seconds are known to Ottla; of another server they are shown as \"-\".",
		ValidArgsFunction: completeGroups(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				found, err := names.find(ctx, s, args)
				if err != nil {
					return err
				}
				all, f := describeGroups(ctx, s, found)
				if err := printGroups(a, all); err != nil {
					return err
				}
				return f.Or()
			})
		},
	}
	names.flags(cmd)
	return a.Prints(cmd, command.ListOf[groupDescription]("GroupDescriptionList", "groups"))
}

// describeGroups describes groups in the order of names, with offsets and lag.
func describeGroups(ctx context.Context, s *command.Server, names []string) ([]groupDescription, *command.Failures) {
	var all []groupDescription
	f := &command.Failures{}
	for _, name := range names {
		what := fmt.Sprintf("describe group %q", name)
		d, err := lookAtGroup(ctx, s, name)
		if err != nil {
			f.Add(s.Failed(what, err))
			continue
		}
		if d == nil {
			f.Add(missingGroup(ctx, s, what, name))
			continue
		}
		if err := addLag(ctx, s, d); err != nil {
			f.Add(s.Failed(what, err))
			continue
		}
		all = append(all, *d)
	}
	f.Done = len(all)
	return all, f
}

// lookAtGroup describes a group without its offsets. It returns nil for one that is not there.
//
// Nothing but the answer tells of which type a group is, so it is asked for as one of the consumer protocol first, as
// Kafka's own tools do.
func lookAtGroup(ctx context.Context, s *command.Server, name string) (d *groupDescription, err error) {
	err = coordinated(ctx, func() error {
		if d, err = lookAtModern(ctx, s, name); d == nil && err == nil {
			d, err = lookAtClassic(ctx, s, name)
		}
		return err
	})
	return d, err
}

// coordinatorPatience is how long a command waits for a coordinator. The first question of all for a group has the server
// make a topic first, and a coordinator that has just begun reads that.
const coordinatorPatience = 3 * time.Second

// coordinated asks until there is a coordinator that answers.
func coordinated(ctx context.Context, ask func() error) error {
	patience, cancel := context.WithTimeout(ctx, coordinatorPatience)
	defer cancel()
	for {
		err := ask()
		if !errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.CoordinatorLoadInProgress) && !errors.Is(err, kerr.NotCoordinator) {
			return err
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(coordinatorPatience / 30):
		}
	}
}

func lookAtModern(ctx context.Context, s *command.Server, name string) (*groupDescription, error) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{name}
	shard := s.RequestSharded(ctx, req)[0]
	if shard.Err != nil { // a server without the protocol; any other reason meets the next request as well
		return nil, ctx.Err()
	}
	groups := shard.Resp.(*kmsg.ConsumerGroupDescribeResponse).Groups
	if len(groups) == 0 {
		return nil, command.ErrNotMentioned
	}
	g := groups[0]
	err, there := groupError(g.ErrorCode)
	if !there {
		return nil, err
	}
	d := &groupDescription{Name: g.Group, Type: "consumer", State: g.State, Protocol: "consumer", Assignor: g.AssignorName,
		Epoch: &g.Epoch, Coordinator: coordinatorOf(shard), Members: []groupMember{}}
	for _, m := range g.Members {
		d.Members = append(d.Members, modernMember(m))
	}
	d.sortMembers()
	return d, nil
}

func modernMember(m kmsg.ConsumerGroupDescribeResponseGroupMember) groupMember {
	out := groupMember{ID: m.MemberID, Instance: command.OrEmpty(m.InstanceID), Client: m.ClientID, Host: hostOf(m.ClientHost), Rack: command.OrEmpty(m.RackID),
		Epoch: &m.MemberEpoch, Subscribed: m.SubscribedTopics, Pattern: command.OrEmpty(m.SubscribedTopicRegex)}
	var target []topicPartitions
	for _, t := range m.Assignment.TopicPartitions {
		out.Assignment = append(out.Assignment, topicPartitions{t.Topic, t.Partitions})
	}
	for _, t := range m.TargetAssignment.TopicPartitions {
		target = append(target, topicPartitions{t.Topic, t.Partitions})
	}
	out.Assignment, target = inOrder(out.Assignment), inOrder(target)
	if assignmentText(target) != assignmentText(out.Assignment) {
		out.Target = target
	}
	return out
}

func lookAtClassic(ctx context.Context, s *command.Server, name string) (*groupDescription, error) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{name}
	shard := s.RequestSharded(ctx, req)[0]
	if shard.Err != nil {
		return nil, shard.Err
	}
	groups := shard.Resp.(*kmsg.DescribeGroupsResponse).Groups
	if len(groups) == 0 {
		return nil, command.ErrNotMentioned
	}
	g := groups[0]
	err, there := groupError(g.ErrorCode)
	if !there || g.State == "Dead" { // before version 6 that is what a group is that is not there
		return nil, err
	}
	d := &groupDescription{Name: g.Group, Type: "classic", State: g.State, Protocol: g.ProtocolType, Assignor: g.Protocol,
		Coordinator: coordinatorOf(shard), Members: []groupMember{}}
	for _, m := range g.Members {
		d.Members = append(d.Members, classicMember(m, g.ProtocolType))
	}
	d.sortMembers()
	return d, nil
}

// classicMember reads what a member told others of itself, where that is in the language of consumers.
func classicMember(m kmsg.DescribeGroupsResponseGroupMember, protocol string) groupMember {
	out := groupMember{ID: m.MemberID, Instance: command.OrEmpty(m.InstanceID), Client: m.ClientID, Host: hostOf(m.ClientHost)}
	if protocol == "consumer" {
		var told kmsg.ConsumerMemberMetadata
		if told.ReadFrom(m.ProtocolMetadata) == nil {
			out.Subscribed = told.Topics
			out.Rack = command.OrEmpty(told.Rack)
		}
		var given kmsg.ConsumerMemberAssignment
		if given.ReadFrom(m.MemberAssignment) == nil {
			for _, t := range given.Topics {
				out.Assignment = append(out.Assignment, topicPartitions{t.Topic, t.Partitions})
			}
		}
	}
	out.Assignment = inOrder(out.Assignment)
	return out
}

// hostOf takes the slash from an address as Java writes it.
func hostOf(s string) string { return strings.TrimPrefix(s, "/") }

func inOrder(list []topicPartitions) []topicPartitions {
	for _, t := range list {
		slices.Sort(t.Partitions)
	}
	slices.SortFunc(list, func(x, y topicPartitions) int { return strings.Compare(x.Topic, y.Topic) })
	return command.OrNone(list)
}

func (d *groupDescription) sortMembers() {
	slices.SortFunc(d.Members, func(x, y groupMember) int {
		return strings.Compare(x.Client+"\x00"+x.ID, y.Client+"\x00"+y.ID)
	})
}

// active reports whether the group has members, which would commit over what others commit for it.
func (d *groupDescription) active() bool {
	return len(d.Members) > 0 || d.State != "Empty"
}

// assignmentText writes partitions as orders:0,1 payments:2.
func assignmentText(list []topicPartitions) string {
	var s []string
	for _, t := range list {
		s = append(s, t.Topic+":"+command.IDs(t.Partitions))
	}
	return strings.Join(s, " ")
}

// addLag adds the partitions that are committed or assigned, and how far the committed offsets are behind.
func addLag(ctx context.Context, s *command.Server, d *groupDescription) error {
	committed, err := committed(ctx, s, d.Name)
	if err != nil {
		return err
	}
	rows := map[command.PartitionKey]*groupPartition{}
	for key, c := range committed {
		rows[key] = &groupPartition{Topic: key.Topic, Partition: key.Partition, Committed: &c.offset, Metadata: c.metadata, topicID: c.topicID}
	}
	for _, m := range d.Members {
		for _, t := range m.Assignment {
			for _, p := range t.Partitions {
				key := command.PartitionKey{Topic: t.Topic, Partition: p}
				if rows[key] == nil {
					rows[key] = &groupPartition{Topic: t.Topic, Partition: p}
				}
				rows[key].Member, rows[key].Client, rows[key].Host = m.ID, m.Client, m.Host
			}
		}
	}
	d.Partitions = []groupPartition{}
	for _, row := range rows {
		d.Partitions = append(d.Partitions, *row)
	}
	slices.SortFunc(d.Partitions, func(x, y groupPartition) int {
		return comparePartitions(command.PartitionKey{Topic: x.Topic, Partition: x.Partition}, command.PartitionKey{Topic: y.Topic, Partition: y.Partition})
	})
	if err := askLag(ctx, s, d.Partitions); err != nil {
		return err
	}
	d.sum()
	return nil
}

// sum adds up the lag of the partitions.
func (d *groupDescription) sum() {
	for _, p := range d.Partitions {
		if p.Lag != nil {
			total := *p.Lag
			if d.Lag != nil {
				total += *d.Lag
			}
			d.Lag = &total
		}
		if p.LagSeconds != nil && (d.LagSeconds == nil || *p.LagSeconds > *d.LagSeconds) {
			d.LagSeconds = p.LagSeconds
		}
	}
}

// commitment is what a group has committed for a partition.
type commitment struct {
	offset   int64
	metadata string
	topicID  kafka.TopicID // zero where the server does not say
}

// committed returns the offsets that a group has committed.
func committed(ctx context.Context, s *command.Server, name string) (map[command.PartitionKey]commitment, error) {
	var answers kadm.OffsetResponses
	err := coordinated(ctx, func() (err error) {
		answers, err = s.Admin.FetchOffsets(ctx, name)
		return err
	})
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // some say so, others that there are none
		return nil, err
	}
	all := map[command.PartitionKey]commitment{}
	var failed []error
	for topic, partitions := range answers {
		for p, o := range partitions {
			if o.Err != nil {
				failed = append(failed, o.Err)
			} else if o.At >= 0 {
				all[command.PartitionKey{Topic: topic, Partition: p}] = commitment{o.At, o.Metadata, kafka.TopicID(o.TopicID)}
			}
		}
	}
	return all, errors.Join(failed...)
}
