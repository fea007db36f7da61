package groups

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// Command is `ottla group`.
func Command(a *command.App) *cobra.Command {
	cmd := command.Parent(&cobra.Command{Use: "group", Short: "List, describe, watch, seek and delete groups of consumers"},
		groupList(a), groupDescribe(a), groupWatch(a), groupOffsets(a), groupSeek(a), groupDelete(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}

// Plural is the plural that many type first.
func Plural(a *command.App) *cobra.Command {
	return a.Plural(groupList(a), "groups")
}

// groupRow is a group in a list.
type groupRow struct {
	Name        string `json:"name"`
	Type        string `json:"type"`         // classic, consumer, share, streams
	Protocol    string `json:"protocolType"` // "consumer" of consumers, "" where there are only offsets
	State       string `json:"state"`
	Coordinator int32  `json:"coordinator"` // the broker's id
}

var (
	groupTypes  = []string{"classic", "consumer", "share", "streams"}
	groupStates = []string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Assigning", "Reconciling", "NotReady", "Dead"}
)

func groupList(a *command.App) *cobra.Command {
	types, states := command.SomeOf{Words: groupTypes}, command.SomeOf{Words: groupStates}
	cmd := &cobra.Command{
		Use:               "list [PATTERN]",
		Aliases:           []string{"ls"},
		Short:             "List groups",
		Long:              "List groups, all or those whose name matches a pattern of the shell's kind, such as 'billing-*'.",
		Args:              command.Args(0, 1, "one PATTERN at most"),
		ValidArgsFunction: completeGroups(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			pattern := append(args, "*")[0]
			if err := checkPattern(pattern); err != nil {
				return err
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				rows, err := groups(ctx, s)
				if err != nil {
					return s.Failed("list groups", err)
				}
				rows = slices.DeleteFunc(rows, func(g groupRow) bool {
					fits, _ := path.Match(pattern, g.Name)
					return !fits || !types.Wants(g.Type) || !states.Wants(g.State)
				})
				if len(rows) == 0 {
					a.Next("`ottla consume TOPIC --group NAME%s` makes one", a.Again())
				}
				return command.List(a, "GroupList", "groups", rows, groupColumns)
			})
		},
	}
	cmd.Flags().Var(&types, "type", "only groups of these types")
	cmd.Flags().Var(&states, "state", "only groups in these states")
	command.CompleteWords(cmd, "type", groupTypes)
	command.CompleteWords(cmd, "state", groupStates)
	return a.Prints(cmd, command.ListOf[groupRow]("GroupList", "groups"))
}

var groupColumns = []command.Column[groupRow]{
	{Name: "NAME", Value: func(g groupRow) string { return g.Name }},
	{Name: "TYPE", Value: func(g groupRow) string { return g.Type }},
	{Name: "STATE", Value: func(g groupRow) string { return g.State }},
	{Name: "PROTOCOL", Value: func(g groupRow) string { return g.Protocol }},
	{Name: "COORDINATOR", Value: func(g groupRow) string { return strconv.Itoa(int(g.Coordinator)) }, Number: true},
}

func checkPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return command.Usagef("%q is not a pattern", pattern)
	}
	return nil
}

// groups lists the groups of all brokers, sorted by name. Each broker knows those that it coordinates.
func groups(ctx context.Context, s *command.Server) ([]groupRow, error) {
	var rows []groupRow
	for _, shard := range s.RequestSharded(ctx, kmsg.NewPtrListGroupsRequest()) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		resp := shard.Resp.(*kmsg.ListGroupsResponse)
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
			return nil, err
		}
		for _, g := range resp.Groups {
			row := groupRow{g.Group, strings.ToLower(g.GroupType), g.ProtocolType, g.GroupState, shard.Meta.NodeID}
			if row.Type == "" { // before ListGroups 5 there was one type
				row.Type = "classic"
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(x, y groupRow) int { return strings.Compare(x.Name, y.Name) })
	return rows, nil
}

// groupNames are the groups that a command is for: those that are named, and those that match a pattern.
type groupNames struct{ match string }

func (g *groupNames) args(c *cobra.Command, args []string) error {
	if len(args) == 0 && g.match == "" {
		e := command.Usagef("%s needs the NAME of a group", c.CommandPath())
		e.Hint = "--match 'PATTERN' takes all that match, `ottla group list` shows them"
		return e
	}
	return checkPattern(g.match)
}

func (g *groupNames) flags(cmd *cobra.Command) {
	cmd.Args = g.args
	cmd.Flags().StringVar(&g.match, "match", "", "all groups whose name matches a `PATTERN` of the shell's kind too")
}

// find returns the names without repetition, sorted.
func (g *groupNames) find(ctx context.Context, s *command.Server, named []string) ([]string, error) {
	names := slices.Clone(named)
	if g.match != "" {
		all, err := groups(ctx, s)
		if err != nil {
			return nil, s.Failed("list groups", err)
		}
		for _, row := range all {
			if fits, _ := path.Match(g.match, row.Name); fits {
				names = append(names, row.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// missingGroup words the failure to find a group, and looks for one of nearly the same name.
func missingGroup(ctx context.Context, s *command.Server, what, name string) error {
	e := &command.Error{What: what, Where: s.Where, Err: command.Answered(kerr.GroupIDNotFound, "there is no such group"), Hint: command.HintFor(kerr.GroupIDNotFound)}
	all, err := groups(ctx, s)
	if err != nil {
		return e // the hint is a courtesy
	}
	var names []string
	for _, row := range all {
		names = append(names, row.Name)
	}
	if hint := command.DidYouMean(name, names); hint != "" {
		e.Hint = hint
	}
	return e
}

// coordinatorOf is the broker that answered a shard of a request.
func coordinatorOf(shard kgo.ResponseShard) groupCoordinator {
	return groupCoordinator{ID: shard.Meta.NodeID, Host: shard.Meta.Host, Port: shard.Meta.Port}
}

// groupError is the error code that stands for a group in an answer, nil also for one that is just not there.
func groupError(code int16) (err error, there bool) { // the error is what is asked for
	err = kerr.ErrorForCode(code)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, false
	}
	return err, err == nil
}
