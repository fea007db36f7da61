package kafkatools

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// events prints what happens to a verifiable client, a JSON object in each line, as soon as it happens.
type events struct {
	outMu sync.Mutex
	w     *World
}

// event is the beginning of every line.
type event struct {
	Timestamp int64  `json:"timestamp"` // milliseconds
	Name      string `json:"name"`
}

// print prints a line that make returns for the current time.
func (e *events) print(name string, line func(event) any) {
	e.outMu.Lock()
	defer e.outMu.Unlock()
	encoder := json.NewEncoder(e.w.Out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(line(event{e.w.Now().UnixMilli(), name})) // an error of stdout stays with it
	e.w.flush()
}

// plain prints a line that has nothing but its name.
func (e *events) plain(name string) { e.print(name, func(e event) any { return e }) }

// place is a partition in a line.
type place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
}

// text is a string that is null when there is none.
func text(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

// sent is the line of a record that was acknowledged.
type sent struct {
	event
	Key    *string `json:"key"`
	Value  *string `json:"value"`
	Offset int64   `json:"offset"`
	place
}

// unsent is the line of a record that was not.
type unsent struct {
	event
	Key       *string `json:"key"`
	Value     *string `json:"value"`
	Topic     string  `json:"topic"`
	Exception string  `json:"exception"`
	Message   string  `json:"message"`
}

// summary is the last line of a verifiable producer.
type summary struct {
	event
	Sent   int64   `json:"sent"`
	Acked  int64   `json:"acked"`
	Target int64   `json:"target_throughput"`
	Rate   float64 `json:"avg_throughput"`
}

func (e *events) acked(r *kgo.Record, err error) {
	if err == nil {
		e.print("producer_send_success", func(at event) any {
			return sent{at, text(r.Key), text(r.Value), r.Offset, place{r.Topic, r.Partition}}
		})
		return
	}
	e.print("producer_send_error", func(at event) any {
		return unsent{at, text(r.Key), text(r.Value), r.Topic, "class " + exceptionOf(err), err.Error()}
	})
}

// lasting is how long a verifiable client takes leave, at most.
const lasting = 30 * time.Second
