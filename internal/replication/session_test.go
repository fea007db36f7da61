package replication

import (
	"math"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
)

// asks is one request of a session: what it names, takes back, and says of the session.
type asks struct {
	named, forgotten []int32
	id, epoch        int32
}

// ask wants partitions of one topic from offsets on. Those that the session knows are the same ones, if only in their places.
func ask(s *session, offsets map[int32]kafka.Offset) asks {
	var wanted []*followed
	for id := range int32(10) {
		if at, ok := offsets[id]; ok {
			x := s.asked[key{partition: id}]
			if x == nil {
				x = &followed{is: key{partition: id}}
			}
			x.asked = partition.Fetching{Offset: at}
			wanted = append(wanted, x)
		}
	}
	named, forgotten := s.ask(wanted)
	req := kmsg.NewPtrFetchRequest()
	s.fill(req, forgotten)
	a := asks{id: req.SessionID, epoch: req.SessionEpoch}
	for _, x := range named {
		a.named = append(a.named, x.is.partition)
	}
	for _, t := range req.ForgottenTopics {
		a.forgotten = append(a.forgotten, t.Partitions...)
	}
	return a
}

func (a asks) want(t *testing.T, what string, named, forgotten []int32, id, epoch int32) {
	t.Helper()
	if !slices.Equal(a.named, named) || !slices.Equal(a.forgotten, forgotten) || a.id != id || a.epoch != epoch {
		t.Errorf("%s: %+v, want %v, forgotten %v, session %d epoch %d", what, a, named, forgotten, id, epoch)
	}
}

// TestSessionTellsWhatChanged goes through the life of a session.
func TestSessionTellsWhatChanged(t *testing.T) {
	s := &session{}
	ask(s, map[int32]kafka.Offset{1: 0, 2: 0, 3: 0}).want(t, "the first tells all", []int32{1, 2, 3}, nil, 0, 0)
	s.answered(77)
	ask(s, map[int32]kafka.Offset{1: 0, 2: 5, 3: 0}).want(t, "what went on", []int32{2}, nil, 77, 1)
	s.answered(77)
	ask(s, map[int32]kafka.Offset{1: 0, 2: 5, 3: 0}).want(t, "nothing did", nil, nil, 77, 2)
	s.answered(77)
	s.asked = nil // they were followed anew
	ask(s, map[int32]kafka.Offset{1: 0, 2: 5, 3: 1}).want(t, "the same ones, followed anew", []int32{3}, nil, 77, 3)
	s.answered(77)
	ask(s, map[int32]kafka.Offset{2: 5, 4: 1}).want(t, "others", []int32{4}, []int32{1, 3}, 77, 4)
	s.broken()
	ask(s, map[int32]kafka.Offset{2: 5, 4: 1}).want(t, "the connection broke: all anew, and the old one ends", []int32{2, 4}, nil, 77, 0)
	s.answered(78)
	s.epoch = math.MaxInt32
	s.answered(78)
	ask(s, map[int32]kafka.Offset{2: 5, 4: 1}).want(t, "epochs begin again", nil, nil, 78, 1)
	s.answered(0)
	ask(s, map[int32]kafka.Offset{2: 5, 4: 1}).want(t, "the leader's node keeps none", []int32{2, 4}, nil, 0, 0)
	s.answered(0)
	ask(s, map[int32]kafka.Offset{2: 5, 4: 1}).want(t, "still not", []int32{2, 4}, nil, 0, 0)
}
