"""confluent-kafka (librdkafka) in the suite of foreign clients."""
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition, TIMESTAMP_NOT_AVAILABLE
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   ResourceType)

import member
from contract import Record, Refused, Scenario


def checked(f):
    """Turns the library's exceptions into Refused, where they carry the server's code."""
    try:
        return f()
    except KafkaException as e:
        raise_error(e.args[0])


def raise_error(e):
    # Some answers reach the application under librdkafka's own negative codes.
    local = {KafkaError._UNKNOWN_TOPIC: 3, KafkaError._UNKNOWN_PARTITION: 3, KafkaError._MSG_TIMED_OUT: None}
    code = local.get(e.code(), e.code())
    if code is not None and code > 0:
        raise Refused(code, e.str())
    raise Exception(f"{e.name()}: {e.str()}")


class Confluent(Scenario):
    name = "confluent-python"

    def connect(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        # The group only names the consumer: assign() joins nothing and nothing is committed.
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False,
                                  "auto.offset.reset": "error", "check.crcs": True, "fetch.wait.max.ms": 50,
                                  "fetch.message.max.bytes": 4 << 20})

    def close(self):
        self.consumer.close()

    def one(self, futures):
        for f in futures.values():
            return checked(lambda: f.result(20))

    def brokers(self):
        return len(self.admin.list_topics(timeout=20).brokers)

    def create_topic(self, name, partitions, replication, configs):
        self.one(self.admin.create_topics([NewTopic(name, partitions, replication, config=configs)]))

    def delete_topic(self, name):
        self.one(self.admin.delete_topics([name]))

    def topics(self):
        return list(self.admin.list_topics(timeout=20).topics)

    def describe(self, topic):
        t = self.admin.list_topics(topic, timeout=20).topics[topic]
        if t.error:
            raise_error(t.error)
        return [{"partition": p.id, "leader": p.leader, "replicas": len(p.replicas), "isr": len(p.isrs)}
                for p in t.partitions.values()]

    def create_partitions(self, topic, total):
        self.one(self.admin.create_partitions([NewPartitions(topic, total)]))

    def config(self, topic, key):
        entry = self.one(self.admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))[key]
        return entry.value, str(entry.source)

    def set_config(self, topic, key, value):
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        self.one(self.admin.incremental_alter_configs(
            [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])]))

    def delete_records(self, topic, partition, before):
        return self.one(self.admin.delete_records([TopicPartition(topic, partition, before)])).low_watermark

    def bounds(self, topic, partition):
        return checked(lambda: self.consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20))

    def offset_at(self, topic, partition, ms):
        found = checked(lambda: self.consumer.offsets_for_times([TopicPartition(topic, partition, ms)], timeout=20))[0]
        return found.offset if found.offset >= 0 else -1

    def produce(self, topic, records, codec="none", acks=-1, idempotent=False):
        p = Producer({"bootstrap.servers": self.bootstrap, "compression.type": codec, "acks": acks, "linger.ms": 5,
                      "enable.idempotence": idempotent, "message.max.bytes": 4 << 20, "message.timeout.ms": 20000})
        errors = []
        for r in records:
            p.produce(topic, partition=r.partition, key=r.key, value=r.value, timestamp=r.ms, headers=r.headers,
                      on_delivery=lambda e, _: e and errors.append(e))
        if p.flush(20):
            raise Exception("not flushed")
        if errors:
            raise_error(errors[0])

    def consume(self, topic, partition, start, end):
        c = self.consumer
        c.assign([TopicPartition(topic, partition, start)])
        try:
            got = []
            while True:
                m = c.poll(20)
                if m is None:
                    raise Exception(f"nothing more after {len(got)} records")
                if m.error():
                    # auto.offset.reset=error reports the broker's refusal under a code of the library's own.
                    if m.error().code() == KafkaError._AUTO_OFFSET_RESET and "out of range" in m.error().str().lower():
                        raise Refused(1, m.error().str())
                    raise_error(m.error())
                kind, ms = m.timestamp()
                assert kind != TIMESTAMP_NOT_AVAILABLE
                got.append(Record(partition, m.offset(), ms, m.key(), m.value(), m.headers() or []))
                if m.offset() >= end - 1:
                    return got
        finally:
            c.unassign()

    def join(self, bootstrap, told, leave):
        config = {"bootstrap.servers": bootstrap, "group.id": told["group"], "auto.offset.reset": "earliest",
                  "enable.auto.commit": told["commit"] == "auto", "auto.commit.interval.ms": 500,
                  "fetch.wait.max.ms": 100, "reconnect.backoff.max.ms": 500, "on_commit": self.on_commit}
        if told["instance"]:
            config["group.instance.id"] = told["instance"]
        if told["mode"] == "consumer":
            config["group.protocol"] = "consumer"
        else:
            config |= {"session.timeout.ms": told["sessionMs"], "heartbeat.interval.ms": 500,
                       "partition.assignment.strategy": "cooperative-sticky" if told["mode"] == "cooperative" else "range"}
        c = Consumer(config)
        def ids(some):
            return [p.partition for p in some]
        c.subscribe([told["topic"]], on_assign=lambda _, some: member.assigned(ids(some)),
                    on_revoke=lambda _, some: member.revoked(ids(some)), on_lost=lambda _, some: member.revoked(ids(some)))
        while not leave.is_set():
            got = [m for m in c.consume(100, 0.1) if not m.error()]
            member.read([(m.partition(), m.offset(), m.value().decode()) for m in got])
            if not got or told["commit"] == "auto":
                continue
            following = {m.partition(): m.offset() + 1 for m in got}
            offsets = [TopicPartition(told["topic"], p, o) for p, o in following.items()]
            try:
                c.commit(offsets=offsets, asynchronous=told["commit"] == "async")
                if told["commit"] == "sync":
                    member.committed(following)
            except KafkaException:
                pass  # a rebalance came before, or the server is away: it is read again
        c.close()

    @staticmethod
    def on_commit(error, offsets):
        if error is None:
            member.committed({p.partition: p.offset for p in offsets if p.error is None and p.offset >= 0})


Confluent().main()
