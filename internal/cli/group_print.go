package cli

import (
	"fmt"
	"net"
	"strconv"
)

func (a *app) printGroups(all []groupDescription) error {
	switch a.output.value {
	case "json":
		return a.object("GroupDescriptionList", map[string][]groupDescription{"groups": orNone(all)})
	case "jsonl":
		for _, d := range all {
			if err := encode(a.out, d); err != nil {
				return err
			}
		}
		return nil
	}
	for i, d := range all {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		if err := a.printGroup(&d); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printGroup(d *groupDescription) error {
	lag := "-"
	if d.Lag != nil {
		lag = count(*d.Lag, "record")
	}
	if d.LagSeconds != nil {
		lag += ", " + seconds(d.LagSeconds) + " seconds"
	}
	kind := d.Type
	if d.Epoch != nil {
		kind += fmt.Sprintf(" (epoch %d)", *d.Epoch)
	}
	at := net.JoinHostPort(d.Coordinator.Host, strconv.Itoa(int(d.Coordinator.Port)))
	fmt.Fprintf(a.out, "Group:        %s\nType:         %s\nState:        %s\nAssignor:     %s\nCoordinator:  %d (%s)\nMembers:      %d\nLag:          %s\n",
		d.Name, kind, d.State, dash(d.Assignor), d.Coordinator.ID, at, len(d.Members), lag)
	if len(d.Partitions) > 0 {
		fmt.Fprintln(a.out)
		if err := a.table(tableOf(d.Partitions, lagColumns)); err != nil {
			return err
		}
	}
	if len(d.Members) > 0 {
		fmt.Fprintln(a.out)
		return a.table(tableOf(d.Members, memberColumns))
	}
	return nil
}

var lagColumns = []column[groupPartition]{
	{name: "TOPIC", value: func(p groupPartition) string { return p.Topic }},
	{name: "PARTITION", value: func(p groupPartition) string { return strconv.Itoa(int(p.Partition)) }, number: true},
	{name: "COMMITTED", value: func(p groupPartition) string { return offsetText(p.Committed) }, number: true},
	{name: "END", value: func(p groupPartition) string { return offsetText(p.End) }, number: true},
	{name: "LAG", value: func(p groupPartition) string { return offsetText(p.Lag) }, number: true},
	{name: "SECONDS", value: func(p groupPartition) string { return seconds(p.LagSeconds) }, number: true},
	{name: "CLIENT", value: func(p groupPartition) string { return p.Client }},
	{name: "NOTE", value: func(p groupPartition) string { return p.Note }},
	{name: "ERROR", value: func(p groupPartition) string { return p.Error }},
}

var memberColumns = []column[groupMember]{
	{name: "MEMBER", value: func(m groupMember) string { return m.ID }},
	{name: "INSTANCE", value: func(m groupMember) string { return m.Instance }},
	{name: "CLIENT", value: func(m groupMember) string { return m.Client }},
	{name: "HOST", value: func(m groupMember) string { return m.Host }},
	{name: "RACK", value: func(m groupMember) string { return m.Rack }},
	{name: "EPOCH", value: func(m groupMember) string { return epochText(m.Epoch) }, number: true},
	{name: "ASSIGNMENT", value: func(m groupMember) string { return dash(assignmentText(m.Assignment)) }},
	{name: "TARGET", value: func(m groupMember) string { return assignmentText(m.Target) }},
}

func epochText(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
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
