"""aiokafka in the suite of foreign clients."""
import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, for_code

import member
from contract import Record, Refused, Scenario


class Aio(Scenario):
    """Each step runs the one loop until it is done, so that the scenario stays the ordinary one."""

    name = "aiokafka"
    all_null = False  # "Need at least one: key or value"

    def connect(self, bootstrap):
        self.bootstrap = bootstrap
        self.loop = asyncio.new_event_loop()

        async def start():
            self.admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
            await self.admin.start()
            # Without a group: assign() alone.
            self.consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False,
                                             auto_offset_reset="none", fetch_max_wait_ms=50)
            await self.consumer.start()
        self.run(start())

    def close(self):
        self.run(self.consumer.stop())
        self.run(self.admin.close())

    def run(self, work):
        try:
            return self.loop.run_until_complete(asyncio.wait_for(work, 20))
        except KafkaError as e:
            if getattr(e, "errno", -1) > 0:
                raise Refused(e.errno, str(e))
            raise

    @staticmethod
    def check(code, text=""):
        if code:
            raise Refused(code, text or for_code(code).__name__)

    def brokers(self):
        return len(self.run(self.admin.describe_cluster())["brokers"])

    def create_topic(self, name, partitions, replication, configs):
        answer = self.run(self.admin.create_topics([NewTopic(name, partitions, replication, topic_configs=configs)]))
        for _, code, text in answer.topic_errors:
            self.check(code, text)

    def delete_topic(self, name):
        for _, code in self.run(self.admin.delete_topics([name])).topic_error_codes:
            self.check(code)

    def topics(self):
        return self.run(self.admin.list_topics())

    def describe(self, topic):
        t = self.run(self.admin.describe_topics([topic]))[0]
        self.check(t["error_code"])
        return [{"partition": p["partition"], "leader": p["leader"], "replicas": len(p["replicas"]), "isr": len(p["isr"])}
                for p in t["partitions"]]

    def create_partitions(self, topic, total):
        for _, code, text in self.run(self.admin.create_partitions({topic: NewPartitions(total)})).topic_errors:
            self.check(code, text)

    def config(self, topic, key):
        answer = self.run(self.admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))[0]
        for code, text, _, _, entries in answer.resources:
            self.check(code, text)
            for name, value, _, source, *_ in entries:
                if name == key:
                    return value, str(source)
        raise Exception(f"no {key}")

    def set_config(self, topic, key, value):
        answer = self.run(self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {key: value})]))[0]
        for code, text, *_ in answer.resources:
            self.check(code, text)

    def delete_records(self, topic, partition, before):
        tp = TopicPartition(topic, partition)
        return self.run(self.admin.delete_records({tp: RecordsToDelete(before_offset=before)}))[tp]

    def bounds(self, topic, partition):
        tp = TopicPartition(topic, partition)
        return (self.run(self.consumer.beginning_offsets([tp]))[tp], self.run(self.consumer.end_offsets([tp]))[tp])

    def unknown(self, topic):
        # The library cannot be told not to create the topic: the answer is that it is unknown, and then it is there.
        self.check(self.run(self.admin.describe_topics([topic]))[0]["error_code"])

    def offset_at(self, topic, partition, ms):
        tp = TopicPartition(topic, partition)
        found = self.run(self.consumer.offsets_for_times({tp: ms}))[tp]
        return -1 if found is None else found.offset

    def produce(self, topic, records, codec="none", acks=-1, idempotent=False):
        async def send():
            p = AIOKafkaProducer(bootstrap_servers=self.bootstrap, compression_type=None if codec == "none" else codec,
                                 acks="all" if acks == -1 else acks, enable_idempotence=idempotent, linger_ms=5,
                                 max_request_size=4 << 20, request_timeout_ms=15000)
            await p.start()
            try:
                sent = [await p.send(topic, partition=r.partition, key=r.key, value=r.value, timestamp_ms=r.ms,
                                     headers=r.headers) for r in records]
                await p.flush()
                for f in sent:
                    await f
            finally:
                await p.stop()
        self.run(send())

    def consume(self, topic, partition, start, end):
        async def read():
            c, tp = self.consumer, TopicPartition(topic, partition)
            c.assign([tp])
            c.seek(tp, start)
            got = []
            while True:
                m = await c.getone(tp)
                got.append(Record(partition, m.offset, m.timestamp, m.key, m.value, list(m.headers)))
                if m.offset >= end - 1:
                    c.unsubscribe()
                    return got
        try:
            return self.run(read())
        except OffsetOutOfRangeError as e:
            raise Refused(1, str(e))

    def join(self, bootstrap, told, leave):
        asyncio.run(self.join_async(bootstrap, told, leave))

    async def join_async(self, bootstrap, told, leave):
        c = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=told["group"], auto_offset_reset="earliest",
                             enable_auto_commit=told["commit"] == "auto", auto_commit_interval_ms=500, fetch_max_wait_ms=100,
                             session_timeout_ms=told["sessionMs"], heartbeat_interval_ms=500, rebalance_timeout_ms=20000,
                             group_instance_id=told["instance"] or None, retry_backoff_ms=100)
        c.subscribe([told["topic"]], listener=Listener())
        await c.start()
        while not leave.is_set():
            got = [m for some in (await c.getmany(timeout_ms=200)).values() for m in some]
            member.read([(m.partition, m.offset, m.value.decode()) for m in got])
            if not got or told["commit"] == "auto":
                continue
            following = {m.partition: m.offset + 1 for m in got}
            try:
                await c.commit({TopicPartition(told["topic"], p): o for p, o in following.items()})
                member.committed(following)
            except KafkaError:
                pass  # a rebalance came before, or the server is away: it is read again
        await c.stop()


class Listener(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked):
        member.revoked([p.partition for p in revoked])

    async def on_partitions_assigned(self, assigned):
        member.assigned([p.partition for p in assigned])


Aio().main()
