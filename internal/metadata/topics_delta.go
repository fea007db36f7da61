package metadata

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/schema"
)

// noLeaderChange is PartitionChangeRecord's way to say that leader and leader epoch stay.
const noLeaderChange = -2

// TopicChange is what a delta does to one life of a topic: Before nil is a topic that was created, After nil one
// that was deleted. A partition changed if its pointer did.
type TopicChange struct {
	Before, After *Topic
}

// Topic returns the later state, or the earlier one of a deleted topic.
func (c TopicChange) Topic() *Topic {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// Partitions returns the partitions that are new or changed, in order of their ids.
func (c TopicChange) Partitions() []*Partition {
	if c.After == nil {
		return nil
	}
	var changed []*Partition
	for _, p := range c.After.Partitions {
		if c.Before.Partition(p.ID) != p {
			changed = append(changed, p)
		}
	}
	return changed
}

// topicsDelta holds the topics that changed, by id. After is private to the delta and may be changed until Apply.
type topicsDelta struct {
	changed map[kafka.TopicID]*TopicChange
	byName  map[string]*Topic // nil value: the name is free now
}

func (d *Delta) topicsEdit() *topicsDelta {
	if d.topics == nil {
		d.topics = &topicsDelta{changed: make(map[kafka.TopicID]*TopicChange), byName: make(map[string]*Topic)}
	}
	return d.topics
}

// TopicByID returns a topic with the delta applied, or nil.
func (d *Delta) TopicByID(id kafka.TopicID) *Topic {
	if d.topics != nil {
		if c, ok := d.topics.changed[id]; ok {
			return c.After
		}
	}
	return d.base.Topics.ByID(id)
}

// TopicByName returns a topic with the delta applied, or nil.
func (d *Delta) TopicByName(name string) *Topic {
	if d.topics != nil {
		if t, ok := d.topics.byName[name]; ok {
			return t
		}
	}
	return d.base.Topics.ByName(name)
}

// Topics returns the topics that were created, changed or deleted: the deleted ones first, each group sorted by
// name. A topic that came and went within the delta is not among them.
func (d *Delta) Topics() []TopicChange {
	if d.topics == nil {
		return nil
	}
	var changes []TopicChange
	for _, c := range d.topics.changed {
		if c.Before != nil || c.After != nil {
			changes = append(changes, *c)
		}
	}
	slices.SortFunc(changes, func(a, b TopicChange) int {
		return cmp.Or(compareBool(a.After != nil, b.After != nil), cmp.Compare(a.Topic().Name, b.Topic().Name))
	})
	return changes
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// topicEdit returns the delta's own copy of a topic.
func (d *Delta) topicEdit(id kafka.TopicID) (*Topic, error) {
	e := d.topicsEdit()
	if c, ok := e.changed[id]; ok {
		if c.After == nil {
			return nil, fmt.Errorf("%w: topic %v was deleted", ErrReplay, id)
		}
		return c.After, nil
	}
	before := d.base.Topics.ByID(id)
	if before == nil {
		return nil, fmt.Errorf("%w: no topic %v", ErrReplay, id)
	}
	after := &Topic{Name: before.Name, ID: id, Partitions: slices.Clone(before.Partitions)}
	e.changed[id] = &TopicChange{Before: before, After: after}
	e.byName[after.Name] = after
	return after, nil
}

func (d *Delta) replayTopic(r *schema.TopicRecord) error {
	if t := d.TopicByName(r.Name); t != nil && t.ID != r.TopicID {
		return fmt.Errorf("%w: topic %q exists with id %v", ErrReplay, r.Name, t.ID)
	}
	if d.TopicByID(r.TopicID) != nil {
		return nil // replayed twice: the second one says nothing new
	}
	t := &Topic{Name: r.Name, ID: r.TopicID}
	e := d.topicsEdit()
	e.changed[t.ID] = &TopicChange{After: t}
	e.byName[t.Name] = t
	return nil
}

func (d *Delta) replayRemoveTopic(r *schema.RemoveTopicRecord) error {
	t, err := d.topicEdit(r.TopicID)
	if err != nil {
		return err
	}
	d.topics.changed[t.ID].After = nil
	d.topics.byName[t.Name] = nil
	d.removeConfigs(ConfigResource{Type: TopicResource, Name: t.Name})
	return nil
}

func (d *Delta) replayPartition(r *schema.PartitionRecord) error {
	t, err := d.topicEdit(r.TopicID)
	if err != nil {
		return err
	}
	// Both Kafka and we write the partitions of a topic in order, so a gap is damage, and a claim to a huge id
	// allocates nothing.
	if r.PartitionID < 0 || int(r.PartitionID) > len(t.Partitions) {
		return fmt.Errorf("%w: partition %d of topic %q, which has %d", ErrReplay, r.PartitionID, t.Name, len(t.Partitions))
	}
	p := &Partition{
		ID:             r.PartitionID,
		Replicas:       r.Replicas,
		Directories:    r.Directories,
		ISR:            r.ISR,
		Adding:         r.AddingReplicas,
		Removing:       r.RemovingReplicas,
		ELR:            r.EligibleLeaderReplicas,
		LastKnownELR:   r.LastKnownELR,
		Leader:         kafka.NodeID(r.Leader),
		Recovering:     r.LeaderRecoveryState == 1,
		LeaderEpoch:    kafka.LeaderEpoch(r.LeaderEpoch),
		PartitionEpoch: kafka.PartitionEpoch(r.PartitionEpoch),
	}
	if len(p.Directories) == 0 {
		p.Directories = migrating(len(p.Replicas))
	}
	if int(p.ID) == len(t.Partitions) {
		t.Partitions = append(t.Partitions, p)
	} else {
		t.Partitions[p.ID] = p
	}
	return nil
}

// migrating are the directories of replicas whose record has none.
func migrating(n int) []kafka.UUID {
	dirs := make([]kafka.UUID, n)
	for i := range dirs {
		dirs[i] = kafka.MigratingDirectory
	}
	return dirs
}

func (d *Delta) replayPartitionChange(r *schema.PartitionChangeRecord) error {
	t, err := d.topicEdit(r.TopicID)
	if err != nil {
		return err
	}
	before := t.Partition(r.PartitionID)
	if before == nil {
		return fmt.Errorf("%w: no partition %d of topic %q", ErrReplay, r.PartitionID, t.Name)
	}
	t.Partitions[r.PartitionID] = before.Merge(r)
	return nil
}

// Merge returns the partition with a change record applied: what the record leaves out stays, and the partition epoch
// always rises.
func (p *Partition) Merge(r *schema.PartitionChangeRecord) *Partition {
	next := *p
	next.PartitionEpoch++
	replace(&next.ISR, r.ISR)
	replace(&next.Adding, r.AddingReplicas)
	replace(&next.Removing, r.RemovingReplicas)
	replace(&next.ELR, r.EligibleLeaderReplicas)
	replace(&next.LastKnownELR, r.LastKnownELR)
	if r.Replicas != nil {
		next.Replicas = r.Replicas
		next.Directories = carryDirectories(p, r.Replicas)
	}
	if r.Directories != nil {
		next.Directories = r.Directories
	}
	if r.Leader != noLeaderChange {
		next.Leader = kafka.NodeID(r.Leader)
		if !planted.Bug("leader-epoch-not-raised") {
			next.LeaderEpoch++
		}
	}
	if r.LeaderRecoveryState >= 0 {
		next.Recovering = r.LeaderRecoveryState == 1
	}
	return &next
}

func replace(list *[]int32, with []int32) {
	if with != nil {
		*list = with
	}
}

// carryDirectories keeps the directories of replicas that stay, when a record changes replicas only.
func carryDirectories(p *Partition, replicas []int32) []kafka.UUID {
	dirs := make([]kafka.UUID, len(replicas))
	for i, r := range replicas {
		dirs[i], _ = p.Directory(kafka.NodeID(r)) // a new replica has the unassigned directory
	}
	return dirs
}

// replayClearELR clears the eligible leader replicas of one topic, or of all when the name is empty (KIP-966).
func (d *Delta) replayClearELR(r *schema.ClearELRRecord) error {
	if r.TopicName != "" {
		t := d.TopicByName(r.TopicName)
		if t == nil {
			return fmt.Errorf("%w: no topic %q", ErrReplay, r.TopicName)
		}
		return d.clearELR(t)
	}
	var topics []*Topic
	for t := range d.base.Topics.All() {
		topics = append(topics, t)
	}
	if d.topics != nil {
		for _, c := range d.topics.changed {
			topics = append(topics, c.After)
		}
	}
	for _, t := range topics {
		if t == nil || d.TopicByID(t.ID) == nil {
			continue
		}
		if err := d.clearELR(d.TopicByID(t.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Delta) clearELR(t *Topic) error {
	for i, p := range t.Partitions {
		if len(p.ELR) == 0 && len(p.LastKnownELR) == 0 {
			continue
		}
		edit, err := d.topicEdit(t.ID)
		if err != nil {
			return err
		}
		next := *p
		next.ELR, next.LastKnownELR = nil, nil
		next.PartitionEpoch++
		edit.Partitions[i] = &next
	}
	return nil
}

func (d *topicsDelta) apply(t *Topics) *Topics {
	if d == nil {
		return t
	}
	names, ids := t.byName.Edit(), t.byID.Edit()
	partitions := t.partitions
	for _, c := range d.changed {
		if c.Before != nil {
			partitions -= len(c.Before.Partitions)
		}
		switch {
		case c.After != nil:
			partitions += len(c.After.Partitions)
			ids.Set(c.After.ID, c.After)
		case c.Before != nil:
			ids.Remove(c.Before.ID)
		}
	}
	for name, topic := range d.byName {
		if topic == nil {
			names.Remove(name)
		} else {
			names.Set(name, topic)
		}
	}
	return &Topics{byName: names.Finish(), byID: ids.Finish(), partitions: partitions}
}
