// Command perf produces as fast as librdkafka can, over confluent-kafka-go: a load for benchmarks.
//
//	perf BOOTSTRAP TOPIC RECORDS BYTES
//
// It prints {"records":N,"seconds":S}: what was acknowledged, from the first record to the last acknowledgement.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "perf:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: perf BOOTSTRAP TOPIC RECORDS BYTES")
	}
	records, err1 := strconv.Atoi(args[2])
	size, err2 := strconv.Atoi(args[3])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": args[0], "acks": 1, "linger.ms": 5, "batch.size": 64 << 10,
		"batch.num.messages": 100_000, "queue.buffering.max.messages": 500_000, "go.batch.producer": true, "go.delivery.reports": false})
	if err != nil {
		return err
	}
	defer p.Close()
	topic, value := args[1], make([]byte, size)
	began := time.Now()
	for range records {
		p.ProduceChannel() <- &kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Value: value}
	}
	// The channel's batches are taken by a thread of its own, so the queue may be empty before its last one.
	for len(p.ProduceChannel()) > 0 || p.Flush(1000) > 0 {
		if time.Since(began) > 10*time.Minute {
			return errors.New("the records are not acknowledged")
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"records": records, "seconds": time.Since(began).Seconds()})
}
