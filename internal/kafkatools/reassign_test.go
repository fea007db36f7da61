package kafkatools

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/testkit"
)

// racked makes nodes out of words such as 1 or 1@rack.
func racked(words string) []clusterNode {
	var all []clusterNode
	for word := range strings.FieldsSeq(words) {
		var n clusterNode
		id, rack, given := strings.Cut(word, "@")
		if given {
			n.rack = &rack
		}
		fmt.Sscan(id, &n.id)
		all = append(all, n)
	}
	return all
}

func idsOf(nodes []clusterNode) string {
	var ids []int32
	for _, n := range nodes {
		ids = append(ids, n.id)
	}
	return joinInts(ids, " ")
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		nodes string
		list  []int32
		racks bool
		want  string
	}{
		{"3 1 2", []int32{1, 3, 9}, true, "1 3"},
		{"1@a 2 3@b", []int32{1, 3}, true, "1 3"},
		{"1@a 2 3@b", []int32{1, 2}, true, "none"},
		{"1@a 2 3@b", []int32{1, 2}, false, "1 2"},
		{"1", []int32{2}, true, ""},
	} {
		got, err := candidates(racked(c.nodes), c.list, c.racks)
		if err != nil && c.want == "none" {
			continue
		}
		if err != nil || idsOf(got) != c.want || !c.racks && slices.ContainsFunc(got, func(n clusterNode) bool { return n.rack != nil }) {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

func topicOf(name string, replicas ...[]int32) described {
	d := described{name: name}
	for i, r := range replicas {
		d.partitions = append(d.partitions, describedPartition{partition: int32(i), replicas: r})
	}
	return d
}

// The spreading itself is tested in package placement.
func TestPropose(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	topics := []described{topicOf("a", []int32{9}, []int32{9}, []int32{9}), topicOf("b", []int32{9, 8}), topicOf("none")}
	to, err := propose(topics, racked("1@x 2@x 3@y"), random)
	if err != nil || joinPartitions(sortedPartitions(to), " ") != "a-0 a-1 a-2 b-0" {
		t.Fatalf("%v, %v", to, err)
	}
	for tp, replicas := range to {
		want := 1
		if tp.Topic == "b" {
			want = 2
		}
		if len(replicas) != want || want == 2 && !slices.Contains(replicas, 3) {
			t.Errorf("%s on %v", tp, replicas)
		}
	}
	for _, c := range []struct {
		nodes, want string
		replicas    []int32
	}{
		{"1", "The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.", []int32{1, 2}},
		{"", "All brokers are currently fenced, or have all their log directories cordoned.", []int32{1}},
		{"1", "Invalid replication factor 0: the replication factor must be positive.", nil},
	} {
		if _, err := propose([]described{topicOf("a", c.replicas)}, racked(c.nodes), random); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// What is under way is throttled too, and keeps its sources when a file changes where it goes.
func TestThrottles(t *testing.T) {
	at := func(topic string, partition int32) kafka.TopicPartition {
		return kafka.TopicPartition{Topic: topic, Partition: partition}
	}
	underWay := map[kafka.TopicPartition]reassignment{
		at("a", 0): {[]int32{1, 2, 3}, []int32{3}, []int32{1}},
		at("b", 0): {[]int32{4, 5}, []int32{5}, nil},
	}
	wanted := map[kafka.TopicPartition][]int32{at("a", 0): {2, 6}, at("a", 10): {1}, at("a", 2): {2, 1}}
	placed := map[kafka.TopicPartition][]int32{at("a", 0): {1, 2, 3}, at("a", 10): {7}, at("a", 2): {1, 2}}
	all := transfers(underWay, wanted, placed)
	var lines []string
	for topic, alterations := range throttledReplicas(all) {
		for _, a := range alterations {
			lines = append(lines, topic+" "+a.key+"="+*a.value)
		}
	}
	slices.Sort(lines)
	want := []string{
		"a " + followerReplicas + "=0:6,10:1",
		"a " + leaderReplicas + "=0:1,0:2,10:7,2:1,2:2",
		"b " + followerReplicas + "=0:5",
		"b " + leaderReplicas + "=0:4",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
	if got := joinInts(transferring(all), " "); got != "1 2 4 5 6 7" {
		t.Error(got)
	}
}

func TestPartitionStates(t *testing.T) {
	tp := kafka.TopicPartition{Topic: "a"}
	topic := topicOf("a", []int32{1, 2}, []int32{2, 1})
	unknown := described{err: javaCode(kerr.UnknownTopicOrPartition.Code, nil)}
	for _, c := range []struct {
		partition int32
		topic     described
		want      string
	}{
		{0, topic, "Reassignment of partition a-0 is completed."},
		{1, topic, "There is no active reassignment of partition a-1, but replica set is 2,1 rather than 1,2."},
		{2, topic, "Index 2 out of bounds for length 2"},
		{-1, topic, "Index -1 out of bounds for length 2"},
		{3, topic, "There is no active reassignment of partition a-3, but replica set is  rather than 1,2."},
		{0, unknown, "There is no active reassignment of partition a-0, but replica set is  rather than 1,2."},
		{0, described{err: javaCode(kerr.TopicAuthorizationFailed.Code, nil)}, "org.apache.kafka.common.errors.TopicAuthorizationException: Topic authorization failed."},
	} {
		tp.Partition = c.partition
		s, err := stateOf(wanted{tp, []int32{1, 2}}, c.topic)
		got := s.line(tp)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := (partitionState{}).line(tp); got != "Reassignment of partition a-0 is still in progress." {
		t.Error(got)
	}
}

func TestMoveStates(t *testing.T) {
	r := replicaID{kafka.TopicPartition{Topic: "a", Partition: 3}, 1}
	for _, c := range []struct {
		current, future string
		done            bool
		want            string
	}{
		{"", "", false, "Partition a-3 is not found in any live log dir on broker 1. There is likely an offline log directory on the broker."},
		{"/t", "", true, "Reassignment of replica a-3-1 completed successfully."},
		{"/x", "", true, "Partition a-3 on broker 1 is not being moved from log dir /x to /t."},
		{"/x", "/t", false, "Reassignment of replica a-3-1 is still in progress."},
		{"/x", "/y", false, "Partition a-3 on broker 1 is being moved to log dir /y instead of /t."},
	} {
		m := moveState{replicaDirs{c.current, c.future}, "/t"}
		if m.line(r) != c.want || m.done() != c.done {
			t.Errorf("%+v: %q, done %v", m, m.line(r), m.done())
		}
	}
}

func TestParseReassignments(t *testing.T) {
	f, err := parseReassignments([]byte(`{"partitions": [{"topic": "a", "partition": 1, "replicas": [2, 1], "log_dirs": ["any", "/d"], "more": 1},
		{"topic": "b", "partition": 0, "replicas": [3]}], "version": 1} and more`))
	if err != nil || fmt.Sprint(f.partitions) != "[a-1 b-0]" || fmt.Sprint(f.dirs) != "map[a-1-1:/d]" {
		t.Errorf("%v, %v", f, err)
	}
	to, err := f.targets()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := formatReassignments(to, map[replicaID]replicaDirs{{kafka.TopicPartition{Topic: "a", Partition: 1}, 1}: {current: "/<d>"}}); err != nil || text != `{"version":1,"partitions":[{"topic":"a","partition":1,"replicas":[2,1],"log_dirs":["any","/<d>"]},{"topic":"b","partition":0,"replicas":[3],"log_dirs":["any"]}]}` {
		t.Errorf("%s, %v", text, err)
	}
	for text, want := range map[string]string{
		``:                                   "The input string shouldn't be empty",
		` `:                                  "Expected JSON object, received ",
		`null`:                               "Expected JSON object, received null",
		`[1, "a"]`:                           `Expected JSON object, received [1,"a"]`,
		`{"version": 2}`:                     "Not supported version field value 2",
		`{"version": 1.0}`:                   "Expected `Integer` value, received 1.0",
		`{"version": null}`:                  "Expected `Integer` value, received null",
		`{"partitions": {}}`:                 "Expected JSON array, received {}",
		`{"partitions": [1]}`:                "Expected JSON object, received 1",
		`{}`:                                 "Partition reassignment list cannot be empty",
		`{"partitions": [{"partition": 1}]}`: "No such field exists: `topic`",
		`{"partitions": [{"topic": null}]}`:  "Expected `String` value, received null",
		`{"partitions": [{"topic": "a", "partition": "1"}]}`:                                                                    "Expected `Integer` value, received \"1\"",
		`{"partitions": [{"topic": "a", "partition": 3000000000}]}`:                                                             "Expected `Integer` value, received 3000000000",
		`{"partitions": [{"topic": "a", "partition": 1}]}`:                                                                      "No such field exists: `replicas`",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": 1}]}`:                                                       "Expected `JSON array` value, received 1",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": [null]}]}`:                                                  "Expected `Integer` value, received null",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": []}]}`:                                                      "Partition replica list cannot be empty",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": [1], "log_dirs": "any"}]}`:                                  "Expected `JSON array` value, received \"any\"",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": [1], "log_dirs": [1]}]}`:                                    "Expected `String` value, received 1",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": [1, 2], "log_dirs": ["any"]}]}`:                             "Size of replicas list [1, 2] is different from size of log dirs list [any] for partition a-1",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": [1, 2, 2, 1, 1]}]}`:                                         "Partition replica lists may not contain duplicate entries: a-1 contains multiple entries for 1,2",
		`{"partitions": [{"topic": "a", "partition": 1, "replicas": [1]}, {"topic": "a", "partition": 1, "replicas": [1, 1]}]}`: "Partition reassignment contains duplicate topic partitions: a-1",
	} {
		f, err := parseReassignments([]byte(text))
		if err == nil {
			_, err = f.targets()
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := parseReassignments([]byte(`{"partitions": [`)); err == nil {
		t.Error("half a text is read")
	}
}

func TestParseTopicsAndBrokers(t *testing.T) {
	if topics, err := parseTopicsToMove([]byte(`{"topics": [{"topic": "b"}, {"topic": "a"}]}`)); err != nil || strings.Join(topics, " ") != "b a" {
		t.Errorf("%q, %v", topics, err)
	}
	for text, want := range map[string]string{
		``:                           "The input string is not a valid JSON",
		`{"topics": `:                "The input string is not a valid JSON",
		`{"topics": [{}]}`:           "No such field exists: `topic`",
		`{"topics": 1}`:              "Expected JSON array, received 1",
		`{"version": 3}`:             "Not supported version field value 3",
		`{"topics": [{"topic": 1}]}`: "Expected `String` value, received 1",
		`{"topics": [{"topic": "a"}, {"topic": "b"}, {"topic": "b"}, {"topic": "a"}]}`: "List of topics to reassign contains duplicate entries: [a, b]",
	} {
		if topics, err := parseTopicsToMove([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %q, %v, want %s", text, topics, err, want)
		}
	}
	for list, want := range map[string]string{"3,1": "3 1", "3,1,,": "3 1", "": `For input string: ""`, "1,,2": `For input string: ""`, "1,x": `For input string: "x"`,
		"2,1,1,2": "Broker list contains duplicate entries: [1, 2]", "9999999999": `For input string: "9999999999"`} {
		brokers, err := parseBrokers(list)
		got := joinInts(brokers, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

// becomes waits until a line of kafka-reassign-partitions prints what is wanted: not every node has seen at once what was done.
func (s *session) becomes(line, want string) {
	s.t.Helper()
	var got string
	testkit.Eventually(s.t, line, func() bool {
		before := got
		if got = s.tool("kafka-reassign-partitions $S " + line); got != want && got != before {
			s.t.Logf("%s\n%s", line, got)
		}
		return got == want
	})
}

// Partitions go from node to node: what is printed on the way, and where they are in the end.
func TestReassignOnThreeNodes(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	s := &session{t: t, n: c.Nodes[0], files: t.TempDir()}
	s.file("to.json", `{"partitions": [{"topic": "a", "partition": 0, "replicas": [3, 2]}, {"topic": "a", "partition": 1, "replicas": [2, 1]}]}`)
	s.file("more.json", `{"partitions": [{"topic": "a", "partition": 0, "replicas": [3, 2, 1]}, {"topic": "a", "partition": 1, "replicas": [3]}]}`)
	s.file("topics.json", `{"topics": [{"topic": "a"}]}`)
	if got := s.tool("kafka-topics $S --create --topic a --replica-assignment 1:2,1:2"); got != "Created topic a.\n" {
		t.Fatal(got)
	}
	s.becomes("--list", "No partition reassignments found.\n")
	before := `{"version":1,"partitions":[{"topic":"a","partition":0,"replicas":[1,2],"log_dirs":["/data","/data"]},{"topic":"a","partition":1,"replicas":[1,2],"log_dirs":["/data","/data"]}]}`
	saved := "Current partition replica assignment\n\n" + before + "\n\nSave this to use as the --reassignment-json-file option during rollback\n"
	for range 10 { // whichever node answers
		s.becomes("--verify --preserve-throttles --reassignment-json-file $F/to.json", `Status of partition reassignment:
There is no active reassignment of partition a-0, but replica set is 1,2 rather than 3,2.
There is no active reassignment of partition a-1, but replica set is 1,2 rather than 2,1.

`)
	}
	s.becomes("--execute --disallow-replication-factor-change --reassignment-json-file $F/more.json", saved+`Error reassigning partition(s):
a-0: The replication factor is changed from 2 to 3
a-1: The replication factor is changed from 2 to 1
exit 1
`)
	got := s.tool("kafka-reassign-partitions $S --execute --throttle 10000000 --reassignment-json-file $F/to.json")
	if want := saved + verifyOften + `
The inter-broker throttle limit was set to 10000000 B/s
Successfully started partition reassignments for a-0,a-1
`; got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	s.becomes("--verify --reassignment-json-file $F/to.json", `Status of partition reassignment:
Reassignment of partition a-0 is completed.
Reassignment of partition a-1 is completed.

Clearing broker-level throttles on brokers 1,2,3
Clearing topic-level throttles on topic a
`)
	testkit.Eventually(t, "the throttles are gone", func() bool {
		return !strings.Contains(s.tool("kafka-configs $S --describe --topic a"), "throttled")
	})
	s.becomes("--generate --topics-to-move-json-file $F/topics.json --broker-list 2", "Error: The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.\nexit 1\n")
	after := strings.NewReplacer(`"partition":0,"replicas":[1,2]`, `"partition":0,"replicas":[3,2]`, `"replicas":[1,2]`, `"replicas":[2,1]`).Replace(before)
	testkit.Eventually(t, "all nodes know where the partitions are", func() bool {
		got := s.tool("kafka-reassign-partitions $S --generate --topics-to-move-json-file $F/topics.json --broker-list 1,2")
		return strings.HasPrefix(got, "Current partition replica assignment\n"+after+"\n\nProposed partition reassignment configuration\n")
	})
}

// A reassignment to a node that is down waits, is listed, refuses another one, and is cancelled.
func TestReassignToNodeThatIsDown(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	s := &session{t: t, n: c.Nodes[0], files: t.TempDir()}
	s.file("to.json", `{"partitions": [{"topic": "a", "partition": 0, "replicas": [1, 3]}]}`)
	if got := s.tool("kafka-topics $S --create --topic a --replica-assignment 1:2"); got != "Created topic a.\n" {
		t.Fatal(got)
	}
	c.Stop(3)
	client, err := open(settings{bootstrapServers: s.n.Addr})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	begin := func(replicas ...int32) {
		t.Helper()
		if failed := client.reassign(t.Context(), map[kafka.TopicPartition][]int32{{Topic: "a"}: replicas}, true); len(failed) > 0 {
			t.Fatal(failures(failed))
		}
	}
	begin(1, 3)
	const file = " --preserve-throttles --reassignment-json-file $F/to.json"
	s.becomes("--list", "Current partition reassignments:\na-0: replicas: 1,3,2. adding: 3. removing: 2.\n")
	s.becomes("--execute --reassignment-json-file $F/to.json", executeTwice+"\nexit 1\n")
	s.becomes("--verify --reassignment-json-file $F/to.json", "Status of partition reassignment:\nReassignment of partition a-0 is still in progress.\n\n")
	const nothingMoves = "None of the specified partition moves are active."
	if got := s.tool("kafka-reassign-partitions $S --cancel" + file); got != "Successfully cancelled partition reassignment for: a-0\n"+nothingMoves {
		t.Error(got)
	}
	s.becomes("--cancel"+file, "None of the specified partition reassignments are active.\n"+nothingMoves)
	s.becomes("--verify"+file, "Status of partition reassignment:\nThere is no active reassignment of partition a-0, but replica set is 1,2 rather than 1,3.\n\n")
	begin(1, 2, 3)
	s.becomes("--list", "Current partition reassignments:\na-0: replicas: 1,2,3. adding: 3.\n")
	if got := s.tool("kafka-reassign-partitions $S --cancel" + file); got != "Successfully cancelled partition reassignment for: a-0\n"+nothingMoves {
		t.Errorf("one that only adds: %s", got)
	}
}

// A replica goes from one directory of a node to another.
func TestReassignDirectories(t *testing.T) {
	s := &session{t: t, n: testkit.Start(t, testkit.Options{Dirs: []string{"/one", "/two"}}), files: t.TempDir()}
	if got := s.tool("kafka-topics $S --create --topic a --replica-assignment 1"); got != "Created topic a.\n" {
		t.Fatal(got)
	}
	for _, dir := range []string{"/one", "/two", "/one"} {
		s.file("to.json", `{"partitions": [{"topic": "a", "partition": 0, "replicas": [1], "log_dirs": ["`+dir+`"]}]}`)
		got := s.tool("kafka-reassign-partitions $S --execute --replica-alter-log-dirs-throttle 1000000 --reassignment-json-file $F/to.json")
		if want := "The replica-alter-dir throttle limit was set to 1000000 B/s\nSuccessfully started partition reassignment for a-0\nSuccessfully started moving log directory to " + dir + " for replica a-0 with broker 1 \n"; !strings.HasSuffix(got, want) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		done := "Status of partition reassignment:\nReassignment of partition a-0 is completed.\nReassignment of replica a-0-1 completed successfully.\nClearing broker-level throttles on broker 1\nClearing topic-level throttles on topic a\n"
		testkit.Eventually(t, "the replica is in "+dir, func() bool {
			return s.tool("kafka-reassign-partitions $S --verify --reassignment-json-file $F/to.json") == done
		})
	}
}

// An error keeps its class when Java would have it out of a future.
func TestInFuture(t *testing.T) {
	if inFuture(nil) != nil {
		t.Error("no error is one")
	}
	if got := inFuture(errors.New("plain")).Error(); got != "plain" {
		t.Error(got)
	}
	if got := inFuture(noSuchAPI{javaKey(46)}).Error(); got != "org.apache.kafka.common.errors.UnsupportedVersionException: The node does not support LIST_PARTITION_REASSIGNMENTS" {
		t.Error(got)
	}
}
