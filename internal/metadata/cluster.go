package metadata

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// SecurityProtocol is a listener's protocol, with the numbers of the wire.
type SecurityProtocol int16

// The security protocols.
const (
	Plaintext     SecurityProtocol = 0
	SSL           SecurityProtocol = 1
	SASLPlaintext SecurityProtocol = 2
	SASLSSL       SecurityProtocol = 3
)

// Endpoint is one advertised listener.
type Endpoint struct {
	Listener string
	Host     string
	Port     uint16
	Protocol SecurityProtocol
}

// Broker is a broker's registration. Immutable.
type Broker struct {
	ID          kafka.NodeID
	Epoch       kafka.BrokerEpoch
	Incarnation kafka.UUID
	Endpoints   []Endpoint
	Features    map[string]LevelRange
	// Rack is nil when the broker has none.
	Rack *string
	// Fenced brokers are known but not to lead, and clients are not told of them.
	Fenced bool
	// InControlledShutdown brokers give their leaderships away.
	InControlledShutdown bool
	// Directories are the log directories that are online, empty for a broker that did not report any.
	Directories []kafka.UUID
	// Cordoned are the directories that take no new replicas (KIP-1066); CordonedKnown tells none from not reported.
	Cordoned      []kafka.UUID
	CordonedKnown bool
}

// Active reports whether the broker may lead partitions.
func (b *Broker) Active() bool { return b != nil && !b.Fenced && !b.InControlledShutdown }

// Endpoint returns the broker's endpoint on a listener.
func (b *Broker) Endpoint(listener string) (Endpoint, bool) {
	if b == nil {
		return Endpoint{}, false
	}
	i := slices.IndexFunc(b.Endpoints, func(e Endpoint) bool { return e.Listener == listener })
	if i < 0 {
		return Endpoint{}, false
	}
	return b.Endpoints[i], true
}

// HasDirectory reports whether dir is online at the broker. The reserved ids that stand for "some directory"
// count as online.
func (b *Broker) HasDirectory(dir kafka.UUID) bool {
	if len(b.Directories) == 0 || dir == kafka.UnassignedDirectory || dir == kafka.MigratingDirectory {
		return dir != kafka.LostDirectory
	}
	return slices.Contains(b.Directories, dir)
}

// ControllerNode is a controller's registration (KIP-919). Immutable.
type ControllerNode struct {
	ID          kafka.NodeID
	Incarnation kafka.UUID
	Endpoints   []Endpoint
	Features    map[string]LevelRange
}

// Cluster is the set of registered nodes. The zero value is empty.
type Cluster struct {
	brokers     []*Broker         // sorted by id
	controllers []*ControllerNode // sorted by id
}

// Brokers returns all registered brokers, fenced ones too, sorted by id. Read only.
func (c *Cluster) Brokers() []*Broker { return c.brokers }

// Broker returns a broker's registration or nil.
func (c *Cluster) Broker(id kafka.NodeID) *Broker {
	if i, ok := findBroker(c.brokers, id); ok {
		return c.brokers[i]
	}
	return nil
}

// Controllers returns all registered controllers, sorted by id. Read only.
func (c *Cluster) Controllers() []*ControllerNode { return c.controllers }

// Controller returns a controller's registration or nil.
func (c *Cluster) Controller(id kafka.NodeID) *ControllerNode {
	if i, ok := findController(c.controllers, id); ok {
		return c.controllers[i]
	}
	return nil
}

func findBroker(in []*Broker, id kafka.NodeID) (int, bool) {
	return slices.BinarySearchFunc(in, id, func(b *Broker, id kafka.NodeID) int { return cmp.Compare(b.ID, id) })
}

func findController(in []*ControllerNode, id kafka.NodeID) (int, bool) {
	return slices.BinarySearchFunc(in, id, func(c *ControllerNode, id kafka.NodeID) int { return cmp.Compare(c.ID, id) })
}

func (c *Cluster) write(w *writer) {
	for _, b := range c.brokers {
		r, version := b.Record(w.level)
		w.put(r, version)
	}
	for _, n := range c.controllers {
		w.put(n.Record(), 0)
	}
}

// Record returns the registration as a record, in the version that a metadata.version writes.
func (b *Broker) Record(level Level) (*schema.RegisterBrokerRecord, int16) {
	r := &schema.RegisterBrokerRecord{
		BrokerID:             int32(b.ID),
		IncarnationID:        b.Incarnation,
		BrokerEpoch:          int64(b.Epoch),
		Rack:                 b.Rack,
		Fenced:               b.Fenced,
		InControlledShutdown: b.InControlledShutdown,
	}
	for _, e := range b.Endpoints {
		r.EndPoints = append(r.EndPoints, e.record())
	}
	r.Features = featureRecords(b.Features)
	version := RegisterBrokerVersion(level)
	if version >= 3 {
		r.LogDirs = b.Directories
	}
	if version >= 4 && b.CordonedKnown {
		if r.CordonedLogDirs = b.Cordoned; r.CordonedLogDirs == nil {
			r.CordonedLogDirs = []kafka.UUID{}
		}
	}
	return r, version
}

// Record returns the registration as a record of version 0.
func (n *ControllerNode) Record() *schema.RegisterControllerRecord {
	r := &schema.RegisterControllerRecord{ControllerID: int32(n.ID), IncarnationID: n.Incarnation}
	for _, e := range n.Endpoints {
		r.EndPoints = append(r.EndPoints, schema.ControllerEndpoint(e.record()))
	}
	for _, f := range featureRecords(n.Features) {
		r.Features = append(r.Features, schema.ControllerFeature(f))
	}
	return r
}

// record is the endpoint as a broker's registration holds it; a controller's has the same fields.
func (e Endpoint) record() schema.BrokerEndpoint {
	return schema.BrokerEndpoint{Name: e.Listener, Host: e.Host, Port: e.Port, SecurityProtocol: int16(e.Protocol)}
}

// featureRecords are features, sorted, as a broker's registration holds them; a controller's has the same fields.
func featureRecords(features map[string]LevelRange) []schema.BrokerFeature {
	var all []schema.BrokerFeature
	for _, name := range slices.Sorted(maps.Keys(features)) {
		f := features[name]
		all = append(all, schema.BrokerFeature{Name: name, MinSupportedVersion: int16(f.Min), MaxSupportedVersion: int16(f.Max)})
	}
	return all
}
