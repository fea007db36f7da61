package main

import (
	"errors"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

type loader struct {
	topic    string
	producer *kafka.Producer
	consumer *kafka.Consumer
}

func openLoad(bootstrap, topic, group string) (contract.Loader, error) {
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": bootstrap, "enable.idempotence": true})
	if err != nil {
		return nil, err
	}
	c, err := kafka.NewConsumer(&kafka.ConfigMap{"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
		"fetch.wait.max.ms": 100})
	if err != nil {
		return nil, err
	}
	go func() { // errors of the client itself: those of records come with the records
		for e := range p.Events() {
			if m, ok := e.(*kafka.Message); ok {
				m.Opaque.(func(error))(m.TopicPartition.Error)
			}
		}
	}()
	return &loader{topic, p, c}, c.Subscribe(topic, nil)
}

func (l *loader) Send(partition int32, value string, done func(error)) {
	err := l.producer.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &l.topic, Partition: partition},
		Value: []byte(value), Opaque: done}, nil)
	if err != nil {
		done(err)
	}
}

func (l *loader) Poll() (got []contract.Message, err error) {
	for wait := 200; ; wait = 0 {
		switch e := l.consumer.Poll(wait).(type) {
		case *kafka.Message:
			if err := e.TopicPartition.Error; err != nil {
				return got, err
			}
			got = append(got, contract.Message{Partition: e.TopicPartition.Partition, Offset: int64(e.TopicPartition.Offset), Value: string(e.Value)})
		case kafka.Error:
			// The library tells of a broken connection for information, and goes on by itself.
			if e.IsFatal() || !e.IsRetriable() && e.Code() != kafka.ErrTransport && e.Code() != kafka.ErrAllBrokersDown {
				return got, errors.New(e.Error())
			}
		case nil:
			return got, nil
		}
	}
}

func (l *loader) Close() {
	l.producer.Close()
	_ = l.consumer.Close()
}
