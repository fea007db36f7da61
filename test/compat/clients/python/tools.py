"""Apache's command-line tools in the suite of foreign clients: what kafka-*.sh print, freed of ids, times and paths.

They run in one JVM (../tools/Driver.java). The console producer chooses partitions by the key's hash, so that this
program does, too.
"""
import json
import os
import re
import signal
import subprocess

import member
from contract import CODECS, REPLICAS, Record, Scenario, digest

TOOLS = "org.apache.kafka.tools."


def murmur2(data):
    """The hash of the default partitioner."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


class Tools(Scenario):
    name = "tools"
    times = False  # the console producer cannot set a record's timestamp

    def connect(self, bootstrap):
        self.bootstrap = bootstrap
        self.java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF",
                     "-cp", os.environ["COMPAT_TOOLS"]]
        self.jvm = subprocess.Popen([*self.java, "Driver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        following, kept = {}, []
        for r in self.records:
            if not r.text:
                continue
            r.partition = (murmur2(r.key) & 0x7FFFFFFF) % 3
            r.offset = following.get(r.partition, 0)
            following[r.partition] = r.offset + 1
            kept.append(r)
        self.records = kept

    def close(self):
        self.jvm.stdin.close()
        self.jvm.wait(10)

    def tool(self, name, *args, stdin="", server=True):
        """Runs a tool; gives its exit status and what it printed, line by line, freed of what differs between runs."""
        if server:
            args = ("--bootstrap-server", self.bootstrap, *args)
        name = name if name.startswith("kafka.") else TOOLS + name
        self.jvm.stdin.write(json.dumps({"class": name, "args": list(args), "stdin": stdin}) + "\n")
        self.jvm.stdin.flush()
        answer = json.loads(self.jvm.stdout.readline())
        return answer["exit"], answer["out"], answer["err"]

    def clean(self, text):
        text = text.replace(self.bootstrap, "ADDRESS")
        text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
        text = re.sub(r"TopicId: \S{22}", "TopicId: ID", text)
        text = re.sub(r"\(id: \d+ rack: null( isFenced: false)?\)", "(NODE)", text)
        return text

    def lines(self, name, *args, stdin="", server=True, sort=False):
        status, out, err = self.tool(name, *args, stdin=stdin, server=server)
        lines = [line for line in self.clean(out).splitlines() if line.strip() and not line.startswith("WARNING: Due to limit")]
        got = {"exit": status, "out": sorted(lines) if sort else lines}
        if err.strip() and status:
            got["err"] = self.clean(err).strip().splitlines()[:2]  # the second is the cause, where there is one
        return got

    def full(self):
        self.do_topics()
        self.do_produce()
        self.do_consume()
        self.do_offsets()
        self.do_groups()
        self.do_configs()
        self.do_cluster()
        self.do_others()
        self.do_shrink()

    def topic_step(self, step, *args, **how):
        self.step(step, lambda: self.lines("TopicCommand", *args, **how))

    def do_topics(self):
        def create():
            return [self.lines("TopicCommand", "--create", "--topic", self.topic(t), "--partitions", "3",
                               "--replication-factor", str(REPLICAS), "--config", "retention.ms=-1") for t in [*CODECS, "main"]]
        self.step("create", create)
        main = self.topic("main")
        self.topic_step("create/duplicate", "--create", "--topic", main)
        self.topic_step("create/if-not-exists", "--create", "--if-not-exists", "--topic", main)
        self.topic_step("create/bad-name", "--create", "--topic", "bad name!")
        self.topic_step("create/bad-replication", "--create", "--topic", self.topic("rf"), "--replication-factor", str(REPLICAS + 2))
        self.topic_step("create/bad-config", "--create", "--topic", self.topic("cfg"), "--config", "no.such.key=1")
        self.step("list", lambda: [t for t in self.lines("TopicCommand", "--list")["out"] if t.startswith("tools.")])
        self.topic_step("describe", "--describe", "--topic", main)
        self.topic_step("describe/unknown", "--describe", "--topic", self.topic("nowhere"))
        # The tool prints topics in the order of their random ids.
        self.step("describe/overrides", lambda: [
            t for t in self.lines("TopicCommand", "--describe", "--topics-with-overrides", sort=True)["out"] if "tools." in t])
        self.topic_step("describe/under-replicated", "--describe", "--under-replicated-partitions")

    def do_produce(self):
        def send(codec):
            text = "".join((",".join(f"{k}:{v.decode()}" for k, v in r.headers) or "NIL") + f"\t{r.key.decode()}\t{r.value.decode()}\n"
                           for r in self.records)
            got = self.lines("ConsoleProducer", "--topic", self.topic(codec), "--compression-codec", codec,
                             "--reader-property", "parse.key=true", "--reader-property", "parse.headers=true", "--reader-property", "null.marker=NIL",
                             "--command-property", "acks=all", stdin=text)
            if got["exit"]:
                raise Exception(str(got))
            # The tool lingers for a second and flushes when its process ends, which the driver's does not.
            self.eventually(lambda n: n == len(self.records), lambda: sum(self.bounds(self.topic(codec), p)[1] for p in range(3)))
            return digest(self.records, times=False)
        for codec in CODECS:
            self.step(f"produce/{codec}", lambda: send(codec))
        main = self.topic("main")
        self.step("produce/perf", lambda: re.sub(r", .*", "", self.lines(
            "ProducerPerformance", "--topic", main, "--num-records", "2000", "--record-size", "100", "--throughput", "-1",
            "--command-property", "linger.ms=5", "acks=all")["out"][-1]))

        def verifiable():
            # It ends its work in a shutdown hook, and so needs a JVM of its own.
            out = subprocess.run([*self.java, TOOLS + "VerifiableProducer", "--bootstrap-server", self.bootstrap, "--topic", main,
                                  "--max-messages", "20", "--acks", "-1", "--value-prefix", "7"],
                                 capture_output=True, text=True, timeout=60).stdout
            got = [json.loads(line) for line in out.splitlines()]
            values = sorted(int(g["value"].split(".")[1]) for g in got if g["name"] == "producer_send_success")
            return {"names": sorted({g["name"] for g in got}), "values": values}
        self.step("produce/verifiable", verifiable)

    def consume(self, topic, partition, start, end):
        # The records are bytes: the fields and lines are parted by what is not in them.
        props = ["partition", "offset", "timestamp", "key", "headers"]
        args = [a for p in props for a in ("--formatter-property", f"print.{p}=true")]
        status, out, err = self.tool(
            "consumer.ConsoleConsumer", "--topic", topic, "--partition", str(partition), "--offset", str(start),
            "--max-messages", str(end - start), "--timeout-ms", "20000", "--command-property", "fetch.max.wait.ms=50",
            "--formatter-property", "key.separator=<|>", "--formatter-property", "line.separator=<END>",
            "--formatter-property", "headers.separator=<,>", "--formatter-property", "null.literal=<NULL>", *args)
        got = []
        for line in out.split("<END>")[:-1]:
            clock, p, o, headers, key, value = line.split("<|>", 5)
            pairs = [] if headers == "NO_HEADERS" else [h.split(":", 1) for h in headers.split("<,>")]
            got.append(Record(int(p.split(":")[1]), int(o.split(":")[1]), int(clock.split(":")[1]), self.plain(key),
                              self.plain(value), [(k, self.plain(v)) for k, v in pairs]))
        if len(got) != end - start:
            raise Exception(f"{len(got)} records, exit {status}: {self.clean(err)[:300]}")
        return got

    @staticmethod
    def plain(s):
        return None if s == "<NULL>" else s.encode("latin-1")  # as the driver decodes it

    def digest(self, topic):
        """Asks for the bounds of all partitions at once: a tool's start costs more than its work."""
        def bounds(when):
            out = self.lines("GetOffsetShell", "--topic", topic, "--time", when)["out"]
            return [int(line.rsplit(":", 1)[1]) for line in sorted(out)]
        starts, ends = bounds("earliest"), bounds("latest")
        got = [r for p in range(3) if starts[p] < ends[p] for r in self.consume(topic, p, starts[p], ends[p])]
        return digest(got, self.times)

    def bounds(self, topic, partition):
        return tuple(self.offset(topic, partition, when) for when in ("-2", "-1"))

    def offset(self, topic, partition, when):
        out = self.lines("GetOffsetShell", "--topic-partitions", f"{topic}:{partition}", "--time", when)["out"]
        return int(out[0].rsplit(":", 1)[1])

    def do_consume(self):
        for codec in CODECS:
            self.step(f"consume/{codec}", lambda: self.digest(self.topic(codec)))
        for protocol in ("classic", "consumer"):
            self.step(f"consume/group-{protocol}", lambda: self.in_group(protocol))
        topic = self.topic("none")
        busiest = max(range(3), key=lambda p: sum(r.partition == p for r in self.records))

        def seek():
            got = self.consume(topic, busiest, 5, 8)
            return {"first": got[0].offset, "digest": digest(got, times=False)}
        self.step("seek/offset", seek)
        self.step("seek/first-text", lambda: self.lines(
            "consumer.ConsoleConsumer", "--topic", topic, "--partition", str(busiest), "--offset", "earliest",
            "--max-messages", "2", "--timeout-ms", "20000", "--formatter-property", "print.headers=true",
            "--formatter-property", "print.offset=true", "--formatter-property", "print.key=true"))

    def do_offsets(self):
        none = self.topic("none")
        for when in ("-1", "-2", "latest", "earliest", "1000", "9999999999999"):
            self.step(f"offsets/{when}", lambda: self.lines("GetOffsetShell", "--topic", none, "--time", when))
        # Which record has the greatest timestamp depends on how fast the producer was.
        self.step("offsets/-3", lambda: [line.rsplit(":", 1)[0] for line in self.lines(
            "GetOffsetShell", "--topic", none, "--time", "-3")["out"]])
        self.step("offsets/pattern", lambda: self.lines("GetOffsetShell", "--topic-partitions", "tools\\.(none|gzip):0-2"))
        self.step("offsets/unknown", lambda: self.lines("GetOffsetShell", "--topic", self.topic("nowhere")))

    def in_group(self, protocol):
        """The console consumer without --partition, which consumes in a group, and commits when it ends."""
        got = self.lines("consumer.ConsoleConsumer", "--topic", self.topic("none"), "--group", f"tools.{protocol}", "--from-beginning",
                         "--max-messages", str(len(self.records)), "--timeout-ms", "20000", "--command-property", f"group.protocol={protocol}",
                         "--formatter-property", "print.partition=true", "--formatter-property", "print.offset=true",
                         "--formatter-property", "print.value=false", sort=True)
        return {"exit": got["exit"], "records": len(got["out"]), "first": got["out"][:3]}

    def verifiable(self, protocol):
        """What Kafka's system tests consume with: how many records, and where the last commit of each partition is."""
        status, out, _ = self.tool("VerifiableConsumer", "--topic", self.topic("none"), "--group-id", f"tools.verifiable.{protocol}",
                                   "--group-protocol", protocol, "--max-messages", str(len(self.records)), "--reset-policy", "earliest")
        said = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        commits = {o["partition"]: o["offset"] for s in said if s["name"] == "offsets_committed" and s["success"] for o in s["offsets"]}
        return {"exit": status, "records": sum(s["count"] for s in said if s["name"] == "records_consumed"),
                "commits": sorted(commits.items())}

    def do_groups(self):
        none, main = self.topic("none"), self.topic("main")
        groups = "consumer.group.ConsumerGroupCommand"

        def words(*args, name=groups):
            got = self.lines(name, *args)
            rows = {" ".join(line.split()) for line in got["out"]}
            if "--group" not in args:  # others have groups there, too
                rows = {r for r in rows if r.startswith(("GROUP ", "tools."))}
            return {**got, "out": sorted(rows)}  # the order of groups, and of partitions, is that of a hash table

        def run(step, *args, **how):
            self.step(f"groups/{step}", lambda: words(*args, **how))
        one, reset = ("--group", "tools.classic"), ("--reset-offsets", "--group", "tools.classic")
        run("list", "--list")
        run("list-state", "--list", "--state")
        run("list-state-empty", "--list", "--state", "Empty")
        run("list-state-stable", "--list", "--state", "Stable")
        run("list-type", "--list", "--type")
        run("list-type-classic", "--list", "--type", "classic")
        run("list-type-wrong", "--list", "--type", "wrong")
        run("all", "--list", name="GroupsCommand")
        run("all-consumer", "--list", "--consumer", name="GroupsCommand")
        run("all-share", "--list", "--share", name="GroupsCommand")
        for group in ("tools.classic", "tools.consumer", "tools.nowhere"):
            run(f"describe/{group}", "--describe", "--group", group)
            for what in ("offsets", "members", "state"):
                run(f"describe-{what}/{group}", "--describe", "--group", group, f"--{what}")
                run(f"describe-{what}-verbose/{group}", "--describe", "--group", group, f"--{what}", "--verbose")
        run("describe/all", "--describe", "--all-groups", "--state")

        forms = {"earliest": ["--to-earliest"], "latest": ["--to-latest"], "current": ["--to-current"], "offset": ["--to-offset", "5"],
                 "beyond": ["--to-offset", "100000"], "back": ["--shift-by", "-3"], "far-back": ["--shift-by", "-100000"],
                 "datetime": ["--to-datetime", "2020-01-01T00:00:00.000"], "future": ["--to-datetime", "2099-01-01T00:00:00.000"],
                 "duration": ["--by-duration", "PT1H"]}
        for name, form in forms.items():
            run(f"reset/{name}", *reset, "--topic", none, *form, "--dry-run")
        run("reset/no-change", *one, "--describe")
        run("reset/partition", *reset, "--topic", f"{none}:0,2", "--to-earliest", "--dry-run")
        run("reset/all-topics", *reset, "--all-topics", "--to-earliest", "--dry-run")
        run("reset/consumer", "--reset-offsets", "--group", "tools.consumer", "--all-topics", "--to-earliest", "--dry-run")
        run("reset/unknown-topic", *reset, "--topic", self.topic("nowhere"), "--to-earliest", "--dry-run")
        run("reset/new-group", "--reset-offsets", "--group", "tools.new", "--topic", main, "--to-earliest", "--execute")
        run("reset/execute", *reset, "--topic", none, "--shift-by", "-2", "--execute")
        run("reset/executed", *one, "--describe")
        exported = []

        def export():
            exported[:] = sorted(self.lines(groups, *reset, "--topic", none, "--to-offset", "1", "--export", "--dry-run")["out"])
            return exported
        self.step("groups/export", export)

        def from_file():
            path = os.path.join(self.directory, "tools.offsets.csv")
            with open(path, "w") as f:
                f.write("\n".join(line for line in exported if "," in line))
            return words(*reset, "--from-file", path, "--execute")
        self.step("groups/from-file", from_file)
        for protocol in ("classic", "consumer"):
            self.step(f"groups/verifiable/{protocol}", lambda: self.verifiable(protocol))
        run("from-file/after", *one, "--describe")
        run("delete-offsets", "--delete-offsets", *one, "--topic", f"{none}:0")
        run("delete-offsets/after", *one, "--describe")
        run("delete-offsets/unknown", "--delete-offsets", *one, "--topic", self.topic("nowhere"))
        run("delete", "--delete", *one, "--group", "tools.new")
        run("delete/again", "--delete", *one)
        run("delete/after", "--list")

    def do_configs(self):
        main = self.topic("main")
        config = "kafka.admin.ConfigCommand"

        def run(step, *args, **how):
            self.step(step, lambda: self.lines(config, *args, **how))
        topic = ("--entity-type", "topics", "--entity-name", main)
        run("configs/describe", "--describe", *topic)
        run("configs/describe-all", "--describe", "--all", *topic)
        run("configs/alter", "--alter", "--add-config", "retention.bytes=123456789,cleanup.policy=[compact,delete]", *topic)
        self.step("configs/altered", lambda: self.eventually(
            lambda got: any("123456789" in line for line in got["out"]), lambda: self.lines(config, "--describe", *topic)))
        run("configs/delete", "--alter", "--delete-config", "retention.bytes", *topic)
        run("configs/alter-bad-value", "--alter", "--add-config", "segment.bytes=-5", *topic)
        run("configs/alter-bad-key", "--alter", "--add-config", "no.such.key=1", *topic)
        run("configs/describe-unknown", "--describe", "--entity-type", "topics", "--entity-name", self.topic("nowhere"))
        broker = ("--entity-type", "brokers", "--entity-name", "1")
        run("configs/broker", "--describe", *broker)
        self.step("configs/broker-keys", lambda: [
            line.split("=")[0].strip() for line in self.lines(config, "--describe", "--all", *broker)["out"][1:]])
        run("configs/broker-alter", "--alter", "--add-config", "log.cleaner.threads=2", *broker)
        self.step("configs/broker-altered", lambda: self.eventually(
            lambda got: len(got["out"]) > 1, lambda: self.lines(config, "--describe", *broker)))
        run("configs/broker-delete", "--alter", "--delete-config", "log.cleaner.threads", *broker)

    def do_cluster(self):
        self.step("cluster/id", lambda: self.lines("ClusterTool", "cluster-id", "--bootstrap-server", self.bootstrap, server=False))
        self.step("cluster/endpoints", lambda: [re.sub(r"\s+\d+\s+", " PORT ", line, count=0) for line in self.lines(
            "ClusterTool", "list-endpoints", "--bootstrap-server", self.bootstrap, server=False)["out"]])
        node, *apis = self.lines("BrokerApiVersionsCommand")["out"]
        self.step("cluster/node", lambda: node)
        for line in apis[:apis.index(")")]:  # of the first node
            api, versions = line.strip().rstrip(",").split(": ", 1)
            self.step(f"api/{api}", lambda: versions)
        self.step("cluster/features", lambda: [
            re.sub(r"Epoch: \d+", "Epoch: N", line) for line in self.lines("FeatureCommand", "describe")["out"]])

        def quorum(*args):
            out = self.lines("MetadataQuorumCommand", "describe", *args)["out"]
            out = [re.sub(r"^(LeaderEpoch|HighWatermark|MaxFollowerLag\w*):(\s+)-?\d+", r"\1:\2N", line) for line in out]
            out = [re.sub(r'"directoryId": "?[^",]+"?', '"directoryId": ID', line) for line in out]
            return out
        self.step("cluster/quorum", lambda: quorum("--status"))

        def replication():
            header, *rows = self.lines("MetadataQuorumCommand", "describe", "--replication")["out"]
            if REPLICAS > 1:  # who leads is drawn
                return [header.split(), *sorted(r.split()[-1] for r in rows)]
            return [header.split(), *[[r.split()[0], r.split()[-1]] for r in rows]]
        self.step("cluster/replication", replication)

    def do_others(self):
        def log_dirs():
            out = self.lines("LogDirsCommand", "--describe", "--topic-list", self.topic("none"))["out"]
            found = json.loads(out[-1])
            found["brokers"].sort(key=lambda b: b["broker"])
            for broker in found["brokers"]:
                for d in broker["logDirs"]:
                    d["logDir"] = "DIR"
                    for p in d["partitions"]:
                        p["size"] = p["size"] > 0
                    d["partitions"].sort(key=lambda p: p["partition"])
            return [*out[:-1], found]
        self.step("tool/log-dirs", log_dirs)
        self.step("tool/producers", lambda: [line.split() for line in self.lines(
            "TransactionsCommand", "describe-producers", "--topic", self.topic("none"), "--partition", "0")["out"]][:1])

    def do_shrink(self):
        main = self.topic("main")
        self.topic_step("partitions/create", "--alter", "--topic", main, "--partitions", "5")
        self.step("partitions/count", lambda: self.eventually(
            lambda n: n == 6, lambda: len(self.lines("TopicCommand", "--describe", "--topic", main)["out"])))
        self.topic_step("partitions/fewer", "--alter", "--topic", main, "--partitions", "2")

        # A producer without keys may leave a partition empty: the fullest one has records to delete, and is told as the first.
        fullest = max(range(3), key=lambda p: self.bounds(main, p)[1])

        def delete_records(offset):
            path = os.path.join(self.directory, "tools.offsets.json")
            with open(path, "w") as f:
                json.dump({"version": 1, "partitions": [{"topic": main, "partition": fullest, "offset": offset}]}, f)
            told = self.lines("DeleteRecordsCommand", "--offset-json-file", path)
            return {**told, "out": [line.replace(f"{main}-{fullest}", f"{main}-0") for line in told["out"]]}
        self.step("records/delete", lambda: delete_records(7))
        self.step("records/after", lambda: {"start": self.bounds(main, fullest)[0]})
        self.step("records/too-far", lambda: delete_records(1_000_000))
        self.topic_step("delete", "--delete", "--topic", main)
        self.step("delete/after", lambda: self.eventually(lambda got: main not in got, lambda: [
            t for t in self.lines("TopicCommand", "--list")["out"] if t.startswith("tools.")]))
        self.topic_step("delete/unknown", "--delete", "--topic", self.topic("never"))

    def join(self, bootstrap, told, leave):
        """The console consumer, which commits automatically and tells nothing but records."""
        java = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF",
                "-cp", os.environ["COMPAT_TOOLS"], TOOLS + "consumer.ConsoleConsumer"]
        options = ["auto.offset.reset=earliest", "auto.commit.interval.ms=500", "fetch.max.wait.ms=100"]
        if told["mode"] == "consumer":
            options += ["group.protocol=consumer"]
        else:
            options += [f"session.timeout.ms={told['sessionMs']}", "heartbeat.interval.ms=500",
                        "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor"]
        args = ["--bootstrap-server", bootstrap, "--topic", told["topic"], "--group", told["group"]]
        for o in options:
            args += ["--command-property", o]
        for p in ["print.partition=true", "print.offset=true"]:
            args += ["--formatter-property", p]
        # Partition:0	Offset:17	VALUE
        member.pass_on(lambda: subprocess.Popen([*java, *args], stdout=subprocess.PIPE, text=True), leave,
                       lambda line: [f.split(":", 1)[-1] if i < 2 else f
                                     for i, f in enumerate(line.split("\t", 2))], signal.SIGTERM)


Tools().main()
