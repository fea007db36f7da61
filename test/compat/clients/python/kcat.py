"""kcat in the suite of foreign clients. It has no admin calls: the topics it writes to are made by confluent-kafka."""
import os
import re
import signal
import subprocess

from confluent_kafka.admin import AdminClient, NewTopic

import member
from contract import CODECS, KEEP, Record, Refused, Scenario, Unsupported

# What librdkafka makes of the server's error codes.
CODES = {"Broker: Offset out of range": 1, "Broker: Unknown topic or partition": 3, "Local: Unknown topic": 3,
         "Local: Unknown partition": 3, "Broker: Message size too large": 10}


class Kcat(Scenario):
    name = "kcat"
    times = False  # it cannot set a record's timestamp

    def connect(self, bootstrap):
        self.bootstrap = bootstrap
        self.scratch = os.path.join(self.directory, "kcat.message")
        self.records = self.lines()

    def lines(self):
        """The records that fit its line format, in the order of produce(), numbered anew."""
        kept = [r for r in self.records if self.group(r) is not None]
        kept.sort(key=lambda r: (r.partition, self.group(r)))
        following = {}
        for r in kept:
            r.offset = following.get(r.partition, 0)
            following[r.partition] = r.offset + 1
        return kept

    @staticmethod
    def group(r):
        """One run of kcat sends one kind: one set of headers, and either empty fields that are null or none at all."""
        if len(r.value or b"") > 100_000:
            return 4
        if r.text:
            return len(r.headers) and 1 + (r.headers[0][0] == "same")
        if (r.key is None or r.value is None) and not r.headers:
            return 3
        return None

    def kcat(self, *args, stdin=b""):
        """fetch.wait.max.ms is low because kcat waits for the answer to its last fetch before it ends."""
        run = subprocess.run(["kcat", "-b", self.bootstrap, "-X", "fetch.wait.max.ms=20", *args],
                             input=stdin, capture_output=True, timeout=30)
        said = run.stderr.decode(errors="replace")
        for text, code in CODES.items():
            if text in said:
                raise Refused(code, said.strip())
        if run.returncode:
            raise Exception(f"exit {run.returncode}: {said.strip()}")
        return run.stdout

    def listing(self):
        import json
        return json.loads(self.kcat("-L", "-J"))

    def brokers(self):
        return len(self.listing()["brokers"])

    def topics(self):
        return [t["topic"] for t in self.listing()["topics"]]

    def describe(self, topic):
        for t in self.listing()["topics"]:
            if t["topic"] == topic:
                return [{"partition": p["partition"], "leader": p["leader"], "replicas": len(p["replicas"]),
                         "isr": len(p["isrs"])} for p in t["partitions"]]
        raise Refused(3)

    def create_topic(self, name, partitions, replication, configs):
        if name not in [self.topic(t) for t in ["acks0", "acks1", "idempotent", *CODECS, "main"]] or name in self.topics():
            raise Unsupported("no admin client")
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for f in admin.create_topics([NewTopic(name, partitions, replication, config=configs)]).values():
            f.result(20)

    def bounds(self, topic, partition):
        return self.query(topic, partition, -2), self.query(topic, partition, -1)

    def query(self, topic, partition, when):
        out = self.kcat("-Q", "-t", f"{topic}:{partition}:{when}").decode()
        return int(re.search(r"offset (-?\d+)", out)[1])

    def offset_at(self, topic, partition, ms):
        return self.query(topic, partition, ms)

    def do_seek(self):
        # Its records carry the time of the run, so that nothing can be said about times of the data set.
        real, self.offset_at = self.offset_at, lambda topic, partition, ms: real(topic, partition, 1000)
        super().do_seek()

    def produce(self, topic, records, codec="none", acks=-1, idempotent=False):
        base = ["-P", "-t", topic, "-z", codec, "-X", f"acks={acks}", "-X", "message.max.bytes=4000000", "-X", "linger.ms=0",
                "-X", f"enable.idempotence={str(idempotent).lower()}", "-X", "message.timeout.ms=20000"]
        for partition in sorted({r.partition for r in records}):
            mine = [r for r in records if r.partition == partition]
            for group in sorted({self.group(r) for r in mine}):
                some = [r for r in mine if self.group(r) == group]
                args = base + ["-p", str(partition)]
                for k, v in some[0].headers:
                    args += ["-H", f"{k}={v.decode()}"]
                if group == 4:  # a message a file
                    for r in some:
                        with open(self.scratch, "wb") as f:
                            f.write(r.value)
                        self.kcat(*args, *(["-k", r.key.decode()] if r.key else []), self.scratch)
                    continue
                lines = b"".join((r.key or b"") + b"\t" + (r.value or b"") + b"\n" for r in some)
                self.kcat(*args, "-K", "\t", *(["-Z"] if group == 3 else []), stdin=lines)

    def consume(self, topic, partition, start, end):
        out = self.kcat("-C", "-t", topic, "-p", str(partition), "-o", str(start), "-c", str(end - start), "-e", "-q",
                        "-X", "auto.offset.reset=error", "-f", "%o|%T|%K|%S|%h|%k%s\n")
        got, at = [], 0
        while at < len(out):
            fields = []
            for _ in range(5):
                stop = out.index(b"|", at)
                fields.append(out[at:stop])
                at = stop + 1
            key, at = self.cut(out, at, int(fields[2]))
            value, at = self.cut(out, at, int(fields[3]))
            at += 1  # the newline
            headers = [h.split(b"=", 1) for h in fields[4].split(b",") if h]
            got.append(Record(partition, int(fields[0]), int(fields[1]), key, value,
                              [(k.decode(), None if v == b"NULL" else v) for k, v in headers]))
        return got

    @staticmethod
    def cut(out, at, size):
        return (None, at) if size < 0 else (out[at:at + size], at + size)

    def join(self, bootstrap, told, leave):
        """kcat -G says on stderr what it owns, in words; what it prints of a record is taken as it comes.

        It is killed to leave: asked to end, it may commit a record that it has not printed.
        """
        strategy = "cooperative-sticky" if told["mode"] == "cooperative" else "range"
        argv = [
            "kcat", "-b", bootstrap, "-G", told["group"], "-q", "-u", "-f", "%p %o %s\n", "-X", "auto.offset.reset=earliest",
            "-X", f"session.timeout.ms={told['sessionMs']}", "-X", "heartbeat.interval.ms=500", "-X", "fetch.wait.max.ms=100",
            "-X", "auto.commit.interval.ms=500", "-X", f"partition.assignment.strategy={strategy}",
            "-X", "reconnect.backoff.max.ms=500", told["topic"]]
        member.pass_on(lambda: subprocess.Popen(argv, stdout=subprocess.PIPE, text=True), leave,
                       lambda line: line.split(" ", 2), signal.SIGKILL)


Kcat().main()
