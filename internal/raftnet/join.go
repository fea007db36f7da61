package raftnet

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

// Join implements quorum.Config.Join by Kafka's requests AddRaftVoter and RemoveRaftVoter (KIP-853).
func (n *Net) Join(ctx context.Context, leader quorum.Voter, c quorum.VoterChange) error {
	ctx, cancel := context.WithTimeout(ctx, n.o.Timeout)
	defer cancel()
	client := n.client(maxAnswer, func() (quorum.Voter, bool) { return leader, true })
	defer client.Close()
	if c.Kind == quorum.RemoveVoter {
		req := kmsg.NewPtrRemoveRaftVoterRequest()
		req.ClusterID, req.VoterID, req.VoterDirectoryID = &n.o.ClusterID, int32(c.Voter.ID), c.Voter.Directory
		return asked(ctx, client, req, func(r *kmsg.RemoveRaftVoterResponse) (int16, *string) { return r.ErrorCode, r.ErrorMessage })
	}
	req := kmsg.NewPtrAddRaftVoterRequest()
	req.ClusterID, req.VoterID, req.VoterDirectoryID = &n.o.ClusterID, int32(c.Voter.ID), c.Voter.Directory
	req.TimeoutMillis, req.AckWhenCommitted = int32(n.o.Timeout.Milliseconds()), !c.Early
	for _, e := range n.self().Endpoints {
		l := kmsg.NewAddRaftVoterRequestListener()
		l.Name, l.Host, l.Port = e.Listener, e.Host, e.Port
		req.Listeners = append(req.Listeners, l)
	}
	return asked(ctx, client, req, func(r *kmsg.AddRaftVoterResponse) (int16, *string) { return r.ErrorCode, r.ErrorMessage })
}

// asked is what came of a request.
func asked[R kmsg.Response](ctx context.Context, client *peer.Client, req kmsg.Request, result func(R) (int16, *string)) error {
	req.SetVersion(req.MaxVersion())
	resp, err := client.Do(ctx, req)
	if err != nil {
		return err
	}
	code, text := result(resp.(R)) // it was decoded as the answer to req
	err = kerr.ErrorForCode(code)
	if err != nil && text != nil {
		err = fmt.Errorf("%s: %w", *text, err)
	}
	return err
}
