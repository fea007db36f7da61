package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

func TestRestartFindsTopicsAndRecords(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	if slices.Contains(n.Names("/data"), checkpoint.CleanShutdown) {
		t.Error("the mark of a clean shutdown is there while the node runs")
	}
	c := n.Dial()
	id := c.Create("orders", 3, "cleanup.policy", "compact")
	for p := range int32(3) {
		c.MustProduce("orders", p, keyed(fmt.Sprintf("k%d", p), "v"))
	}
	n.Stop()
	if !slices.Contains(n.Names("/data"), checkpoint.CleanShutdown) {
		t.Error("there is no mark of a clean shutdown after the stop")
	}
	for range 2 {
		n = testkit.Start(t, testkit.Options{FS: n.FS})
		c = n.Dial()
		if got := c.Topics(); len(got) != 1 || got["orders"] != id {
			t.Fatalf("topics after the restart: %v, want orders with id %s", got, id)
		}
		for p := range int32(3) {
			if got := c.Read("orders", p, 0); !slices.Equal(got, []string{"0=v"}) {
				t.Errorf("partition %d after the restart: %q", p, got)
			}
		}
		if got := configOf(t, c, "orders", "cleanup.policy"); got != "compact" {
			t.Errorf("cleanup.policy after the restart: %q", got)
		}
		n.Stop()
	}
}

// A process that dies alone leaves the epoch of its registration to the next one, which registers as having lost nothing; one that dies with its machine
// leaves none that counts.
func TestDeadProcessLeavesItsEpoch(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Boot: "life 1"})
	note := func() checkpoint.Start {
		t.Helper()
		s, known, err := checkpoint.ReadStart(n.FS, "/data")
		if err != nil || !known || s.Epoch == kafka.NoBrokerEpoch {
			t.Fatalf("noted %+v, %t, %v", s, known, err)
		}
		return s
	}
	first := note()
	n.Abandon()
	n = testkit.Start(t, testkit.Options{FS: n.FS, Boot: "life 1"})
	second := note()
	if second.Epoch <= first.Epoch || second.Boot != first.Boot || second.Incarnation == first.Incarnation {
		t.Errorf("first noted %+v, then %+v", first, second)
	}
	n.Abandon()
	n = testkit.Start(t, testkit.Options{FS: n.FS, Boot: "life 2"})
	if third := note(); third.Boot != "life 2" || third.Epoch <= second.Epoch {
		t.Errorf("after another boot noted %+v", third)
	}
}

// A power cut while producers write: what was acknowledged of metadata, and of records where each write is flushed, is
// there afterwards, whichever sectors the disk kept. Other logs keep a beginning.
func TestPowerCutKeepsWhatWasPromised(t *testing.T) {
	seed := drawSeed(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	disk := vfs.NewCrash()
	n := testkit.Start(t, testkit.Options{FS: disk, Boot: "life 1"})
	c := n.Dial()
	flushed := c.Create("flushed", 1, "flush.messages", "1")
	type crash struct {
		disk    *vfs.Mem
		keep    int
		topics  []string
		records int
	}
	var crashes []crash
	topics := []string{"flushed"}
	c.Create("cached", 1)
	topics = append(topics, "cached")
	for i := range 12 {
		c.MustProduce("flushed", 0, testkit.BatchOf(1, fmt.Sprint(i)))
		c.MustProduce("cached", 0, testkit.BatchOf(1, fmt.Sprint(i)))
		if i%3 == 0 {
			name := fmt.Sprintf("more-%d", i)
			c.Create(name, 1)
			topics = append(topics, name)
		}
		keep := []int{0, 50, 100}[i%3]
		crashes = append(crashes, crash{disk.CrashClone(rng, keep), keep, slices.Clone(topics), i + 1})
	}
	for _, x := range crashes {
		boot := "life 1" // only the process died
		if x.keep < 100 {
			boot = "life 2"
		}
		n := testkit.Start(t, testkit.Options{FS: x.disk, Boot: boot})
		c := n.Dial()
		found := c.Topics()
		for _, name := range x.topics {
			if found[name].IsZero() {
				t.Errorf("keep %d%%: topic %s is gone", x.keep, name)
			}
		}
		if found["flushed"] != flushed {
			t.Errorf("keep %d%%: the id of a topic changed from %s to %s", x.keep, flushed, found["flushed"])
		}
		want := numbered(x.records)
		if got := c.Read("flushed", 0, 0); !slices.Equal(got, want) {
			t.Errorf("keep %d%%: flushed records are %q, want %q", x.keep, got, want)
		}
		got := c.Read("cached", 0, 0)
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("keep %d%%: cached records are %q, no beginning of %q", x.keep, got, want)
		}
		if x.keep == 100 && len(got) < len(want) {
			t.Errorf("a killed process lost records: %q, want %q", got, want)
		}
		c.MustProduce("cached", 0, testkit.BatchOf(1, "after"))
		n.Stop()
	}
}

// After a crash of the machine the note that says otherwise is written only when all logs were checked: a process that is killed while it checks
// them leaves them to the next one as unchecked.
func TestNoteOfTheMachinesLife(t *testing.T) {
	f := func(what, boot string, clean bool, during string) {
		t.Helper()
		disk := vfs.NewCrash()
		n := testkit.Start(t, testkit.Options{FS: disk, Boot: "life 1"})
		c := n.Dial()
		c.Create("orders", 1)
		c.MustProduce("orders", 0, testkit.BatchOf(1, "0"))
		found := disk.CrashClone(nil, 100)
		n.Stop()
		if clean {
			found = disk.CrashClone(nil, 100)
		}
		note := func() string {
			start, _, err := checkpoint.ReadStart(found, "/data")
			if err != nil {
				t.Error(err)
			}
			return start.Boot
		}
		checked := false
		faulty := vfs.NewFaulty(found, func(op vfs.Op) error {
			if !checked && strings.HasPrefix(op.Name, "/data/orders-0/") {
				checked = true
				if got := note(); got != during {
					t.Errorf("%s: while logs are opened the note says %q, want %q", what, got, during)
				}
			}
			return nil
		})
		testkit.Start(t, testkit.Options{FS: faulty, Boot: boot})
		faulty.SetHook(nil)
		if got := note(); !checked || got != boot {
			t.Errorf("%s: while it runs the note says %q, want %q", what, got, boot)
		}
	}
	f("the process died", "life 1", false, "life 1")
	f("the machine died", "life 2", false, "")
	f("clean", "life 1", true, "life 1")
	f("clean, and another life", "life 2", true, "life 2")
	f("nobody knows", "", false, "")
}

// A process that died has left all that it acknowledged, and so its replicas may lead at once: nobody has to recover them. After a crash of the machine the cluster
// elects the last leader for want of a better one, and says so.
func TestKilledProcessStaysEligible(t *testing.T) {
	for want, boots := range map[bool][]string{false: {"life 1", "life 1", "life 1"}, true: {"life 1", "life 2"}} {
		disk := vfs.NewCrash()
		n := testkit.Start(t, testkit.Options{FS: disk, Boot: "life 1"})
		c := n.Dial()
		c.Create("orders", 1)
		c.MustProduce("orders", 0, testkit.BatchOf(1, "0"))
		for _, boot := range boots {
			disk = disk.CrashClone(nil, 100)
			n = testkit.Start(t, testkit.Options{FS: disk, Boot: boot})
			if got := n.Dial().Read("orders", 0, 0); !slices.Equal(got, []string{"0=0"}) {
				t.Errorf("%q: %q", boots, got)
			}
		}
		if got := recoveriesIn(t, disk); got > 0 != want {
			t.Errorf("%q: %d elections for want of a better leader", boots, got)
		}
	}
}

// recoveriesIn counts the elections of leaders that may have lost records, in the metadata log.
func recoveriesIn(t *testing.T, disk vfs.FS) (count int) {
	t.Helper()
	b, err := vfs.ReadFile(disk, "/data/__cluster_metadata-0/00000000000000000000.log")
	if err != nil {
		t.Fatal(err)
	}
	values, err := testkit.Values(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		_, value, _ := strings.Cut(v, "=")
		if r, _, err := schema.ParseMetadata([]byte(value)); err == nil { // else it is a control record
			if change, ok := r.(*schema.PartitionChangeRecord); ok && change.LeaderRecoveryState == 1 {
				count++
			}
		}
	}
	return count
}

// The disk of a node that is killed at any of its first steps is one that the next process can start from.
func TestKilledWhileStarting(t *testing.T) {
	disk := vfs.NewCrash()
	first := testkit.Start(t, testkit.Options{FS: disk})
	c := first.Dial()
	id := c.Create("orders", 2)
	c.MustProduce("orders", 0, testkit.BatchOf(1, "0"))
	first.Stop()

	rng := rand.New(rand.NewPCG(1, 2))
	steps := 0
	var clones []*vfs.Mem
	faulty := vfs.NewFaulty(disk, func(op vfs.Op) error {
		if op.Changes() {
			if steps++; steps%2 == 0 {
				clones = append(clones, disk.CrashClone(rng, []int{0, 50, 100}[steps%3]))
			}
		}
		return nil
	})
	second := testkit.Start(t, testkit.Options{FS: faulty})
	faulty.SetHook(nil)
	second.Stop()
	if len(clones) < 5 {
		t.Fatalf("only %d steps were seen", len(clones))
	}
	for i, clone := range clones[:min(len(clones), 25)] {
		n := testkit.Start(t, testkit.Options{FS: clone})
		c := n.Dial()
		if got := c.Topics()["orders"]; got != id {
			t.Errorf("killed at step %d: the topic has id %s, want %s", 2*i, got, id)
		}
		if got := c.Read("orders", 0, 0); !slices.Equal(got, []string{"0=0"}) {
			t.Errorf("killed at step %d: read %q", 2*i, got)
		}
		n.Stop()
	}
}

func TestThousandTopics(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	req := kmsg.NewPtrCreateTopicsRequest()
	for i := range 1000 {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = fmt.Sprintf("t-%03d", i), 1, 1
		req.Topics = append(req.Topics, topic)
	}
	created := map[string]kafka.TopicID{}
	for _, topic := range testkit.Ask[*kmsg.CreateTopicsResponse](c, req, 7).Topics {
		if topic.ErrorCode != 0 {
			t.Fatalf("%s: %s", topic.Topic, testkit.Code(topic.ErrorCode))
		}
		created[topic.Topic] = topic.TopicID
	}
	c.MustProduce("t-500", 0, testkit.BatchOf(1, "here"))
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	c = n.Dial()
	found := c.Topics()
	for name, id := range created {
		if found[name] != id {
			t.Errorf("%s has id %s after the restart, want %s", name, found[name], id)
		}
	}
	if got := c.Read("t-500", 0, 0); !slices.Equal(got, []string{"0=here"}) {
		t.Errorf("read %q after the restart", got)
	}
}

func TestDeletedTopicLeavesAFolderThatGoes(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{
		"log.segment.delete.delay.ms=50", "replica.high.watermark.checkpoint.interval.ms=10",
	}})
	c := n.Dial()
	c.Create("gone", 1)
	c.MustProduce("gone", 0, testkit.BatchOf(1, "x"))
	c.Delete("gone")
	if names := n.Names("/data"); slices.Contains(names, "gone-0") {
		t.Errorf("after the deletion there is still gone-0: %q", names)
	}
	testkit.Eventually(t, "the deleted folder is removed", func() bool {
		return !slices.ContainsFunc(n.Names("/data"), func(name string) bool { return strings.HasPrefix(name, "gone-0") })
	})
}

func TestDeletedFolderHasKafkasName(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("gone", 1)
	c.MustProduce("gone", 0, testkit.BatchOf(1, "x"))
	c.Delete("gone")
	deleted := func(name string) bool {
		return strings.HasPrefix(name, "gone-0.") && strings.HasSuffix(name, "-delete")
	}
	if names := n.Names("/data"); !slices.ContainsFunc(names, deleted) {
		t.Errorf("no folder gone-0.….-delete among %q", names)
	}
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	if got := n.Dial().Topics(); len(got) != 0 {
		t.Errorf("topics after the restart: %v", got)
	}
	if names := n.Names("/data"); slices.ContainsFunc(names, func(s string) bool { return strings.HasSuffix(s, "-stray") }) {
		t.Errorf("a deleted folder was taken for a stray: %q", names)
	}
}

func TestRecreatedTopicIsAnother(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	before := c.Create("phoenix", 1)
	c.MustProduce("phoenix", 0, testkit.BatchOf(1, "old"))
	c.Delete("phoenix")
	after := c.Create("phoenix", 1)
	if before == after {
		t.Fatalf("the topic has its old id %s again", after)
	}
	check := func(when string, c *testkit.Conn) {
		t.Helper()
		if got := c.Read("phoenix", 0, 0); len(got) != 0 && got[0] != "0=new" {
			t.Errorf("%s: the new topic has old records: %q", when, got)
		}
		req := testkit.FetchRequest("", 0, 0)
		req.Topics[0].TopicID = before
		resp := testkit.Ask[*kmsg.FetchResponse](c, req, 13)
		if got := testkit.Code(resp.Topics[0].Partitions[0].ErrorCode); got != "UNKNOWN_TOPIC_ID" {
			t.Errorf("%s: a fetch by the old id gives %s", when, got)
		}
	}
	check("at once", c)
	c.MustProduce("phoenix", 0, testkit.BatchOf(1, "new"))
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	check("after a restart", n.Dial())
}

func numbered(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%d=%d", i, i))
	}
	return all
}

// What the checkpoints of a directory say of a topic is not taken for another one of the same name, even if the node is
// killed before they are written again.
func TestCheckpointsOfADeletedTopicAreForgotten(t *testing.T) {
	n := testkit.Start(t, testkit.Options{FS: vfs.NewCrash()})
	c := n.Dial()
	c.Create("phoenix", 1)
	for range 8 {
		c.MustProduce("phoenix", 0, testkit.BatchOf(1, "old"))
	}
	n.Stop() // writes the checkpoints
	disk := n.FS.(*vfs.Mem)
	n = testkit.Start(t, testkit.Options{FS: disk})
	c = n.Dial()
	c.Delete("phoenix")
	c.Create("phoenix", 1)
	c.MustProduce("phoenix", 0, testkit.BatchOf(1, "0"))
	killed := disk.CrashClone(rand.New(rand.NewPCG(1, 1)), 100)
	n = testkit.Start(t, testkit.Options{FS: killed})
	c = n.Dial()
	if got := c.Read("phoenix", 0, 0); !slices.Equal(got, numbered(1)) {
		t.Errorf("read %q", got)
	}
	if got := c.MustProduce("phoenix", 0, testkit.BatchOf(1, "1")); got != 1 {
		t.Errorf("the next record has offset %d", got)
	}
}

// Whoever removes data files of a stopped node is told so, and no offset is given out twice: what was synced once and is gone is damage.
func TestMissingFilesAreNoticed(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	for _, topic := range []string{"all", "last"} {
		c.Create(topic, 1, "segment.bytes", "1048576")
		for range 3 {
			c.MustProduce(topic, 0, testkit.BatchOf(1, strings.Repeat("x", 600_000)))
		}
	}
	n.Stop()
	for folder, removed := range map[string]func(files []string) []string{
		"/data/all-0":  func(files []string) []string { return files },
		"/data/last-0": func(files []string) []string { return files[len(files)-1:] },
	} {
		var files []string
		for _, name := range n.Names(folder) {
			if strings.HasSuffix(name, ".log") {
				files = append(files, name)
			}
		}
		for _, name := range removed(files) {
			if err := n.FS.Remove(folder + "/" + name); err != nil {
				t.Fatal(err)
			}
		}
	}
	var said strings.Builder
	n = testkit.Start(t, testkit.Options{FS: n.FS, Log: &said})
	c = n.Dial()
	for topic, readable := range map[string]int64{"all": 3, "last": 0} {
		if got := c.Fetch(topic, 0, 3); got.LogStartOffset != readable || got.HighWatermark != 3 {
			t.Errorf("%s goes from %d to %d, want %d to 3", topic, got.LogStartOffset, got.HighWatermark, readable)
		}
		if at := c.MustProduce(topic, 0, testkit.BatchOf(1, "next")); at != 3 {
			t.Errorf("%s: the next record gets offset %d, which was another's", topic, at)
		}
	}
	n.Stop()
	if text := said.String(); strings.Count(text, "a log is damaged") != 2 || !strings.Contains(text, "all-0") || !strings.Contains(text, "last-0") {
		t.Errorf("the log says\n%s", text)
	}
}
