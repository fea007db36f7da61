package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// A request of voters comes as it was sent, is cut nowhere without a word, and its answer comes back.
func TestRaft(t *testing.T) {
	sent := &RaftRequest{ClusterID: "c", From: 1, FromDirectory: kafka.UUID{1}, To: 2, ToDirectory: kafka.UUID{2}, Messages: [][]byte{{1, 2, 3}, {}}}
	h := Header{Key: KeyRaft, CorrelationID: 7, ClientID: "1", HasClientID: true}
	frame := AppendRequest(nil, h, sent)
	var header Header
	body, err := header.Parse(frame)
	if err != nil || header != h {
		t.Fatalf("%+v, %v", header, err)
	}
	var got RaftRequest
	if err := got.Read(header, body); err != nil || !reflect.DeepEqual(&got, sent) {
		t.Fatalf("%+v, %v", got, err)
	}
	for n := range body {
		if err := got.Read(header, body[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d of %d bytes: %v", n, len(body), err)
		}
	}
	header.Version = 1
	if err := got.Read(header, body); !errors.Is(err, ErrUnsupportedVersion) {
		t.Fatalf("version 1: %v", err)
	}
	req := &RaftRequest{Messages: [][]byte{{9}}}
	if err := req.ReadFrom(body); err != nil || !reflect.DeepEqual(req, sent) {
		t.Fatalf("over an earlier one: %+v, %v", req, err)
	}
	resp, err := DecodeResponse(h, AppendResponse(nil, h, &RaftResponse{ErrorCode: 94}))
	if err != nil || resp.(*RaftResponse).ErrorCode != 94 {
		t.Fatalf("%+v, %v", resp, err)
	}
	for _, r := range Ranges() {
		if r.Key == KeyRaft {
			t.Error("it is listed among Kafka's")
		}
	}
}

// FuzzRaft: whatever bytes come as messages of a voter are read as they are or refused, and make no memory that they don't fill.
func FuzzRaft(f *testing.F) {
	f.Add((&RaftRequest{ClusterID: "c", From: 1, To: 2, Messages: [][]byte{{1, 2, 3}, {}}}).AppendTo(nil))
	f.Add((&RaftRequest{}).AppendTo(nil))
	f.Add([]byte{0, 1, 'c', 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		var req RaftRequest
		h := Header{Key: KeyRaft}
		var err error
		n := allocated(func() { err = req.Read(h, body) })
		if n > ceiling(len(body)) {
			t.Errorf("%d bytes allocated for %d", n, len(body))
		}
		if err == nil && !bytes.HasPrefix(body, req.AppendTo(nil)) {
			t.Errorf("%x is read as %+v", body, req)
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Error(err)
		}
		var resp RaftResponse
		if err := resp.ReadFrom(body); err == nil && !bytes.HasPrefix(body, resp.AppendTo(nil)) {
			t.Errorf("%x is read as %+v", body, resp)
		}
	})
}

// A request of Kafka's with the key of ours, and the other way round, is what the header says.
func TestRaftIsNoKeyOfKafkas(t *testing.T) {
	if Name(KeyRaft) != "Raft" || Name(KeyRaft-1) != "" {
		t.Errorf("%q, %q", Name(KeyRaft), Name(KeyRaft-1))
	}
	if v, ok := FirstFlexible(KeyRaft); !ok || v <= (*RaftRequest)(nil).MaxVersion() {
		t.Errorf("flexible from version %d on", v)
	}
	if r, ok := Decodable(KeyRaft); !ok || r.Min != 0 || r.Max != 0 {
		t.Errorf("%+v", r)
	}
	if req, ok := new(RaftResponse).RequestKind().(*RaftRequest); !ok || req.Key() != new(RaftRequest).ResponseKind().Key() {
		t.Error("request and response are not each other's")
	}
}
