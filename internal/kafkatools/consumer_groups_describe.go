package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

func (t *groupsTool) runDescribe(ctx context.Context) error {
	ids, err := t.groupIDs(ctx)
	if err != nil {
		return err
	}
	var groups []*groupDescription
	for _, id := range ids {
		g, err := t.c.describeGroup(ctx, id)
		if err != nil {
			return errors.New(wrapped(err))
		}
		groups = append(groups, g)
	}
	print := t.printMembers
	switch {
	case t.set.Has(t.members):
	case t.set.Has(t.state):
		print, err = t.statePrinter(ctx, groups)
	default:
		print, err = t.offsetPrinter(ctx, groups)
	}
	if err != nil {
		return err
	}
	slices.SortFunc(groups, func(a, b *groupDescription) int { return cmp.Compare(a.id, b.id) })
	for _, g := range groups {
		if err := print(g); err != nil {
			return err
		}
	}
	return nil
}

// announce says of a group what there is to say before its rows, and reports whether it has rows to show.
func (t *groupsTool) announce(g *groupDescription, rows int) (bool, error) {
	switch g.state {
	case groupDead:
		t.printError(fmt.Sprintf("Consumer group '%s' does not exist.", g.id))
		return false, nil
	case groupEmpty:
		t.w.errorln(fmt.Sprintf("\nConsumer group '%s' has no active members.", g.id))
	case "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling":
		t.w.errorln(fmt.Sprintf("\nWarning: Consumer group '%s' is rebalancing.", g.id))
	case groupStable:
	default:
		return false, fmt.Errorf("Expected a valid consumer group state, but found '%s'.", g.state)
	}
	return rows > 0, nil
}

// offsetRow is a partition that a group has to do with.
type offsetRow struct {
	tp                 kafka.TopicPartition
	offset, epoch, end *int64
	consumer           string
	host, client       string
}

// offsetPrinter collects the offsets of all groups and returns what prints those of one.
func (t *groupsTool) offsetPrinter(ctx context.Context, groups []*groupDescription) (func(*groupDescription) error, error) {
	rows := map[*groupDescription][]offsetRow{}
	for _, g := range groups {
		var err error
		if rows[g], err = t.offsetRows(ctx, g); err != nil {
			return nil, err
		}
	}
	return func(g *groupDescription) error {
		show, err := t.announce(g, len(rows[g]))
		if show {
			t.printOffsets(g.id, rows[g])
		}
		return err
	}, nil
}

// offsetRows are the partitions of each member, those with the most first, and behind them what is committed and nobody's.
func (t *groupsTool) offsetRows(ctx context.Context, g *groupDescription) ([]offsetRow, error) {
	offsets, order, err := t.c.committed(ctx, g.id)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	members := slices.DeleteFunc(slices.Clone(g.members), func(m groupMember) bool { return len(m.assigned) == 0 })
	slices.SortStableFunc(members, func(a, b groupMember) int { return len(b.assigned) - len(a.assigned) })
	var rows []offsetRow
	add := func(partitions []kafka.TopicPartition, m groupMember) error {
		more, err := t.withEnds(ctx, partitions, offsets)
		for i := range more {
			more[i].consumer, more[i].host, more[i].client = m.id, m.host, m.client
		}
		rows = append(rows, more...)
		return err
	}
	taken := map[kafka.TopicPartition]bool{}
	for _, m := range members {
		for _, tp := range m.assigned {
			taken[tp] = true
		}
		if err := add(m.assigned, m); err != nil {
			return nil, err
		}
	}
	free := slices.DeleteFunc(order, func(tp kafka.TopicPartition) bool { return taken[tp] })
	if len(free) == 0 {
		return rows, nil
	}
	return rows, add(free, groupMember{id: missing, host: missing, client: missing})
}

// withEnds are rows of partitions, by topic and number, with the ends of the logs that have a leader.
func (t *groupsTool) withEnds(ctx context.Context, partitions []kafka.TopicPartition, offsets map[kafka.TopicPartition]committedOffset) ([]offsetRow, error) {
	var topics []string
	for _, tp := range partitions {
		topics = append(topics, tp.Topic)
	}
	_, leaderless, err := t.c.partitionsOfTopics(ctx, topics)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	led := slices.DeleteFunc(slices.Clone(partitions), func(tp kafka.TopicPartition) bool { return leaderless[tp] })
	ends, err := t.c.everyOffset(ctx, led, latest)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	var rows []offsetRow
	for _, tp := range partitions {
		r := offsetRow{tp: tp}
		if o, ok := offsets[tp]; ok {
			r.offset = &o.offset
			if o.epoch >= 0 {
				r.epoch = &o.epoch
			}
		}
		if end, ok := ends[tp]; ok {
			r.end = &end
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b offsetRow) int {
		return cmp.Or(cmp.Compare(a.tp.Topic, b.tp.Topic), cmp.Compare(a.tp.Partition, b.tp.Partition))
	})
	return rows, nil
}

func (r offsetRow) lag() *int64 {
	if r.offset == nil || r.end == nil {
		return nil
	}
	lag := *r.end - *r.offset
	return &lag
}

func (t *groupsTool) printOffsets(group string, rows []offsetRow) {
	columns := []column{{"GROUP", 15}, {"TOPIC", 15}, {"PARTITION", 10}, {"LEADER-EPOCH", 15}, {"CURRENT-OFFSET", 15}, {"LOG-END-OFFSET", 15},
		{"LAG", 15}, {"CONSUMER-ID", 15}, {"HOST", 15}, {"CLIENT-ID", 0}}
	columns[0].fit(group)
	for _, r := range rows {
		columns[1].fit(r.tp.Topic)
		columns[7].fit(r.consumer)
		columns[8].fit(r.host)
	}
	epochs := t.set.Has(t.verbose)
	line := func(cells []string) {
		cut := columns
		if !epochs {
			cut, cells = slices.Delete(slices.Clone(columns), 3, 4), slices.Delete(cells, 3, 4)
		}
		t.w.printf("\n%s", rowOf(cut, cells))
	}
	line(headings(columns))
	for _, r := range rows {
		line([]string{group, r.tp.Topic, strconv.Itoa(int(r.tp.Partition)), optional(r.epoch), optional(r.offset), optional(r.end),
			optional(r.lag()), r.consumer, r.host, r.client})
	}
	t.w.println()
}

// assignment is the text of partitions: topic:0,1;other:2.
func assignment(partitions []kafka.TopicPartition) string {
	if len(partitions) == 0 {
		return missing
	}
	byTopic := map[string][]int32{}
	for _, tp := range partitions {
		byTopic[tp.Topic] = append(byTopic[tp.Topic], tp.Partition)
	}
	var topics []string
	for topic, numbers := range byTopic {
		slices.Sort(numbers)
		var words []string
		for _, n := range numbers {
			words = append(words, strconv.Itoa(int(n)))
		}
		topics = append(topics, topic+":"+strings.Join(words, ","))
	}
	slices.Sort(topics)
	return strings.Join(topics, ";")
}

func (t *groupsTool) printMembers(g *groupDescription) error {
	show, err := t.announce(g, len(g.members))
	if err != nil {
		return err
	}
	table := memberTable{verbose: t.set.Has(t.verbose)}
	if show {
		table.fit(g)
	} else {
		table.fit(&groupDescription{})
	}
	t.w.printf("\n%s", table.row("GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS"))
	if table.verbose {
		t.w.printf("%s", table.more("CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT", "UPGRADED"))
	}
	t.w.println()
	for _, m := range g.members {
		t.w.printf("%s", table.row(g.id, m.id, m.instance, m.host, m.client, strconv.Itoa(len(m.assigned))))
		if table.verbose {
			upgraded := missing
			if m.upgraded != nil {
				upgraded = strconv.FormatBool(*m.upgraded)
			}
			t.w.printf("%s", table.more(optional(m.epoch), assignment(m.assigned), optional(g.targetEpoch), assignment(m.target), upgraded))
		}
		t.w.println()
	}
	return nil
}

// memberTable has the widths of the columns of members.
type memberTable struct {
	columns             []column
	current, target     column
	instances, upgrades bool
	verbose             bool
}

func (m *memberTable) fit(g *groupDescription) {
	m.columns = []column{{"GROUP", 15}, {"CONSUMER-ID", 15}, {"GROUP-INSTANCE-ID", 17}, {"HOST", 15}, {"CLIENT-ID", 15}, {"#PARTITIONS", 15}}
	m.current.width, m.target.width = 20, 20
	var classic, modern bool
	for _, one := range g.members {
		for i, cell := range []string{g.id, one.id, one.instance, one.host, one.client} {
			m.columns[i].fit(cell)
		}
		m.current.fit(assignment(one.assigned))
		m.target.fit(assignment(one.target))
		m.instances = m.instances || one.instance != ""
		if one.upgraded != nil {
			classic, modern = classic || !*one.upgraded, modern || *one.upgraded
		}
	}
	m.upgrades = classic && modern
}

// row is the part of a line that is always there; a blank ends it.
func (m *memberTable) row(cells ...string) string {
	columns := m.columns
	if !m.instances {
		columns, cells = slices.Delete(slices.Clone(columns), 2, 3), slices.Delete(cells, 2, 3)
	}
	return rowOf(columns, cells) + " "
}

// more is the part of a line that --verbose adds.
func (m *memberTable) more(cells ...string) string {
	columns := []column{{width: 15}, m.current, {width: 15}, m.target, {}}
	if !m.upgrades {
		columns, cells = columns[:4], cells[:4]
	}
	return rowOf(columns, cells)
}

// statePrinter looks for the coordinators of all groups and returns what prints the state of one.
func (t *groupsTool) statePrinter(ctx context.Context, groups []*groupDescription) (func(*groupDescription) error, error) {
	nodes := map[*groupDescription]coordinatorNode{}
	for _, g := range groups {
		var err error
		if nodes[g], err = t.c.groupCoordinator(ctx, g.id); err != nil {
			return nil, errors.New(wrapped(err))
		}
	}
	return func(g *groupDescription) error {
		show, err := t.announce(g, 1)
		if show {
			t.printState(g, nodes[g])
		}
		return err
	}, nil
}

func (t *groupsTool) printState(g *groupDescription, n coordinatorNode) {
	coordinator := fmt.Sprintf("%s:%d  (%d)", n.host, n.port, n.id)
	columns := []column{{"GROUP", 15}, {"COORDINATOR (ID)", 25}, {"ASSIGNMENT-STRATEGY", 20}, {"STATE", 20}, {"GROUP-EPOCH", 15},
		{"TARGET-ASSIGNMENT-EPOCH", 25}, {"#MEMBERS", 0}}
	columns[0].fit(g.id)
	columns[1].fit(coordinator)
	cells := []string{g.id, coordinator, orMissing(g.assignor), g.state, optional(g.epoch), optional(g.targetEpoch), strconv.Itoa(len(g.members))}
	if !t.set.Has(t.verbose) {
		columns, cells = slices.Delete(columns, 4, 6), slices.Delete(cells, 4, 6)
	}
	t.w.printf("\n%s\n%s\n", rowOf(columns, headings(columns)), rowOf(columns, cells))
}
