package api

import (
	"fmt"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// intrusion is a reason for which a node refuses those that are not of its cluster, or are no longer: the message of its line in the
// log, and what a person may do.
type intrusion struct{ message, hint string }

var (
	ofAnotherCluster = &intrusion{"refused who is of another cluster", "its configuration names the controllers of this cluster, or its disks are those of a node of another one: see cluster.id in its meta.properties"}
	sameID           = &intrusion{"refused a second broker with the id of a living one", "each node needs a node.id of its own; a process that was started anew gets its id when the session of the one before it has ended"}
	oldEpoch         = &intrusion{"refused a broker with an old epoch", "it was registered anew, or unregistered, since: is another process running with its node.id?"}
	fencedBroker     = &intrusion{"refused a broker that is fenced", "the controller has not heard of it for broker.session.timeout.ms, or it is not ready: see its own log"}
	noVoter          = &intrusion{"refused messages of who is no voter", "the id or the disk is not that of a voter, or the voters have changed: see kafka-metadata-quorum describe"}
	forOtherDisk     = &intrusion{"refused messages for another disk of this node", "the disk of this node has no vote: it follows without one, until the old voter is removed and this one is added"}
	noMessages       = &intrusion{"refused messages that no voter sends", "it may be of a release that this one does not understand"}
	nodesOnly        = &intrusion{"refused a request that nodes alone make, and to controllers", "this listener is for clients: whoever asks should name a listener of controller.listener.names"}
)

// mostClaimed bounds what of a peer's words is kept and logged.
const mostClaimed = 64

// intruder is who was refused, and for what; what it claims is its state.
type intruder struct {
	host string
	id   kafka.NodeID
	why  *intrusion
}

// claim is what an intruder says of itself, and the answer to it.
type claim struct {
	what string
	code int16
}

// intruded logs that a node which calls itself id was refused, once for each claim that it makes; code is the answer. More
// goes into the line and is not looked at.
func (c *call) intruded(why *intrusion, id kafka.NodeID, code int16, claimed string, more ...any) {
	peer := c.req.Conn.RemoteAddr().String()
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		host = peer
	}
	claimed = clip(claimed)
	kept, say := c.intruders.Say(c.Now(), intruder{host, id, why}, claim{claimed, code})
	if !say {
		return
	}
	name := "Raft"
	if c.hdr.Key != wire.KeyRaft {
		name = kmsg.NameForKey(c.hdr.Key)
	}
	args := []any{"peer", peer, "client", clip(c.hdr.ClientID), "request", name}
	if id != kafka.NoNode {
		args = append(args, "node", id)
	}
	if claimed != "" {
		args = append(args, "claims", claimed)
	}
	if err := kerr.TypedErrorForCode(code); err != nil {
		args = append(args, "answer", err.Message)
	}
	if kept > 0 {
		args = append(args, "left_out", kept)
	}
	c.Log.Warn(why.message, append(append(args, more...), "hint", why.hint)...)
}

// ofCluster reports whether a node names this cluster, and logs that it was refused if it does not.
func (c *call) ofCluster(id kafka.NodeID, cluster string) bool {
	if cluster == c.ClusterID {
		return true
	}
	c.intruded(ofAnotherCluster, id, kerr.InconsistentClusterID.Code, "cluster "+cluster)
	return false
}

// clip copies the beginning of what a peer says.
func clip(s string) string { return strings.Clone(s[:min(len(s), mostClaimed)]) }

// ofNodes reports whether clients have no business with an API: brokers and controllers ask controllers for it.
func ofNodes(key int16) bool {
	switch kmsg.Key(key) {
	case kmsg.Vote, kmsg.BeginQuorumEpoch, kmsg.EndQuorumEpoch: // of Kafka's voters, and of nobody here
		return true
	}
	return find(key, onController) != nil
}

// epochRefused logs a broker's request that was refused for its epoch.
func (c *call) epochRefused(code int16, id int32, epoch int64) {
	if code == kerr.StaleBrokerEpoch.Code {
		c.intruded(oldEpoch, kafka.NodeID(id), code, epochClaim(epoch))
	}
}

func epochClaim(epoch int64) string { return fmt.Sprint("broker epoch ", epoch) }
