package controller

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/schema"
)

// election says who may become leader when a partition changes.
type election int8

const (
	// clean keeps the leader if it may stay, and takes the first in-sync replica otherwise.
	clean election = iota
	// preferred is clean, but prefers the first replica to the leader.
	preferred
	// unclean takes any live replica when there is no in-sync one: records may be lost.
	unclean
)

// noLeaderChange is PartitionChangeRecord's way to say that the leader stays.
const noLeaderChange = -2

// levelNoShrinkBump is metadata.version 3.6-IV0: from there on a smaller ISR needs no new leader epoch (KAFKA-15021).
const levelNoShrinkBump metadata.Level = 12

// partitionChange works out the record that takes a partition to a new ISR, leader and set of eligible replicas
// (KIP-966), and that completes a reassignment when it can. Set what should change, then call record.
type partitionChange struct {
	topic kafka.TopicID
	p     *metadata.Partition
	level metadata.Level
	elrOn bool
	// minISR is below which replicas that leave the ISR stay eligible.
	minISR int
	mayBe  func(node int32) bool       // may lead
	place  func(node int32) kafka.UUID // the directory of a new replica
	elect  election
	// lost are replicas that may have lost acknowledged records: neither in sync nor eligible.
	lost []int32

	isr, elr, replicas, adding, removing []int32
	recovering                           bool
}

func newPartitionChange(c *Controller, t *metadata.Topic, p *metadata.Partition) *partitionChange {
	config := c.topicConfig(t.Name)
	change := &partitionChange{
		topic:  t.ID,
		p:      p,
		level:  c.level(),
		elrOn:  c.Image().Features.ELR() && metadata.HasELR(c.level()),
		minISR: min(config.MinInSyncReplicas, len(p.Replicas)),
		mayBe:  func(node int32) bool { return c.mayLead(p, node) },
		place:  c.directory,
		isr:    p.ISR, elr: p.ELR, replicas: p.Replicas, adding: p.Adding, removing: p.Removing,
		recovering: p.Recovering, elect: clean,
	}
	if config.UncleanLeaderElection {
		change.elect = unclean
	}
	return change
}

// record returns the record, and false if there is nothing to say.
func (c *partitionChange) record() (metadata.Record, bool) {
	r := schema.NewPartitionChangeRecord()
	r.TopicID, r.PartitionID = c.topic, c.p.ID
	c.completeReassignment()
	c.updateELR()
	c.electLeader(&r)
	if r.Leader == noLeaderChange && !containsAll(c.replicas, c.p.Replicas) {
		r.Leader = int32(c.p.Leader) // a replica left: a new epoch fences it
	}
	c.writeSets(&r)
	c.writeLastKnownLeader(&r)
	c.writeAssignment(&r)
	if c.recovering != c.p.Recovering {
		r.LeaderRecoveryState = 0
		if c.recovering {
			r.LeaderRecoveryState = 1
		}
	}
	if emptyChange(&r) {
		return metadata.Record{}, false
	}
	return metadata.Record{Body: &r, Version: metadata.PartitionVersion(c.level)}, true
}

// completeReassignment drops the replicas to be removed once all added ones are in sync, and all that stay if they get fewer.
func (c *partitionChange) completeReassignment() {
	if len(c.adding) == 0 && len(c.removing) == 0 {
		return
	}
	isr, replicas := without(c.isr, c.removing), without(c.replicas, c.removing)
	if len(isr) == 0 || len(replicas) == 0 || !containsAll(isr, c.adding) && !planted.Bug("moved-before-in-sync") {
		return
	}
	if len(c.adding) < len(c.removing) && !containsAll(isr, replicas) {
		return
	}
	c.isr, c.replicas, c.adding, c.removing = isr, replicas, []int32{}, []int32{}
}

// updateELR keeps replicas eligible that leave an ISR which is too small: they hold all that was acknowledged.
func (c *partitionChange) updateELR() {
	if !c.elrOn {
		return
	}
	if len(c.isr) >= c.minISR {
		c.elr = nil
		return
	}
	var elr []int32
	for _, r := range slices.Concat(c.p.ELR, c.p.ISR) {
		if slices.Contains(c.replicas, r) && !slices.Contains(c.isr, r) && !slices.Contains(c.lost, r) && !slices.Contains(elr, r) {
			elr = append(elr, r)
		}
	}
	slices.Sort(elr)
	c.elr = elr
}

// electable reports whether a replica holds all acknowledged records and may lead.
func (c *partitionChange) electable(node int32) bool {
	holds := slices.Contains(c.isr, node) || len(c.isr) == 0 && slices.Contains(c.elr, node)
	return (holds || planted.Bug("elected-out-of-sync")) && c.mayBe(node)
}

// candidate picks the leader.
func (c *partitionChange) candidate() (node int32, isUnclean bool) {
	if c.elect == preferred && len(c.replicas) > 0 && c.electable(c.replicas[0]) {
		return c.replicas[0], false
	}
	if c.electable(int32(c.p.Leader)) {
		return int32(c.p.Leader), false
	}
	if i := slices.IndexFunc(c.replicas, c.electable); i >= 0 {
		return c.replicas[i], false
	}
	if c.elrOn && len(c.isr) == 0 && len(c.elr) == 0 && len(c.p.LastKnownELR) == 1 && c.mayBe(c.p.LastKnownELR[0]) {
		return c.p.LastKnownELR[0], true // nobody is known to hold more than the last leader
	}
	if c.elect == unclean {
		if i := slices.IndexFunc(c.replicas, c.mayBe); i >= 0 {
			return c.replicas[i], true
		}
	}
	return int32(kafka.NoNode), false
}

func (c *partitionChange) electLeader(r *schema.PartitionChangeRecord) {
	node, isUnclean := c.candidate()
	if node == int32(c.p.Leader) {
		return
	}
	r.Leader = node
	switch {
	case slices.Contains(c.elr, node):
		c.isr, c.elr = []int32{node}, without(c.elr, []int32{node})
	case isUnclean:
		r.ISR = []int32{node}
		c.recovering = true
	}
}

// writeSets sets the ISR and the ELR in the record where they change.
func (c *partitionChange) writeSets(r *schema.PartitionChangeRecord) {
	if r.ISR != nil || !c.elrOn {
		c.elr = nil
	}
	if !slices.Equal(c.elr, c.p.ELR) {
		r.EligibleLeaderReplicas = notNil(c.elr)
	}
	if r.ISR == nil && (len(c.isr) > 0 || c.elrOn) && !slices.Equal(c.isr, c.p.ISR) {
		r.ISR = notNil(c.isr)
	}
	if c.level < levelNoShrinkBump && r.Leader == noLeaderChange && r.ISR != nil && !containsAll(r.ISR, c.p.ISR) {
		r.Leader = int32(c.p.Leader)
	}
}

// writeLastKnownLeader remembers who led when nobody is left, and forgets it when somebody leads.
func (c *partitionChange) writeLastKnownLeader(r *schema.PartitionChangeRecord) {
	if !c.elrOn {
		if len(c.p.LastKnownELR) > 0 {
			r.LastKnownELR = []int32{}
		}
		return
	}
	known := c.p.LastKnownELR
	leads := r.Leader >= 0 || r.Leader == noLeaderChange && c.p.Leader != kafka.NoNode
	switch {
	case r.ISR != nil && len(r.ISR) == 0 && c.p.Leader != kafka.NoNode && !slices.Equal(known, []int32{int32(c.p.Leader)}):
		r.LastKnownELR = []int32{int32(c.p.Leader)}
	case leads && len(known) > 0:
		r.LastKnownELR = []int32{}
	}
}

// writeAssignment sets replicas and directories where they change.
func (c *partitionChange) writeAssignment(r *schema.PartitionChangeRecord) {
	if !slices.Equal(c.replicas, c.p.Replicas) {
		r.Replicas = c.replicas
		if metadata.HasDirectories(c.level) {
			r.Directories = make([]kafka.UUID, len(c.replicas))
			for i, node := range c.replicas {
				dir, has := c.p.Directory(kafka.NodeID(node))
				if !has {
					dir = c.place(node)
				}
				r.Directories[i] = dir
			}
		}
	}
	if !slices.Equal(c.removing, c.p.Removing) {
		r.RemovingReplicas = notNil(c.removing)
	}
	if !slices.Equal(c.adding, c.p.Adding) {
		r.AddingReplicas = notNil(c.adding)
	}
}

func emptyChange(r *schema.PartitionChangeRecord) bool {
	return r.ISR == nil && r.Leader == noLeaderChange && r.Replicas == nil && r.RemovingReplicas == nil &&
		r.AddingReplicas == nil && r.LeaderRecoveryState < 0 && r.Directories == nil &&
		r.EligibleLeaderReplicas == nil && r.LastKnownELR == nil
}

// notNil turns nil, which says "no change" in a record, into the empty list.
func notNil(list []int32) []int32 {
	if list == nil {
		return []int32{}
	}
	return list
}

func without(list, drop []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(n int32) bool { return slices.Contains(drop, n) })
}

func containsAll(list, want []int32) bool {
	return !slices.ContainsFunc(want, func(n int32) bool { return !slices.Contains(list, n) })
}
