package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

// retryAfter is the pause before a broker that is fenced asks again.
const retryAfter = 10 * time.Millisecond

// membership is the broker's place in the cluster: registration, heartbeats, and what it asks of the controller for its clients.
type membership struct {
	n           *Node
	incarnation kafka.UUID
	leaving     atomic.Bool   // from here on it asks to be let go
	hurry       atomic.Bool   // somebody waits for how far this broker has read
	epoch       atomic.Int64  // a kafka.BrokerEpoch: of the registration; set by join
	news        chan struct{} // holds one: a directory failed or somebody waits for a heartbeat
	placed      chan struct{} // holds one: there are directories of replicas to be told
	silent      time.Time     // since when the controller could not be told of a failed directory
}

func newMembership(n *Node) (*membership, error) {
	incarnation, err := kafka.NewUUID(n.opts.Random)
	if err != nil {
		return nil, fmt.Errorf("draw an incarnation: %w", err)
	}
	m := &membership{n: n, incarnation: incarnation, news: make(chan struct{}, 1), placed: make(chan struct{}, 1)}
	m.epoch.Store(int64(kafka.NoBrokerEpoch))
	return m, nil
}

// takeRegistration takes the broker epoch from an image that holds the registration of this process, and reports whether it does. The image may be here
// before the controller's answer, and what is fetched on account of it says with which epoch.
func (m *membership) takeRegistration(image *metadata.Image) bool {
	b := image.Cluster.Broker(m.n.cfg.ID)
	if b == nil || b.Incarnation != m.incarnation {
		return false
	}
	m.epoch.CompareAndSwap(int64(kafka.NoBrokerEpoch), int64(b.Epoch))
	return true
}

// brokerEpoch is that of the registration, kafka.NoBrokerEpoch before it.
func (m *membership) brokerEpoch() kafka.BrokerEpoch { return kafka.BrokerEpoch(m.epoch.Load()) }

// tell has the controller told soon what changed in the log directories. It does not block.
func (m *membership) tell() { wake(m.news) }

// wake wakes the loop that reads from c, which holds one.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// follow has the controller told at once how far this broker has read when another one wants to go: it is let go when all know. What is told is what is
// applied: call it after that, or the other one waits for the next heartbeat.
func (m *membership) follow(c metadata.Change) {
	for _, b := range c.Delta.Brokers() {
		if b.ID != m.n.cfg.ID && b.After != nil && b.After.InControlledShutdown {
			m.hurry.Store(true)
		}
	}
	m.tell()
}

// join has the node in the cluster. A controller alone waits for the others for as long as ctx does, as in Kafka; a broker gives up some time.
func (m *membership) join(ctx context.Context) error {
	within := m.n.cfg.Quorum.RegistrationTimeout
	if !m.n.cfg.Broker {
		return m.enter(ctx)
	}
	short, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := m.enter(short)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("shutting down, as the broker was unable to register with the controller quorum within %v (initial.broker.registration.timeout.ms): %w", within, err)
	}
	return err
}

// enter registers the broker and returns when it is unfenced, and serves what it was given with that.
func (m *membership) enter(ctx context.Context) error {
	if m.n.engine != nil {
		if err := m.registerController(ctx); err != nil {
			return fmt.Errorf("register the controller: %w", err)
		}
	}
	if !m.n.cfg.Broker {
		return nil
	}
	if err := m.register(ctx, true); err != nil { // the directories are locked: whoever had them is dead
		return fmt.Errorf("register the broker: %w", err)
	}
	// It stays fenced until it serves what the metadata held when it came.
	if err := m.n.applier.wait(ctx, kafka.Offset(m.epoch.Load())); err != nil {
		return fmt.Errorf("follow the metadata: %w", err)
	}
	for {
		fenced, err := m.heartbeat(ctx)
		if err != nil {
			return fmt.Errorf("first heartbeat: %w", err)
		}
		if !fenced {
			break
		}
		if err := peer.Pause(ctx, retryAfter); err != nil {
			return fmt.Errorf("the controller keeps the broker fenced: %w", err)
		}
	}
	// With that it was given what it leads, and is ready when it does.
	if err := m.n.applier.until(ctx, m.serves); err != nil {
		return fmt.Errorf("follow the metadata: %w", err)
	}
	return nil
}

// serves reports whether what is applied up to an offset has this registration unfenced. A newer image, which is just being applied, does not count.
func (m *membership) serves(at kafka.Offset) bool {
	image := m.n.image.Load()
	b := image.Cluster.Broker(m.n.cfg.ID)
	return image.Offset <= at && b != nil && b.Epoch == m.brokerEpoch() && !b.Fenced
}

func (m *membership) registerController(ctx context.Context) error {
	req := kmsg.NewPtrControllerRegistrationRequest()
	req.ControllerID = int32(m.n.cfg.ID)
	req.IncarnationID = m.incarnation
	for _, e := range m.n.ends {
		if e.controller {
			req.Listeners = append(req.Listeners, kmsg.ControllerRegistrationRequestListener(m.n.registered(e.config)))
		}
	}
	for _, f := range supportedFeatures() {
		req.Features = append(req.Features, kmsg.ControllerRegistrationRequestFeature(f))
	}
	resp, err := quorum.Do[*kmsg.ControllerRegistrationResponse](ctx, m.n.controller, controller.RegisterController{Request: req})
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); !errors.Is(err, kerr.UnsupportedVersion) { // an old metadata.version has no such records
		return err
	}
	return nil
}

// register registers this incarnation. Say that the one before it is dead only if it can't be another process that was quicker.
func (m *membership) register(ctx context.Context, previousDead bool) error {
	req := kmsg.NewPtrBrokerRegistrationRequest()
	req.SetVersion(req.MaxVersion())
	req.BrokerID, req.ClusterID, req.IncarnationID = int32(m.n.cfg.ID), m.n.identity.ClusterID, m.incarnation
	req.PreviousBrokerEpoch = int64(m.n.cleanEpoch())
	if m.n.cfg.Rack != "" {
		req.Rack = &m.n.cfg.Rack
	}
	for _, l := range m.n.advertised() {
		req.Listeners = append(req.Listeners, m.n.registered(l))
	}
	req.Features = supportedFeatures()
	for _, d := range m.n.dirs {
		req.LogDirs = append(req.LogDirs, d.ID)
	}
	var taken error // why the id can't be had yet: the process before this one may count as alive until somebody notices, or its session ends
	for {
		resp, err := quorum.Do[*kmsg.BrokerRegistrationResponse](ctx, m.n.controller, controller.RegisterBroker{Request: req, PreviousDead: previousDead})
		switch {
		case err != nil && taken != nil && ctx.Err() != nil: // the time was up in the middle of a try: what the ones before it were told is the reason
			return taken
		case err != nil:
			return err
		}
		err = kerr.ErrorForCode(resp.ErrorCode)
		if err == nil {
			m.n.noteEpoch(kafka.BrokerEpoch(resp.BrokerEpoch))
			m.epoch.Store(resp.BrokerEpoch)
		}
		if !errors.Is(err, kerr.DuplicateBrokerRegistration) {
			return err
		}
		if taken == nil {
			m.n.log.Warn("waits, as a broker with this node's id is registered and was heard of a moment ago", "holder", m.holder(),
				"hint", "if it is the process before this one, its session ends within broker.session.timeout.ms; else each node needs a node.id of its own")
		}
		taken = fmt.Errorf("node.id=%d is that of another broker, which is alive, at %s: each node needs one of its own: %w", m.n.cfg.ID, m.holder(), err)
		if peer.Pause(ctx, retryAfter) != nil {
			return taken
		}
	}
}

// holder is where the broker is that the cluster knows by this node's id.
func (m *membership) holder() string {
	var at []string
	if b := m.n.quorum.Image().Cluster.Broker(m.n.cfg.ID); b != nil {
		for _, e := range b.Endpoints {
			at = append(at, fmt.Sprintf("%s://%s:%d", e.Listener, e.Host, e.Port))
		}
	}
	return cmp.Or(strings.Join(at, ","), "an address that this node does not know yet")
}

// registered is a listener as a registration names it; a controller's has the same fields.
func (n *Node) registered(l config.Listener) kmsg.BrokerRegistrationRequestListener {
	e := kmsg.NewBrokerRegistrationRequestListener()
	e.Name, e.Host, e.Port, e.SecurityProtocol = l.Name, n.advertisedHost(l.Host), uint16(l.Port), int16(metadata.Plaintext)
	return e
}

// supportedFeatures are the features as a registration names them, sorted; a controller's has the same fields.
func supportedFeatures() []kmsg.BrokerRegistrationRequestFeature {
	var all []kmsg.BrokerRegistrationRequestFeature
	supported := controller.DefaultSupported()
	for _, name := range slices.Sorted(maps.Keys(supported)) {
		f := kmsg.NewBrokerRegistrationRequestFeature()
		f.Name, f.MinSupportedVersion, f.MaxSupportedVersion = name, int16(supported[name].Min), int16(supported[name].Max)
		all = append(all, f)
	}
	return all
}

// advertised are the broker's listeners as clients are told, with the ports that were bound where the configuration
// left them open.
func (n *Node) advertised() []config.Listener {
	var all []config.Listener
	for _, l := range n.cfg.Advertised {
		l.Port = n.boundPort(l)
		all = append(all, l)
	}
	return all
}

// advertisedHost is a name that others can connect to, where the configuration names none.
func (n *Node) advertisedHost(host string) string {
	if host == "" || host == "0.0.0.0" || host == "::" {
		return n.opts.Hostname
	}
	return host
}

// heartbeat keeps the session, asks to be unfenced, and tells how far the metadata has been read.
func (m *membership) heartbeat(ctx context.Context) (fenced bool, err error) {
	resp, err := m.beat(ctx)
	if err != nil {
		return true, err
	}
	return resp.IsFenced, nil
}

// leave hands over what the broker leads (controlled shutdown), and returns when the controller lets it go, or with ctx.
func (m *membership) leave(ctx context.Context) error {
	m.leaving.Store(true)
	for {
		resp, err := m.beat(ctx)
		if err != nil || resp.ShouldShutdown {
			return err
		}
		if err := peer.Pause(ctx, retryAfter); err != nil {
			return err
		}
	}
}

func (m *membership) beat(ctx context.Context) (*kmsg.BrokerHeartbeatResponse, error) {
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	req.WantShutdown = m.leaving.Load()
	req.SetVersion(req.MaxVersion())
	req.BrokerID, req.BrokerEpoch = int32(m.n.cfg.ID), m.epoch.Load()
	offset, _ := m.n.applier.applied()
	req.CurrentMetadataOffset = int64(offset)
	req.OfflineLogDirs, req.CordonedLogDirs = m.n.offlineDirs(), m.n.cordonedDirs()
	resp, err := quorum.Do[*kmsg.BrokerHeartbeatResponse](ctx, m.n.controller, controller.Heartbeat{Request: req})
	if err != nil {
		return nil, err
	}
	return resp, kerr.ErrorForCode(resp.ErrorCode)
}

// round bounds what the broker asks while it runs by its session: one that is heard by nobody must come to think of its directories.
func (m *membership) round(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, m.n.cfg.Quorum.BrokerSession)
}

// run sends heartbeats until ctx ends, and one out of turn when a log directory failed, somebody waits for it, or another controller leads: that notices the
// end of this process at once only by the end of a connection on which it has heard of it.
func (m *membership) run(ctx context.Context) {
	beat := time.NewTicker(m.n.cfg.Quorum.BrokerHeartbeat)
	defer beat.Stop()
	var told reported
	_, _, deposed := m.n.quorum.LeaderUntil()
	for {
		select {
		case <-ctx.Done():
			return
		case <-deposed:
			_, _, deposed = m.n.quorum.LeaderUntil()
		case <-m.news:
			if told.is(m.n) && !m.hurry.Swap(false) {
				continue
			}
		case <-beat.C:
		}
		now := reported{len(m.n.offlineDirs()), len(m.n.cordonedDirs())}
		round, cancel := m.round(ctx)
		_, err := m.heartbeat(round)
		cancel()
		if errors.Is(err, kerr.StaleBrokerEpoch) {
			if err := m.stale(ctx, err); err != nil {
				m.n.fail(err)
				return
			}
			continue
		}
		if err == nil {
			told = now
			m.silent = time.Time{}
			wake(m.placed) // what could not be told before
			continue
		}
		if ctx.Err() == nil {
			m.n.log.Warn("heartbeat failed", "err", err)
			m.giveUp(told, err)
		}
	}
}

// stale decides on a registration that is not the cluster's any more: one that somebody took back is made anew, one that another process
// has taken ends this one.
func (m *membership) stale(ctx context.Context, cause error) error {
	if b := m.n.quorum.Image().Cluster.Broker(m.n.cfg.ID); b != nil && b.Incarnation != m.incarnation {
		return fmt.Errorf("another process has registered as broker %d: %w", m.n.cfg.ID, cause)
	}
	round, cancel := m.round(ctx)
	defer cancel()
	if err := m.register(round, false); err != nil {
		m.n.log.Warn("the broker is not registered any more, and could not register anew", "err", err)
		return nil // with the next heartbeat
	}
	m.n.log.Warn("the broker was unregistered, and has registered anew", "epoch", m.epoch.Load())
	return nil
}

// reported is what the controller knows of the directories: how many are offline and how many cordoned.
type reported struct{ offline, cordoned int }

func (r reported) is(n *Node) bool {
	return r.offline == len(n.offlineDirs()) && r.cordoned == len(n.cordonedDirs())
}

// giveUp stops the node when the controller could not be told of a failed directory for log.dir.failure.timeout.ms: it would send clients
// to replicas that are not there.
func (m *membership) giveUp(told reported, err error) {
	now := m.n.opts.Now()
	switch {
	case told.offline == len(m.n.offlineDirs()):
	case m.silent.IsZero():
		m.silent = now
	case now.Sub(m.silent) >= m.n.cfg.Storage.DirFailureTimeout:
		m.n.fail(fmt.Errorf("the controller could not be told of a failed log directory for %v: %w", m.n.cfg.Storage.DirFailureTimeout, err))
	}
}
