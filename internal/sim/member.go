package sim

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// member is the broker's place in the cluster, as in package node: registration and heartbeats, one request at a time.
type member struct {
	incarnation kafka.UUID
	epoch       kafka.BrokerEpoch
	busy        bool
	next        time.Time
}

// join registers the broker and sends heartbeats, and returns when it wants to be called again.
func (p *process) join(now time.Time) time.Time {
	m := &p.member
	switch {
	case m.busy:
		return time.Time{}
	case now.Before(m.next):
		return m.next
	case m.epoch == kafka.NoBrokerEpoch:
		m.busy = true
		p.n.ask(p.registration(), p.registered)
	default:
		m.busy = true
		p.n.ask(p.beat(), p.heard)
	}
	return time.Time{}
}

func (p *process) registration() *kmsg.BrokerRegistrationRequest {
	req := kmsg.NewPtrBrokerRegistrationRequest()
	req.SetVersion(req.MaxVersion())
	req.BrokerID, req.ClusterID, req.IncarnationID = int32(p.n.id), clusterID, p.member.incarnation
	req.PreviousBrokerEpoch = int64(p.previous)
	l := kmsg.NewBrokerRegistrationRequestListener()
	l.Name, l.Host, l.Port = "PLAINTEXT", "node", uint16(9000+p.n.id)
	req.Listeners = append(req.Listeners, l)
	supported := controller.DefaultSupported()
	for _, name := range sortedKeys(supported) {
		f := kmsg.NewBrokerRegistrationRequestFeature()
		f.Name, f.MinSupportedVersion, f.MaxSupportedVersion = name, int16(supported[name].Min), int16(supported[name].Max)
		req.Features = append(req.Features, f)
	}
	req.LogDirs = append(req.LogDirs, p.directory.ID)
	return req
}

func (p *process) registered(resp kmsg.Response, err error) {
	m := &p.member
	m.busy, m.next = false, p.n.clock().Add(20*time.Millisecond)
	if err != nil {
		return
	}
	r := resp.(*kmsg.BrokerRegistrationResponse)
	if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
		p.n.w.tell("node %d is not registered: %v", p.n.id, err)
		return
	}
	m.epoch = kafka.BrokerEpoch(r.BrokerEpoch)
	p.start.Epoch = m.epoch
	if err := checkpoint.WriteStart(p.n.faulty, dataDir, p.start); err != nil {
		p.n.w.tell("node %d can't note its epoch: %v", p.n.id, err)
	}
	p.n.w.tell("node %d is registered with epoch %d", p.n.id, m.epoch)
}

func (p *process) beat() *kmsg.BrokerHeartbeatRequest {
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	req.SetVersion(req.MaxVersion())
	req.BrokerID, req.BrokerEpoch, req.CurrentMetadataOffset = int32(p.n.id), int64(p.member.epoch), int64(p.applied)
	return req
}

func (p *process) heard(resp kmsg.Response, err error) {
	m := &p.member
	m.busy, m.next = false, p.n.clock().Add(heartbeat)
	if err != nil {
		return
	}
	r := resp.(*kmsg.BrokerHeartbeatResponse)
	switch err := kerr.ErrorForCode(r.ErrorCode); {
	case errors.Is(err, kerr.StaleBrokerEpoch):
		m.epoch, m.next = kafka.NoBrokerEpoch, p.n.clock()
	case err == nil && r.IsFenced:
		m.next = p.n.clock().Add(20 * time.Millisecond)
	}
}

// registeredIn reports whether an image holds the registration of this process.
func (p *process) registeredIn(image *metadata.Image) bool {
	b := image.Cluster.Broker(kafka.NodeID(p.n.id))
	return b != nil && b.Incarnation == p.member.incarnation
}

// fence tells the controller, if this node is the active one, that the process of a broker has ended.
func (p *process) fence(id int) {
	b := p.image.Cluster.Broker(kafka.NodeID(id))
	if b == nil || b.Fenced {
		return
	}
	p.steps.Submit(controller.Disconnected{Broker: int32(id), Epoch: int64(b.Epoch), Gone: true}, func(_ any, err error) {
		if err == nil {
			p.n.w.sometimes("broker fenced because it is gone")
		}
	})
}
