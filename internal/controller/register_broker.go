package controller

import (
	"bytes"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

func (r RegisterBroker) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrBrokerRegistrationResponse()
	response.Version = r.Request.Version
	b, refused := c.registration(r, t)
	if refused != nil {
		response.ErrorCode = refused.code.Code
		return Result{Response: response}, nil
	}
	var out records
	existing := c.Image().Cluster.Broker(b.ID)
	if existing == nil || existing.Incarnation != b.Incarnation {
		// A broker that names its last epoch has kept what it had acknowledged; any other may have lost its tail.
		clean := existing != nil && r.Request.PreviousBrokerEpoch == int64(existing.Epoch)
		c.partsShutdown(&out, b.ID, clean)
		b.Epoch = kafka.BrokerEpoch(t.next) + kafka.BrokerEpoch(len(out))
	} else {
		b.Epoch, b.Fenced, b.InControlledShutdown = existing.Epoch, existing.Fenced, existing.InControlledShutdown
		c.touch(b.ID, t.now, c.touch(b.ID, t.now, kafka.NoOffset).offset)
	}
	body, version := b.Record(c.level())
	out.add(body, version)
	response.BrokerEpoch = int64(b.Epoch)
	return Result{Records: out, Response: response}, nil
}

// registration checks a request and turns it into the registration that it asks for.
func (c *Controller) registration(r RegisterBroker, t turn) (*metadata.Broker, *refusal) {
	req := r.Request
	if req.ClusterID != c.cfg.ClusterID {
		return nil, refuse(kerr.InconsistentClusterID, "Expected cluster ID %s, but got cluster ID %s",
			c.cfg.ClusterID, req.ClusterID)
	}
	existing := c.Image().Cluster.Broker(kafka.NodeID(req.BrokerID))
	if existing != nil && existing.Incarnation != req.IncarnationID && !r.PreviousDead && c.valid(existing, t.now) && !c.succeeds(existing, req) {
		return nil, refuseGeneric(kerr.DuplicateBrokerRegistration)
	}
	if req.IsMigratingZkBroker {
		return nil, refuse(kerr.BrokerIDNotRegistered, "Controller does not support registering ZK brokers.")
	}
	b := &metadata.Broker{
		ID:          kafka.NodeID(req.BrokerID),
		Incarnation: req.IncarnationID,
		Rack:        req.Rack,
		Fenced:      true,
		Features:    make(map[string]metadata.LevelRange, len(req.Features)),
	}
	if metadata.HasDirectories(c.level()) {
		if refused := c.checkDirectories(req); refused != nil {
			return nil, refused
		}
		b.Directories = directories(req.LogDirs)
	}
	for _, l := range req.Listeners {
		b.Endpoints = append(b.Endpoints, metadata.Endpoint{
			Listener: l.Name, Host: l.Host, Port: l.Port, Protocol: metadata.SecurityProtocol(l.SecurityProtocol),
		})
	}
	for _, f := range req.Features {
		b.Features[f.Name] = metadata.LevelRange{
			Min: metadata.Level(f.MinSupportedVersion), Max: metadata.Level(f.MaxSupportedVersion),
		}
	}
	return b, c.checkFeatures(b.Features)
}

// directories copies ids in ascending order, as Kafka records them.
func directories(ids [][16]byte) []kafka.UUID {
	sorted := make([]kafka.UUID, len(ids))
	for i, id := range ids {
		sorted[i] = id
	}
	slices.SortFunc(sorted, func(a, b kafka.UUID) int { return bytes.Compare(a[:], b[:]) })
	return sorted
}

func (c *Controller) checkDirectories(req *kmsg.BrokerRegistrationRequest) *refusal {
	if len(req.LogDirs) == 0 {
		return refuse(kerr.InvalidRegistration, "No directories specified in request")
	}
	seen := make(map[kafka.UUID]bool, len(req.LogDirs))
	for _, id := range req.LogDirs {
		dir := kafka.UUID(id)
		if dir.Reserved() {
			return refuse(kerr.InvalidRegistration, "Reserved directory ID in request")
		}
		if seen[dir] {
			return refuse(kerr.InvalidRegistration, "Duplicate directory ID in request")
		}
		seen[dir] = true
	}
	for _, b := range c.Image().Cluster.Brokers() {
		for _, dir := range b.Directories {
			if seen[dir] && b.ID != kafka.NodeID(req.BrokerID) {
				return refuse(kerr.InvalidRegistration, "Broker %d is already registered with directory %v", b.ID, dir)
			}
		}
	}
	return nil
}

// checkFeatures refuses a node that does not support the finalized levels.
func (c *Controller) checkFeatures(supported map[string]metadata.LevelRange) *refusal {
	if _, ok := supported[metadata.MetadataVersionFeature]; !ok {
		return refuse(kerr.InvalidRegistration, "Request features do not contain 'metadata.version'")
	}
	finalized := c.Image().Features
	names := append(slices.Collect(maps.Keys(supported)), finalized.Names()...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name == metadata.KRaftVersionFeature {
			continue // finalized by the voters' records, not by the image
		}
		level, has := finalized.Level(name), supported[name]
		if !has.Has(level) {
			return refuse(kerr.UnsupportedVersion, "Unable to register because the broker does not support finalized version %d of %s. "+
				"The broker wants a version between %d and %d, inclusive.", level, name, has.Min, has.Max)
		}
	}
	return nil
}

// level is the finalized metadata.version.
func (c *Controller) level() metadata.Level { return c.Image().Features.MetadataVersion() }
