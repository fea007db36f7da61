package groups

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/cli/command"
)

func printGroups(a *command.App, all []groupDescription) error {
	return command.ListBy(a, "GroupDescriptionList", "groups", all, descriptionColumns, func(all []groupDescription) error {
		for i, d := range all {
			if i > 0 {
				fmt.Fprintln(a.Out)
			}
			if err := printGroup(a, &d); err != nil {
				return err
			}
		}
		return nil
	})
}

// descriptionColumns are what -o csv tells of a group: members and partitions have no place in a line.
var descriptionColumns = []command.Column[groupDescription]{
	{Name: "NAME", Value: func(d groupDescription) string { return d.Name }},
	{Name: "TYPE", Value: func(d groupDescription) string { return d.Type }},
	{Name: "STATE", Value: func(d groupDescription) string { return d.State }},
	{Name: "COORDINATOR", Value: func(d groupDescription) string { return strconv.Itoa(int(d.Coordinator.ID)) }, Number: true},
	{Name: "MEMBERS", Value: func(d groupDescription) string { return strconv.Itoa(len(d.Members)) }, Number: true},
	{Name: "LAG", Value: func(d groupDescription) string { return command.OffsetText(d.Lag) }, Number: true},
	{Name: "SECONDS", Value: func(d groupDescription) string { return seconds(d.LagSeconds) }, Number: true},
}

func printGroup(a *command.App, d *groupDescription) error {
	lag := "-"
	switch {
	case d.Lag != nil:
		lag = command.Count(*d.Lag, "record")
	case !slices.ContainsFunc(d.Partitions, func(p groupPartition) bool { return p.Committed != nil }):
		lag = "nothing committed yet"
		if len(d.Members) == 0 {
			lag = "nothing is committed, or of topics that were deleted since"
		}
	}
	if d.LagSeconds != nil {
		lag += ", " + seconds(d.LagSeconds) + " seconds"
	}
	kind := d.Type
	if d.Epoch != nil {
		kind += fmt.Sprintf(" (epoch %d)", *d.Epoch)
	}
	at := net.JoinHostPort(d.Coordinator.Host, strconv.Itoa(int(d.Coordinator.Port)))
	fmt.Fprintf(a.Out, "Group:        %s\nType:         %s\nState:        %s\nAssignor:     %s\nCoordinator:  %d (%s)\nMembers:      %d\nLag:          %s\n",
		d.Name, kind, d.State, command.Dash(d.Assignor), d.Coordinator.ID, at, len(d.Members), lag)
	if len(d.Partitions) > 0 {
		fmt.Fprintln(a.Out)
		if err := a.Table(command.TableOf(d.Partitions, lagColumns)); err != nil {
			return err
		}
	}
	if len(d.Members) > 0 {
		fmt.Fprintln(a.Out)
		return a.Table(command.TableOf(d.Members, memberColumns))
	}
	return nil
}

var lagColumns = []command.Column[groupPartition]{
	{Name: "TOPIC", Value: func(p groupPartition) string { return p.Topic }},
	{Name: "PARTITION", Value: func(p groupPartition) string { return strconv.Itoa(int(p.Partition)) }, Number: true},
	{Name: "COMMITTED", Value: func(p groupPartition) string { return command.OffsetText(p.Committed) }, Number: true},
	{Name: "END", Value: func(p groupPartition) string { return command.OffsetText(p.End) }, Number: true},
	{Name: "LAG", Value: func(p groupPartition) string { return command.OffsetText(p.Lag) }, Number: true},
	{Name: "SECONDS", Value: func(p groupPartition) string { return seconds(p.LagSeconds) }, Number: true},
	{Name: "CLIENT", Value: func(p groupPartition) string { return p.Client }},
	{Name: "NOTE", Value: func(p groupPartition) string { return p.Note }},
	{Name: "ERROR", Value: func(p groupPartition) string { return p.Error }},
}

var memberColumns = []command.Column[groupMember]{
	{Name: "MEMBER", Value: func(m groupMember) string { return m.ID }},
	{Name: "INSTANCE", Value: func(m groupMember) string { return m.Instance }},
	{Name: "CLIENT", Value: func(m groupMember) string { return m.Client }},
	{Name: "HOST", Value: func(m groupMember) string { return m.Host }},
	{Name: "RACK", Value: func(m groupMember) string { return m.Rack }},
	{Name: "EPOCH", Value: func(m groupMember) string { return epochText(m.Epoch) }, Number: true},
	{Name: "ASSIGNMENT", Value: func(m groupMember) string { return command.Dash(assignmentText(m.Assignment)) }},
	{Name: "TARGET", Value: func(m groupMember) string { return assignmentText(m.Target) }},
}

func epochText(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// seconds writes a lag with a tenth of a second, which is finer than most producers' clocks.
func seconds(s *float64) string {
	switch {
	case s == nil:
		return "-"
	case *s == 0:
		return "0"
	}
	return strconv.FormatFloat(*s, 'f', 1, 64)
}
