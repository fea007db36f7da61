package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// TestMemberLeavesAGroupThatWaits: a group that waits for a member who is gone answers neither a join nor a leave before that one's session ends.
func TestMemberLeavesAGroupThatWaits(t *testing.T) {
	const lasts = 45 * time.Second // the session of the one who is gone
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType = "g", "consumer"
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = int32(lasts.Milliseconds()), int32(lasts.Milliseconds())
	metadata := kmsg.NewConsumerMemberMetadata()
	metadata.Topics = []string{"t"}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "cooperative-sticky", metadata.AppendTo(nil)
	join.Protocols = append(join.Protocols, protocol)
	for range 2 { // the first answer gives the id
		resp, err := join.RequestWith(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		join.MemberID = resp.MemberID
	}

	began := time.Now()
	s := begin(t, strings.NewReader(""), "consume", "t", "-g", "g", "--timeout", "1s", "-b", c.ListenAddrs()[0])
	s.ends(command.OK, `group "g" has not told what is this consumer's`, 1)
	if took := time.Since(began); took > lasts/2 {
		t.Errorf("it took %v", took)
	}
}
