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
		"batch.num.messages": 100_000, "queue.buffering.max.messages": 500_000, "go.delivery.reports": false})
	if err != nil {
		return err
	}
	defer p.Close()
	topic, value := args[1], make([]byte, size)
	began := time.Now()
	for range records {
		for {
			err := p.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Value: value}, nil)
			var full kafka.Error
			if !errors.As(err, &full) || full.Code() != kafka.ErrQueueFull {
				if err != nil {
					return err
				}
				break
			}
			p.Flush(1)
		}
	}
	if left := p.Flush(600_000); left > 0 {
		return fmt.Errorf("%d records are not acknowledged", left)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"records": records, "seconds": time.Since(began).Seconds()})
}
