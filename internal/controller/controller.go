package controller

import (
	"math/rand/v2"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// Config is what a controller is told at construction.
type Config struct {
	// ClusterID is compared with that of registering nodes.
	ClusterID string
	// NodeID is this controller's, and Voters are the ids of the whole quorum: a feature needs the support of all.
	NodeID kafka.NodeID
	Voters []kafka.NodeID
	// Supported are the feature levels that this controller can write. Nil stands for DefaultSupported.
	Supported map[string]metadata.LevelRange
	// KRaftVersion is the finalized kraft.version of the quorum.
	KRaftVersion metadata.Level
	// Bootstrap are the records that the first activation writes into an empty log: feature levels, and what
	// format was told to add. Nil stands for DefaultBootstrap.
	Bootstrap []schema.MetadataRecord
	// DefaultPartitions and DefaultReplication apply where a request says -1: num.partitions and
	// default.replication.factor. 0 stands for 1.
	DefaultPartitions  int32
	DefaultReplication int16
	// MinInSyncReplicas is min.insync.replicas of the file; it becomes the cluster's default when eligible leader
	// replicas are on. 0 stands for 1.
	MinInSyncReplicas int
	// DisableDeleteTopics is delete.topic.enable=false.
	DisableDeleteTopics bool
	// SessionTimeout is broker.session.timeout.ms. 0 stands for 9 s.
	SessionTimeout time.Duration
	// RebalanceInterval is how often leadership goes back to preferred replicas. 0 stands for never.
	RebalanceInterval time.Duration
	// Configs judges and resolves configurations. Required.
	Configs Configs
	// Random places replicas and makes topic ids. Required.
	Random *rand.Rand
	// NewID makes a topic id; nil stands for one drawn from Random.
	NewID func() kafka.UUID
}

// Command is something asked of the controller. The commands are the exported structs of this package; each says
// what its response is.
type Command interface {
	handle(c *Controller, t turn) (Result, error)
}

// turn is what a command may know of the moment.
type turn struct {
	now  time.Time
	next kafka.Offset // the offset that the first record will get
}

// Result is what a command leads to.
type Result struct {
	// Records are one atomic batch, empty when nothing changes. They may depend on the offset that Handle was told.
	Records []metadata.Record
	// VotersIntoLog has the quorum write its voters into the log behind the records: kraft.version is raised.
	VotersIntoLog bool
	// Response answers the command once the records are committed.
	Response any
}

// Controller is the state of the cluster and what it takes to change it. It belongs to one goroutine.
type Controller struct {
	cfg      Config
	loader   *metadata.Loader
	sessions sessions
	// registered is the offset of each broker's newest registration record: a broker that has read it is caught up.
	registered map[kafka.NodeID]kafka.Offset
	collisions collisions
	resolved   resolved
	// rebalanceAt is when leaders are looked at next; zero for never.
	rebalanceAt time.Time
}

// New starts a controller at the moment it becomes active, on all that was committed: it goes on from loader, which
// it takes over. Brokers that are not fenced get a fresh session.
func New(cfg Config, loader *metadata.Loader, now time.Time) *Controller {
	image := loader.Image()
	c := &Controller{
		cfg:        cfg.withDefaults(),
		loader:     loader,
		sessions:   make(sessions),
		registered: make(map[kafka.NodeID]kafka.Offset),
		collisions: make(collisions),
	}
	if cfg.RebalanceInterval > 0 {
		c.rebalanceAt = now.Add(cfg.RebalanceInterval)
	}
	for _, b := range image.Cluster.Brokers() {
		c.sessions[b.ID] = newSession(now)
		c.sessions[b.ID].unheard = true
		c.registered[b.ID] = image.Offset
	}
	for t := range image.Topics.All() {
		c.collisions.add(t.Name)
	}
	return c
}

// Image is the newest state, with records that may not be committed yet.
func (c *Controller) Image() *metadata.Image { return c.loader.Image() }

// SetVoters says who the voters of the quorum are from now on, and the level of kraft.version.
func (c *Controller) SetVoters(ids []kafka.NodeID, level metadata.Level) {
	c.cfg.Voters, c.cfg.KRaftVersion = ids, level
}

// Handle decides what a command leads to; next is the offset that its first record would get. The error is not
// for the client: it says that the command makes no sense, such as an unknown operation. What a client did wrong is
// in the response.
func (c *Controller) Handle(now time.Time, next kafka.Offset, cmd Command) (Result, error) {
	return cmd.handle(c, turn{now: now, next: next})
}

// Replay applies a batch, the controller's own or one of an earlier leader. After an error the controller must be
// dropped and made anew from what is committed.
func (c *Controller) Replay(now time.Time, b metadata.Batch) (metadata.Change, error) {
	change, err := c.loader.Replay(b)
	if err != nil {
		return change, err
	}
	base := b.Offset - kafka.Offset(len(b.Records)-1)
	for i, r := range b.Records {
		if r, ok := r.(*schema.RegisterBrokerRecord); ok {
			c.registered[kafka.NodeID(r.BrokerID)] = base + kafka.Offset(i)
		}
	}
	for _, t := range change.Delta.Topics() {
		if t.Before == nil {
			c.collisions.add(t.After.Name)
		} else if t.After == nil {
			c.collisions.remove(t.Before.Name)
		}
	}
	c.replaySessions(now, change)
	return change, nil
}
