package api_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// Offsets of a group without members, with a client that was not written here: they survive a restart.
func TestSimpleGroup(t *testing.T) {
	n := testkit.Start(t, testkit.Options{Set: []string{"offsets.topic.num.partitions=50"}})
	n.Dial().Create("a", 2)
	ctx := t.Context()
	adm := kadm.NewClient(n.Client())
	var o kadm.Offsets
	o.AddOffset("a", 0, 5, -1)
	o.AddOffset("a", 1, 7, 0)
	if err := adm.CommitAllOffsets(ctx, "g", o); err != nil {
		t.Fatal(err)
	}
	check := func(adm *kadm.Client) {
		t.Helper()
		got, err := adm.FetchOffsets(ctx, "g")
		if err != nil {
			t.Fatal(err)
		}
		one, _ := got.Lookup("a", 0)
		two, _ := got.Lookup("a", 1)
		if one.At != 5 || two.At != 7 || two.LeaderEpoch != 0 {
			t.Errorf("fetched %+v and %+v", one, two)
		}
		list, err := adm.ListGroups(ctx)
		if err != nil || len(list) != 1 || list["g"].State != "Empty" {
			t.Errorf("listed %+v, %v", list, err)
		}
	}
	check(adm)
	n.Stop()
	n = testkit.Start(t, testkit.Options{FS: n.FS})
	check(kadm.NewClient(n.Client()))
}

// Where __consumer_offsets can't be made nobody coordinates, and the log says why.
func TestNoCoordinatorWithoutReplicas(t *testing.T) {
	said := &lines{}
	n := testkit.Start(t, testkit.Options{Set: []string{"offsets.topic.replication.factor=3"}, Log: said})
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys = []string{"g"}
	ask := func() string {
		return testkit.Code(testkit.Ask[*kmsg.FindCoordinatorResponse](n.Dial(), req, 6).Coordinators[0].ErrorCode)
	}
	testkit.Eventually(t, "a word about it", func() bool {
		if got := ask(); got != "COORDINATOR_NOT_AVAILABLE" {
			t.Fatalf("answered %s", got)
		}
		return said.has("replication factor")
	})
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group, commit.Generation = "g", -1
	n.Dial().Create("a", 1)
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic, topic.Partitions = "a", []kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}
	commit.Topics = append(commit.Topics, topic)
	resp := testkit.Ask[*kmsg.OffsetCommitResponse](n.Dial(), commit, 9)
	if got := testkit.Code(resp.Topics[0].Partitions[0].ErrorCode); got != "NOT_COORDINATOR" {
		t.Errorf("a commit without a coordinator is answered with %s", got)
	}
}

// lines is what a node says.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(strings.ToLower(l.text.String()), s)
}

// Answers are in proportion to requests: a group that is named many times is told of a few times.
func TestRepeatedGroups(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKeys = []string{"g"}
	c := n.Dial()
	testkit.Eventually(t, "a coordinator", func() bool {
		return testkit.Ask[*kmsg.FindCoordinatorResponse](c, find, 4).Coordinators[0].ErrorCode == 0
	})
	ids := slices.Repeat([]string{"g", "h"}, 20)
	fetch := kmsg.NewPtrOffsetFetchRequest()
	for _, id := range ids {
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = id
		fetch.Groups = append(fetch.Groups, g)
	}
	classic, consumer, gone := kmsg.NewPtrDescribeGroupsRequest(), kmsg.NewPtrConsumerGroupDescribeRequest(), kmsg.NewPtrDeleteGroupsRequest()
	classic.Groups, consumer.Groups, gone.Groups = slices.Clone(ids), slices.Clone(ids), slices.Clone(ids)
	for what, answers := range map[string]int{
		"OffsetFetch":           len(testkit.Ask[*kmsg.OffsetFetchResponse](c, fetch, 8).Groups),
		"DescribeGroups":        len(testkit.Ask[*kmsg.DescribeGroupsResponse](c, classic, 5).Groups),
		"ConsumerGroupDescribe": len(testkit.Ask[*kmsg.ConsumerGroupDescribeResponse](c, consumer, 0).Groups),
		"DeleteGroups":          8 * len(testkit.Ask[*kmsg.DeleteGroupsResponse](c, gone, 2).Groups),
	} {
		if answers != 16 {
			t.Errorf("%s has %d answers for two groups", what, answers)
		}
	}
	configs := kmsg.NewPtrDescribeConfigsRequest()
	described := func(kind kmsg.ConfigResourceType, name string) {
		configs.Resources = append(configs.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: kind, ResourceName: name})
	}
	for range 20 {
		described(kmsg.ConfigResourceTypeBroker, "1")
	}
	for i := range 1100 {
		described(kmsg.ConfigResourceTypeGroupConfig, strconv.Itoa(i))
	}
	refused := 0
	answers := testkit.Ask[*kmsg.DescribeConfigsResponse](c, configs, 4).Resources
	for _, r := range answers {
		if r.ErrorCode != 0 {
			refused++
		}
	}
	if len(answers) != 8+1100 || refused != 100 {
		t.Errorf("%d answers to twenty questions for one configuration and 1,100 for groups that are not there, %d of them refusals", len(answers), refused)
	}
}

// A request of many names takes time in proportion: if it took its square, this would take minutes.
func TestManyNames(t *testing.T) {
	const many = 200_000
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	commit, gone := kmsg.NewPtrOffsetCommitRequest(), kmsg.NewPtrDeleteGroupsRequest()
	commit.Group, commit.Generation = "g", -1
	for i := range many {
		topic := kmsg.NewOffsetCommitRequestTopic()
		topic.Topic, topic.Partitions = strconv.Itoa(i), []kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}
		commit.Topics = append(commit.Topics, topic)
		gone.Groups = append(gone.Groups, strconv.Itoa(i))
	}
	if got := len(testkit.Ask[*kmsg.OffsetCommitResponse](c, commit, 8).Topics); got != many {
		t.Errorf("a commit of %d topics is answered for %d", many, got)
	}
	if got := len(testkit.Ask[*kmsg.DeleteGroupsResponse](c, gone, 2).Groups); got != many {
		t.Errorf("%d groups are answered for %d", many, got)
	}
}

// What others write to an internal topic would be taken for what its coordinator wrote.
func TestInternalTopicsAreNotForProducers(t *testing.T) {
	n := testkit.Start(t, testkit.Options{})
	c := n.Dial()
	c.Create("__consumer_offsets", 1)
	if got := testkit.Code(c.Produce("__consumer_offsets", 0, testkit.BatchOf(1, "x")).ErrorCode); got != "INVALID_TOPIC_EXCEPTION" {
		t.Errorf("answered %s", got)
	}
}
