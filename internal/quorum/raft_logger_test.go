package quorum

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// What Raft says names nodes by their ids.
func TestRaftNamesNodes(t *testing.T) {
	var said bytes.Buffer
	l := raftLogger{slog.New(slog.NewTextHandler(&said, nil))}
	f := func(want, format string, v ...any) {
		t.Helper()
		said.Reset()
		l.Warningf(format, v...)
		if !strings.Contains(said.String(), `msg="raft: `+want+`"`) {
			t.Errorf("%q is not in %s", want, &said)
		}
	}
	f("node 1 stepped down to follower since quorum is not active", "%x stepped down to follower since quorum is not active", raftID(1))
	f("node 2 [term: 4] ignored %5 of node 11", "%x [term: %d] ignored %%5 of %x", raftID(2), uint64(4), raftID(11))
	f("nobody, node 3 without a vote, a voter with another disk", "%x, %x, %x", uint64(0), unvoting|raftID(3), uint64(stranger))
}
