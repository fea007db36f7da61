package wire

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

const keyProduce = 0

// ProduceRequest is a view of the body of a Produce request, versions 3 to 13. It aliases the body and allocates
// nothing; it may be used again for the next request.
type ProduceRequest struct {
	// TransactionalID is nil for null.
	TransactionalID []byte
	// Acks is 0, 1 or -1 in a proper request; other values are the caller's to refuse.
	Acks int16
	// Timeout is how long to wait for the acknowledgements. It may be negative.
	Timeout time.Duration

	topics int
	cursor walker // at the first topic
}

// Read makes p a view of body, all of which it checks first. The errors are those of Check.
func (p *ProduceRequest) Read(version int16, body []byte) error {
	h := Header{Key: keyProduce, Version: version}
	*p = ProduceRequest{}
	if err := Check(h, body); err != nil {
		return err
	}
	w := walker{b: body, version: version, flexible: version >= layouts[keyProduce].flexible}
	p.TransactionalID = w.str(true)
	p.Acks = w.int16()
	p.Timeout = time.Duration(w.int32()) * time.Millisecond
	p.topics = w.count(false, 1)
	p.cursor = w
	return nil
}

// Topics is the number of topics, empty ones included.
func (p *ProduceRequest) Topics() int { return p.topics }

// Partitions returns a cursor before the first partition.
func (p *ProduceRequest) Partitions() ProducePartitions {
	return ProducePartitions{w: p.cursor, topics: p.topics}
}

// ProducePartitions goes through the partitions of a Produce request, topic by topic, in the order of the request.
// Its slices alias the body.
type ProducePartitions struct {
	// Topic is the topic's name, until version 12.
	Topic []byte
	// TopicID is the topic's id, from version 13.
	TopicID kafka.UUID
	// First reports whether the partition is the first of its topic, and Count how many that topic has.
	First bool
	Count int
	// Index is the partition.
	Index int32
	// Records is nil for null.
	Records []byte

	w      walker
	topics int // still to come
	left   int // partitions of this topic still to come
}

// Next moves to the next partition; false after the last. Topics without partitions are passed over.
func (c *ProducePartitions) Next() bool {
	c.First = false
	for c.left == 0 {
		if c.topics == 0 {
			return false
		}
		c.nextTopic()
	}
	c.Index = c.w.int32()
	c.Records = c.w.bytes(true)
	c.w.skipTags()
	if c.left--; c.left == 0 {
		c.w.skipTags()
	}
	return true
}

func (c *ProducePartitions) nextTopic() {
	c.topics--
	c.Topic, c.TopicID = c.w.topic()
	c.Count = c.w.count(false, 1)
	c.left, c.First = c.Count, true
	if c.left == 0 {
		c.w.skipTags()
	}
}
