package inspect

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

func apacheDump(folder fstest.MapFS, d *datadriven.TestData) string {
	var out, errs bytes.Buffer
	text := func(b []byte) (string, error) { return string(b), nil }
	a := &Apache{Out: bufio.NewWriter(&out), Err: &errs, Key: text, Value: text, MaxBytes: math.MaxInt32}
	for _, arg := range d.CmdArgs[1:] {
		switch arg.Key {
		case "print":
			a.Print = true
		case "deep":
			a.Deep = true
		case "noheads":
			a.NoHeads = true
		case "offsets":
			a.As, a.Print = OffsetRecords, true
		case "transactions":
			a.As, a.Print = TransactionRecords, true
		case "metadata":
			a.As, a.Print = MetadataRecords, true
		case "verify":
			a.VerifyOnly = true
		case "sanity":
			a.SanityOnly = true
		case "max":
			a.MaxBytes, _ = strconv.ParseInt(arg.Vals[0], 10, 64)
		}
	}
	name := d.CmdArgs[0].Key
	err := a.File(folder, name, "data/"+name)
	_ = a.Close()
	for line := range strings.Lines(errs.String()) {
		out.WriteString("stderr: " + line)
	}
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
	}
	return out.String()
}

func shellRun(folder fstest.MapFS, d *datadriven.TestData) string {
	var out bytes.Buffer
	b := folder[d.CmdArgs[0].Key].Data
	image, err := Image(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
	}
	s := &Shell{Root: Tree(image, "1", "c", func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }), Out: &out}
	for _, arg := range d.CmdArgs[1:] {
		s.Interactive = true
		s.Width, _ = strconv.Atoi(arg.Vals[0])
	}
	for line := range strings.SplitSeq(d.Input, "\n") {
		fmt.Fprintf(&out, ">> %s\n", line)
		if s.Interactive {
			if !s.Line(line) {
				out.WriteString("(ends)\n")
			}
			continue
		}
		s.Run(strings.Fields(line))
	}
	return out.String()
}

// The tree shows what a cluster's image holds, in Java's words.
func TestTree(t *testing.T) {
	rack := "r1"
	user := "u(1)"
	delta := metadata.NewDelta(metadata.Empty())
	for _, r := range []schema.MetadataRecord{
		&schema.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: 30},
		&schema.FeatureLevelRecord{Name: "group.version", FeatureLevel: 1},
		&schema.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 7, IncarnationID: kafka.UUID{1}, Rack: &rack,
			EndPoints: []schema.BrokerEndpoint{{Name: "B", Host: "h", Port: 1, SecurityProtocol: 3}, {Name: "A", Host: "h", Port: 2}},
			Features:  []schema.BrokerFeature{{Name: "x", MinSupportedVersion: 0, MaxSupportedVersion: 2}, {Name: "a", MinSupportedVersion: 1, MaxSupportedVersion: 1}}},
		&schema.TopicRecord{Name: "orders", TopicID: kafka.UUID{2}},
		&schema.PartitionRecord{PartitionID: 0, TopicID: kafka.UUID{2}, Replicas: []int32{1, 2}, ISR: []int32{1}, Leader: 1, Directories: []kafka.UUID{{3}, {4}}},
		&schema.ConfigRecord{ResourceType: int8(metadata.TopicResource), ResourceName: "orders", Name: "retention.ms", Value: new(string)},
		&schema.ConfigRecord{ResourceType: int8(metadata.BrokerResource), ResourceName: "", Name: "log.retention.ms", Value: &rack},
		&schema.ClientQuotaRecord{Entity: []schema.QuotaEntity{{EntityType: "user", EntityName: &user}, {EntityType: "client-id"}}, Key: "producer_byte_rate", Value: 10},
		&schema.UserScramCredentialRecord{Name: "u", Mechanism: 2, Salt: []byte{1, 2}, StoredKey: []byte{3}, ServerKey: []byte{4}, Iterations: 4096},
		&schema.AccessControlEntryRecord{ID: kafka.UUID{5}, ResourceType: 2, ResourceName: "orders", PatternType: 3, Principal: "User:u", Host: "*", Operation: 3, PermissionType: 3},
		&schema.DelegationTokenRecord{Owner: "User:u", Requester: "User:r", TokenID: "t", IssueTimestamp: 1, MaxTimestamp: 2},
	} {
		if err := delta.Replay(r); err != nil {
			t.Fatal(err)
		}
	}
	root := Tree(delta.Apply(9, 3, 1_700_000_000_120), "4.4.0", "c", func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) })
	var out bytes.Buffer
	root.Print(&out)
	for _, want := range []string{
		"offset 9, epoch 3, time 2023-11-14T22:13:20.12Z[UTC]",
		"metadataVersion:\n      Optional[4.3-IV0]",
		"finalized_group.version:\n      1",
		"listeners=[Endpoint(listenerName='A', securityProtocol=PLAINTEXT, host='h', port=2), Endpoint(listenerName='B', securityProtocol=SASL_SSL, host='h', port=1)]",
		"supportedFeatures={a: 1, x: 0-2}, rack=Optional[r1], fenced=",
		"PartitionRegistration(replicas=[1, 2], directories=[AwAAAAAAAAAAAAAAAAAAAA, BAAAAAAAAAAAAAAAAAAAAA], isr=[1], removingReplicas=[], addingReplicas=[], elr=[], " +
			"lastKnownElr=[], leader=1, leaderRecoveryState=RECOVERED, leaderEpoch=0, partitionEpoch=0)",
		"BROKER:\n      log.retention.ms:\n        r1", "TOPIC:orders:\n      retention.ms:\n",
		"clientId()_user(u\\(1\\)):\n      producer_byte_rate:\n        10.0",
		"SCRAM-SHA-512:\n      u:\n        ScramCredentialData(salt=0102, storedKey=03, serverKey=04, iterations=4096)",
		"StandardAcl[resourceType=TOPIC, resourceName=orders, patternType=LITERAL, principal=User:u, host=*, operation=READ, permissionType=ALLOW]",
		"DelegationTokenDatatokenId=t(owner=User:u(tokenRequester=User:r(renewers=, issueTimestamp=1, maxTimestamp=2)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tree lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

// Members of a classic group of consumers are shown decoded; what can't be read stays in base64.
func TestGroupMembersDecoded(t *testing.T) {
	subscription := kmsg.ConsumerMemberMetadata{Version: 3, Topics: []string{"a"}, Generation: -1}
	subscription.OwnedPartitions = []kmsg.ConsumerMemberMetadataOwnedPartition{{Topic: "a", Partitions: []int32{0, 1}}}
	assigned := kmsg.ConsumerMemberAssignment{Topics: []kmsg.ConsumerMemberAssignmentTopic{{Topic: "a", Partitions: []int32{2}}}, UserData: []byte{1}}
	g := &schema.GroupMetadataValue{ProtocolType: "consumer", Members: []schema.MemberMetadata{
		{MemberID: "m", Subscription: subscription.AppendTo(nil), Assignment: assigned.AppendTo(nil)},
		{MemberID: "n", Subscription: []byte{9}, Assignment: nil},
	}}
	got := string(withMembersDecoded(g.AppendJSON(nil, 3), g))
	for _, want := range []string{
		`"subscription":{"topics":["a"],"userData":null,"ownedPartitions":[{"topic":"a","partitions":[0,1]}],"generationId":-1,"rackId":null}`,
		`"assignment":{"assignedPartitions":[{"topic":"a","partitions":[2]}],"userData":"AQ=="}`,
		`"subscription":"CQ==","assignment":""`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}
