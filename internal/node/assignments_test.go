package node

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// TestRefusedPlacements: a replica that the controller refused alone is told again, one that is not there or not ours is not.
func TestRefusedPlacements(t *testing.T) {
	resp := kmsg.NewPtrAssignReplicasToDirsResponse()
	d := kmsg.NewAssignReplicasToDirsResponseDirectory()
	d.ID = kafka.UUID{1}
	topic := kmsg.NewAssignReplicasToDirsResponseDirectoryTopic()
	topic.TopicID = kafka.TopicID{2}
	for i, err := range []*kerr.Error{nil, kerr.UnknownTopicOrPartition, kerr.NotController, kerr.UnknownTopicID, kerr.NotLeaderForPartition} {
		p := kmsg.NewAssignReplicasToDirsResponseDirectoryTopicPartition()
		p.Partition = int32(i)
		if err != nil {
			p.ErrorCode = err.Code
		}
		topic.Partitions = append(topic.Partitions, p)
	}
	d.Topics = append(d.Topics, topic)
	resp.Directories = append(resp.Directories, d)
	want := partition.Placement{Directory: kafka.UUID{1}, Topic: kafka.TopicID{2}, Partition: 2}
	if all := refused(resp); len(all) != 1 || all[0] != want {
		t.Errorf("%v, want %v alone", all, want)
	}
}
