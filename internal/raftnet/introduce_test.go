package raftnet_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/raftnet"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/wire"
)

// TestIntroduce: a node asks the voters and then the addresses of the configuration, follows the word of who knows the leader, and comes to know that one;
// who refuses it is believed.
func TestIntroduce(t *testing.T) {
	nobody := wire.RaftNode{ID: kafka.NoNode}
	leader := raftnet.Node(quorum.Voter{ID: 2, Directory: kafka.UUID{2}, Endpoints: []metadata.Endpoint{{Listener: "CONTROLLER", Host: "two", Port: 9093}}})
	told := func(leader wire.RaftNode) *wire.RaftResponse {
		return &wire.RaftResponse{ErrorCode: kerr.NotLeaderForPartition.Code, Leader: leader}
	}
	for name, test := range map[string]struct {
		answers map[string]*wire.RaftResponse // by address; who is not named does not answer
		asked   []string
		want    error
	}{
		"the voter leads":       {map[string]*wire.RaftResponse{"voter 3": {Leader: leader}}, []string{"voter 3"}, nil},
		"the voter knows":       {map[string]*wire.RaftResponse{"voter 3": told(leader), "voter 2": {Leader: leader}}, []string{"voter 3", "voter 2"}, nil},
		"only an address helps": {map[string]*wire.RaftResponse{"b:1": {Leader: leader}}, []string{"voter 3", "a:1", "b:1"}, nil},
		"two know a leader that is gone": {map[string]*wire.RaftResponse{"a:1": told(leader), "b:1": told(leader)},
			[]string{"voter 3", "a:1", "voter 2", "b:1"}, raftnet.ErrNoLeader},
		"nobody leads": {map[string]*wire.RaftResponse{"voter 3": told(nobody)}, []string{"voter 3", "a:1", "b:1"}, raftnet.ErrNoLeader},
		"refused":      {map[string]*wire.RaftResponse{"voter 3": {ErrorCode: kerr.InconsistentClusterID.Code, Leader: leader}}, []string{"voter 3"}, kerr.InconsistentClusterID},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			dial := func(ctx context.Context, address string) (net.Conn, error) {
				asked = append(asked, address)
				answer := test.answers[address]
				if answer == nil {
					return nil, errors.New("refused")
				}
				fake := &testkit.Fake{T: t, Versions: []kmsg.ApiVersionsResponseApiKey{{ApiKey: 59, MaxVersion: 1}}, Handle: func(h wire.Header, body []byte) []byte {
					var req wire.RaftRequest
					if err := req.Read(h, body); err != nil || req.To != kafka.NoNode || req.ClusterID != "c" || req.From.ID != 4 || len(req.From.Endpoints) != 1 {
						t.Errorf("%+v, %v", req, err)
					}
					return testkit.Answer(h, answer)
				}}
				return fake.Dial(ctx)
			}
			n := raftnet.New(raftnet.Options{
				ClusterID: "c", Self: 4, Directory: kafka.UUID{4}, Bootstrap: []string{"a:1", "b:1"}, DialAddress: dial,
				Endpoints: func() []metadata.Endpoint {
					return []metadata.Endpoint{{Listener: "CONTROLLER", Host: "four", Port: 9}}
				},
				Dial: func(ctx context.Context, v quorum.Voter) (net.Conn, error) {
					return dial(ctx, map[kafka.NodeID]string{2: "voter 2", 3: "voter 3"}[v.ID])
				},
				Timeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler),
			})
			defer n.Close()
			got, err := n.Introduce(t.Context(), []quorum.Voter{{ID: 3}})
			if !errors.Is(err, test.want) || len(asked) != len(test.asked) {
				t.Fatalf("asked %q, %v, want %q, %v", asked, err, test.asked, test.want)
			}
			for i, address := range asked {
				if address != test.asked[i] {
					t.Errorf("asked %q, want %q", asked, test.asked)
				}
			}
			if err == nil && (got.ID != 2 || got.Directory != leader.Directory || got.Endpoints[0].Host != "two") {
				t.Errorf("the leader is %+v", got)
			}
		})
	}
}

// TestJoin: a node asks the leader for a vote in Kafka's words, with its own addresses, or for the removal of a disk; what it is told is an error of Kafka's.
func TestJoin(t *testing.T) {
	var got []kmsg.Request
	fake := &testkit.Fake{T: t, Versions: []kmsg.ApiVersionsResponseApiKey{{ApiKey: 80, MaxVersion: 1}, {ApiKey: 81}}, Handle: func(h wire.Header, body []byte) []byte {
		req, err := wire.Decode(h, body)
		if err != nil {
			t.Error(err)
			return nil
		}
		got = append(got, req)
		if h.Key == 81 {
			return testkit.Answer(h, kmsg.NewPtrRemoveRaftVoterResponse())
		}
		resp := kmsg.NewPtrAddRaftVoterResponse()
		resp.ErrorCode, resp.ErrorMessage = kerr.RequestTimedOut.Code, kmsg.StringPtr("it is lagging behind")
		return testkit.Answer(h, resp)
	}}
	n := raftnet.New(raftnet.Options{
		ClusterID: "c", Self: 4, Directory: kafka.UUID{4},
		Endpoints: func() []metadata.Endpoint {
			return []metadata.Endpoint{{Listener: "CONTROLLER", Host: "four", Port: 9}}
		},
		Dial: func(ctx context.Context, v quorum.Voter) (net.Conn, error) {
			if v.ID != 2 {
				t.Errorf("asks node %d", v.ID)
			}
			return fake.Dial(ctx)
		},
		Timeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	defer n.Close()
	own := quorum.Voter{ID: 4, Directory: kafka.UUID{4}}
	err := n.Join(t.Context(), quorum.Voter{ID: 2}, quorum.VoterChange{Kind: quorum.AddVoter, Voter: own, Early: true})
	if !errors.Is(err, kerr.RequestTimedOut) || !strings.Contains(err.Error(), "lagging") {
		t.Errorf("it was refused, and hears %v", err)
	}
	add := got[0].(*kmsg.AddRaftVoterRequest)
	if *add.ClusterID != "c" || add.VoterID != 4 || add.VoterDirectoryID != own.Directory || add.AckWhenCommitted || len(add.Listeners) != 1 ||
		add.Listeners[0].Name != "CONTROLLER" || add.Listeners[0].Host != "four" || add.Listeners[0].Port != 9 {
		t.Errorf("asks %+v", add)
	}
	old := quorum.Voter{ID: 4, Directory: kafka.UUID{3}}
	if err := n.Join(t.Context(), quorum.Voter{ID: 2}, quorum.VoterChange{Kind: quorum.RemoveVoter, Voter: old}); err != nil {
		t.Error(err)
	}
	if remove := got[1].(*kmsg.RemoveRaftVoterRequest); *remove.ClusterID != "c" || remove.VoterID != 4 || remove.VoterDirectoryID != old.Directory {
		t.Errorf("asks %+v", remove)
	}
}
