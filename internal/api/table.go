package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/purgatory"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// listeners is a set of kinds of listener.
type listeners uint8

const (
	onBroker listeners = 1 << iota
	onController
	onBoth = onBroker | onController
)

// row is one API: what Kafka 4.4 serves of it, and who answers.
type row struct {
	wire.Range
	on listeners
	// advertisedMin is what ApiVersions says instead of Min; see produceMin.
	advertisedMin int16
	// handle gets the decoded request, and so does later, which sees to the reply itself; raw gets the bytes after the
	// header. One of them is set.
	handle func(*call, kmsg.Request) kmsg.Response
	later  func(*call, kmsg.Request)
	raw    func(*call, []byte)
}

// produceMin is the real lowest version of Produce. ApiVersions says 0, because a librdkafka that sees more takes the
// node for one without compression (KAFKA-18659).
const produceMin = 3

// table is sorted by key, the order in which ApiVersions lists it.
var table []row

// The table names handlers, one of which lists the table: that is why it is filled here.
func init() {
	table = []row{
		{Range: wire.Range{Key: 0, Min: produceMin, Max: 13}, on: onBroker, advertisedMin: 0, raw: produce},
		{Range: wire.Range{Key: 1, Min: 4, Max: 18}, on: onBoth, advertisedMin: 4, raw: fetch},
		serve(2, 1, 11, onBroker, listOffsets),
		serve(3, 0, 13, onBroker, metadataOf),
		serveLater(8, 2, 10, offsetCommit),
		serveLater(9, 1, 10, offsetFetch),
		serve(10, 0, 6, onBroker, findCoordinator),
		serveLater(11, 0, 9, joinGroup),
		serveLater(12, 0, 4, heartbeat),
		serveLater(13, 0, 5, leaveGroup),
		serveLater(14, 0, 5, syncGroup),
		serveLater(15, 0, 6, describeGroups),
		serveLater(16, 0, 5, listGroups),
		serve(18, 0, 5, onBoth, apiVersions),
		serve(19, 2, 7, onBoth, createTopics),
		serve(20, 1, 6, onBoth, deleteTopics),
		serve(21, 0, 2, onBroker, deleteRecords),
		serve(22, 0, 5, onBroker, initProducerID),
		serve(23, 2, 4, onBroker, offsetForLeaderEpoch),
		serve(32, 1, 4, onBoth, describeConfigs),
		serve(33, 0, 2, onBoth, alterConfigs),
		serve(34, 1, 2, onBroker, alterReplicaLogDirs),
		serve(35, 1, 5, onBroker, describeLogDirs),
		serve(37, 0, 3, onBoth, createPartitions),
		serveLater(42, 0, 3, deleteGroups),
		serve(43, 0, 2, onBoth, electLeaders),
		serve(44, 0, 1, onBoth, incrementalAlterConfigs),
		serve(45, 0, 1, onBoth, alterPartitionReassignments),
		serve(46, 0, 0, onBoth, listPartitionReassignments),
		serveLater(47, 0, 0, offsetDelete),
		serve(55, 0, 2, onBoth, describeQuorum),
		serve(56, 2, 3, onController, alterPartition),
		serve(57, 0, 2, onBoth, updateFeatures),
		serve(58, 0, 0, onController, envelope),
		serve(59, 0, 1, onController, fetchSnapshot),
		serve(60, 0, 2, onBoth, describeCluster),
		serve(61, 0, 0, onBroker, describeProducers),
		serve(62, 0, 4, onController, brokerRegistration),
		serve(63, 0, 2, onController, brokerHeartbeat),
		serve(64, 0, 0, onBoth, unregisterBroker),
		serve(67, 0, 0, onController, allocateProducerIDs),
		serveLater(68, 0, 1, consumerGroupHeartbeat),
		serveLater(69, 0, 1, consumerGroupDescribe),
		serve(70, 0, 0, onController, controllerRegistration),
		serve(73, 0, 0, onController, assignReplicasToDirs),
		serve(74, 0, 1, onBroker, listConfigResources),
		serve(75, 0, 0, onBroker, describeTopicPartitions),
		serve(80, 0, 1, onBoth, addRaftVoter),
		serve(81, 0, 0, onBoth, removeRaftVoter),
		serve(82, 0, 0, onController, updateRaftVoter),
		{Range: wire.Range{Key: wire.KeyRaft}, on: onController, raw: raft},
	}
}

// serve makes a row whose handler takes and gives kmsg's types.
func serve[Req kmsg.Request, R any, Resp interface {
	*R
	kmsg.Response
}](key, low, high int16, on listeners, h func(*call, Req) Resp) row {
	return row{
		Range: wire.Range{Key: key, Min: low, Max: high}, on: on, advertisedMin: low,
		handle: func(c *call, req kmsg.Request) kmsg.Response {
			resp := h(c, req.(Req))
			if resp == nil {
				return nil // a nil of the interface, not of the pointer
			}
			return resp
		},
	}
}

// serveLater makes a row of clients' whose handler gets kmsg's types and has the reply made when it is known.
func serveLater[Req kmsg.Request](key, low, high int16, h func(*call, Req)) row {
	return row{
		Range: wire.Range{Key: key, Min: low, Max: high}, on: onBroker, advertisedMin: low,
		later: func(c *call, req kmsg.Request) { h(c, req.(Req)) },
	}
}

// find returns the row of a key on a listener, or nil.
func find(key int16, on listeners) *row {
	for i := range table {
		if table[i].Key == key && table[i].on&on != 0 {
			return &table[i]
		}
	}
	return nil
}

// call is one request on its way. A connection has one, which its requests use in turn: what outlives the handler
// takes a copy.
type call struct {
	*Node
	req *transport.Request
	hdr wire.Header
	// on is the kind of the listener that the request came in by, listener its name.
	on       listeners
	listener string
	// broker is whose heartbeats come by this connection, on a controller's listener.
	broker brokerKey

	scratch scratch
}

// brokerKey is an incarnation of a broker.
type brokerKey struct {
	id    kafka.NodeID
	epoch kafka.BrokerEpoch // 0 for none
}

// park copies what of a call outlives its handler.
func (c *call) park() call {
	return call{Node: c.Node, hdr: c.hdr, on: c.on, listener: c.listener}
}

// scratch is memory that a connection's requests use in turn, so that the data path does not allocate.
type scratch struct {
	produce wire.ProduceRequest
	writes  writes
	fetch   wire.FetchRequest
	woken   purgatory.Woken // by what the request appended: run when it is answered
}
