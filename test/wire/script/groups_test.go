package script

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDrawnIDs shows what becomes of ids that a coordinator draws: the same symbol for the same id in all cases of a run,
// numbered by first appearance; ids of the script's own stay.
func TestDrawnIDs(t *testing.T) {
	r := &run{player: &player{topics: map[[16]byte]string{}, ids: map[string][16]byte{}}, api: api{key: 11}, members: map[string]string{}}
	const one, two = "wire-00000000-1111-2222-3333-444444444444", "i-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	join := func(leader, member string) string {
		resp := kmsg.NewPtrJoinGroupResponse()
		resp.LeaderID, resp.MemberID = leader, member
		r.learn(resp)
		return strings.Join(r.renderer().answer(resp), " ")
	}
	for _, c := range []struct{ leader, member, want string }{
		{one, two, `LeaderID: "wire-<member#2>" MemberID: "i-<member#1>"`}, // the own id is learned first
		{two, one, `LeaderID: "i-<member#1>" MemberID: "wire-<member#2>"`},
		{"m1", "AAAAAAAAAAAAAAAAAAAAAA", `LeaderID: "m1" MemberID: "<member#3>"`},
		{"", "nobody", `MemberID: "nobody"`},
	} {
		if got := join(c.leader, c.member); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestRenderGroups shows bytes of members as text, sets in order, an empty struct, and a list of which nothing is ours.
func TestRenderGroups(t *testing.T) {
	r := &run{player: &player{topics: map[[16]byte]string{}}, api: api{key: 69}}
	resp := kmsg.NewPtrConsumerGroupDescribeResponse()
	g := kmsg.NewConsumerGroupDescribeResponseGroup()
	g.Group = r.name("g")
	m := kmsg.NewConsumerGroupDescribeResponseGroupMember()
	m.MemberID, m.SubscribedTopics = "m1", []string{r.name("b"), r.name("a")}
	g.Members = append(g.Members, m)
	resp.Groups = append(resp.Groups, g)
	got := r.renderer().answer(resp)
	if want := `Groups[g].Members[m1]: {SubscribedTopics=["a","b"]}`; !slices.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
	r.api.key = 14
	sync := kmsg.NewPtrSyncGroupResponse()
	sync.MemberAssignment = []byte("\x00\x01" + r.name("a"))
	if got, want := r.renderer().answer(sync), []string{`MemberAssignment: "\x00\x01a"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.api.key = 68
	beat := kmsg.NewPtrConsumerGroupHeartbeatResponse()
	beat.Assignment = &kmsg.ConsumerGroupHeartbeatResponseAssignment{}
	if got, want := r.renderer().answer(beat), []string{"Assignment: {}"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.api.key = 16
	list := kmsg.NewPtrListGroupsResponse()
	list.Groups = append(list.Groups, kmsg.ListGroupsResponseGroup{Group: "xb1-2v3-another's"})
	if got, want := r.renderer().answer(list), []string{"defaults only"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWaiting begins a request, plays another one meanwhile, and takes the first one's answer later.
func TestWaiting(t *testing.T) {
	answer := make(chan struct{})
	resp := kmsg.NewPtrHeartbeatResponse()
	good := resp.AppendTo(nil)
	p := &player{ctx: t.Context(), topics: map[[16]byte]string{}, ids: map[string][16]byte{}, target: Target{Broker: serve(t, func(f []byte) ([]byte, bool) {
		if strings.Contains(string(f), "waits") {
			<-answer
		}
		return append(slices.Clone(f[4:8]), good...), true
	})}}
	defer p.close()
	r := &run{player: p, api: api{name: "x", key: 12}, version: 0, members: map[string]string{}}
	w := r.begin(r.versioned(heartbeatRequest("waits", "m", 1)))
	r.do("meanwhile", heartbeatRequest("g", "m", 1))
	close(answer)
	w.end("then")
	var got []string
	for _, e := range p.out {
		got = append(got, e.Case+": "+strings.Join(e.Lines, "; "))
	}
	if want := []string{"meanwhile: defaults only", "then: defaults only"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
