package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// parse turns "0001 02 'abc'" into bytes: hex digits, and text between quotes.
func parse(t *testing.T, s string) []byte {
	t.Helper()
	var out []byte
	for _, word := range strings.Fields(s) {
		if text, ok := strings.CutPrefix(word, "'"); ok {
			out = append(out, strings.TrimSuffix(text, "'")...)
			continue
		}
		b, err := hex.DecodeString(word)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

// What must not pass, and the field that the error names.
func TestLimits(t *testing.T) {
	f := func(key, version int16, body string, want error, field string) {
		t.Helper()
		err := Check(Header{Key: key, Version: version}, parse(t, body))
		if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), field) {
			t.Errorf("%s version %d, %s: %v, want %v about %q", Name(key), version, body, err, want, field)
		}
	}
	const metadata, deleteTopics, topicNames = 3, 20, "TopicNames"
	f(metadata, 0, "00000001 0003 'abc'", nil, "")
	f(metadata, 0, "00000001 0003 'abc' 99", nil, "") // bytes after the body are nobody's
	f(metadata, 0, "ffffffff", ErrMalformed, "Topics: malformed request: null")
	f(metadata, 1, "ffffffff", nil, "") // null is "all topics" from version 1 on
	f(metadata, 0, "fffffffe", ErrMalformed, "negative")
	f(metadata, 0, "7fffffff", ErrMalformed, "elements")
	f(metadata, 0, "00000002 0001 'a'", ErrMalformed, "an array of 2 elements in 3 bytes")
	f(metadata, 0, "00000001 ffff", ErrMalformed, "Topics: Name: malformed request: null")
	f(metadata, 0, "00000001 8000", ErrMalformed, "negative")
	f(metadata, 0, "00000001 0004 'abc'", ErrMalformed, "Name")
	f(metadata, 12, "00 01 00 00", nil, "")
	f(metadata, 12, "ffffffff7f 01 00 00", ErrMalformed, "varint")   // 35 bits
	f(metadata, 12, "ffffffff0f 01 00 00", ErrMalformed, "elements") // 2^32-2
	f(metadata, 12, "8080808080 01", ErrMalformed, "varint")         // does not end within 32 bits
	f(metadata, 12, "01 01 00 01 00 80", ErrMalformed, "varint")
	f(deleteTopics, 1, "00000001 ffff 00000000", ErrMalformed, topicNames)
	f(deleteTopics, 1, "00000001 0001 'a' 000000", ErrMalformed, "TimeoutMs")
	f(deleteTopics, 7, "", ErrUnsupportedVersion, "DeleteTopics version 7")
	f(deleteTopics, 0, "", ErrUnsupportedVersion, "DeleteTopics version 0")
	f(95, 0, "", ErrUnknownKey, "95")
	f(-1, 0, "", ErrUnknownKey, "-1")
	// Tagged fields of ListGroups version 3, whose body is nothing else.
	f(16, 3, "00", nil, "")
	f(16, 3, "01 05 02 aabb", nil, "")
	f(16, 3, "02 05 00 06 00", nil, "")
	f(16, 3, "02 05 00 05 00", ErrMalformed, "tag 5 after tag 5")
	f(16, 3, "02 06 00 05 00", ErrMalformed, "tag 5 after tag 6")
	f(16, 3, "01 05 03 aabb", ErrMalformed, "tag 5 of 3 bytes")
	f(16, 3, "ff07 05 00", ErrMalformed, "varint")      // 1,023 are promised, one comes
	f(16, 3, "8108 05 00", ErrMalformed, "1025 tagged") // too many whatever comes
	f(16, 3, "ffffffff0f", ErrMalformed, "tagged")
	// Fetch version 12 has ClusterId as tag 0.
	const fetch12 = "00000000 00000000 00000000 00000000 00 00000000 00000000 01 01 01 "
	f(1, 12, fetch12+"01 00 02 02 'x'", nil, "")
	f(1, 12, fetch12+"01 00 03 03 'xy'", nil, "")
	f(1, 12, fetch12+"01 00 04 03 'xy' 00", ErrMalformed, "ClusterId")
	f(1, 12, fetch12+"01 00 02 03 'xy'", ErrMalformed, "ClusterId")
	f(1, 12, fetch12+"01 00 01 00", nil, "") // null
}

// An array of a million elements may pass if the bytes are there; one more may not.
func TestMaxElements(t *testing.T) {
	body := make([]byte, 4, 4+2*(maxElements+1))
	body[1], body[2], body[3] = 0x0f, 0x42, 0x40
	body = body[:4+2*maxElements]
	if err := Check(Header{Key: 3}, body); err != nil {
		t.Error(err)
	}
	body = body[:cap(body)]
	body[3]++
	if err := Check(Header{Key: 3}, body); !errors.Is(err, ErrMalformed) {
		t.Errorf("a million and one: %v", err)
	}
}

// Unknown tagged fields disappear at every depth and known ones stay.
func TestStrip(t *testing.T) {
	h := Header{Key: keyFetch, Version: 18}
	want := kmsg.NewPtrFetchRequest()
	want.SetVersion(18)
	want.ReplicaState.ID = 5
	cluster := "c"
	want.ClusterID = &cluster
	topic := kmsg.NewFetchRequestTopic()
	p := kmsg.NewFetchRequestTopicPartition()
	p.HighWatermark = 7
	topic.Partitions = append(topic.Partitions, p, p)
	want.Topics = append(want.Topics, topic)
	plain := want.AppendTo(nil)

	want.UnknownTags.Set(100, []byte("unknown"))
	want.ReplicaState.UnknownTags.Set(9, nil)
	want.Topics[0].UnknownTags.Set(3, make([]byte, 200))
	want.Topics[0].Partitions[1].UnknownTags.Set(2, []byte{1})
	full := want.AppendTo(nil)
	if bytes.Equal(full, plain) {
		t.Fatal("no tags were written")
	}
	req, err := Decode(h, full)
	if err != nil {
		t.Fatal(err)
	}
	if got := req.AppendTo(nil); !bytes.Equal(got, plain) {
		t.Errorf("stripped it is\n%x, want\n%x", got, plain)
	}
	var f FetchRequest
	if err := f.Read(18, full); err != nil || f.ReplicaID != 5 || string(f.ClusterID) != "c" || f.Partitions[1].HighWatermark != 7 {
		t.Errorf("view %+v, %v", f, err)
	}
}

// An absent structure is one byte; only where it may be absent.
func TestNullableStructure(t *testing.T) {
	h := Header{Key: 75} // DescribeTopicPartitions: Cursor may be null
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	for _, cursor := range []*kmsg.DescribeTopicPartitionsRequestCursor{nil, {Topic: "t", Partition: 1}} {
		req.Cursor = cursor
		got, err := Decode(h, req.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		if c := got.(*kmsg.DescribeTopicPartitionsRequest).Cursor; (c == nil) != (cursor == nil) || c != nil && c.Topic != "t" {
			t.Errorf("wrote %+v, read %+v", cursor, c)
		}
	}
}
