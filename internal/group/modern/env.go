package modern

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/shard"
)

// Env is what the groups of a shard share.
type Env struct {
	Config Config
	Alarms *shard.Alarms[Alarm]
	// NewID draws the ids of members.
	NewID func() kafka.UUID
	// Image is the newest; the shard sets it.
	Image *metadata.Image
	// Times returns those of a group, as they are now.
	Times func(groupID string) Times

	followed map[string]*followed
	// newTopics is the image that brought the newest topics, as far as a regular expression could have missed them.
	newTopics kafka.Offset
	debt      debt
}

// Alarm is the key of a deadline.
type Alarm struct {
	Group, Member string
	Kind          AlarmKind
}

// AlarmKind says what a member missed when its alarm goes off.
type AlarmKind uint8

// The kinds of alarms. Each removes the member.
const (
	Session   AlarmKind = iota // it did not heartbeat
	Rebalance                  // it did not give up its partitions
	Join                       // a member of the classic protocol did not join again
	Sync                       // … did not sync
)

// followed is a topic that groups subscribe to, existing or not.
type followed struct {
	topic  *metadata.Topic // that hash was computed of, or nil
	hash   uint64
	groups map[*Group]struct{}
}

func (e *Env) follow(name string, g *Group) {
	f := e.followed[name]
	if f == nil {
		f = &followed{groups: make(map[*Group]struct{}, 1)}
		if e.followed == nil {
			e.followed = make(map[string]*followed)
		}
		e.followed[name] = f
	}
	f.groups[g] = struct{}{}
}

func (e *Env) unfollow(name string, g *Group) {
	f := e.followed[name]
	if f == nil {
		return
	}
	delete(f.groups, g)
	if len(f.groups) == 0 {
		delete(e.followed, name)
	}
}

// Scratch returns an environment for groups that are thrown away: what happens to them is not seen in this one.
func (e *Env) Scratch() *Env {
	scratch := *e
	scratch.Alarms, scratch.followed = shard.NewAlarms[Alarm](), nil
	return &scratch
}

// Refresh says that Image took the place of the image before: groups whose topics changed look at them with their next
// heartbeat.
func (e *Env) Refresh(before *metadata.Image) {
	if before.Topics == e.Image.Topics {
		return
	}
	for name, f := range e.followed {
		if before.Topics.ByName(name) != e.Image.Topics.ByName(name) {
			for g := range f.groups {
				g.stale = true
			}
		}
	}
	if created(before.Topics, e.Image.Topics) {
		e.newTopics = e.Image.Offset
	}
}

func created(before, after *metadata.Topics) bool {
	if after.Len() > before.Len() {
		return true
	}
	for topic := range after.All() {
		if before.ByID(topic.ID) == nil {
			return true
		}
	}
	return false
}

func milliseconds(ms int32) time.Duration { return time.Duration(ms) * time.Millisecond }
