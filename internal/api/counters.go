package api

import (
	"time"

	"github.com/ottla/ottla/internal/obs"
)

// maxKey bounds the API keys that are counted.
const maxKey = 128

// Counters count what the handlers did. The zero Counters are ready.
type Counters struct {
	requests        [maxKey]obs.Counter
	handling        [maxKey]obs.Histogram
	RecordsIn       obs.Counter // appended for clients, retries left out
	BytesIn         obs.Counter // of their batches, as they came
	BytesOut        obs.Counter // of batches in answers to Fetch
	ProducesFailed  obs.Counter // partitions that were answered by an error
	FetchesFailed   obs.Counter
	ProducedBatches obs.Counter
	RefusedRequests obs.Counter // that could not be understood; their connections were closed
}

// Served calls visit for each API key that was asked for, in order: how many requests came, and how long handlers took for them. A handler
// that leaves its request waiting is done with it.
func (c *Counters) Served(visit func(key int16, requests int64, handling *obs.Histogram)) {
	for key := range int16(maxKey) {
		if n := c.requests[key].Value(); n > 0 {
			visit(key, n, &c.handling[key])
		}
	}
}

// came counts a request, before whoever sent it can have its answer.
func (c *Counters) came(key int16) {
	if key >= 0 && key < maxKey {
		c.requests[key].Add(1)
	}
}

// handled counts the time of a handler.
func (c *Counters) handled(key int16, took time.Duration) {
	if key >= 0 && key < maxKey {
		c.handling[key].Observe(took)
	}
}
