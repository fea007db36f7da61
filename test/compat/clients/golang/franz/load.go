package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

type loader struct{ producer, consumer *kgo.Client }

func openLoad(bootstrap, topic, group string) (contract.Loader, error) {
	seeds := kgo.SeedBrokers(contract.Brokers(bootstrap)...)
	p, err := kgo.NewClient(seeds, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return nil, err
	}
	c, err := kgo.NewClient(seeds, kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond))
	return &loader{p, c}, err
}

func (l *loader) Send(partition int32, value string, done func(error)) {
	l.producer.Produce(context.Background(), &kgo.Record{Partition: partition, Value: []byte(value)}, func(_ *kgo.Record, err error) { done(err) })
}

func (l *loader) Poll() (got []contract.Message, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	fs := l.consumer.PollFetches(ctx)
	for _, e := range fs.Errors() {
		if ctx.Err() == nil {
			err = e.Err
		}
	}
	fs.EachRecord(func(r *kgo.Record) {
		got = append(got, contract.Message{Partition: r.Partition, Offset: r.Offset, Value: string(r.Value)})
	})
	return got, err
}

func (l *loader) Close() {
	l.producer.Close()
	l.consumer.Close()
}
