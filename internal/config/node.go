package config

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Node is the typed configuration of a node. Times and sizes of -1 (NoLimit) have no limit. Keys that are not here
// are read through Sources.
type Node struct {
	// Sources holds what the file sets; the dynamic parts are empty.
	Sources Sources
	// Warnings are lines for the log at start: keys without effect, unknown keys, deprecated ones.
	Warnings []string
	// Unknown are the keys that are not known, each with what it may stand for.
	Unknown []string

	ID         kafka.NodeID
	Broker     bool // process.roles has broker
	Controller bool // process.roles has controller
	Rack       string

	// Listeners are all that this node opens, controller listeners included.
	Listeners []Listener
	// Advertised are the broker listeners as clients and brokers see them.
	Advertised []Listener
	// ControllerAdvertised are the controller listeners as other nodes see them.
	ControllerAdvertised []Listener
	// ControllerListeners are the names of controller.listener.names; the first is used to reach the controllers.
	ControllerListeners []string
	// InterBrokerListener is the name of the listener by which brokers reach each other.
	InterBrokerListener string

	// Voters is the static quorum; empty when the quorum is dynamic (KIP-853).
	Voters []Voter
	// BootstrapServers are addresses (host:port) at which a dynamic quorum is found.
	BootstrapServers []string

	// LogDirs are the directories of partitions; MetadataLogDir, one of them or another, holds __cluster_metadata-0.
	LogDirs        []string
	MetadataLogDir string

	Metrics Metrics
	Topics  TopicDefaults
	Storage StorageLimits
	Network NetworkLimits
	Quorum  QuorumLimits
	Replica ReplicaLimits
}

// Metrics say where the node tells about itself over HTTP.
type Metrics struct {
	Listener string // host:port; empty for nowhere
	Profiles bool
}

// TopicDefaults say how topics come to be.
type TopicDefaults struct {
	Partitions        int32
	ReplicationFactor int16
	AutoCreate        bool
	DeleteEnabled     bool
}

// StorageLimits are the rhythms of the log.
type StorageLimits struct {
	RetentionCheck          time.Duration
	FlushCheck              time.Duration // log.flush.scheduler.interval.ms
	RecoveryCheckpoint      time.Duration
	StartOffsetCheckpoint   time.Duration
	HighWatermarkCheckpoint time.Duration
	InitialDelay            time.Duration
	DirFailureTimeout       time.Duration
	ProducerExpirationCheck time.Duration
}

// NetworkLimits bound connections and requests. Sizes are bytes.
type NetworkLimits struct {
	RequestMaxBytes       int
	QueuedMaxBytes        int64 // -1: Ottla's own bound
	SendBufferBytes       int   // -1: the system's
	ReceiveBufferBytes    int   // -1: the system's
	IdleTimeout           time.Duration
	RequestTimeout        time.Duration
	ConnectTimeout        time.Duration
	ConnectTimeoutMax     time.Duration
	FetchMaxBytes         int
	FetchSessions         int
	DescribeMaxPartitions int // of one DescribeTopicPartitions answer
}

// ConnectionLimits bound the connections at one time, and the new ones of a second. They change while the node runs: see Sources.Connections.
type ConnectionLimits struct {
	MaxConnections      int
	MaxConnectionRate   int            // a second
	MaxConnectionsPerIP int            // from one address
	MaxConnectionsByIP  map[string]int // instead, from that address or name
}

// QuorumLimits are the rhythms of the metadata quorum.
type QuorumLimits struct {
	ElectionTimeout       time.Duration
	FetchTimeout          time.Duration
	PeerTimeout           time.Duration
	RetryBackoff          time.Duration
	LogFetchMaxBytes      int
	SnapshotFetchMaxBytes int
	SegmentBytes          int
	SegmentAge            time.Duration
	SnapshotBytes         int64         // new metadata after which a snapshot is due
	SnapshotAge           time.Duration // 0: no limit
	IdleInterval          time.Duration // 0: no no-op records
	LogRetentionBytes     int64
	LogRetention          time.Duration
	BrokerHeartbeat       time.Duration
	BrokerSession         time.Duration
	RegistrationTimeout   time.Duration
	LeaderRebalance       time.Duration // 0: never
	ControlledShutdown    bool
	AutoJoin              bool // a controller without a vote asks for one
}

// ReplicaLimits are the rhythms of replication.
type ReplicaLimits struct {
	LagMax                time.Duration
	FetchWaitMax          time.Duration
	FetchMinBytes         int
	PartitionFetchBytes   int
	FetchResponseMaxBytes int
	FetchBackoff          time.Duration
	SocketTimeout         time.Duration
	NearestReads          bool // consumers are sent to replicas of their rack
}

// ListenerFor returns the listener of that name.
func (n *Node) ListenerFor(name string) (Listener, bool) {
	for _, l := range n.Listeners {
		if l.Name == name {
			return l, true
		}
	}
	return Listener{}, false
}

// IsControllerListener reports whether a listener is for controllers.
func (n *Node) IsControllerListener(name string) bool {
	for _, c := range n.ControllerListeners {
		if c == name {
			return true
		}
	}
	return false
}
