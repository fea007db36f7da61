package config

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// Listener is one address that a node listens on, or tells others.
type Listener struct {
	// Name is the listener's name, upper case: PLAINTEXT, CONTROLLER.
	Name string
	// Protocol is the security protocol behind the name; PLAINTEXT is the only one so far.
	Protocol string
	// Host may be "" to listen on all interfaces.
	Host string
	Port int
}

// Voter is one entry of controller.quorum.voters.
type Voter struct {
	ID   kafka.NodeID
	Host string
	Port int
}

// Node is the typed configuration of a node. Keys that only a live Topic or DescribeConfigs needs are reached
// through Sources.
type Node struct {
	// Sources holds what the file sets; the dynamic parts are empty.
	Sources Sources
	// Warnings are lines for the log at start: keys without effect, unknown keys, deprecated ones.
	Warnings []string

	ID         kafka.NodeID
	Broker     bool // process.roles has broker
	Controller bool // process.roles has controller
	Rack       string

	// Listeners are all that this node opens, controller listeners included.
	Listeners []Listener
	// Advertised are the broker listeners as clients see them.
	Advertised []Listener
	// ControllerListeners are the names of controller.listener.names, the first is used to reach the controllers.
	ControllerListeners []string
	// ControllerAdvertised are the controller listeners as other nodes see them.
	ControllerAdvertised []Listener
	// InterBrokerListener is the listener by which brokers reach each other.
	InterBrokerListener string

	// Voters is the static quorum; empty when the quorum is dynamic (KIP-853).
	Voters []Voter
	// BootstrapServers are addresses (host:port) at which a dynamic quorum is found.
	BootstrapServers []string

	// LogDirs are the directories of partitions; MetadataLogDir holds __cluster_metadata-0.
	LogDirs        []string
	MetadataLogDir string

	RequestTimeout time.Duration
}

// Load reads a properties file and the overrides ("key=value", as on the command line), checks them and gives
// the typed configuration. The error holds every problem found, one a line, with file and line.
func Load(file string, text []byte, overrides []string) (*Node, error) { panic("later") }
