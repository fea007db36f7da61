package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/peer"
)

// notServed are the sections of the state that Ottla does not serve yet. One that it serves must not be here.
var notServed = []string{"quotas", "acls", "scram", "transactions"}

func (t *turns) serves(section string) bool {
	return t.kind == peer.Kafka || !slices.Contains(notServed, section)
}

// view is what was seen of a server at one moment: by topic, and by section of the state.
type view struct {
	all, committed map[string]reading
	times          map[string]map[int32][]place
	state          map[string]map[string]string
}

// look reads everything and holds it against the model.
func (t *turns) look(ctx context.Context, where string) (*view, error) {
	v := &view{all: map[string]reading{}, committed: map[string]reading{}, times: map[string]map[int32][]place{}}
	for _, name := range slices.Sorted(maps.Keys(t.model.topics)) {
		for isolation, into := range map[string]map[string]reading{"read_uncommitted": v.all, "read_committed": v.committed} {
			var r reading
			if err := t.judge.ask(order{"do": "read", "topic": name, "isolation": isolation}, &r); err != nil {
				return nil, err
			}
			t.s.expect(where+", "+isolation, t.model.check(name, r, isolation == "read_committed"))
			into[name] = r
		}
		f, err := readWithFranz(ctx, t.server.Addr(), name)
		if err != nil {
			return nil, fmt.Errorf("franz-go: %w", err)
		}
		t.s.expect(where+", franz-go", append(t.model.check(name, f, true), sameBounds(name, v.committed[name], f)...))
		if err := t.lookUp(where, name, v); err != nil {
			return nil, err
		}
	}
	var err error
	v.state, err = t.state(where)
	return v, err
}

// lookUp finds offsets by time.
func (t *turns) lookUp(where, name string, v *view) error {
	partitions := t.model.topics[name].partitions
	if t.model.topics[name].compacted { // the cleaner may run at any time
		return nil
	}
	var found map[int32][]place
	if err := t.judge.ask(order{"do": "times", "topic": name, "partitions": len(partitions), "times": lookups}, &found); err != nil {
		return err
	}
	for _, places := range found {
		places[len(places)-1].epoch = 0 // the epoch of the log end is the present leader's
		if first := &places[len(places)-2]; first.offset == places[len(places)-1].offset {
			first.epoch = 0
		}
	}
	// Kafka finds nothing in a log whose deleted segments wait for their removal (docs/deviations.md).
	if name == "deleted" && t.kind == peer.Kafka {
		return nil
	}
	v.times[name] = found
	if name != "txn" { // markers have times too
		t.s.expect(where+", by time", t.model.checkTimes(name, found))
	}
	return nil
}

// state asks for what an administrator sees, flattened by section.
func (t *turns) state(where string) (map[string]map[string]string, error) {
	var sections map[string]struct {
		Is    any    `json:"is"`
		Error string `json:"error"`
	}
	if err := t.judge.ask(order{"do": "state"}, &sections); err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for name, s := range sections {
		switch served := t.serves(name); {
		case served && s.Error != "":
			t.s.failf("%s: %s: %s", where, name, s.Error)
		case !served && !strings.Contains(s.Error, "UnsupportedVersionException"):
			t.s.failf("%s: %s is served: take it off the list of what is not", where, name)
		case served:
			out[name] = map[string]string{}
			flatten(out[name], "", s.Is)
		}
	}
	return out, nil
}

// flatten makes lines of a tree, by path.
func flatten(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, below := range v {
			flatten(out, path+"/"+k, below)
		}
	default:
		out[path] = fmt.Sprint(v)
	}
}

// compare says what the servers after and before show differently.
func compare(before, after map[string]string) []string {
	var bad []string
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if got, ok := after[k]; !ok {
			bad = append(bad, fmt.Sprintf("%s was %s and is gone", k, before[k]))
		} else if got != before[k] {
			bad = append(bad, fmt.Sprintf("%s was %s and is %s", k, before[k], got))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[k]; !ok {
			bad = append(bad, fmt.Sprintf("%s is %s and was not there", k, after[k]))
		}
	}
	return bad
}

// takenOver holds what a server shows that has just taken over against what the last one showed.
func (t *turns) takenOver(where string, v *view) {
	for name := range t.model.topics {
		if t.model.topics[name].compacted {
			continue
		}
		t.s.expect(where+", bounds", append(sameBounds(name, t.last.all[name], v.all[name]), sameBounds(name, t.last.committed[name], v.committed[name])...))
		var bad []string
		if t.last.times[name] != nil && v.times[name] != nil && !reflect.DeepEqual(t.last.times[name], v.times[name]) {
			bad = append(bad, fmt.Sprintf("%s: found by time was %v, and is %v", name, t.last.times[name], v.times[name]))
		}
		t.s.expect(where+", by time", bad)
	}
	for section, after := range v.state {
		if before := t.last.state[section]; before != nil {
			t.s.expect(where+", "+section, compare(before, after))
		}
	}
}

// keep makes v what the next server must show. What this one does not serve stays as an earlier one showed it.
func (t *turns) keep(v *view) {
	if t.last != nil {
		for section, known := range t.last.state {
			if v.state[section] == nil {
				v.state[section] = known
			}
		}
	}
	t.last = v
}

// readWithFranz reads what is committed of a topic, up to the last stable offset of each partition.
func readWithFranz(ctx context.Context, addr, name string) (reading, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r := reading{Bounds: map[int32][2]int64{}}
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(20*time.Millisecond))
	if err != nil {
		return r, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, name)
	if err != nil {
		return r, err
	}
	ends, err := admin.ListCommittedOffsets(ctx, name)
	if err != nil {
		return r, errors.Join(err, ends.Error())
	}
	left := map[int32]bool{}
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		start, _ := starts.Lookup(name, o.Partition)
		r.Bounds[o.Partition] = [2]int64{start.Offset, o.Offset}
		if from[o.Partition] = kgo.NewOffset().At(start.Offset); start.Offset < o.Offset {
			left[o.Partition] = true
		}
	})
	// Control records are wanted only to know when the end is reached.
	reader, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(20*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: from}), kgo.KeepControlRecords())
	if err != nil {
		return r, err
	}
	defer reader.Close()
	for len(left) > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return r, fmt.Errorf("%s, with %v left: %w", name, left, err)
		}
		fetches.EachRecord(func(k *kgo.Record) {
			if !k.Attrs.IsControl() {
				var headers []header
				for _, h := range k.Headers {
					headers = append(headers, header{h.Key, h.Value})
				}
				r.Records = append(r.Records, seen{k.Partition, k.Offset, k.Timestamp.UnixMilli(), k.LeaderEpoch, digest(k.Key, k.Value, headers)})
			}
			if k.Offset+1 >= r.Bounds[k.Partition][1] {
				delete(left, k.Partition)
			}
		})
	}
	return r, nil
}
