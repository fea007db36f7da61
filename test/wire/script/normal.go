package script

// treatment says how a field that may differ between equal nodes is written.
type treatment int

const (
	// exact writes the value.
	exact treatment = iota
	// some writes "<n>" for a value of zero and above; negative ones stay.
	some
	// clock writes "<time>" for a time of about now; any other stays.
	clock
	// symbol writes "<name#1>", numbered by first appearance within the case;
	// zero and negative ones stay.
	symbol
	// topicID writes "id(name)" for the id of a topic that the script made.
	topicID
	// port writes "<broker>" or "<controller>" for the node's own ports.
	port
	// batches writes one line per record batch instead of the bytes.
	batches
	// presence writes only whether there are bytes or text.
	presence
	// unordered writes the values of a list in order.
	unordered
	// ownOnly writes nothing for a list of which all is other cases'.
	ownOnly
	// text writes bytes as a text, in which names are replaced.
	text
)

// treatments is the declared list of what may differ: by "API.field" first,
// then by ".field" for all APIs. Strings need no row: the node's addresses,
// directory and cluster id, and the prefix of the case's topics, are replaced
// in all of them.
var treatments = map[string]treatment{
	// Ids that a node draws.
	".TopicID":            topicID,
	".SessionID":          symbol,
	".ProducerID":         symbol,
	".ReplicaDirectoryID": symbol,
	"67.ProducerIDStart":  some,

	// Any broker, to whom all send what is the controller's.
	".ControllerID": some,

	// Addresses.
	".Port": port,

	// Times.
	".LogAppendTime":         clock,
	"2.Timestamp":            clock,
	".LastFetchTimestamp":    clock,
	".LastCaughtUpTimestamp": clock,

	// Positions in the metadata log, and the term of its leader.
	".BrokerEpoch":            some,
	".FinalizedFeaturesEpoch": some,
	"55.HighWatermark":        some,
	"55.LogEndOffset":         some,
	"55.LeaderEpoch":          some,

	// The disk.
	".TotalBytes":  some,
	".UsableBytes": some,

	// Words of our own.
	".Documentation": presence,

	// What members tell each other.
	".ProtocolMetadata": text,
	".MemberAssignment": text,

	// Sets, in no order.
	".SubscribedTopics": unordered,
	"68.Partitions":     unordered,
	"69.Partitions":     unordered,

	// Groups of all cases, which a node has or not.
	"16.Groups": ownOnly,

	".RecordBatches": batches,
	"59.Bytes":       presence,
}

// controllerTreatments come before treatments on the controller listener,
// where Fetch reads the metadata log.
var controllerTreatments = map[string]treatment{
	"1.HighWatermark":    some,
	"1.LastStableOffset": some,
	"1.LeaderEpoch":      some,
	"1.Epoch":            some,
	"1.EndOffset":        some,
	"1.RecordBatches":    presence,
	"59.LeaderEpoch":     some,
	"59.EndOffset":       some,
	"59.Epoch":           some,
	"59.Size":            some,
	"19.LeaderEpoch":     some,
}

// keyFields name an array element, in the order of preference.
var keyFields = []string{"Topic", "Name", "Feature", "ResourceName", "Dir", "TopicID", "Partition", "Key", "NodeID", "ReplicaID", "ApiKey", "ProducerID", "Group", "MemberID"}
