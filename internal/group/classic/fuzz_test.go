package classic

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// A log may hold any record: it is loaded, and the group lives on and ends.
func FuzzReplay(f *testing.F) {
	h := newHost(f, Config{MaxSize: 3})
	instance := "i"
	for i, protocolType := range []string{"", "consumer", "connect"} {
		g := New("g", h.env)
		g.protocolType, g.protocol, g.generation = protocolType, &protocolType, int32(i)
		for range i {
			g.add(&member{id: string(rune('a' + i)), instance: &instance, protocols: []protocol{{protocolType, []byte{0, 1, 0, 0, 0, 0}}}})
		}
		for version := range int16(5) {
			r := g.record(int32(i))
			r.Version = version
			b, _ := r.AppendValue(nil)
			f.Add(b, b)
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		h := newHost(t, Config{MaxSize: 3, NewMemberTimeout: time.Minute})
		for _, b := range [][]byte{first, second, first} {
			if v, _, err := schema.ParseGroupValue(2, b); err == nil {
				h.g.Replay(v.(*schema.GroupMetadataValue))
			}
		}
		h.turn(h.g.Loaded)
		h.g.Describe()
		h.g.OffsetsAgeFrom()
		r := rand.New(rand.NewPCG(uint64(len(first)), 1))
		clients := []*client{{name: "a"}, {name: "b"}, {name: "i", instance: kmsg.StringPtr("i")}}
		for id := range h.g.members {
			clients[0].id = max(clients[0].id, id)
		}
		for range 30 {
			c := clients[r.IntN(len(clients))]
			c.listen(h)
			act(h, r, c, func() {})
		}
		h.pass(60*24*time.Hour, func() {})
		if h.g.state != Empty || len(h.waits) > 0 {
			t.Fatalf("%d wait in\n%s", len(h.waits), h.g)
		}
	})
}

// What a member says of itself is bytes of its own: topics are read from them as kmsg does, and nothing beyond.
func FuzzSubscription(f *testing.F) {
	for version := range int16(4) {
		m := kmsg.NewConsumerMemberMetadata()
		m.Version, m.Topics, m.UserData = version, []string{"t", "topic"}, []byte{1}
		f.Add(m.AppendTo(nil))
	}
	f.Add([]byte{0, 0, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		topics := make(map[string]struct{})
		ok := readTopics(b, topics)
		if ok && len(b) >= 2 {
			var m kmsg.ConsumerMemberMetadata
			plain := bytes.Clone(b)
			plain[0], plain[1] = 0, 0
			if err := m.ReadFrom(plain); err == nil && len(topics) > len(m.Topics) {
				t.Fatalf("%d topics of %d", len(topics), len(m.Topics))
			}
		}
		name := "range"
		g := New("g", &Env{Config: Config{MaxSize: 1}, Alarms: shard.NewAlarms[Alarm]()})
		g.protocolType, g.protocol = consumerType, &name
		g.add(&member{id: "m", protocols: []protocol{{name, b}}})
		if g.topics = g.subscriptions(); (g.topics != nil) != ok {
			t.Fatalf("read %v, the group has %v", ok, g.topics)
		}
	})
}
