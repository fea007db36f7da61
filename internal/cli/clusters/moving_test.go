package clusters

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

func tp(topic string, partition int32) kafka.TopicPartition {
	return kafka.TopicPartition{Topic: topic, Partition: partition}
}

func TestParseWanted(t *testing.T) {
	all, err := parseWanted([]string{"a", "b/3"})
	if err != nil || len(all) != 2 || all[0] != tp("a", -1) || all[1] != tp("b", 3) {
		t.Errorf("got %v, %v", all, err)
	}
	for _, wrong := range []string{"a/", "a/-1", "a/x", "a/99999999999", "a b", ""} {
		if _, err := parseWanted([]string{wrong}); command.ExitOf(err) != command.Usage {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	for p, want := range map[kafka.TopicPartition]bool{tp("a", 0): true, tp("a", 9): true, tp("b", 3): true, tp("b", 2): false, tp("c", 0): false} {
		if selects(all, p) != want {
			t.Errorf("%s is selected: %v", p, !want)
		}
	}
	if !selects(nil, tp("x", 0)) {
		t.Error("nothing wanted is all")
	}
}

func TestBytesOfAMove(t *testing.T) {
	m := moving{Topic: "t", Replicas: []int32{2, 3}, Adding: []int32{2, 3}, State: underWay}
	m.weighed(map[held]int64{}, 1)
	if m.Bytes != nil || m.Copied != nil {
		t.Error("nobody told, and yet it is known")
	}
	// More than the leader has, as a log before a cleaning, counts as all.
	m.weighed(map[held]int64{{m.key(), 1}: 100, {m.key(), 2}: 130}, 1)
	if *m.Bytes != 200 || *m.Copied != 100 {
		t.Errorf("%d of %d", *m.Copied, *m.Bytes)
	}
	before := m
	m.weighed(map[held]int64{{m.key(), 1}: 100, {m.key(), 2}: 100, {m.key(), 3}: 20}, 1)
	m.rated(before, 2*time.Second)
	if m.Left == nil || *m.Left != 8 {
		t.Errorf("left: %v", m.Left)
	}
	stands := m
	stands.Left = nil
	if stands.rated(m, time.Second); stands.Left != nil {
		t.Errorf("nothing came, and yet %v is left", *stands.Left)
	}
}

func TestTransferTellsHowFarItIs(t *testing.T) {
	var seconds int64
	var out bytes.Buffer
	a := command.NewApp(&command.World{Err: &out, Now: func() time.Time { return time.Unix(seconds, 0) }})
	size := func(n int64) *int64 { return &n }
	x := &transfer{app: a, line: a.Line(), begun: 1 << 20, rows: []moving{
		{Topic: "t", Adding: []int32{2}, Bytes: size(2 << 20), Copied: size(2 << 20), State: arrived},
		{Topic: "t", Partition: 1, Adding: []int32{2}, Bytes: size(6 << 20), Copied: size(1 << 20), State: underWay},
		{Topic: "t", Partition: 2, Adding: []int32{2}, State: underWay},
	}}
	seconds = 4
	if got, want := x.progress(), "moved 1 of 3 partitions, 3.0 MiB of 8.0 MiB, 37 %… in 4s, 512.0 KiB/s, 10s left"; got != want {
		t.Errorf("got %q", got)
	}
	x.begun = 3 << 20
	if got, want := x.progress(), "moved 1 of 3 partitions, 3.0 MiB of 8.0 MiB, 37 %… in 4s"; got != want {
		t.Errorf("got %q", got)
	}
	x.line.End(x.summary())
	if out.String() != "moved 3 partitions (8.0 MiB) in 4s\n" {
		t.Errorf("got %q", out.String())
	}
	if got := toCopy(x.rows); got != "3 replicas to copy, 8.0 MiB" {
		t.Errorf("got %q", got)
	}
}

func TestPlansAreShortened(t *testing.T) {
	lines := strings.Split(strings.Repeat("x\n", manyLines), "\n")[:manyLines]
	if got := shortened(lines); len(got) != manyLines {
		t.Errorf("%d lines", len(got))
	}
	got := shortened(append(lines, "y", "z"))
	if len(got) != manyLines+1 || got[manyLines] != "… and 2 more; --dry-run shows all" {
		t.Errorf("got %q", got)
	}
}

func TestPartitionsByTopic(t *testing.T) {
	got := byTopic([]kafka.TopicPartition{tp("a", 0), tp("a", 1), tp("b", 0)})
	if len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 1 || got[1][0] != tp("b", 0) {
		t.Errorf("got %v", got)
	}
	if len(byTopic(nil)) > 0 {
		t.Error("nothing has no topic")
	}
}

// Moves under way come in order, whatever the map does.
func TestMovesInFlight(t *testing.T) {
	flights := map[kafka.TopicPartition]flight{}
	for i := range int32(20) {
		flights[tp("t", i)] = flight{to: []int32{2, 1}, adding: []int32{2}, removing: []int32{3}}
	}
	flights[tp("u", 0)] = flight{to: []int32{1}}
	rows := inFlight(flights, []wanted{tp("t", -1)})
	if len(rows) != 20 || rows[7].Partition != 7 || rows[7].State != underWay || rows[7].Adding[0] != 2 || rows[7].Removing[0] != 3 {
		t.Errorf("got %v", rows)
	}
	if rows = inFlight(flights, []wanted{tp("u", 0)}); len(rows) != 1 || rows[0].Adding == nil || rows[0].Removing == nil {
		t.Errorf("got %v", rows)
	}
}
