package metadata

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// BrokerChange is what a delta does to one broker: Before nil is a new broker, After nil one that left.
type BrokerChange struct {
	ID            kafka.NodeID
	Before, After *Broker
}

// clusterDelta holds the nodes that changed; a nil value says that the node left.
type clusterDelta struct {
	brokers     map[kafka.NodeID]*Broker
	controllers map[kafka.NodeID]*ControllerNode
}

func (d *Delta) clusterEdit() *clusterDelta {
	if d.cluster == nil {
		d.cluster = &clusterDelta{
			brokers:     make(map[kafka.NodeID]*Broker),
			controllers: make(map[kafka.NodeID]*ControllerNode),
		}
	}
	return d.cluster
}

// Broker returns a broker's registration with the delta applied, or nil.
func (d *Delta) Broker(id kafka.NodeID) *Broker {
	if d.cluster != nil {
		if b, ok := d.cluster.brokers[id]; ok {
			return b
		}
	}
	return d.base.Cluster.Broker(id)
}

// Brokers returns the brokers that changed, sorted by id.
func (d *Delta) Brokers() []BrokerChange {
	if d.cluster == nil {
		return nil
	}
	var changes []BrokerChange
	for _, id := range slices.Sorted(maps.Keys(d.cluster.brokers)) {
		c := BrokerChange{ID: id, Before: d.base.Cluster.Broker(id), After: d.cluster.brokers[id]}
		if c.Before != nil || c.After != nil {
			changes = append(changes, c)
		}
	}
	return changes
}

func (d *Delta) replayRegisterBroker(r *schema.RegisterBrokerRecord) {
	b := &Broker{
		ID:                   kafka.NodeID(r.BrokerID),
		Epoch:                kafka.BrokerEpoch(r.BrokerEpoch),
		Incarnation:          r.IncarnationID,
		Features:             make(map[string]LevelRange, len(r.Features)),
		Rack:                 r.Rack,
		Fenced:               r.Fenced,
		InControlledShutdown: r.InControlledShutdown,
		Directories:          sortedIDs(r.LogDirs),
		Cordoned:             sortedIDs(r.CordonedLogDirs),
		CordonedKnown:        r.CordonedLogDirs != nil,
	}
	for _, e := range r.EndPoints {
		b.Endpoints = append(b.Endpoints, Endpoint{e.Name, e.Host, e.Port, SecurityProtocol(e.SecurityProtocol)})
	}
	for _, f := range r.Features {
		b.Features[f.Name] = LevelRange{Level(f.MinSupportedVersion), Level(f.MaxSupportedVersion)}
	}
	d.clusterEdit().brokers[b.ID] = b
}

// sortedIDs copies ids in order: Kafka keeps directories sorted, so that equal sets are equal lists.
func sortedIDs(ids []kafka.UUID) []kafka.UUID {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b kafka.UUID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// brokerEdit returns a copy of a registration that may be changed.
func (d *Delta) brokerEdit(id kafka.NodeID, epoch kafka.BrokerEpoch) (*Broker, error) {
	b := d.Broker(id)
	if b == nil {
		return nil, fmt.Errorf("%w: no broker %d is registered", ErrReplay, id)
	}
	if b.Epoch != epoch {
		return nil, fmt.Errorf("%w: broker %d has epoch %d, the record %d", ErrReplay, id, b.Epoch, epoch)
	}
	changed := *b
	d.clusterEdit().brokers[id] = &changed
	return &changed, nil
}

func (d *Delta) replayUnregisterBroker(r *schema.UnregisterBrokerRecord) error {
	id := kafka.NodeID(r.BrokerID)
	if _, err := d.brokerEdit(id, kafka.BrokerEpoch(r.BrokerEpoch)); err != nil {
		return err
	}
	d.cluster.brokers[id] = nil
	return nil
}

func (d *Delta) replayFence(id int32, epoch int64, fenced bool) error {
	b, err := d.brokerEdit(kafka.NodeID(id), kafka.BrokerEpoch(epoch))
	if err != nil {
		return err
	}
	b.Fenced = fenced
	return nil
}

func (d *Delta) replayRegistrationChange(r *schema.BrokerRegistrationChangeRecord) error {
	b, err := d.brokerEdit(kafka.NodeID(r.BrokerID), kafka.BrokerEpoch(r.BrokerEpoch))
	if err != nil {
		return err
	}
	if err := change(&b.Fenced, r.Fenced); err != nil {
		return fmt.Errorf("%w: fenced of broker %d: %d", ErrReplay, b.ID, r.Fenced)
	}
	if err := change(&b.InControlledShutdown, r.InControlledShutdown); err != nil {
		return fmt.Errorf("%w: controlled shutdown of broker %d: %d", ErrReplay, b.ID, r.InControlledShutdown)
	}
	if len(r.LogDirs) > 0 {
		b.Directories = sortedIDs(r.LogDirs)
	}
	if r.CordonedLogDirs != nil {
		b.Cordoned, b.CordonedKnown = sortedIDs(r.CordonedLogDirs), true
	}
	return nil
}

// change reads Kafka's three-valued flag: 1 sets, 0 leaves alone, -1 clears.
func change(flag *bool, v int8) error {
	switch v {
	case 0:
	case 1:
		*flag = true
	case -1:
		*flag = false
	default:
		return ErrReplay
	}
	return nil
}

func (d *Delta) replayRegisterController(r *schema.RegisterControllerRecord) {
	n := &ControllerNode{
		ID:          kafka.NodeID(r.ControllerID),
		Incarnation: r.IncarnationID,
		Features:    make(map[string]LevelRange, len(r.Features)),
	}
	for _, e := range r.EndPoints {
		n.Endpoints = append(n.Endpoints, Endpoint{e.Name, e.Host, e.Port, SecurityProtocol(e.SecurityProtocol)})
	}
	for _, f := range r.Features {
		n.Features[f.Name] = LevelRange{Level(f.MinSupportedVersion), Level(f.MaxSupportedVersion)}
	}
	d.clusterEdit().controllers[n.ID] = n
}

func (d *clusterDelta) apply(c *Cluster) *Cluster {
	if d == nil {
		return c
	}
	next := &Cluster{brokers: slices.Clone(c.brokers), controllers: slices.Clone(c.controllers)}
	for id, b := range d.brokers {
		i, ok := findBroker(next.brokers, id)
		next.brokers = place(next.brokers, i, ok, b)
	}
	for id, n := range d.controllers {
		i, ok := findController(next.controllers, id)
		next.controllers = place(next.controllers, i, ok, n)
	}
	return next
}

// place puts v at i of a sorted list, over the entry there if found; nil removes it.
func place[T any](in []*T, i int, found bool, v *T) []*T {
	switch {
	case found && v == nil:
		return slices.Delete(in, i, i+1)
	case found:
		in[i] = v
	case v != nil:
		return slices.Insert(in, i, v)
	}
	return in
}
