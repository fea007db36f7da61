package group

import (
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/group/classic"
	"github.com/ottla/ottla/internal/group/modern"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// upgrade makes a classic group with members a consumer group, because a member joins with the consumer protocol. The
// members of the classic protocol stay; those that wait are sent to join again.
func (s *Shard) upgrade(t *shard.Turn, old *classic.Group, cmd ConsumerGroupHeartbeat) (*modern.Group, *kerr.Error) {
	const cannot = "Cannot upgrade classic group %s to consumer group because "
	id := cmd.Request.Group
	switch {
	case !s.config.Classic.UpgradeToModern:
		return nil, modern.NotFound(cannot+"online upgrade is disabled.", id)
	case old.ProtocolType() != "consumer":
		return nil, modern.NotFound(cannot+"the group does not use the consumer embedded protocol.", id)
	case old.Size() > s.config.Modern.MaxSize:
		return nil, modern.NotFound(cannot+"the group size exceeds the consumer group maximum size.", id)
	}
	records, err := modern.Upgrade(id, old.Value(), old.Offers, s.modern)
	if err != nil {
		return nil, err
	}
	written := make([]shard.Record, 0, len(records))
	trial := modern.New(id, s.modern.Scratch())
	for _, r := range records {
		trial.Replay(r.Key, r.Value)
		written = append(written, r)
	}
	if err := trial.Check(t, cmd.Request, cmd.Client); err != nil {
		return nil, err
	}
	if !t.Fits(written...) {
		return nil, kerr.UnknownServerError
	}
	old.Dissolve(t)
	old.Delete(t)
	for _, r := range written {
		t.Write(r)
	}
	g := s.groups[id].(*modern.Group)
	g.KeepAllClassic(t)
	return g, nil
}

// mayDowngrade says whether a consumer group becomes a classic one when members leave.
func (s *Shard) mayDowngrade(g *modern.Group, leaving []string) bool {
	stay, only := g.OnlyClassic(leaving)
	return only && stay > 0 && s.config.Classic.DowngradeFromModern && stay <= s.config.Classic.MaxSize
}

// mayReplace says whether a consumer group becomes a classic one when a member of the classic protocol takes the place of a
// static member, "" for none.
func (s *Shard) mayReplace(g *modern.Group, replaced string) bool {
	if replaced == "" || g.IsClassic(replaced) {
		return false
	}
	stay, only := g.OnlyClassic([]string{replaced})
	return only && s.config.Classic.DowngradeFromModern && stay+1 <= s.config.Classic.MaxSize
}

// downgrade makes a consumer group a classic one of the members that stay, all of the classic protocol.
func (s *Shard) downgrade(t *shard.Turn, g *modern.Group, id string, leaving []string, rebalance bool) {
	record := classic.Converted(id, g.Downgrade(leaving, t.Now))
	offers := make(map[string][]schema.ClassicProtocol)
	for _, m := range record.Value.(*schema.GroupMetadataValue).Members {
		offers[m.MemberID] = g.Offers(m.MemberID)
	}
	g.Delete(t)
	t.Write(record)
	made := s.groups[id].(*classic.Group)
	for member, offered := range offers {
		made.Offer(member, offered)
	}
	made.Loaded(t)
	if rebalance {
		made.Rebalance(t)
	}
}
