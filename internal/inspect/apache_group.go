package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/schema"
)

// withMembersDecoded puts what members of a group of consumers subscribe to and are assigned in place of the bytes. What can't be read
// stays as it is.
func withMembersDecoded(data []byte, g *schema.GroupMetadataValue) []byte {
	from := 0
	put := func(field string, b, text []byte) {
		old := []byte(`"` + field + `":"` + base64.StdEncoding.EncodeToString(b) + `"`)
		i := bytes.Index(data[from:], old)
		if text == nil || i < 0 {
			return
		}
		at := from + i + len(field) + 3
		data = append(append(append([]byte{}, data[:at]...), text...), data[from+i+len(old):]...)
		from = at + len(text)
	}
	for _, m := range g.Members {
		put("subscription", m.Subscription, subscriptionJSON(m.Subscription))
		put("assignment", m.Assignment, assignmentJSON(m.Assignment))
	}
	return data
}

func subscriptionJSON(b []byte) []byte {
	var s kmsg.ConsumerMemberMetadata
	if len(b) == 0 || s.ReadFrom(b) != nil {
		return nil
	}
	topics := s.Topics
	if topics == nil {
		topics = []string{}
	}
	out := append([]byte(`{"topics":`), jsonOf(topics)...)
	out = append(append(out, `,"userData":`...), jsonOf(s.UserData)...)
	if s.Version >= 1 {
		out = append(out, `,"ownedPartitions":[`...)
		for i, p := range s.OwnedPartitions {
			out = appendPartitions(out, i, p.Topic, p.Partitions)
		}
		out = append(out, ']')
	}
	if s.Version >= 2 {
		out = strconv.AppendInt(append(out, `,"generationId":`...), int64(s.Generation), 10)
	}
	if s.Version >= 3 {
		out = append(append(out, `,"rackId":`...), jsonOf(s.Rack)...)
	}
	return append(out, '}')
}

func assignmentJSON(b []byte) []byte {
	var a kmsg.ConsumerMemberAssignment
	if len(b) == 0 || a.ReadFrom(b) != nil {
		return nil
	}
	out := []byte(`{"assignedPartitions":[`)
	for i, p := range a.Topics {
		out = appendPartitions(out, i, p.Topic, p.Partitions)
	}
	out = append(append(out, `],"userData":`...), jsonOf(a.UserData)...)
	return append(out, '}')
}

func appendPartitions(out []byte, i int, topic string, partitions []int32) []byte {
	if i > 0 {
		out = append(out, ',')
	}
	if partitions == nil {
		partitions = []int32{}
	}
	out = append(append(out, `{"topic":`...), jsonOf(topic)...)
	out = append(append(out, `,"partitions":`...), jsonOf(partitions)...)
	return append(out, '}')
}

// jsonOf is the JSON of a value that always has one.
func jsonOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return b
}
