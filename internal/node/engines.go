package node

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/observer"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/quorum"
)

// ticksOfElection are those of controller.quorum.election.timeout.ms: Raft waits for ten to twenty before it elects, which is half that time
// to all of it.
const ticksOfElection = 20

// openQuorum loads the metadata log.
func (n *Node) openQuorum() error {
	err := n.openView()
	if errors.Is(err, quorum.ErrDamaged) {
		return fmt.Errorf("load the metadata log in %s: %w: nothing was cut away: check the disk, and restore the folder from a backup", n.metadata.Path, err)
	}
	if err != nil {
		return fmt.Errorf("load the metadata log in %s: %w", n.metadata.Path, err)
	}
	n.controller, n.forwarding = n.newController(), n.newController()
	return nil
}

// openView opens this node's member of the quorum, or, if it has no vote, its copy of the log.
func (n *Node) openView() (err error) {
	if n.cfg.Controller {
		if n.engine, err = n.openEngine(); err == nil {
			n.quorum = n.engine
		}
		return err
	}
	follows, err := n.openObserver()
	if err == nil {
		n.quorum = follows
	}
	return err
}

// metadataLogConfig is the configuration of the metadata log.
func (n *Node) metadataLogConfig() commitlog.Config {
	log := commitlog.DefaultConfig()
	log.SegmentBytes, log.SegmentAge = n.cfg.Quorum.SegmentBytes, n.cfg.Quorum.SegmentAge
	return log
}

func (n *Node) openEngine() (*quorum.Engine, error) {
	dir, q := n.metadata, n.cfg.Quorum
	n.openVoters(dir.ID)
	var join func(context.Context, quorum.Voter, quorum.VoterChange) error
	if q.AutoJoin {
		join = n.voters.Join
	}
	return quorum.Open(quorum.Config{
		FS: n.opts.FS, Dir: metadataLog(dir.Path),
		NodeID: n.cfg.ID, Directory: dir.ID, Voters: n.staticVoters(), Tick: q.ElectionTimeout / ticksOfElection, Activated: n.probeAll, Send: n.voters.Send, FetchSnapshot: n.voters.FetchSnapshot, Introduce: n.voters.Introduce, Join: join,
		Controller: controller.Config{
			ClusterID: n.identity.ClusterID, NodeID: n.cfg.ID,
			DefaultPartitions: n.cfg.Topics.Partitions, DefaultReplication: n.cfg.Topics.ReplicationFactor,
			MinInSyncReplicas:   int(n.cfg.Sources.Int("min.insync.replicas")),
			DisableDeleteTopics: !n.cfg.Topics.DeleteEnabled, SessionTimeout: q.BrokerSession, RebalanceInterval: q.LeaderRebalance,
			Configs: configs{n.cfg.Sources, n.levels}, Random: n.draws,
		},
		LogConfig: n.metadataLogConfig(), Cache: n.cache, SnapshotBytes: q.SnapshotBytes, SnapshotInterval: q.SnapshotAge,
		IdleInterval: q.IdleInterval, Clean: dir.clean, Now: n.opts.Now, Log: n.logger("quorum"),
	})
}

// leaderHolds is how long the leader may hold a fetch of the metadata log while there is nothing new; Kafka's is the same.
const leaderHolds = 500 * time.Millisecond

// openObserver loads the copy of the metadata log of a node without a vote.
func (n *Node) openObserver() (*observer.Engine, error) {
	dir, q := n.metadata, n.cfg.Quorum
	return observer.Open(observer.Config{
		ClusterID: n.identity.ClusterID, NodeID: n.cfg.ID, Directory: dir.ID, Servers: n.cfg.BootstrapServers, Listener: n.cfg.ControllerListeners[0],
		Mirror: quorum.MirrorConfig{
			FS: n.opts.FS, Dir: metadataLog(dir.Path), Voters: n.staticVoters(), LogConfig: n.metadataLogConfig(), Cache: n.cache,
			SnapshotBytes: q.SnapshotBytes, SnapshotInterval: q.SnapshotAge, Clean: dir.clean, Log: n.logger("quorum"),
		},
		Dial: n.connect, Wait: leaderHolds, Timeout: q.PeerTimeout, Backoff: max(q.RetryBackoff, time.Millisecond), MaxBytes: q.LogFetchMaxBytes, MaxSnapshotBytes: q.SnapshotFetchMaxBytes,
		Now: n.opts.Now, Log: n.logger("quorum"),
	})
}

// metadataLog is the folder of the metadata log in a log directory.
func metadataLog(dir string) string {
	return path.Join(dir, (kafka.TopicPartition{Topic: kafka.ClusterMetadataTopic}).String())
}

func (n *Node) staticVoters() []quorum.Voter {
	var all []quorum.Voter
	for _, v := range n.cfg.Voters {
		all = append(all, quorum.Voter{ID: v.ID, Endpoints: []metadata.Endpoint{{
			Listener: n.cfg.ControllerListeners[0], Host: v.Host, Port: uint16(v.Port),
		}}})
	}
	return all
}

// openPartitions recovers the logs.
func (n *Node) openPartitions() error {
	var dirs []partition.Dir
	for _, d := range n.dirs {
		dirs = append(dirs, partition.Dir{Path: d.Path, ID: d.ID, Clean: d.clean, Written: d.written})
	}
	for _, d := range n.identity.Dirs {
		if d.Err != nil {
			dirs = append(dirs, partition.Dir{Path: d.Path, Err: d.Err})
		}
	}
	s := n.cfg.Storage
	n.image.Store(n.quorum.Image())
	n.openReplication()
	dynamic := api.SourcesAt(n.cfg, n.quorum.Image())
	var err error
	n.partitions, err = partition.Open(partition.Options{
		Self: n.cfg.ID, FS: n.opts.FS, Dirs: dirs, Template: commitlog.Options{Cache: n.cache},
		TopicConfig: n.topicConfig, Now: n.opts.Now, NewID: n.drawID(), Log: n.logger("partition"),
		RecoveryThreads: int(dynamic.Int("num.recovery.threads.per.data.dir")), RetentionInterval: s.RetentionCheck,
		HighWaterInterval: s.HighWatermarkCheckpoint, CheckpointInterval: s.RecoveryCheckpoint,
		FlushCheck: s.FlushCheck, ExpiryInterval: s.ProducerExpirationCheck, DeleteDelay: dynamic.Millis("log.segment.delete.delay.ms"),
		StartsInterval: s.StartOffsetCheckpoint, InitialDelay: s.InitialDelay,
		Cluster: brokers{n}, MaxLag: n.cfg.Replica.LagMax, Propose: n.replication.Propose, Moved: n.replication.Moved,
		DirFailed: n.dirFailed, Cordoned: n.cordoned, Placed: func() { wake(n.member.placed) }, Cleaners: n.cleanerConfig,
	})
	if err != nil {
		return fmt.Errorf("recover the logs: %w", err)
	}
	return n.vouch()
}

// topicConfig resolves a topic's configuration against the image that is being applied.
func (n *Node) topicConfig(topic string, overrides map[string]string) partition.Config {
	image := n.image.Load()
	if overrides == nil {
		overrides = image.Configs.Topic(topic)
	}
	s := api.SourcesAt(n.cfg, image)
	t := s.Topic(overrides)
	c := topicConfig(t, s.Millis("producer.id.expiration.ms"))
	c.LeaderThrottled, c.FollowerThrottled = throttledAt(n.cfg.ID, t.LeaderThrottledReplicas), throttledAt(n.cfg.ID, t.FollowerThrottledReplicas)
	if image.Topics.ByName(topic) == nil {
		c.Log.Compacted = true // for all that is known at the start: then gaps between segments are no damage
	}
	return c
}

// cleanerConfig resolves the configuration of the cleaners likewise.
func (n *Node) cleanerConfig() partition.CleanerConfig {
	return cleanerConfig(api.SourcesAt(n.cfg, n.image.Load()))
}

// cordoned reports whether a log directory takes no new replicas.
func (n *Node) cordoned(path string) bool {
	names := api.SourcesAt(n.cfg, n.image.Load()).List("cordoned.log.dirs")
	return slices.Contains(names, path) || slices.Equal(names, []string{"*"})
}

// cordonedDirs are the directories that the controller is told to put nothing new in; nil where the cluster does not know such (KIP-1066).
func (n *Node) cordonedDirs() [][16]byte {
	image := n.quorum.Image()
	if !metadata.HasCordonedDirectories(image.Features.MetadataVersion()) {
		return nil
	}
	var ids [][16]byte
	for _, d := range n.dirs {
		if n.cordoned(d.Path) {
			ids = append(ids, d.ID)
		}
	}
	if broker := image.Cluster.Broker(n.cfg.ID); ids == nil && broker != nil && broker.CordonedKnown {
		return [][16]byte{}
	}
	return ids
}

// dirFailed is told of a log directory that failed.
func (n *Node) dirFailed(dir partition.Dir, last bool, err error) {
	n.disown(dir)
	n.member.tell()
	switch {
	case last:
		n.fail(fmt.Errorf("log directory %s failed and there is no other: %w", dir.Path, err))
	case dir.ID == n.metadata.ID:
		n.fail(fmt.Errorf("the metadata log directory %s failed: %w", dir.Path, err))
	}
}

// offlineDirs are the directories that the controller is told to count out.
func (n *Node) offlineDirs() [][16]byte {
	var ids [][16]byte
	for _, d := range n.partitions.Failed() {
		if !d.ID.IsZero() {
			ids = append(ids, d.ID)
		}
	}
	return ids
}
