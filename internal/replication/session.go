package replication

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// key names a partition as fetches do.
type key struct {
	topic     kafka.TopicID
	partition int32
}

// session is what a follower and a leader's node know of each other beyond one fetch (KIP-227): a request names only the partitions that are asked
// for anew, an answer those that have news. It decides, and sends nothing.
type session struct {
	id    int32
	epoch int32 // of the next request; 0 begins a session, and ends the one before
	// members are those of the request that is on its way, told what the leader's node knows of each, asked the same by name: the answer may be about
	// any, named or not.
	members []*followed
	told    []partition.Fetching
	asked   map[key]*followed
}

// ask takes in what is wanted, and returns what a request has to name of it, in that order, and what it has to take back.
func (s *session) ask(wanted []*followed) (named []*followed, forgotten []key) {
	if s.epoch == 0 {
		s.members, s.told = nil, nil
	}
	if !slices.Equal(s.members, wanted) {
		return s.change(wanted)
	}
	for i, x := range wanted { // the rule: one fetch is about what the one before was about
		if s.told[i] != x.asked {
			s.told[i] = x.asked
			named = append(named, x)
		}
	}
	return named, nil
}

// change is ask where others are wanted than before.
func (s *session) change(wanted []*followed) (named []*followed, forgotten []key) {
	before := make(map[key]partition.Fetching, len(s.members))
	for i, x := range s.members {
		before[x.is] = s.told[i]
	}
	s.members, s.told, s.asked = slices.Clone(wanted), make([]partition.Fetching, len(wanted)), make(map[key]*followed, len(wanted))
	for i, x := range wanted {
		if told, has := before[x.is]; !has || told != x.asked {
			named = append(named, x)
		}
		delete(before, x.is)
		s.told[i], s.asked[x.is] = x.asked, x
	}
	forgotten = slices.SortedFunc(maps.Keys(before), func(a, b key) int {
		return cmp.Or(bytes.Compare(a.topic[:], b.topic[:]), cmp.Compare(a.partition, b.partition))
	})
	return named, forgotten
}

// answered takes in which session an answer belongs to: none, if the leader's node keeps none for this one.
func (s *session) answered(id int32) {
	switch {
	case id == 0:
		s.id, s.epoch = 0, 0
	case s.epoch == 0 || s.epoch == math.MaxInt32:
		s.id, s.epoch = id, 1
	default:
		s.epoch++
	}
}

// broken says that nobody knows what the leader's node has taken in: the next request tells all.
func (s *session) broken() { s.epoch = 0 }

// fill writes the session's part of a request.
func (s *session) fill(req *kmsg.FetchRequest, forgotten []key) {
	req.SessionID, req.SessionEpoch = s.id, s.epoch
	for i, k := range forgotten {
		if i == 0 || k.topic != forgotten[i-1].topic {
			t := kmsg.NewFetchRequestForgottenTopic()
			t.TopicID = k.topic
			req.ForgottenTopics = append(req.ForgottenTopics, t)
		}
		t := &req.ForgottenTopics[len(req.ForgottenTopics)-1]
		t.Partitions = append(t.Partitions, k.partition)
	}
}
