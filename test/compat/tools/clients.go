package main

import "slices"

// clients are the invocations of the tools that move records, look after groups, and read files.
var clients = slices.Concat(producers, groupTools, consumers, measures)

// serialization is the package of Kafka's deserializers, formats that of the formatters.
const (
	serialization = "org.apache.kafka.common.serialization."
	formats       = "org.apache.kafka.tools.consumer."
)

// consume is how an invocation begins that reads a partition from its start and ends by itself.
const consume = "kafka-console-consumer $S --topic console --from-beginning --max-messages "

var (
	stamps = []rule{replace(`CreateTime:\d+`, "CreateTime:N")}
	// coordinatorRows are the JSON of records of __consumer_offsets, which have no newline between them.
	coordinatorRows = []rule{replace(`"commitTimestamp":\d+`, `"commitTimestamp":N`), replace(`"topicId":"[^"]*"`, `"topicId":"ID"`),
		replace(`("(?:leader|memberId|clientHost)":)"[^"]*"`, `${1}"X"`), replace(`"currentStateTimestamp":\d+`, `"currentStateTimestamp":N`)}
)

// producers make the topics that others read. What is read in its order is produced with --sync: a JVM that goes on to the next tool
// sends the rest behind its back.
var producers = []invocation{
	{title: "nothing", line: "kafka-console-producer"},
	{title: "no topic", line: "kafka-console-producer $S"},
	{title: "no server", line: "kafka-console-producer --topic console"},
	{title: "bad server", line: "kafka-console-producer --bootstrap-server localhost --topic console"},
	{title: "two spellings", line: "kafka-console-producer $S --topic console --sync --property a=b --reader-property c=d"},
	{title: "plain lines", line: "kafka-console-producer $S --topic console --sync", stdin: "one\ntwo\r\nthree\rfour"},
	{title: "keys", line: "kafka-console-producer $S --topic console --sync --reader-property parse.key=true --compression-codec", stdin: "k1\tv1\nk2\tv2\n"},
	{title: "keys by the old spelling", line: "kafka-console-producer $S --topic console --sync --property parse.key=true --property key.separator=:", stdin: "k3:v3\nk4:v:4\n"},
	{title: "headers", line: "kafka-console-producer $S --topic console --sync --reader-property parse.headers=true --reader-property parse.key=true",
		stdin: "h1:a,h2:b\tk5\tv5\nh:,\tk6\tv6\n"},
	{title: "separators", line: "kafka-console-producer $S --topic console --sync --reader-property parse.headers=true --reader-property parse.key=true " +
		"--reader-property headers.delimiter=| --reader-property headers.separator=; --reader-property headers.key.separator== --reader-property key.separator=#", stdin: "a=1;b=2|k7#v7\n"},
	{title: "null marker", line: "kafka-console-producer $S --topic console --sync --reader-property parse.key=true --reader-property null.marker=NIL", stdin: "NIL\tv8\nk9\tNIL\n"},
	{title: "a line without separator", line: "kafka-console-producer $S --topic console --sync --reader-property parse.key=true", stdin: "k10\tv10\nnone\n"},
	{title: "a line without separator ignored", line: "kafka-console-producer $S --topic console --sync --reader-property parse.key=true --reader-property ignore.error=true", stdin: "none\nk11\tv11\n"},
	{title: "markers that are equal", line: "kafka-console-producer $S --topic console --sync --reader-property null.marker=x --reader-property key.separator=x", stdin: "a\n"},
	{title: "codec, acks and properties", line: "kafka-console-producer $S --topic settings --compression-codec zstd --request-required-acks 1 --producer-property linger.ms=0 --batch-size 100", stdin: "twelve\n"},
	{title: "old batch size", line: "kafka-console-producer $S --topic console --sync --max-partition-memory-bytes 100 --producer.config $F/client.properties", stdin: "thirteen\n"},
	{title: "unknown codec", line: "kafka-console-producer $S --topic console --sync --compression-codec best", stdin: "a\n"},
	{title: "unknown acks", line: "kafka-console-producer $S --topic console --sync --request-required-acks 7", stdin: "a\n"},
	{title: "numbers", line: "kafka-console-producer $S --topic numbers --sync", stdin: "abcd\nabcdefgh\nab\n\x01\nf81d4fae-7dec-11d0-a765-00a0c91e6bf6\n"},
}

// consumers without a group leave one of Apache's tools behind: they come after the lists of groups.
var consumers = []invocation{
	{title: "nothing", line: "kafka-console-consumer"},
	{title: "version", line: "kafka-console-consumer --version"},
	{title: "no topic", line: "kafka-console-consumer $S"},
	{title: "topic and include", line: "kafka-console-consumer $S --topic a --include b"},
	{title: "offset without partition", line: "kafka-console-consumer $S --topic console --offset 1"},
	{title: "partition and group", line: "kafka-console-consumer $S --topic console --partition 0 --group g"},
	{title: "bad offset", line: "kafka-console-consumer $S --topic console --partition 0 --offset first"},
	{title: "beginning and reset", line: "kafka-console-consumer $S --topic console --from-beginning --command-property auto.offset.reset=latest"},
	{title: "values", line: consume + "17"},
	{title: "no values", line: consume + "0"},
	{title: "keys", line: consume + "17 --formatter-property print.key=true"},
	{title: "keys alone", line: consume + "17 --formatter-property print.key=true --formatter-property print.value=false"},
	{title: "everything", line: consume + "17 --formatter-property print.key=true --formatter-property print.timestamp=true --formatter-property print.offset=true " +
		"--formatter-property print.partition=true --formatter-property print.headers=true --formatter-property print.epoch=true --formatter-property print.delivery=true", rules: stamps},
	{title: "separators", line: consume + "14 --formatter-property print.key=true --formatter-property print.headers=true --formatter-property key.separator== " +
		"--formatter-property line.separator=! --formatter-property headers.separator=/ --formatter-property null.literal=nil"},
	{title: "old spelling", line: consume + "5 --property print.key=true"},
	{title: "old and new spelling", line: consume + "5 --property print.key=true --formatter-property print.value=true"},
	{title: "old spellings of the consumer's", line: consume + "2 --consumer-property client.id=x --consumer.config $F/client.properties"},
	{title: "a partition from an offset", line: "kafka-console-consumer $S --topic console --partition 0 --offset 3 --max-messages 4"},
	{title: "a partition from the start", line: "kafka-console-consumer $S --topic console --partition 0 --offset earliest --max-messages 2"},
	{title: "until time is up", line: "kafka-console-consumer $S --topic console --partition 0 --offset 16 --timeout-ms 4000"},
	{title: "by expression", line: "kafka-console-consumer $S --include 'conso.*' --from-beginning --max-messages 3"},
	{title: "prepared timestamps", line: "kafka-console-consumer $S --topic verified --partition 0 --offset earliest --max-messages 0 --formatter-property print.timestamp=true"},
	{title: "committed only", line: "kafka-console-consumer $S --topic console --from-beginning --max-messages 3 --isolation-level read_committed"},
	{title: "bad isolation", line: "kafka-console-consumer $S --topic console --from-beginning --max-messages 3 --isolation-level dirty"},
	{title: "strings", line: consume + "17 --formatter-property print.key=true --key-deserializer " + serialization + "StringDeserializer --value-deserializer " + serialization + "StringDeserializer"},
	{title: "bytes", line: consume + "17 --value-deserializer " + serialization + "BytesDeserializer"},
	{title: "shorts", line: consume + "7 --formatter-property print.key=true --skip-message-on-error --key-deserializer " + serialization + "ShortDeserializer"},
	{title: "integers", line: "kafka-console-consumer $S --topic numbers --from-beginning --max-messages 1 --value-deserializer " + serialization + "IntegerDeserializer"},
	{title: "floats", line: "kafka-console-consumer $S --topic numbers --from-beginning --max-messages 1 --value-deserializer " + serialization + "FloatDeserializer"},
	{title: "an integer that is none", line: "kafka-console-consumer $S --topic numbers --from-beginning --max-messages 3 --value-deserializer " + serialization + "IntegerDeserializer"},
	{title: "longs", line: "kafka-console-consumer $S --topic numbers --partition 0 --offset 1 --max-messages 1 --value-deserializer " + serialization + "LongDeserializer"},
	{title: "doubles", line: "kafka-console-consumer $S --topic numbers --partition 0 --offset 1 --max-messages 1 --value-deserializer " + serialization + "DoubleDeserializer"},
	{title: "booleans", line: "kafka-console-consumer $S --topic numbers --partition 0 --offset 3 --max-messages 1 --value-deserializer " + serialization + "BooleanDeserializer"},
	{title: "uuids", line: "kafka-console-consumer $S --topic numbers --partition 0 --offset 4 --max-messages 1 --value-deserializer " + serialization + "UUIDDeserializer"},
	{title: "unknown deserializer", line: consume + "1 --value-deserializer com.example.None"},
	{title: "no-op", line: consume + "3 --formatter " + formats + "NoOpMessageFormatter"},
	{title: "logging", line: consume + "3 --formatter " + formats + "LoggingMessageFormatter"},
	{title: "unknown formatter", line: consume + "3 --formatter com.example.None"},
}

// offsetsOf are the options of a reset of group g1, of which the invocation adds the mode.
const offsetsOf = "kafka-consumer-groups $S --reset-offsets --group g1 "

// groupTools make the groups g1 and g2 and the group of the new protocol g3.
var groupTools = []invocation{
	{title: "list of none", line: "kafka-consumer-groups $S --list"},
	{title: "make a topic for groups", line: "kafka-topics $S --create --topic three --partitions 3"},
	{title: "fill a topic for groups", line: "kafka-console-producer $S --topic three --sync --reader-property parse.key=true", stdin: "a\t1\nb\t2\nc\t3\nd\t4\ne\t5\nf\t6\ng\t7\nh\t8\n"},
	{title: "nothing", line: "kafka-consumer-groups"},
	{title: "no server", line: "kafka-consumer-groups --list"},
	{title: "no action", line: "kafka-consumer-groups $S"},
	{title: "two actions", line: "kafka-consumer-groups $S --list --describe --all-groups"},
	{title: "make g1", line: "kafka-console-consumer $S --topic numbers --group g1 --from-beginning --max-messages 5 --formatter " + formats + "NoOpMessageFormatter"},
	{title: "make g2", line: "kafka-console-consumer $S --topic three --group g2 --from-beginning --max-messages 8 --formatter " + formats + "NoOpMessageFormatter"},
	{title: "make g3", line: "kafka-verifiable-consumer $S --topic three --group-id g3 --max-messages 8 --group-protocol consumer", silent: true},
	{title: "offsets as JSON", line: "kafka-console-consumer $S --topic __consumer_offsets --partition 42 --offset earliest --timeout-ms 5000 --formatter " + formats + "OffsetsMessageFormatter",
		rules: coordinatorRows},
	{title: "list", line: "kafka-consumer-groups $S --list", rules: []rule{anyOrder}},
	{title: "list with state", line: "kafka-consumer-groups $S --list --state"},
	{title: "list with type and state", line: "kafka-consumer-groups $S --list --state --type"},
	{title: "list empty ones", line: "kafka-consumer-groups $S --list --state Empty"},
	{title: "list by states", line: "kafka-consumer-groups $S --list --state stable,EMPTY --type classic"},
	{title: "list by type", line: "kafka-consumer-groups $S --list --type consumer"},
	{title: "list by a bad state", line: "kafka-consumer-groups $S --list --state Asleep"},
	{title: "list by a bad type", line: "kafka-consumer-groups $S --list --type share"},
	{title: "describe", line: "kafka-consumer-groups $S --describe --group g1"},
	{title: "describe two", line: "kafka-consumer-groups $S --describe --group g2 --group g1"},
	{title: "describe verbose", line: "kafka-consumer-groups $S --describe --group g1 --verbose"},
	{title: "describe all", line: "kafka-consumer-groups $S --describe --all-groups"},
	{title: "describe offsets", line: "kafka-consumer-groups $S --describe --group g3 --offsets"},
	{title: "describe members", line: "kafka-consumer-groups $S --describe --group g1 --members"},
	{title: "describe members verbose", line: "kafka-consumer-groups $S --describe --group g3 --members --verbose"},
	{title: "describe state", line: "kafka-consumer-groups $S --describe --group g1 --state"},
	{title: "describe all states verbose", line: "kafka-consumer-groups $S --describe --all-groups --state --verbose"},
	{title: "describe none", line: "kafka-consumer-groups $S --describe --group nosuch"},
	{title: "describe none's state", line: "kafka-consumer-groups $S --describe --group nosuch --state"},
	{title: "describe without group", line: "kafka-consumer-groups $S --describe"},
	{title: "describe two ways", line: "kafka-consumer-groups $S --describe --group g1 --members --state"},
	{title: "validate a regex", line: "kafka-consumer-groups --validate-regex 'a.*'"},
	{title: "validate a bad regex", line: "kafka-consumer-groups --validate-regex 'a['"},
	{title: "reset to earliest", line: offsetsOf + "--topic numbers --to-earliest"},
	{title: "reset to earliest of all topics", line: "kafka-consumer-groups $S --reset-offsets --group g2 --all-topics --to-earliest --dry-run"},
	{title: "reset to latest", line: offsetsOf + "--topic three --to-latest"},
	{title: "reset to an offset", line: offsetsOf + "--topic three:0,1 --to-offset 2"},
	{title: "reset beyond the end", line: offsetsOf + "--topic three --to-offset 100 --execute"},
	{title: "reset by a shift", line: offsetsOf + "--topic three:0 --shift-by -2 --execute"},
	{title: "reset by a shift of nothing", line: offsetsOf + "--topic gamma-1 --shift-by 1"},
	{title: "reset to current", line: offsetsOf + "--topic three --topic gamma-2 --to-current"},
	{title: "reset to a time", line: offsetsOf + "--topic three --to-datetime 2023-11-14T22:13:22.000"},
	{title: "reset to a time with zone", line: offsetsOf + "--topic three:0 --to-datetime 2023-11-14T23:13:22.000+01:00"},
	{title: "reset to a time to come", line: offsetsOf + "--topic three --to-datetime 2093-11-14T22:13:22.000"},
	{title: "reset to a bad time", line: offsetsOf + "--topic three --to-datetime 2093-11-14"},
	{title: "reset by duration", line: offsetsOf + "--topic three --by-duration P36500D"},
	{title: "reset by a bad duration", line: offsetsOf + "--topic three --by-duration 5m"},
	{title: "reset and export", line: "kafka-consumer-groups $S --reset-offsets --group g2 --all-topics --to-earliest --export --dry-run"},
	{title: "reset two and export", line: "kafka-consumer-groups $S --reset-offsets --group g2 --group g1 --topic three --to-earliest --export --dry-run"},
	{title: "reset from a file", line: "kafka-consumer-groups $S --reset-offsets --group g1 --from-file $F/plan.csv --dry-run"},
	{title: "reset two from a file", line: "kafka-consumer-groups $S --reset-offsets --group g1 --group g2 --from-file $F/plans.csv --execute"},
	{title: "reset from no file", line: offsetsOf + "--from-file $F/nosuch.csv"},
	{title: "reset without scope", line: offsetsOf + "--to-earliest"},
	{title: "reset without mode", line: offsetsOf + "--topic three"},
	{title: "reset in two modes", line: offsetsOf + "--topic three --to-earliest --to-latest"},
	{title: "reset an unknown topic", line: offsetsOf + "--topic nosuch --to-earliest"},
	{title: "reset an unknown partition", line: offsetsOf + "--topic three:7 --to-earliest"},
	{title: "reset a bad partition", line: offsetsOf + "--topic three:x --to-earliest"},
	{title: "reset an unknown group", line: "kafka-consumer-groups $S --reset-offsets --group fresh --topic numbers --to-offset 1 --execute"},
	{title: "describe what was reset", line: "kafka-consumer-groups $S --describe --group g1 --verbose"},
	{title: "delete offsets", line: "kafka-consumer-groups $S --delete-offsets --group g1 --topic three:0"},
	{title: "delete offsets of topics", line: "kafka-consumer-groups $S --delete-offsets --group g1 --topic three --topic nosuch"},
	{title: "delete offsets of no group", line: "kafka-consumer-groups $S --delete-offsets --group nosuch --topic three"},
	{title: "delete offsets without topic", line: "kafka-consumer-groups $S --delete-offsets --group g1"},
	{title: "list", line: "kafka-groups $S --list"},
	{title: "nothing", line: "kafka-groups"},
	{title: "list by type", line: "kafka-groups $S --list --group-type classic"},
	{title: "list by protocol", line: "kafka-groups $S --list --protocol consumer"},
	{title: "list consumers", line: "kafka-groups $S --list --consumer"},
	{title: "list share groups", line: "kafka-groups $S --list --share"},
	{title: "list by a bad type", line: "kafka-groups $S --list --group-type odd"},
	{title: "delete two, one of which is not there", line: "kafka-consumer-groups $S --delete --group nosuch --group g1"},
	{title: "delete all", line: "kafka-consumer-groups $S --delete --all-groups", rules: listed},
	{title: "delete none", line: "kafka-consumer-groups $S --delete --group g1"},
}

// listed leaves out which group comes where: names that share a bucket of Java's map come in the order in which the server's shards answered.
var listed = []rule{replace(`'(g2|g3|fresh)'`, "'GROUP'")}

// waiting leaves out the assignment of nothing that a member prints if its first heartbeat is answered before it is given anything.
var waiting = []rule{replace(`(?m)^\{[^\n]*"partitions_assigned","partitions":\[\]\}\n`, "")}

var (
	figures = []rule{replace(`\d+\.\d+|NaN|Infinity`, "F"), replace(`\d+ ms`, "N ms"), replace(`= \d+`, "= N"), replace(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}`, "TIME"),
		replace(`(TIME, TIME, F, F, \d+, F), \d+, -?\d+`, "$1, N, N"), replace(`(?m)^0\t\S+$`, "0\tF")}
	// jsonLines are those of the verifiable clients, whose fields have an order of the JVM's own.
	// The last line of a verifiable consumer comes when its JVM ends, which that of the comparison does not.
	jsonLines = []rule{replace(`(?m)^.*"shutdown_requested".*\n`, ""), replace(`"timestamp":\d+`, `"timestamp":N`), replace(`"avg_throughput":[0-9.E-]+`, `"avg_throughput":F`)}
)

// measures are the tools that measure, and the verifiable clients, whose figures are not compared.
var measures = []invocation{
	{title: "no topic", line: "kafka-producer-perf-test $S --num-records 10 --record-size 10 --throughput -1"},
	{title: "no size", line: "kafka-producer-perf-test $S --topic perf --num-records 10 --throughput -1"},
	{title: "two payloads", line: "kafka-producer-perf-test $S --topic perf --num-records 10 --throughput -1 --record-size 1 --payload-monotonic"},
	{title: "no records", line: "kafka-producer-perf-test $S --topic perf --num-records 0 --throughput -1 --record-size 1"},
	{title: "a thousand", line: "kafka-producer-perf-test $S --topic perf --num-records 1000 --record-size 100 --throughput -1", rules: figures},
	{title: "with a warm-up", line: "kafka-producer-perf-test $S --topic perf --num-records 1000 --record-size 100 --throughput -1 --warmup-records 400", rules: figures},
	{title: "monotonic", line: "kafka-producer-perf-test --topic perf --num-records 100 --payload-monotonic --throughput 1000 --producer-props bootstrap.servers=$B acks=1", rules: figures},
	{title: "from a file", line: "kafka-producer-perf-test $S --topic perf --num-records 100 --payload-file $F/plan.csv --throughput -1 --command-property compression.type=lz4", rules: figures},
	{title: "from no file", line: "kafka-producer-perf-test $S --topic perf --num-records 100 --payload-file $F/nosuch --throughput -1"},
	{title: "no topic", line: "kafka-consumer-perf-test $S --num-records 10"},
	{title: "no records", line: "kafka-consumer-perf-test $S --topic perf"},
	{title: "two thousand", line: "kafka-consumer-perf-test $S --topic perf --num-records 2200", rules: figures},
	{title: "old spelling without header", line: "kafka-consumer-perf-test $S --topic perf --messages 2200 --hide-header", rules: figures},
	{title: "until time is up", line: "kafka-consumer-perf-test $S --topic gamma-1 --num-records 10 --timeout 3000 --show-detailed-stats", rules: figures},
	{title: "by expression", line: "kafka-consumer-perf-test $S --include 'per.' --num-records 2200 --group perf-group", rules: figures},
	{title: "nothing", line: "kafka-e2e-latency"},
	{title: "too few", line: "kafka-e2e-latency $B console 10"},
	{title: "acks 0", line: "kafka-e2e-latency $S --topic e2e --num-records 3 --producer-acks 0 --record-size 10"},
	{title: "ten", line: "kafka-e2e-latency $S --topic e2e --num-records 10 --producer-acks all --record-size 10", rules: figures},
	{title: "ten by position", line: "kafka-e2e-latency $B e2e 10 1 100", rules: figures},
	{title: "keys and headers", line: "kafka-e2e-latency $S --topic e2e --num-records 3 --producer-acks 1 --record-size 0 --record-key-size 5 --num-headers 2 " +
		"--record-header-key-size 3 --record-header-size -1", rules: figures},
	{title: "four", line: "kafka-verifiable-producer $S --topic verified --max-messages 4 --value-prefix 7 --repeating-keys 3", silent: true},
	{title: "with timestamps", line: "kafka-verifiable-producer $S --topic verified --max-messages 1 --message-create-time 1000 --acks 1", silent: true},
	{title: "old spelling", line: "kafka-verifiable-producer $S --topic verified --max-messages 1 --producer.config $F/client.properties", silent: true},
	{title: "bad acks", line: "kafka-verifiable-producer $S --topic verified --max-messages 1 --acks 5"},
	{title: "six", line: "kafka-verifiable-consumer $S --topic verified --group-id v1 --max-messages 6 --verbose", rules: jsonLines},
	{title: "six of the new protocol", line: "kafka-verifiable-consumer $S --topic verified --group-id v2 --max-messages 6 --group-protocol consumer --enable-autocommit", rules: slices.Concat(jsonLines, waiting)},
	{title: "three in turns", line: "kafka-verifiable-consumer $S --topic verified --group-id v3 --max-messages 3 --assignment-strategy org.apache.kafka.clients.consumer.RoundRobinAssignor", rules: jsonLines},
	{title: "no group", line: "kafka-verifiable-consumer $S --topic verified"},
}
