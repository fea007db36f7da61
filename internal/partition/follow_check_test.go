package partition

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// TestOnlyWhatComesNext: base offset and leader epoch lie outside of a batch's CRC. A follower holds them against what it asked for, writes what is
// right before what is wrong, and nothing behind it.
func TestOnlyWhatComesNext(t *testing.T) {
	const far = math.MaxInt64
	type batch struct {
		base  kafka.Offset // of two records
		epoch kafka.LeaderEpoch
	}
	for _, c := range []struct {
		name           string
		request        FollowRequest // of epoch 3, at offset 4 behind records of epoch 1
		compacted      bool
		sent           []batch
		end            kafka.Offset
		says           string
		corrupt, fence bool
	}{
		{name: "what comes next", sent: []batch{{4, 1}, {6, 3}}, end: 8},
		{name: "an epoch that falls below the log's", sent: []batch{{4, 0}}, end: 4, corrupt: true},
		{name: "an epoch that falls within the answer", sent: []batch{{4, 3}, {6, 2}}, end: 6, corrupt: true},
		{name: "no epoch", sent: []batch{{4, -1}}, end: 4, corrupt: true},
		{name: "an epoch of tomorrow", sent: []batch{{4, 3}, {6, 4}}, end: 6, fence: true},
		{name: "what is there already", sent: []batch{{2, 1}, {4, 1}}, end: 4, corrupt: true},
		{name: "what overlaps", sent: []batch{{3, 1}}, end: 4, corrupt: true},
		{name: "the same twice", sent: []batch{{4, 1}, {4, 1}}, end: 6, corrupt: true},
		{name: "back within the answer", sent: []batch{{4, 1}, {5, 1}}, end: 6, corrupt: true},
		{name: "a negative offset", sent: []batch{{-9, 1}}, end: 4, corrupt: true},
		{name: "the end of all offsets", sent: []batch{{far - 1, 1}}, end: 4, corrupt: true},
		{name: "beyond the end of all offsets", sent: []batch{{far, 1}}, end: 4, corrupt: true},
		{name: "a gap", sent: []batch{{4, 1}, {7, 1}, {9, 1}}, end: 6, says: "a batch of offsets 7 to 8, after 5"},
		{name: "a gap in a log that is compacted", compacted: true, sent: []batch{{4, 1}, {7, 1}, {9, 1}}, end: 11},
		{name: "a gap that a cleaner can't leave", request: FollowRequest{HighWatermark: 6}, compacted: true, sent: []batch{{5, 1}, {8, 1}}, end: 7, says: "8 to 9, after 6"},
		{name: "a gap that came twice", request: FollowRequest{Believed: &GapError{Base: 7}}, sent: []batch{{4, 1}, {7, 1}, {11, 1}}, end: 9, says: "11 to 12, after 8"},
		{name: "another gap than before", request: FollowRequest{Believed: &GapError{Base: 8}}, sent: []batch{{4, 1}, {7, 1}}, end: 6, says: "7 to 8, after 5"},
		{name: "gaps in a log that had some", request: FollowRequest{Sure: 10}, sent: []batch{{5, 1}, {8, 1}, {11, 1}}, end: 10, says: "11 to 12, after 9"},
	} {
		g := newGroup(t)
		w, p := g.nodes[1], g.at(1)
		if c.compacted {
			config := *p.config.Load()
			config.Compacted = true
			p.config.Store(&config)
		}
		two := func(b batch) []byte {
			sent := data(t, 2)
			record.Batch(sent).SetBaseOffset(b.base)
			record.Batch(sent).SetLeaderEpoch(b.epoch)
			return sent
		}
		for range 3 {
			g.change(g.isr, 0) // epoch 3
		}
		follow := func(r FollowRequest, sent ...batch) error {
			for _, b := range sent {
				r.Records = append(r.Records, two(b)...)
			}
			r.LeaderEpoch, r.Now = 3, w.now
			return p.AppendAsFollower(r)
		}
		if err := follow(FollowRequest{}, batch{0, 1}, batch{2, 1}); err != nil {
			t.Fatal(err)
		}
		before := g.bytes(1)
		if c.request.Offset = 4; c.request.HighWatermark == 0 {
			c.request.HighWatermark = 100
		}
		err := follow(c.request, c.sent...)
		var gap *GapError
		if got := p.LogEndOffset(); got != c.end || (err == nil) != (c.says == "" && !c.corrupt && !c.fence) {
			t.Errorf("%s: ends at %d, want %d: %v", c.name, got, c.end, err)
		} else if errors.As(err, &gap) != (c.says != "") || c.says != "" && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if errors.Is(err, kerr.CorruptMessage) != (c.corrupt || c.says != "") || errors.Is(err, kerr.FencedLeaderEpoch) != c.fence {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(g.bytes(1)[:len(before)], before) || len(w.failed) > 0 {
			t.Errorf("%s: what was there changed, or the directory failed: %v", c.name, w.failed)
		}
	}
}

// TestBeginsWithin: an empty log that is asked on from within a batch begins with that batch, if it is one that holds what was asked for.
func TestBeginsWithin(t *testing.T) {
	for _, c := range []struct {
		base, asked kafka.Offset
		believed    *GapError
		want        string
	}{
		{4, 5, &GapError{Base: 4}, "4 to 6"},
		{5, 5, nil, "5 to 7"},
		{4, 5, nil, "5 to 5"},  // when it comes once more
		{3, 5, nil, "5 to 5"},  // it ends before
		{-1, 5, nil, "5 to 5"}, // there is no such offset
		{8, 5, nil, "5 to 5"},  // a gap
		{8, 8, nil, "5 to 5"},  // of a fetch that this log did not send
	} {
		g := newGroup(t)
		p := g.at(1)
		if err := p.StartAt(0, 5, 9, g.nodes[1].now); err != nil {
			t.Fatal(err)
		}
		sent := data(t, 2)
		record.Batch(sent).SetBaseOffset(c.base)
		record.Batch(sent).SetLeaderEpoch(0)
		err := p.AppendAsFollower(FollowRequest{Offset: c.asked, Records: sent, HighWatermark: 9, Believed: c.believed, Now: g.nodes[1].now})
		if got := fmt.Sprint(p.LogStartOffset(), " to ", p.LogEndOffset()); got != c.want || (err == nil) != (c.want != "5 to 5") {
			t.Errorf("a batch at %d, asked from %d: %s, want %s: %v", c.base, c.asked, got, c.want, err)
		}
	}
}
