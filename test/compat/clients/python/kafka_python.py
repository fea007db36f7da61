"""kafka-python in the suite of foreign clients."""
import re
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

import member
from contract import Record, Refused, Scenario


def checked(f):
    """Turns the library's exceptions into Refused, where they carry the server's code."""
    try:
        return f()
    except KafkaError as e:
        if getattr(e, "errno", -1) > 0:
            raise Refused(e.errno, str(e))
        raise


class KafkaPython(Scenario):
    name = "kafka-python"
    all_null = False  # "Need at least one: key or value"
    null_headers = False  # "All headers items must be (str, bytes) tuples"

    def connect(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        # Without a group: assign() alone.
        self.consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False,
                                      auto_offset_reset="none", allow_auto_create_topics=False, fetch_max_wait_ms=50)

    def close(self):
        self.consumer.close()
        self.admin.close()

    def brokers(self):
        return len(self.admin.describe_cluster()["brokers"])

    def create_topic(self, name, partitions, replication, configs):
        checked(lambda: self.admin.create_topics(
            [NewTopic(name, num_partitions=partitions, replication_factor=replication, topic_configs=configs)]))

    def delete_topic(self, name):
        checked(lambda: self.admin.delete_topics([name]))

    def topics(self):
        return list(self.admin.list_topics())

    def describe(self, topic):
        t = checked(lambda: self.admin.describe_topics([topic]))[0]
        return [{"partition": p["partition_index"], "leader": p["leader_id"], "replicas": len(p["replica_nodes"]),
                 "isr": len(p["isr_nodes"])} for p in t["partitions"]]

    def create_partitions(self, topic, total):
        checked(lambda: self.admin.create_partitions({topic: NewPartitions(total)}))

    def config(self, topic, key):
        found = checked(lambda: self.admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"))
        entry = found["topic"][topic][key]
        return entry["value"], str(entry["config_source"])

    def set_config(self, topic, key, value):
        answer = checked(lambda: self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {key: value})]))
        outcome = answer["topic"][topic]  # "OK", or the error's text
        if outcome != "OK":
            raise Refused(int(re.match(r"\[Error (\d+)\]", outcome)[1]), outcome)

    def delete_records(self, topic, partition, before):
        tp = TopicPartition(topic, partition)
        return checked(lambda: self.admin.delete_records({tp: before}))[tp]["low_watermark"]

    def bounds(self, topic, partition):
        tp = TopicPartition(topic, partition)
        return checked(lambda: (self.consumer.beginning_offsets([tp])[tp], self.consumer.end_offsets([tp])[tp]))

    def unknown(self, topic):
        # Asking a consumer would create the topic, whatever allow_auto_create_topics says.
        t = self.admin.describe_topics([topic])[0]
        if t["error_code"]:
            raise Refused(t["error_code"])

    def offset_at(self, topic, partition, ms):
        tp = TopicPartition(topic, partition)
        found = checked(lambda: self.consumer.offsets_for_times({tp: ms}))[tp]
        return -1 if found is None else found.offset

    def produce(self, topic, records, codec="none", acks=-1, idempotent=False):
        p = KafkaProducer(bootstrap_servers=self.bootstrap, compression_type=None if codec == "none" else codec,
                          acks="all" if acks == -1 else acks, enable_idempotence=idempotent, linger_ms=5,
                          max_in_flight_requests_per_connection=1, max_request_size=4 << 20, delivery_timeout_ms=20000,
                          request_timeout_ms=15000)
        try:
            sent = [p.send(topic, partition=r.partition, key=r.key, value=r.value, timestamp_ms=r.ms, headers=r.headers)
                    for r in records]
            p.flush(20)
            for f in sent:
                checked(lambda: f.get(20))
            if acks == 0:
                # close() drops what the socket has not taken yet, and flush() takes that for sent.
                self.eventually(lambda n: n >= len(records), lambda: sum(self.bounds(topic, p)[1] for p in range(3)))
        finally:
            p.close()

    def consume(self, topic, partition, start, end):
        c, tp = self.consumer, TopicPartition(topic, partition)
        c.assign([tp])
        try:
            c.seek(tp, start)
            got, deadline = [], time.monotonic() + 20
            while time.monotonic() < deadline:
                for m in checked(lambda: c.poll(timeout_ms=1000)).get(tp, []):
                    got.append(Record(partition, m.offset, m.timestamp, m.key, m.value, m.headers))
                    if m.offset >= end - 1:
                        return got
            raise Exception(f"nothing more after {len(got)} records")
        finally:
            c.unsubscribe()

    def join(self, bootstrap, told, leave):
        c = KafkaConsumer(bootstrap_servers=bootstrap, group_id=told["group"], auto_offset_reset="earliest",
                          enable_auto_commit=told["commit"] == "auto", auto_commit_interval_ms=500, fetch_max_wait_ms=100,
                          session_timeout_ms=told["sessionMs"], heartbeat_interval_ms=500,
                          partition_assignment_strategy=[CooperativeStickyAssignor if told["mode"] == "cooperative" else RangePartitionAssignor],
                          group_instance_id=told["instance"] or None, reconnect_backoff_max_ms=500)
        c.subscribe([told["topic"]], listener=Listener())
        while not leave.is_set():
            got = [m for some in c.poll(timeout_ms=200).values() for m in some]
            member.read([(m.partition, m.offset, m.value.decode()) for m in got])
            if not got or told["commit"] == "auto":
                continue
            following = {m.partition: m.offset + 1 for m in got}
            try:
                c.commit({TopicPartition(told["topic"], p): OffsetAndMetadata(o, "", -1) for p, o in following.items()})
                member.committed(following)
            except KafkaError:
                pass  # a rebalance came before, or the server is away: it is read again
        c.close()


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        member.revoked([p.partition for p in revoked])

    def on_partitions_assigned(self, assigned):
        member.assigned([p.partition for p in assigned])


KafkaPython().main()
