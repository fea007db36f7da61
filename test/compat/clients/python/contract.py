"""What the suite asks of every Python client: the scenario, written once, over the methods that a client has.

The steps, their names and the form of their results are those of ../golang/contract, which says the rules.
"""
import base64
import hashlib
import json
import os
import sys
import time

import member

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
REPLICAS = int(os.environ.get("COMPAT_REPLICAS", "1"))  # of each topic
HURT = bool(os.environ.get("COMPAT_HURT"))  # servers come and go
KEEP = {"retention.ms": "-1"}  # the data set's timestamps lie in the past, and retention must not take them


class Unsupported(Exception):
    """Makes a step count as skipped, for a reason that is printed."""


class Refused(Exception):
    """An error that the server answered."""

    def __init__(self, code, text=""):
        super().__init__(f"{code} {text}")
        self.code = code


class Record:
    """A record as sent or as read; None is null, and times are ms since 1970."""

    def __init__(self, partition, offset, ms, key, value, headers, text=False):
        self.partition, self.offset, self.ms = partition, offset, ms
        self.key, self.value, self.headers = key, value, headers
        self.text = text


def load(directory):
    """Reads records.jsonl and numbers the records of each partition from 0, as a new topic will."""
    def plain(s):
        return None if s is None else base64.b64decode(s)
    following, records = {}, []
    with open(os.path.join(directory, "records.jsonl")) as f:
        for line in f:
            d = json.loads(line)
            offset = following.get(d["p"], 0)
            following[d["p"]] = offset + 1
            headers = [(k, plain(v)) for k, v in d["h"]]
            records.append(Record(d["p"], offset, d["t"], plain(d["k"]), plain(d["v"]), headers, d["text"]))
    return records


def hexed(b):
    return "~" if b is None else bytes(b).hex()


def digest(records, times=True):
    """The loose hash takes null for empty, for libraries that can't tell them apart."""
    content, loose, clock = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for r in sorted(records, key=lambda r: (r.partition, r.offset)):
        headers = "".join(f"{k}={hexed(v)};" for k, v in r.headers)
        line = f"{r.partition}|{r.offset}|{hexed(r.key)}|{hexed(r.value)}|{headers}\n"
        content.update(line.encode())
        loose.update(line.replace("~", "").encode())
        clock.update(f"{r.partition}|{r.offset}|{r.ms}\n".encode())
    out = {"count": len(records), "hash": content.hexdigest()[:16], "loose": loose.hexdigest()[:16]}
    return {**out, "times": clock.hexdigest()[:16]} if times else out


class Scenario:
    """One run of one client. A client overrides what its library can do; the rest is skipped."""

    name = ""
    codecs = CODECS
    all_null = True  # False for a library that refuses a record whose key and value are both null
    null_headers = True  # False for a library that refuses a header without a value
    times = True  # False for a client that cannot set a record's timestamp

    def connect(self, bootstrap):
        self.bootstrap = bootstrap

    def join(self, bootstrap, told, leave):
        """Is a member of a group until leave is set; member.py has the words to say."""
        raise Unsupported("no consumer groups")

    def close(self):
        pass

    def brokers(self):
        raise Unsupported("no such call")

    def create_topic(self, name, partitions, replication, configs):
        raise Unsupported("no admin client")

    def delete_topic(self, name):
        raise Unsupported("no admin client")

    def topics(self):
        raise Unsupported("no such call")

    def describe(self, topic):
        raise Unsupported("no such call")

    def create_partitions(self, topic, total):
        raise Unsupported("no such call")

    def config(self, topic, key):
        raise Unsupported("no such call")

    def set_config(self, topic, key, value):
        raise Unsupported("no such call")

    def delete_records(self, topic, partition, before):
        raise Unsupported("no such call")

    def bounds(self, topic, partition):
        raise Unsupported("no such call")

    def unknown(self, topic):
        """Asks for a topic that does not exist, in a way that does not create it."""
        self.bounds(topic, 0)

    def offset_at(self, topic, partition, ms):
        raise Unsupported("no such call")

    def produce(self, topic, records, codec="none", acks=-1, idempotent=False):
        raise Unsupported("no producer")

    def consume(self, topic, partition, start, end):
        raise Unsupported("no consumer")

    # --- the machinery

    def step(self, name, f):
        line = {"step": name}
        try:
            line["result"], tries = self.tried(name, f)
            if tries > 1:
                line["tries"] = tries
        except Unsupported as e:
            line["skip"] = str(e)
        except Refused as e:
            line["error"], line["code"] = str(e), e.code
        except Exception as e:  # whatever a library throws is this step's outcome, not the end of the run
            line["error"] = f"{type(e).__name__}: {e}"
        print(json.dumps(line), flush=True)

    @staticmethod
    def tried(step, f):
        """Where servers come and go, a step whose library gave up is tried again for a while, as its user would; but for those that
        write, since what is written twice is there twice."""
        began, tries = time.monotonic(), 1
        while True:
            try:
                return f(), tries
            except Unsupported:
                raise
            except Exception:
                if not HURT or step.startswith("produce/") or time.monotonic() - began > 20:
                    raise
            time.sleep(0.2)
            tries += 1

    @staticmethod
    def refused(f):
        try:
            f()
        except Refused as e:
            return {"code": e.code}
        raise Exception("accepted")

    @staticmethod
    def eventually(want, f):
        """Repeats f until it gives what is wanted: metadata takes some milliseconds to become visible."""
        deadline = time.monotonic() + 30
        while True:
            try:
                got = f()
                if want(got) or time.monotonic() > deadline:
                    return got
            except Refused:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.02)

    def topic(self, suffix):
        return f"{self.name}.{suffix}"

    def mine(self):
        return sorted(t[len(self.name) + 1:] for t in self.topics() if t.startswith(self.name + "."))

    def all(self, topic, partition):
        start, end = self.bounds(topic, partition)
        return [] if start == end else self.consume(topic, partition, start, end)

    def digest(self, topic):
        return digest([r for p in range(3) for r in self.all(topic, p)], self.times)

    def main(self):
        if len(sys.argv) != 4:
            sys.exit("usage: PROGRAM BOOTSTRAP SCENARIO DIR")
        bootstrap, which, self.directory = sys.argv[1:]
        if which == "member":
            member.main(lambda told, leave: self.join(bootstrap, told, leave))
            return
        self.records = load(self.directory)
        for r in self.records:
            if not self.all_null and r.key is None and r.value is None:
                r.key = b"not null"
            if not self.null_headers:
                r.headers = [(k, b"not null" if v is None else v) for k, v in r.headers]
        self.connect(bootstrap)
        if which == "full":
            self.full()
        elif which == "read":
            with open(os.path.join(self.directory, "read.txt")) as f:
                for t in f.read().split():
                    self.times = True
                    self.step("read/" + t, lambda: self.digest(t))
        else:
            sys.exit(f"unknown scenario {which}")
        self.close()

    # --- the steps

    def full(self):
        self.do_topics()
        self.do_produce()
        self.do_consume()
        self.do_seek()
        self.do_configs()
        self.do_shrink()

    def do_topics(self):
        self.step("cluster", lambda: {"brokers": self.brokers()})
        wanted = sorted(["main", "acks0", "acks1", "idempotent", *CODECS])

        def create():
            for t in wanted:
                self.create_topic(self.topic(t), 3, REPLICAS, KEEP)
            return len(wanted)
        self.step("create", create)
        self.step("create/duplicate", lambda: self.refused(lambda: self.create_topic(self.topic("main"), 3, REPLICAS, KEEP)))
        self.step("create/bad-name", lambda: self.refused(lambda: self.create_topic("bad name!", 3, REPLICAS, KEEP)))
        self.step("create/bad-replication", lambda: self.refused(lambda: self.create_topic(self.topic("rf"), 3, REPLICAS + 2, KEEP)))
        self.step("create/bad-config",
                  lambda: self.refused(lambda: self.create_topic(self.topic("cfg"), 3, REPLICAS, {"no.such.key": "1"})))
        self.step("list", lambda: self.eventually(lambda got: len(got) == len(wanted), self.mine))
        self.step("describe", lambda: self.eventually(lambda got: len(got) == 3, lambda: sorted(
            self.describe(self.topic("main")), key=lambda p: p["partition"])))

    def do_produce(self):
        def send(suffix, **how):
            if HURT and how.get("acks", -1) == -1:
                how["idempotent"] = True  # what is sent again must not come twice
            self.produce(self.topic(suffix), self.records, **how)
            return digest(self.records, self.times)

        for codec in CODECS:
            if codec in self.codecs:
                self.step(f"produce/{codec}", lambda: send(codec, codec=codec))
            else:
                self.step(f"produce/{codec}", self.no_codec)
        self.step("produce/acks0", lambda: send("acks0", acks=0))
        self.step("produce/acks1", lambda: send("acks1", acks=1))
        self.step("produce/idempotent", lambda: send("idempotent", idempotent=True))
        self.step("produce/main", lambda: send("main"))
        huge = Record(0, 0, self.records[0].ms, None, b"x" * (2 << 20), [])
        self.step("produce/too-large", lambda: self.refused(lambda: self.produce(self.topic("main"), [huge])))

    def no_codec(self):
        raise Unsupported("the library has not this codec")

    def do_consume(self):
        for t in ["acks1", "idempotent", "main", *CODECS]:
            if t in CODECS and t not in self.codecs:
                self.step(f"consume/{t}", self.no_codec)
            else:
                self.step(f"consume/{t}", lambda: self.digest(self.topic(t)))
        self.step("consume/acks0", lambda: self.eventually(
            lambda got: got["count"] == len(self.records), lambda: self.digest(self.topic("acks0"))))

    def do_seek(self):
        main = self.topic("main")
        self.step("offsets", lambda: [list(self.bounds(main, p)) for p in range(3)])

        def by_offset():
            got = self.consume(main, 1, 5, 9)
            return {"first": got[0].offset, "digest": digest(got, self.times)}
        self.step("seek/offset", by_offset)

        def by_time():
            t = [r.ms for r in self.records if r.partition == 1]
            return [self.offset_at(main, 1, ms) for ms in (t[0] - 1000, t[7], t[7] + 1, t[-1] + 1000)]
        self.step("seek/time", by_time)
        self.step("consume/out-of-range", lambda: self.refused(lambda: self.consume(main, 0, 1_000_000, 1_000_001)))
        self.step("consume/unknown-topic", lambda: self.refused(lambda: self.unknown(self.topic("nowhere"))))

    def do_configs(self):
        main = self.topic("main")

        def describe(key):
            value, source = self.config(main, key)
            return {"value": value, "source": source}
        self.step("configs/set-at-creation", lambda: describe("retention.ms"))
        self.step("configs/default", lambda: describe("segment.bytes"))

        def alter():
            self.set_config(main, "retention.bytes", "123456789")
            return self.eventually(lambda got: got["value"] == "123456789", lambda: describe("retention.bytes"))
        self.step("configs/alter", alter)
        self.step("configs/alter-bad-value", lambda: self.refused(lambda: self.set_config(main, "segment.bytes", "-5")))

    def do_shrink(self):
        main = self.topic("main")

        def grow():
            self.create_partitions(main, 5)
            return self.eventually(lambda n: n == 5, lambda: len(self.describe(main)))
        self.step("partitions/create", grow)
        self.step("partitions/fewer", lambda: self.refused(lambda: self.create_partitions(main, 2)))
        self.step("records/delete", lambda: {"low": self.delete_records(main, 0, 7)})

        def after():
            start, _ = self.bounds(main, 0)
            got = self.all(main, 0)
            return {"start": start, "first": got[0].offset, "digest": digest(got, self.times)}
        self.step("records/after", after)
        self.step("records/too-far", lambda: self.refused(lambda: self.delete_records(main, 0, 1_000_000)))

        def delete():
            if not HURT or "main" in self.mine():  # else a try before this one took it, and its answer was lost
                self.delete_topic(main)
            return self.eventually(lambda got: "main" not in got, self.mine)
        self.step("delete", delete)
        self.step("delete/unknown", lambda: self.refused(lambda: self.delete_topic(self.topic("never"))))
