package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// A request of voters comes as it was sent, is cut nowhere without a word, and its answer comes back.
func TestRaft(t *testing.T) {
	sent := &RaftRequest{ClusterID: "c", From: RaftNode{1, kafka.UUID{1}, []RaftEndpoint{{"CONTROLLER", "localhost", 9093}}}, To: 2, ToDirectory: kafka.UUID{2}, Messages: [][]byte{{1, 2, 3}, {}}}
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
	refuseCut(t, body, func(b []byte) error { return got.Read(header, b) })
	header.Version = 1
	if err := got.Read(header, body); !errors.Is(err, ErrUnsupportedVersion) {
		t.Fatalf("version 1: %v", err)
	}
	req := &RaftRequest{Messages: [][]byte{{9}}}
	if err := req.ReadFrom(body); err != nil || !reflect.DeepEqual(req, sent) {
		t.Fatalf("over an earlier one: %+v, %v", req, err)
	}
	answer := &RaftResponse{ErrorCode: 94, Leader: sent.From}
	resp, err := DecodeResponse(h, AppendResponse(nil, h, answer))
	if err != nil || !reflect.DeepEqual(resp, answer) {
		t.Fatalf("%+v, %v", resp, err)
	}
	for _, r := range Ranges() {
		if r.Key == KeyRaft {
			t.Error("it is listed among Kafka's")
		}
	}
}

// refuseCut wants a body that is cut short anywhere to be refused.
func refuseCut(t *testing.T, body []byte, read func([]byte) error) {
	t.Helper()
	for n := range body {
		if err := read(body[:n]); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d of %d bytes: %v", n, len(body), err)
		}
	}
}

// TestRaftIntroduction: a controller without an address, one with several, and an answer that names nobody come as they were sent, and cut
// short they are refused.
func TestRaftIntroduction(t *testing.T) {
	for _, from := range []RaftNode{
		{ID: 0, Directory: kafka.UUID{5}},
		{ID: 7, Endpoints: []RaftEndpoint{{"A", "a.example", 1}, {"B", "::1", 65535}}},
		{ID: 8, Directory: kafka.UUID{8}, Endpoints: make([]RaftEndpoint, 100)},
		{ID: 9, Endpoints: []RaftEndpoint{{"C", strings.Repeat("h", 1000), 9}}},
		{ID: 1 << 30, Directory: kafka.UUID{15: 1}, Endpoints: []RaftEndpoint{{"", "", 0}}},
	} {
		sent := &RaftRequest{ClusterID: "cluster", From: from, To: kafka.NoNode, Messages: [][]byte{}}
		body := sent.AppendTo(nil)
		var got RaftRequest
		if err := got.ReadFrom(body); err != nil || !reflect.DeepEqual(&got, sent) {
			t.Errorf("%+v, %v, want %+v", got, err, sent)
		}
		refuseCut(t, body, new(RaftRequest).ReadFrom)
		for _, leader := range []RaftNode{from, {ID: kafka.NoNode}} {
			answer := &RaftResponse{ErrorCode: 6, Leader: leader}
			body := answer.AppendTo(nil)
			var back RaftResponse
			if err := back.ReadFrom(body); err != nil || !reflect.DeepEqual(&back, answer) {
				t.Errorf("%+v, %v, want %+v", back, err, answer)
			}
			refuseCut(t, body, new(RaftResponse).ReadFrom)
		}
	}
}

// FuzzRaft: whatever bytes come as messages of a voter are read as they are or refused, and make no memory that they don't fill.
func FuzzRaft(f *testing.F) {
	f.Add((&RaftRequest{ClusterID: "c", From: RaftNode{ID: 1, Endpoints: []RaftEndpoint{{"C", "h", 1}}}, To: 2, Messages: [][]byte{{1, 2, 3}, {}}}).AppendTo(nil))
	f.Add((&RaftRequest{}).AppendTo(nil))
	f.Add((&RaftRequest{From: RaftNode{ID: 7, Endpoints: make([]RaftEndpoint, 3)}, To: kafka.NoNode}).AppendTo(nil))
	f.Add((&RaftResponse{Leader: RaftNode{ID: 7, Endpoints: []RaftEndpoint{{"CONTROLLER", "host", 9093}}}}).AppendTo(nil))
	f.Add((&RaftResponse{ErrorCode: 6, Leader: RaftNode{ID: kafka.NoNode}}).AppendTo(nil))
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
