package main

// prepared are the topics that every invocation finds.
var prepared = []struct {
	name       string
	partitions int32
	configs    map[string]*string
	records    []int // of each partition
}{
	{"alpha", 3, nil, []int{5, 3, 0}},
	{"beta", 1, map[string]*string{"retention.ms": text("3600000"), "cleanup.policy": text("compact,delete"), "segment.bytes": text("1048576")}, []int{4}},
	{"gamma-1", 2, map[string]*string{"min.insync.replicas": text("2")}, nil},
	{"gamma-2", 12, nil, nil},
}

func text(s string) *string { return &s }

// files are there for the invocations, at $F.
var files = map[string]string{
	"client.properties": "client.id=compat\nrequest.timeout.ms=20000\n",
	"delete.json":       `{"partitions": [{"topic": "alpha", "partition": 0, "offset": 2}, {"topic": "alpha", "partition": 1, "offset": -1}], "version": 1}`,
	"delete-more.json":  `{"partitions": [{"topic": "alpha", "partition": 0, "offset": 100}, {"topic": "nosuch", "partition": 0, "offset": 1}]}`,
	"delete-twice.json": `{"partitions": [{"topic": "alpha", "partition": 0, "offset": 1}, {"topic": "alpha", "partition": 0, "offset": 2}], "version": 1}`,
	"delete-v2.json":    `{"partitions": [], "version": 2}`,
	"delete-none.json":  `{"version": 1}`,
	"broken.json":       `{"partitions": [`,
	"add.properties":    "retention.ms=7200000\nmax.message.bytes=2000000\n",
}

// admin are the invocations of the tools that look at a cluster and change it.
var admin = []invocation{
	{title: "nothing", line: "kafka-topics"},
	{title: "version", line: "kafka-topics --version"},
	{title: "help", line: "kafka-topics --help"},
	{title: "unknown option", line: "kafka-topics $S --lits"},
	{title: "no server", line: "kafka-topics --list"},
	{title: "no action", line: "kafka-topics $S"},
	{title: "two actions", line: "kafka-topics $S --list --describe"},
	{title: "list", line: "kafka-topics $S --list"},
	{title: "list with =", line: "kafka-topics --bootstrap-server=$B --list"},
	{title: "list without internal", line: "kafka-topics $S --list --exclude-internal"},
	{title: "list by expression", line: "kafka-topics $S --list --topic 'gamma.*'"},
	{title: "list by two names", line: "kafka-topics $S --list --topic alpha,beta"},
	{title: "list none", line: "kafka-topics $S --list --topic nosuch"},
	{title: "list with client.properties", line: "kafka-topics $S --command-config $F/client.properties --list"},
	{title: "list with a missing file", line: "kafka-topics $S --command-config $F/nosuch --list"},
	{title: "list by a bad expression", line: "kafka-topics $S --list --topic '*['"},
	{title: "describe all", line: "kafka-topics $S --describe"},
	{title: "describe one", line: "kafka-topics $S --describe --topic beta"},
	{title: "describe by expression", line: "kafka-topics $S --describe --topic 'gamma-.'"},
	{title: "describe in pages", line: "kafka-topics $S --describe --topic gamma-2 --partition-size-limit-per-response 5"},
	{title: "describe none", line: "kafka-topics $S --describe --topic nosuch"},
	{title: "describe none if it exists", line: "kafka-topics $S --describe --topic nosuch --if-exists"},
	{title: "describe if exists without topic", line: "kafka-topics $S --describe --if-exists"},
	{title: "describe under replicated", line: "kafka-topics $S --describe --under-replicated-partitions"},
	{title: "describe unavailable", line: "kafka-topics $S --describe --unavailable-partitions"},
	{title: "describe under min isr", line: "kafka-topics $S --describe --under-min-isr-partitions"},
	{title: "describe at min isr", line: "kafka-topics $S --describe --at-min-isr-partitions"},
	{title: "describe overridden", line: "kafka-topics $S --describe --topics-with-overrides"},
	{title: "describe overridden and under replicated", line: "kafka-topics $S --describe --topics-with-overrides --under-replicated-partitions"},
	{title: "describe an unknown id", line: "kafka-topics $S --describe --topic-id 3zKVRyaHR3OnSaKZjbZHbQ"},
	{title: "describe an unknown id if it exists", line: "kafka-topics $S --describe --topic-id 3zKVRyaHR3OnSaKZjbZHbQ --if-exists"},
	{title: "describe a bad id", line: "kafka-topics $S --describe --topic-id abc"},
	{title: "describe a long id", line: "kafka-topics $S --describe --topic-id abcdefghijklmnopqrstuvwxyz0123456789"},
	{title: "describe topic and id", line: "kafka-topics $S --describe --topic beta --topic-id AAAAAAAAAAAAAAAAAAAAAA --if-exists"},
	{title: "create", line: "kafka-topics $S --create --topic made --partitions 2 --replication-factor 1"},
	{title: "create it again", line: "kafka-topics $S --create --topic made"},
	{title: "create it again if it does not exist", line: "kafka-topics $S --create --topic made --if-not-exists"},
	{title: "create with defaults", line: "kafka-topics $S --create --topic plain"},
	{title: "create with a dot", line: "kafka-topics $S --create --topic made.dotted"},
	{title: "create with a collision", line: "kafka-topics $S --create --topic made_dotted"},
	{title: "create with configurations", line: "kafka-topics $S --create --topic tuned --config retention.ms=1000 --config cleanup.policy=compact"},
	{title: "create with a bad name", line: "kafka-topics $S --create --topic bad/name"},
	{title: "create without a name", line: "kafka-topics $S --create"},
	{title: "create with an empty name", line: "kafka-topics $S --create --topic ''"},
	{title: "create with an unknown configuration", line: "kafka-topics $S --create --topic x --config no.such=1"},
	{title: "create with a bad configuration", line: "kafka-topics $S --create --topic x --config retention.ms=soon"},
	{title: "create with half a configuration", line: "kafka-topics $S --create --topic x --config retention.ms"},
	{title: "create with no partitions", line: "kafka-topics $S --create --topic x --partitions 0"},
	{title: "create with partitions that are no number", line: "kafka-topics $S --create --topic x --partitions many"},
	{title: "create with too many replicas", line: "kafka-topics $S --create --topic x --replication-factor 3"},
	{title: "create with no replicas", line: "kafka-topics $S --create --topic x --replication-factor 0"},
	{title: "create with an assignment", line: "kafka-topics $S --create --topic placed --replica-assignment 1,1,1"},
	{title: "create with an unknown node", line: "kafka-topics $S --create --topic x --replica-assignment 1,7"},
	{title: "create with a node twice", line: "kafka-topics $S --create --topic x --replica-assignment 1:1"},
	{title: "create with an uneven assignment", line: "kafka-topics $S --create --topic x --replica-assignment 1,1:2"},
	{title: "create with assignment and partitions", line: "kafka-topics $S --create --topic x --replica-assignment 1 --partitions 1"},
	{title: "describe what was made", line: "kafka-topics $S --describe --topic made,tuned,placed,plain"},
	{title: "alter", line: "kafka-topics $S --alter --topic made --partitions 4"},
	{title: "alter to fewer", line: "kafka-topics $S --alter --topic made --partitions 1"},
	{title: "alter to the same", line: "kafka-topics $S --alter --topic made --partitions 4"},
	{title: "alter none", line: "kafka-topics $S --alter --topic nosuch --partitions 4"},
	{title: "alter none if it exists", line: "kafka-topics $S --alter --topic nosuch --partitions 4 --if-exists"},
	{title: "alter without partitions", line: "kafka-topics $S --alter --topic made"},
	{title: "alter a configuration", line: "kafka-topics $S --alter --topic made --config retention.ms=1"},
	{title: "alter with an assignment", line: "kafka-topics $S --alter --topic placed --partitions 4 --replica-assignment 1,1,1,1"},
	{title: "delete", line: "kafka-topics $S --delete --topic made"},
	{title: "delete it again", line: "kafka-topics $S --delete --topic made"},
	{title: "delete it again if it exists", line: "kafka-topics $S --delete --topic made --if-exists"},
	{title: "delete by expression", line: "kafka-topics $S --delete --topic 'made.*,plain,placed,tuned'"},
	{title: "delete without a name", line: "kafka-topics $S --delete"},
	{title: "list what is left", line: "kafka-topics $S --list"},
}
