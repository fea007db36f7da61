package classic

import (
	"bytes"

	"github.com/twmb/franz-go/pkg/kbin"
)

// consumerType is the protocol type of consumers: their metadata names the topics that they read.
const consumerType = "consumer"

// subscriptions are the topics that the members subscribe to; nil if it is not known, because the members are no consumers
// or what one of them says can't be read.
func (g *Group) subscriptions() map[string]struct{} {
	if g.protocolType != consumerType || g.protocol == nil && len(g.members) > 0 {
		return nil
	}
	topics := make(map[string]struct{})
	var before []byte
	for m := range g.all() {
		metadata := m.metadata(g.protocol)
		if before != nil && bytes.Equal(metadata, before) {
			continue // most members of a group say the same
		}
		if !readTopics(metadata, topics) {
			return nil
		}
		before = metadata
	}
	return topics
}

// readTopics adds the topics of a consumer's metadata, false if it is malformed. Every version begins as version 0 does,
// and what follows is of no interest here.
func readTopics(metadata []byte, topics map[string]struct{}) bool {
	r := kbin.Reader{Src: metadata}
	r.Int16()
	n := r.ArrayLen()
	if n < 0 {
		return false
	}
	for range n {
		topic := r.String()
		if !r.Ok() {
			return false
		}
		topics[topic] = struct{}{}
	}
	r.NullableBytes()
	return r.Ok()
}

// SubscribedTo says whether the group reads a topic. Consumers whose metadata can't be read may read any.
func (g *Group) SubscribedTo(topic string) bool {
	if g.topics == nil {
		return g.protocolType == consumerType
	}
	_, ok := g.topics[topic]
	return ok
}
