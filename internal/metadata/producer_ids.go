package metadata

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// ProducerIDs says which producer ids were given out. The zero value: none.
type ProducerIDs struct {
	// Broker and BrokerEpoch are of the broker that got the last block.
	Broker      kafka.NodeID
	BrokerEpoch kafka.BrokerEpoch
	// Next is the first id of the next block.
	Next kafka.ProducerID
	// Known tells that there was a record, even one that says 0.
	Known bool
}

// write adds the record of the next block; Kafka writes it only when there was one.
func (p ProducerIDs) write(w *writer) {
	if p.Known {
		w.put(&schema.ProducerIDsRecord{
			BrokerID: int32(p.Broker), BrokerEpoch: int64(p.BrokerEpoch), NextProducerID: int64(p.Next),
		}, 0)
	}
}

func (d *Delta) replayProducerIDs(r *schema.ProducerIDsRecord) {
	d.producerIDs = &ProducerIDs{
		Broker:      kafka.NodeID(r.BrokerID),
		BrokerEpoch: kafka.BrokerEpoch(r.BrokerEpoch),
		Next:        kafka.ProducerID(r.NextProducerID),
		Known:       true,
	}
}
